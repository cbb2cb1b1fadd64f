"""Fields of dataclasses and named tuples, whose comments in the source say shape and unit.

    energy: jax.Array  # [n_battery], kWh

becomes an entry of a section `Fields:` of the class's docstring.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    # before napoleon, which sets the section, and after prose, which would escape it
    app.connect("autodoc-process-docstring", process, priority=450)
    app.connect("autodoc-process-signature", sign)
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True}


def process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Append the section to the docstring of a class."""
    found = commented(obj) if inspect.isclass(obj) else {}
    if not found:
        return
    from prose import escaped

    lines += ["", "Fields:"]
    for field, (annotation, comment) in found.items():
        lines.append(f"    {field} (``{annotation}``): {escaped(comment)}")
    lines.append("")


def sign(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, None] | None:
    """Leave out a signature that would only repeat the fields."""
    plain = dataclasses.is_dataclass(obj) or hasattr(obj, "_fields") or hasattr(obj, "model_fields")
    return ("", None) if inspect.isclass(obj) and plain and commented(obj) else None


def skip(app: Sphinx, what: str, name: str, obj: Any, skipped: bool, options: Any) -> bool | None:
    """Fields of named tuples bring a docstring that says nothing."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def commented(cls: type) -> dict[str, tuple[str, str]]:
    """Annotation with default, and comment, maybe empty, of every field that `cls` itself declares."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):
        return {}
    (body,) = ast.parse(source).body
    assert isinstance(body, ast.ClassDef)
    rows, fields = source.splitlines(), {}
    for node in body.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        if node.target.id.startswith("_"):
            continue
        end = rows[node.end_lineno - 1].encode()[node.end_col_offset :].decode().partition("#")[2].strip()
        above = [row.strip("# ") for row in _above(rows, node.lineno - 1)]
        given = node.value is not None and not ast.unparse(node.value).startswith(
            ("field(", "dataclasses.field(")
        )
        default = f" = {ast.unparse(node.value)}" if given else ""
        fields[node.target.id] = (
            ast.unparse(node.annotation) + default,
            ", ".join(filter(None, [end, " ".join(above)])),
        )
    return fields


def _above(rows: list[str], row: int) -> list[str]:
    """The comment that stands right above `row`."""
    first = row
    while first and rows[first - 1].strip().startswith("#"):
        first -= 1
    return rows[first:row]
