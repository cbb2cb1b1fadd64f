"""Which form of the inverse a network takes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.inverse.cut import CutInverse, prepare_cut
from gridjax.powerflow.inverse.dense import DenseInverse, prepare_dense
from gridjax.powerflow.inverse.partition import neighbours
from gridjax.powerflow.inverse.tree import TreeInverse, prepare_tree

Array = Any
Inverse = DenseInverse | CutInverse | TreeInverse

FORMS = ("auto", "dense", "cut", "tree")
# where one product is faster than many small ones: never on a CPU (measured); elsewhere derived
_DENSE_BUSES = {"cpu": 0}
_DENSE_BUSES_ELSEWHERE = 200


def prepare_inverse(matrix: Any, network: Network, buses: np.ndarray, form: str = "auto") -> Inverse:
    """Invert `matrix` `[2 n_bus, 2 n_bus]`, dense or scipy sparse, over the equations of `buses`.

    `form`: `"dense"`, `"cut"`, `"tree"`, or `"auto"`, which is cut on a CPU, and on an accelerator dense
    below 200 buses. A matrix inside a trace can only be inverted densely. Raises `ValueError` for another.
    """
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r} of the inverse; expected one of {', '.join(FORMS)}")
    concrete = isinstance(network.from_bus, np.ndarray)
    if form == "auto":
        most = _DENSE_BUSES.get(jax.default_backend(), _DENSE_BUSES_ELSEWHERE)
        form = "dense" if not concrete or len(buses) < most else "cut"
    if form == "dense" or not concrete:
        return prepare_dense(matrix, buses, np if concrete else jnp)
    from scipy.sparse import csr_array

    ends = zip(network.from_bus.tolist(), network.to_bus.tolist())
    graph = neighbours(network.n_bus, ends, buses)
    return (prepare_cut if form == "cut" else prepare_tree)(csr_array(matrix), buses, graph)
