"""Weights of the reward by name, whichever way a task keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp

_APART = ("reactive", "loss")  # of a task that keeps them as numbers of its own, such as `loss_weight`


def weights_of(params: Any) -> dict[str, float]:
    """The weights of `params`, without the digits that float32 adds."""
    if hasattr(params, "weights"):
        return {name: _short(value) for name, value in vars(params.weights).items()}
    return {name: _short(getattr(params, f"{name}_weight")) for name in _APART}


def with_weights(params: Any, weights: Mapping[str, float]) -> Any:
    """`params` with all its weights replaced by those of `weights`."""
    if hasattr(params, "weights"):
        old = params.weights
        new = {name: jnp.asarray(value, getattr(old, name).dtype) for name, value in weights.items()}
        return replace(params, weights=replace(old, **new))
    return replace(params, **{f"{name}_weight": jnp.float32(value) for name, value in weights.items()})


def _short(value: Any) -> float:
    return float(f"{float(value):.6g}")
