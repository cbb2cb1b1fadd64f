"""What a command says of itself: `{command-help} experiments.mappo` shows its docstring and its `--help`."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
from typing import Any
from unittest import mock

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}


class CommandHelp(SphinxDirective):
    """The help of one module that is run with `python -m`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        text = help_of(self.arguments[0])
        return [nodes.literal_block(text, text, language="text")]


def help_of(module: str) -> str:
    """What `python -m MODULE --help` prints, 100 columns wide, without colours."""
    found = importlib.import_module(module)
    main = (found if hasattr(found, "main") else importlib.import_module(f"{module}.__main__")).main
    out = io.StringIO()
    plain = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    with (
        mock.patch.dict(os.environ, plain),
        contextlib.redirect_stdout(out),
        contextlib.suppress(SystemExit),
    ):
        main(["--help"])
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())
