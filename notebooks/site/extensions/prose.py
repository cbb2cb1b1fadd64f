"""Docstrings here are plain prose: `name` is code, and what is indented is set as it stands.

Sphinx reads reStructuredText, in which `|v|` and `2 * x` would be markup. Sections such as `Args:` are left
to `sphinx.ext.napoleon`, which runs afterwards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_SECTION = re.compile(r"(Args|Returns|Raises|Yields|Fields):$")
_ITEM = re.compile(r"\s*([-*]|\d+\.) ")
_QUOTED = re.compile(r"(`+)(.+?)\1")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", process, priority=400)
    return {"parallel_read_safe": True}


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Rewrite the lines of one docstring in place."""
    lines[:] = restructured(lines)


def restructured(lines: list[str]) -> list[str]:
    """`lines` of plain prose as reStructuredText that shows the same."""
    out: list[str] = []
    section = literal = item = False
    for line in lines:
        indented = line.startswith("  ")
        if not line.strip():
            out.append("")
            continue
        if not indented:
            section, item = bool(_SECTION.match(line)), bool(_ITEM.match(line))
            if literal or (item and out and out[-1] and not _ITEM.match(out[-1])):
                out += [""] if out[-1] else []
            literal = False
        elif not section and not item and not literal:
            # a paragraph that leads to it ends in "::" by itself
            out += ["::", ""] if not out or not out[-1] else ["", "::", ""]
            literal = True
        out.append(line if literal or (section and not indented) else escaped(line))
    return out


def escaped(line: str) -> str:
    """`line` with single quotes of code doubled, and nothing else that could be markup."""
    parts, last = [], 0
    for match in _QUOTED.finditer(line):
        parts += [_plain(line[last : match.start()]), f"``{match[2]}``"]
        last = match.end()
        # a word that goes on after code needs an escaped space between
        if last < len(line) and (line[last].isalnum() or line[last] == "_"):
            parts.append(r"\ ")
    return "".join([*parts, _plain(line[last:])])


def _plain(text: str) -> str:
    leading = re.match(r"\s*([-*]\s)?", text)
    start = leading.end() if leading else 0
    return text[:start] + re.sub(r"([*|\\]|(?<=\w)_(?!\w))", r"\\\1", text[start:])
