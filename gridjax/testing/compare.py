"""Comparison of pytrees of arrays (numpy or traced), PRNG keys among them."""

from __future__ import annotations

import functools
import operator
from typing import Any

import jax
import jax.numpy as jnp

_RELATIVE, _ABSOLUTE = 1e-4, 1e-6


def bits(leaf: Any) -> Any:
    """The array itself, or the words of a typed PRNG key."""
    return jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf


def differ(a: Any, b: Any) -> Any:
    """Whether any leaf differs: bool []. Floats within 1e-4 of the leaf's largest entry count as equal.

    Sums and products of one program are rounded otherwise than those of another; whole numbers are exact.
    """
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b))
    return functools.reduce(operator.or_, (_leaf_differs(bits(x), bits(y)) for x, y in pairs))


def _leaf_differs(a: Any, b: Any) -> Any:
    if not jnp.issubdtype(b.dtype, jnp.inexact):
        return (a != b).any()
    allowed = _ABSOLUTE + _RELATIVE * abs(b).max(initial=0.0)
    return (~(abs(a - b) <= allowed)).any()


def all_finite(tree: Any) -> jax.Array:
    """Whether every float in the tree is finite: bool []."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.all(jnp.stack([jnp.asarray(True), *(jnp.all(jnp.isfinite(leaf)) for leaf in leaves)]))
