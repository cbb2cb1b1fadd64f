"""Settings of the reference site: `python -m sphinx -W --keep-going -b html notebooks/site OUT`.

Nothing is fetched while it builds or while it is read.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

here = Path(__file__).parent
sys.path[:0] = [str(here / "extensions"), str(here.parents[1])]
# tasks are built for their tables: no accelerator is needed, and none is held
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import gridjax

project = "gridjax"
copyright = "the gridjax authors, Apache-2.0"
version = release = gridjax.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "prose",
    "fields",
    "task_directives",
    "command_help",
    "tours",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["README.md", "extensions"]

html_theme = "furo"
html_title = f"gridjax {version}"
html_static_path = ["static"]
html_css_files = ["wide_tables.css"]
pygments_style, pygments_dark_style = "friendly", "github-dark"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
# notebooks and sections of the README begin at whatever level suits them
suppress_warnings = ["myst.header"]

autosummary_generate = False
autodoc_default_options = {"members": True, "member-order": "bysource"}
# what overrides a documented method and says nothing more is left out
autodoc_inherit_docstrings = False
toc_object_entries_show_parents = "hide"
autodoc_typehints_format = "short"
# these two exclude the JAX of newer Pythons, and what adapts to them is documented all the same
autodoc_mock_imports = [name for name in ("gymnax", "jaxmarl") if find_spec(name) is None]
maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Fields", "params_style")]
