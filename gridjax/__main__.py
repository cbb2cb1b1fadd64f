"""`python -m gridjax`: versions, devices, tasks and networks, for a look and for reports of faults."""

from __future__ import annotations

import platform
import re
import textwrap
from importlib import metadata

import gridjax

_TOOLS = tuple(f"extra == {extra!r}" for extra in ("benchmark", "consumers", "dev", "docs", "test"))
_TOGETHER = "\N{NO-BREAK SPACE}"  # a name and its version stay on one line


def main() -> None:
    import jax

    from gridjax import network

    devices = jax.devices()
    sizes = sorted((network.get(name).n_bus, name) for name in network.names())
    for title, text in (
        ("gridjax", f"{gridjax.__version__}, {metadata.metadata('gridjax')['License-Expression']}"),
        ("Python", f"{platform.python_version()}, {platform.system()} {platform.machine()}"),
        ("packages", ", ".join(_packages())),
        ("devices", f"{len(devices)} x {devices[0].device_kind} ({devices[0].platform})"),
        ("tasks", ", ".join(gridjax.tasks())),
        ("networks", ", ".join(f"{name} ({buses})" for buses, name in sizes)),
    ):
        whole = re.sub(r"(?<!,) ", _TOGETHER, text)
        lines = textwrap.fill(whole, 100, initial_indent=f"{title:10}", subsequent_indent=" " * 10)
        print(lines.replace(_TOGETHER, " "))


def _packages() -> list[str]:
    """What gridjax asks for, tools of its developers left out, with the version that is here."""
    asked = (line for line in metadata.requires("gridjax") or () if not any(mark in line for mark in _TOOLS))
    names = {_name(line) for line in asked} - {"gridjax"}
    here = {_name(found.name): found.version for found in metadata.distributions()}
    return [f"{name} {here[name]}" for name in sorted(names & here.keys())]


def _name(requirement: str) -> str:
    """The normalised name (PEP 503) at the start of a requirement."""
    length = next((k for k, sign in enumerate(requirement) if not (sign.isalnum() or sign in "._-")), None)
    return requirement[:length].lower().replace("_", "-").replace(".", "-")


if __name__ == "__main__":
    main()
