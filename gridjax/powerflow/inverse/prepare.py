"""Which form of the inverse a network takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gridjax.network import Network
from gridjax.powerflow.inverse.cut import CutInverse, prepare_cut
from gridjax.powerflow.inverse.dense import DenseInverse, prepare_dense
from gridjax.powerflow.inverse.partition import neighbours
from gridjax.powerflow.inverse.tree import TreeInverse, prepare_tree

Array = Any
Inverse = DenseInverse | CutInverse | TreeInverse

FORMS = ("auto", "dense", "cut", "tree")
_DENSE_BUSES = 64  # below, one product is faster than many small ones


def prepare_inverse(matrix: Any, network: Network, buses: np.ndarray, form: str = "auto") -> Inverse:
    """Invert `matrix` `[2 n_bus, 2 n_bus]`, dense or scipy sparse, over the equations of `buses`.

    `form`: `"dense"`, `"cut"`, `"tree"`, or `"auto"`, which is dense below 64 buses and cut above. A matrix
    inside a trace can only be inverted densely. Raises `ValueError` for another form.
    """
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r} of the inverse; expected one of {', '.join(FORMS)}")
    concrete = isinstance(network.from_bus, np.ndarray)
    if form == "auto":
        form = "dense" if not concrete or len(buses) < _DENSE_BUSES else "cut"
    if form == "dense" or not concrete:
        import jax.numpy as jnp

        return prepare_dense(matrix, buses, np if concrete else jnp)
    from scipy.sparse import csr_array

    ends = zip(network.from_bus.tolist(), network.to_bus.tolist())
    graph = neighbours(network.n_bus, ends, buses)
    return (prepare_cut if form == "cut" else prepare_tree)(csr_array(matrix), buses, graph)
