"""Tables of a task on its page: `{observations} NAME`, and `actions`, `costs`, `metrics`, `numbers` likewise.

Options of `gridjax.make` follow as a Python dictionary where the defaults would hide something.
"""

from __future__ import annotations

import ast
import functools
from typing import Any

import task_tables
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import gridjax
from gridjax.envs import Environment


def setup(app: Sphinx) -> dict[str, Any]:
    for name in ("observations", "actions", "costs", "metrics", "numbers"):
        app.add_directive(name, TaskTable)
    return {"parallel_read_safe": True}


class TaskTable(SphinxDirective):
    """The table that the directive's name says, of the task that its argument names."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        env, params = task(self.arguments[0], "".join(self.content) or "{}")
        return self.parse_text_to_nodes(getattr(task_tables, self.name)(env, params))


@functools.cache
def task(name: str, options: str) -> tuple[Environment, Any]:
    """The task and its params; one for all tables of a build."""
    return gridjax.make(name, **ast.literal_eval(options))
