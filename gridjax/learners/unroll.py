"""Networks through time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def unroll(apply: Callable[[Any, Any], tuple[Any, Any]], seen: Any, memory: Any, done: jax.Array) -> Any:
    """Outputs `[T, B, ...]` of `apply(seen, memory) -> (output, memory)` for `seen` `[T, B, ...]`.

    `memory` `[B, ...]` is that before the first step; it is back at zero after a step that is `done`
    (bool `[T, B]`). A network without one sees all steps at once.
    """
    if not jax.tree.leaves(memory):
        return apply(seen, memory)[0]

    def step(memory: Any, inputs: tuple[Any, jax.Array]) -> tuple[Any, Any]:
        seen, done = inputs
        output, memory = apply(seen, memory)
        return forget(memory, done), output

    return jax.lax.scan(step, memory, (seen, done))[1]


def forget(memory: Any, done: jax.Array) -> Any:
    """`memory` `[B, ...]`, zero where `done` (`[B]`): an episode begins with the next step."""
    return jax.tree.map(lambda x: jnp.where(done.reshape(-1, *(1,) * (x.ndim - 1)), 0.0, x), memory)
