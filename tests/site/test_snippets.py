"""Blocks of Python on the pages of the site run, page by page, one after the other.

What is fenced as `{code-block}` belongs to other libraries and is not run.
"""

import re
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "notebooks" / "site"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
PAGES = {
    str(path.relative_to(SITE)): blocks
    for path in sorted(SITE.rglob("*.md"))
    # the notebooks run as notebooks
    if path.parent.name != "tours" and (blocks := _BLOCK.findall(path.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("page", PAGES)
def test_blocks_run(page, capsys):
    names = {}
    for k, block in enumerate(PAGES[page]):
        exec(compile(block, f"{page}, block {k}", "exec"), names)


def test_there_are_such_pages():
    assert "guides/coming_from.md" in PAGES
