"""The notebooks as pages: `notebooks/*.py`, converted and not executed, below `tours/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupytext
from sphinx.application import Sphinx

_NOTEBOOKS = Path(__file__).parents[2]


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}


def write(app: Sphinx) -> None:
    """Write a page for every notebook, and remove those of notebooks that are gone."""
    folder = Path(app.srcdir) / "tours"
    folder.mkdir(exist_ok=True)
    pages = {path.stem: page(path) for path in sorted(_NOTEBOOKS.glob("*.py"))}
    for old in folder.glob("*.md"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.md"
        # an untouched file is not read again
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def page(notebook: Path) -> str:
    """Markdown of a notebook in the percent format: its text, and its code as blocks."""
    parts = []
    for cell in jupytext.read(notebook).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.source.strip():
            parts.append(f"```python\n{cell.source}\n```")
    first, *rest = parts
    note = f"*This page is `notebooks/{notebook.name}`, which runs in the tests; outputs are left out.*"
    return "\n\n".join([first, note, *rest]) + "\n"
