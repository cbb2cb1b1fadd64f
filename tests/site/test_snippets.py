"""Blocks of Python in the README and on the pages of the site run, page by page, one after the other.

What is fenced as `{code-block}` belongs to other libraries and is not run.
"""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "notebooks" / "site"
# of libraries that exclude the JAX of newer Pythons
OPTIONAL = ("gymnax", "jaxmarl")
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
PAGES = {
    str(path.relative_to(ROOT)): blocks
    for path in [ROOT / "README.md", *sorted(SITE.rglob("*.md"))]
    # the notebooks run as notebooks
    if path.parent.name != "tours" and (blocks := _BLOCK.findall(path.read_text(encoding="utf-8")))
}


# of networks that pandapower ships
@pytest.mark.filterwarnings("ignore:tap_dependency_table:DeprecationWarning")
@pytest.mark.parametrize("page", PAGES)
def test_blocks_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for k, block in enumerate(PAGES[page]):
        if all(importlib.util.find_spec(name) for name in OPTIONAL if name in block):
            exec(compile(block, f"{page}, block {k}", "exec"), names)


def test_there_are_such_pages():
    assert {"README.md", "notebooks/site/guides/coming_from.md"} <= PAGES.keys()
