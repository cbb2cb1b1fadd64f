"""Float64 inside a float32 program, for the few numbers that need it.

Near collapse a small error of a power is a large one of a voltage, and rounding in float32 is such an error.
What is prepared on the host in float64 therefore keeps, beside the float32 that a program receives, what
that has lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Array = Any
Tree = Any

_WIDER = {"float32": np.float64, "complex64": np.complex128}
_NARROWER = {"float64": np.float32, "complex128": np.complex64}


def in_double(function: Callable[..., Tree], *given: Tree) -> Tree:
    """`function` of `given` in float64, what it returns in float32. Not to be differentiated."""
    with jax.enable_x64(True):
        return narrowed(function(*(widened(part) for part in given)))


def widened(tree: Tree) -> Tree:
    """Float32 leaves in float64; for use where float64 is enabled."""
    return jax.tree.map(lambda leaf: _cast(leaf, _WIDER), tree)


def narrowed(tree: Tree) -> Tree:
    """Float64 leaves in float32."""
    return jax.tree.map(lambda leaf: _cast(leaf, _NARROWER), tree)


def lost(value: Array) -> Array:
    """What float32 loses of `value`, in float32."""
    single = _NARROWER.get(value.dtype.name, value.dtype)
    return (value - value.astype(single)).astype(single)


def joined(value: Array, rest: Array) -> Array:
    """`value` in float64, with the `rest` of it that `lost` has kept where it has come in float32."""
    if value.dtype.name in _NARROWER:
        return value
    wide = _WIDER[value.dtype.name]
    return value.astype(wide) + rest.astype(wide)


def completed(given: Array, known: Array) -> Array:
    """`given` with the digits of `known` where the two differ by no more than rounding in float32.

    The derivative is that of `given`.
    """
    apart = jax.lax.stop_gradient(known.astype(given.dtype) - given)
    is_rounding = jnp.abs(apart) <= 2.0 * jnp.finfo(jnp.float32).eps * jnp.abs(given)
    return given + jnp.where(is_rounding, apart, 0.0)


def unshared(tree: Tree) -> Tree:
    """`tree` with a view in the place of every NumPy leaf.

    JAX (0.10 to 0.12) keeps what it has made of a NumPy array by the array's identity, whatever
    `jax_enable_x64` was at that time, as long as a traced program holds it as a constant: the same array
    would come in float32 into a float64 program, or the other way round.
    """
    return jax.tree.map(lambda leaf: leaf.view() if isinstance(leaf, np.ndarray) else leaf, tree)


def _cast(leaf: Array, to: dict[str, type]) -> Array:
    return leaf.astype(to[leaf.dtype.name]) if leaf.dtype.name in to else leaf
