"""Independent cases on all local devices, each with loops of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

_MOST_ON_CPU = 32  # cases at once: more of them leave the caches, and wait for the slowest loop of more


def spread(function: Callable[..., Any], shared: Any, *each: Any) -> Any:
    """`function(shared, *row)` for every row of the leading axes of `each`, stacked, as `vmap` has it.

    On as many local devices as divide the rows evenly; on a CPU a few rows at a time.
    """
    number = jax.tree.leaves(each)[0].shape[0]
    local = jax.local_devices()
    devices = local[: _divisor(number, len(local))]
    most = _MOST_ON_CPU if local[0].platform == "cpu" else number
    rows = number // len(devices)
    batch = _divisor(rows, most)

    def mine(shared: Any, *each: Any) -> Any:
        if batch == rows:
            return jax.vmap(partial(function, shared))(*each)
        return jax.lax.map(lambda row: function(shared, *row), each, batch_size=batch)

    if len(devices) == 1:
        return mine(shared, *each)
    divided = PartitionSpec("row")
    return jax.shard_map(
        mine,
        mesh=Mesh(np.array(devices), ("row",)),
        in_specs=(PartitionSpec(), *[divided] * len(each)),
        out_specs=divided,
        check_vma=False,
    )(shared, *each)


def _divisor(number: int, most: int) -> int:
    return max(n for n in range(1, min(number, most) + 1) if number % n == 0)
