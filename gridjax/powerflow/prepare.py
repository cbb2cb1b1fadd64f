"""What a solver needs of the network alone, computed once and shared by the whole batch."""

from __future__ import annotations

import difflib
from typing import Any, Literal, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from gridjax.network import Network
from gridjax.powerflow.chord import DenseChord, prepare_chord
from gridjax.powerflow.newton import Newton, prepare_newton
from gridjax.powerflow.nominal import Nominal

Solver = DenseChord | Newton

METHODS = ("auto", "chord", "newton")
_PREPARE = {"auto": prepare_chord, "chord": prepare_chord, "newton": prepare_newton}


def check_method(method: str) -> None:
    """Raise `ValueError` for an unknown method, with the nearest name."""
    if method not in METHODS:
        near = difflib.get_close_matches(str(method), METHODS, n=1, cutoff=0.3)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(METHODS)}"
        raise ValueError(f"unknown power flow method {method!r}; {hint}")


@overload
def prepare(network: Network, method: Literal["auto", "chord"] = "auto") -> DenseChord: ...
@overload
def prepare(network: Network, method: Literal["newton"]) -> Newton: ...
@overload
def prepare(network: Network, method: str) -> Solver: ...
def prepare(network: Network, method: str = "auto") -> Solver:
    """Prepare `network` for `solve(..., solver=)`: the nominal state and the matrix of the method.

    `"auto"` is the nominal-deviation chord with a dense matrix. The work is O(n_bus^3), in float64 on the
    host. A traced network (an argument of `jax.jit`, a `jax.vmap` over networks) is prepared inside the
    trace where float64 is enabled, else by a callback to the host, for float32 cannot hold the inverse.

    Raises `ValueError` for an unknown method, or a network that has no solution even without load.
    """
    check_method(method)
    leaves, tree = jax.tree.flatten(network)
    if not any(isinstance(leaf, Tracer) for leaf in leaves):
        return _PREPARE[method](jax.tree.unflatten(tree, [_widen(np.asarray(leaf)) for leaf in leaves]))
    # derivatives pass through the solution (implicit function theorem), never through the matrix
    network = jax.lax.stop_gradient(network)
    if jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        solver = _PREPARE[method](jax.tree.map(lambda leaf: _widen(jnp.asarray(leaf)), network))
        return jax.tree.map(lambda out, like: out.astype(like.dtype), solver, _shape(network, method))
    return _call_back(network, method)


def _widen(value: Any) -> Any:
    wide = {"f": np.float64, "c": np.complex128}.get(value.dtype.kind, value.dtype)
    return value.astype(wide)


def _shape(network: Network, method: str) -> Solver:
    """Shapes and dtypes of the solver in the precision of the network."""
    real = jnp.result_type(network.resistance)
    cplx = jnp.result_type(real, jnp.complex64)
    n = network.n_bus

    def struct(*shape: int, dtype: Any = cplx) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, dtype)

    branches = struct(network.n_branch)
    nominal = Nominal(voltage=struct(n), injection=struct(n), drop=branches, inverse_tap=branches)
    if method == "newton":
        return Newton(nominal, struct(n, n))
    return DenseChord(nominal, struct(2 * n, 2 * n, dtype=real))


def _call_back(network: Network, method: str) -> Solver:
    leaves, tree = jax.tree.flatten(network)
    shape = _shape(network, method)

    def on_host(*values: Any) -> Solver:
        host = jax.tree.unflatten(tree, [_widen(np.asarray(value)) for value in values])
        return jax.tree.map(lambda out, like: np.asarray(out, like.dtype), _PREPARE[method](host), shape)

    return jax.pure_callback(on_host, shape, *leaves, vmap_method="sequential")
