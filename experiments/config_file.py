"""Read and write a dataclass of settings as YAML, with every key and type checked."""

from __future__ import annotations

import difflib
import math
import types
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import yaml

Settings = TypeVar("Settings")


def read(path: str | Path, kind: type[Settings]) -> Settings:
    """The settings in `path` over those of its `base`, if it names one, over the defaults of `kind`.

    `base` is another such file, relative to `path`. Raises `FileNotFoundError`, or `ValueError` naming file,
    key, value and what was expected.
    """
    return _read(Path(path), kind, ())[1]


def _read(path: Path, kind: type[Settings], derived: tuple[Path, ...]) -> tuple[Any, Settings]:
    """All that `path` and its bases say, and the settings that follow; `derived` are files based on it."""
    if path.resolve() in derived:
        raise ValueError(f"{path}: a config cannot be its own base")
    if not path.is_file():
        raise FileNotFoundError(f"config {path} does not exist or is no file")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no YAML file: {error}") from None
    content = {} if content is None else content
    if isinstance(content, dict) and "base" in content:
        content = dict(content)
        base = _convert(content.pop("base"), str, f"{path}: base")
        below, _ = _read(path.parent / base, kind, (*derived, path.resolve()))
        content = _over(below, content)
    try:
        return content, _build(content, kind, "")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _over(below: Any, content: Any) -> Any:
    """`content` over `below`, section by section."""
    if not (isinstance(below, dict) and isinstance(content, dict)):
        return content
    return below | {key: _over(below.get(key), value) for key, value in content.items()}


def text(settings: Any) -> str:
    """`settings`, a dataclass, as YAML that `read` turns into an equal one."""
    return yaml.safe_dump(_plain(asdict(settings)), sort_keys=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _build(content: Any, kind: type[Settings], prefix: str) -> Settings:
    if not isinstance(content, dict):
        raise ValueError(
            f"{prefix.rstrip('.') or 'the file'}: got {content!r}, expected a mapping of settings"
        )
    hints = get_type_hints(kind)
    known = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    chosen = {}
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=3)
            expected = f"did you mean {', '.join(near)}?" if near else f"expected one of {', '.join(known)}"
            raise ValueError(f"unknown key {prefix}{key}; {expected}")
        chosen[key] = _convert(value, hints[key], f"{prefix}{key}")
    needed = [
        entry.name
        for entry in fields(kind)  # type: ignore[arg-type]
        if entry.default is MISSING and entry.default_factory is MISSING and entry.name not in chosen
    ]
    if needed:
        raise ValueError(f"{prefix.rstrip('.') or 'the file'}: expected {', '.join(needed)}")
    return kind(**chosen)


def _convert(value: Any, hint: Any, name: str) -> Any:
    if isinstance(hint, type) and is_dataclass(hint):
        return _build(value, hint, f"{name}.")
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return _convert(value, next(option for option in inner if option is not type(None)), name)
    if origin is Literal:
        if value not in inner:
            raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(inner)}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{name}: got {value!r}, expected a list such as [64, 64]")
        return tuple(_convert(item, inner[0], f"{name}[{k}]") for k, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ValueError(f"{name}: got {value!r}, expected a mapping such as {{voltage: 0.1}}")
        return {str(key): _convert(item, inner[1], f"{name}.{key}") for key, item in value.items()}
    if hint in (int, float):
        return _number(value, hint, name)
    if not isinstance(value, hint):
        raise ValueError(f"{name}: got {value!r}, expected {_NOUNS[hint]}")
    return value


def _number(value: Any, kind: type, name: str) -> float | int:
    number = value
    if isinstance(value, str):
        # YAML takes 3e-4 and 1e6, without a point and a sign, for text
        try:
            number = float(value)
        except ValueError:
            number = None
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"{name}: got {value!r}, expected {_NOUNS[kind]}")
    if kind is int:
        if number != int(number):
            raise ValueError(f"{name}: got {value!r}, expected {_NOUNS[int]}")
        return int(number)
    return float(number)


_NOUNS = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}
