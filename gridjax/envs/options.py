"""Options of a task that are mappings."""

from __future__ import annotations

from collections.abc import Mapping


def known(name: str, given: Mapping[str, float] | None, default: Mapping[str, float]) -> dict[str, float]:
    """`default` with what is `given`. Raises `ValueError` for keys that it does not have."""
    given = dict(given or {})
    unknown = sorted(set(given) - set(default))
    if unknown:
        raise ValueError(f"{name} holds {unknown}, expected keys of {', '.join(default)}")
    return {**default, **given}
