"""Checkpoints of a whole `TrainState`, or of any pytree of arrays. The only file that imports orbax.

A step is written to a temporary folder and renamed, so that a process killed while saving loses nothing
already saved. Arrays are stored under their path in the pytree, with a manifest of types and shapes that is
compared before anything is restored: orbax itself would let differing types pass. What a power cut has left
of a step may be damaged all the same, or half deleted: the newest that can be read is restored.

Of several processes under `jax.distributed` the first writes, and all read, from a folder that all see. Every
one of them has to call `save`, since what is divided among them is gathered first.
"""

from __future__ import annotations

import errno
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils

Tree = TypeVar("Tree")
Leaf = dict[str, Any]


_PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE}


class DamagedCheckpoint(ValueError):
    """A step whose files are not all there, or not what was written."""


class Checkpoints:
    """The checkpoints of one run, in `folder`, of which the `keep` newest stay. A context manager: leaving it
    waits for what is still being written.
    """

    def __init__(self, folder: str | Path, keep: int = 3) -> None:
        if not isinstance(keep, int) or keep < 1:
            raise ValueError(f"keep: got {keep!r}, expected a positive integer")
        self.folder = Path(folder).absolute()
        self._keep = keep
        self._opened: ocp.CheckpointManager | None = None

    def __enter__(self) -> Checkpoints:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Wait for what is still being written. May be called twice; a later call opens the folder again."""
        if self._opened is not None:
            self._opened.wait_until_finished()
            self._opened.close()
            self._opened = None

    def save(
        self, step: int, state: Any, metrics: Mapping[str, Any] | None = None, wait: bool = False
    ) -> None:
        """Save `state` as `step`, in the background unless `wait`. `ValueError` unless steps increase."""
        arrays, leaves = _flatten(state)
        if jax.process_index() > 0:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        latest = self.latest_step()
        if latest is not None and step <= latest:
            raise ValueError(
                f"step: got {step}, expected more than {latest}, the latest saved in {self.folder}"
            )
        # Orbax keeps metrics of its own only where it is to rank steps by them.
        manifest = {"leaves": leaves, "metrics": {name: float(x) for name, x in (metrics or {}).items()}}
        saved = self._manager().save(
            step,
            args=ocp.args.Composite(arrays=ocp.args.PyTreeSave(arrays), manifest=ocp.args.JsonSave(manifest)),
        )
        if not saved:
            raise RuntimeError(f"step {step} was not saved in {self.folder}")
        if wait:
            self._manager().wait_until_finished()

    def steps(self) -> list[int]:
        """All steps that can be restored, in order."""
        return sorted(self._manager().all_steps()) if self.folder.is_dir() else []

    def latest_step(self) -> int | None:
        """The newest step, or None."""
        steps = self.steps()
        return steps[-1] if steps else None

    def restore(self, step: int | None, like: Tree) -> Tree:
        """The state saved as `step` (None: the newest), structured as `like`: a state or its `eval_shape`.

        Of the newest those that are damaged are passed over, with a `RuntimeWarning`. Raises
        `FileNotFoundError` where there is no such step, `DamagedCheckpoint` where it cannot be read,
        `ValueError` where it was saved from another network or configuration, naming the first leaf that
        differs, `OSError` or `MemoryError` where the machine fails to read it.
        """
        candidates = self._candidates(step)
        for candidate in candidates:
            try:
                return self._restore(candidate, like)
            except DamagedCheckpoint as error:
                if candidate == candidates[-1]:
                    raise
                warnings.warn(f"{error}; going on with the one before", RuntimeWarning, stacklevel=2)
        raise AssertionError("there is a candidate")

    def metrics(self, step: int | None = None) -> dict[str, float]:
        """The metrics saved with `step` (None: the newest)."""
        return dict(self._manifest_of(self._candidates(step)[0])["metrics"])

    def discard_after(self, step: int) -> None:
        """Delete the steps after `step`: what could not be restored is about to be saved anew."""
        for later in [other for other in self.steps() if other > step]:
            self._manager().delete(later)

    def _candidates(self, step: int | None) -> list[int]:
        """The step that is meant, or all from the newest on, once all is written."""
        if self._opened is not None:
            self._opened.wait_until_finished()
        steps = self.steps()
        if not steps:
            raise FileNotFoundError(f"no checkpoint in {self.folder}")
        if step is None:
            return steps[::-1]
        if step not in steps:
            raise FileNotFoundError(f"no checkpoint of step {step} in {self.folder}, which holds {steps}")
        return [step]

    def _restore(self, step: int, like: Tree) -> Tree:
        found = self._manifest_of(step)["leaves"]
        _compare(found, _manifest(like), f"{self.folder}, step {step}")
        stored = {
            name: ocp.RestoreArgs(restore_type=np.ndarray) for name, leaf in found.items() if _size(leaf)
        }
        arrays = ocp.args.PyTreeRestore(item=dict.fromkeys(stored, 0), restore_args=stored)
        return _unflatten(like, self._item(step, "arrays", arrays), found)

    def _manifest_of(self, step: int) -> dict[str, Any]:
        return self._item(step, "manifest", ocp.args.JsonRestore())

    def _item(self, step: int, name: str, arguments: Any) -> Any:
        try:
            return self._manager().restore(step, args=ocp.args.Composite(**{name: arguments}))[name]
        except Exception as error:
            if isinstance(error, MemoryError | PermissionError) or getattr(error, "errno", None) in _PASSING:
                raise  # the machine's trouble, with which an intact checkpoint must not be passed over
            # of whatever other kind: what is missing or cut off shows anywhere in what reads it
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DamagedCheckpoint(
                f"the checkpoint of step {step} in {self.folder} is damaged ({reason})"
            ) from error

    def _manager(self) -> ocp.CheckpointManager:
        if self._opened is None:
            options = ocp.CheckpointManagerOptions(max_to_keep=self._keep, create=False)
            if jax.process_count() > 1:
                # each process by itself: orbax would have all of them wait for one another
                own = jax.process_index()
                options.multiprocessing_options = ocp.options.MultiprocessingOptions(
                    primary_host=own, active_processes={own}, barrier_sync_key_prefix=f"process_{own}"
                )
            self._opened = ocp.CheckpointManager(self.folder, options=options)
        return self._opened


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def _size(leaf: Leaf) -> int:
    return int(np.prod(leaf["shape"]))


def _named(tree: Any) -> list[tuple[str, Any]]:
    return [
        (jax.tree_util.keystr(path).lstrip("."), x) for path, x in jax.tree_util.tree_leaves_with_path(tree)
    ]


def _manifest(tree: Any) -> dict[str, Leaf]:
    """Type and shape of every leaf, by its path; random keys keep their own type, such as `key<fry>`."""
    return {name: {"dtype": str(x.dtype), "shape": list(x.shape)} for name, x in _named(tree)}


def _flatten(tree: Any) -> tuple[dict[str, np.ndarray], dict[str, Leaf]]:
    """Arrays by path, and the manifest. Empty arrays cannot be stored: the manifest is enough for them."""
    manifest = _manifest(tree)
    arrays = {}
    for name, x in _named(tree):
        if _is_key(x):
            manifest[name]["implementation"] = str(jax.random.key_impl(x))
        if x.size:
            arrays[name] = _on_host(x)
    return arrays, manifest


def _on_host(x: Any) -> np.ndarray:
    """A copy, gathered from all processes: the save goes on in the background."""
    x = jax.random.key_data(x) if _is_key(x) else x
    if isinstance(x, jax.Array) and not (x.is_fully_addressable or x.is_fully_replicated):
        x = multihost_utils.process_allgather(x, tiled=True)
    return np.array(x)


def _compare(found: dict[str, Leaf], expected: dict[str, Leaf], where: str) -> None:
    for name in [*expected, *(name for name in found if name not in expected)]:
        saved, wanted = _describe(found.get(name)), _describe(expected.get(name))
        if saved != wanted:
            raise ValueError(
                f"a checkpoint from another network or configuration ({where}): "
                f"{name} is {saved} there, expected {wanted}"
            )


def _describe(leaf: Leaf | None) -> str:
    return "absent" if leaf is None else f"{leaf['dtype']}{list(leaf['shape'])}"


def _unflatten(like: Tree, arrays: Mapping[str, np.ndarray], manifest: dict[str, Leaf]) -> Tree:
    leaves = []
    for name, x in _named(like):
        if not _size(manifest[name]):
            leaf = jnp.zeros(x.shape, x.dtype)
        elif _is_key(x):
            leaf = jax.random.wrap_key_data(jnp.asarray(arrays[name]), impl=manifest[name]["implementation"])
        else:
            leaf = jnp.asarray(arrays[name])
        # Only what was placed on purpose is placed again: committing the rest would compile a second time.
        leaves.append(jax.device_put(leaf, x.sharding) if getattr(x, "committed", False) else leaf)
    return jax.tree.unflatten(jax.tree.structure(like), leaves)
