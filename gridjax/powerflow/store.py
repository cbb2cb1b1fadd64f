"""Arrays that fill up from front to back, in memory or in a folder that survives an interruption."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_SHEET = "progress.json"


class Store:
    """One array per name, of the given shapes and dtypes, whose first axis is filled in order.

    With a `folder` each is `<folder>/<name>.npy`, memory-mapped, and `progress.json` says how far they are.
    `mark` is what they were made from: `ValueError` if the folder holds arrays of another mark or shape.
    """

    def __init__(self, shapes: Mapping[str, Any], folder: str | os.PathLike | None, mark: str):
        self.done = 0  # entries of the first axis that are filled
        self._folder = None if folder is None else Path(folder)
        if self._folder is None:
            self.arrays: dict[str, np.ndarray] = {
                name: np.empty(shape.shape, shape.dtype) for name, shape in shapes.items()
            }
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        layout = {name: [list(shape.shape), str(shape.dtype)] for name, shape in sorted(shapes.items())}
        self._head = {"mark": mark, "arrays": layout}
        sheet = self._folder / _SHEET
        if sheet.exists():
            held = json.loads(sheet.read_text())
            self.done = held.pop("done")
            if held != self._head:
                raise ValueError(
                    f"{self._folder} holds another time series: remove it, or name another folder"
                )
        mode = "r+" if sheet.exists() else "w+"
        self.arrays = {
            name: np.lib.format.open_memmap(self._folder / f"{name}.npy", mode, shape.dtype, shape.shape)
            for name, shape in shapes.items()
        }
        if mode == "w+":
            self._note()

    def write(self, first: int, stop: int, values: Mapping[str, np.ndarray]) -> None:
        """Fill `[first, stop)` of the first axis."""
        for name, value in values.items():
            self.arrays[name][first:stop] = value
        self.done = stop
        if self._folder is not None:
            for array in self.arrays.values():
                array.flush()  # pyright: ignore[reportAttributeAccessIssue]
            self._note()

    def _note(self) -> None:
        assert self._folder is not None
        partial = self._folder / (_SHEET + ".partial")
        partial.write_text(json.dumps({**self._head, "done": self.done}))
        os.replace(partial, self._folder / _SHEET)
