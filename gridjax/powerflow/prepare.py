"""What a solver needs of the network alone, computed once and shared by the whole batch."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from gridjax.network import Network
from gridjax.network.validation import expect_network
from gridjax.powerflow.chord import Chord, prepare_chord
from gridjax.powerflow.double import unshared
from gridjax.powerflow.newton import Newton, prepare_newton
from gridjax.powerflow.polar import Polar, prepare_polar

Solver = Chord | Polar | Newton

METHODS = ("auto", "chord", "polar", "newton")


def check_method(method: str) -> None:
    """Raise `ValueError` for an unknown method, with the nearest name."""
    if method not in METHODS:
        near = difflib.get_close_matches(str(method), METHODS, n=1, cutoff=0.3)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(METHODS)}"
        raise ValueError(f"unknown power flow method {method!r}; {hint}")


@overload
def prepare(network: Network, method: Literal["chord"], form: str = "auto") -> Chord: ...
@overload
def prepare(network: Network, method: Literal["polar"], form: str = "auto") -> Polar: ...
@overload
def prepare(network: Network, method: Literal["newton"], form: str = "auto") -> Newton: ...
@overload
def prepare(network: Network, method: str = "auto", form: str = "auto") -> Solver: ...
def prepare(network: Network, method: str = "auto", form: str = "auto") -> Solver:
    """Prepare `network` for `solve(..., solver=)`: the nominal state and the matrix of the method.

    `"auto"` is the nominal-deviation chord where all buses are slack or PQ buses, and the log-polar chord
    where there are PV buses. `form` is that of a chord's inverse: `"dense"`, `"cut"`, `"tree"`, or `"auto"`,
    see `gridjax.powerflow.inverse`. The work is done in float64 on the host. A traced network (an argument
    of `jax.jit`, a `jax.vmap` over networks) is prepared densely, inside the trace where float64 is
    enabled, else by a callback to the host, for float32 cannot hold the inverse.

    Raises `ValueError` for an unknown method or form, a method that does not suit the network, or a
    network that has no solution even without load, `TypeError` for what is no `Network`.
    """
    expect_network(network)
    check_method(method)
    prepare_it = _preparation(network, method, form)
    leaves, tree = jax.tree.flatten(network)
    if not any(isinstance(leaf, Tracer) for leaf in leaves):
        return prepare_it(jax.tree.unflatten(tree, [_widen(np.asarray(leaf)) for leaf in leaves]))
    # derivatives pass through the solution (implicit function theorem), never through the matrix
    network = jax.lax.stop_gradient(network)
    shape = jax.eval_shape(prepare_it, network)
    if jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
        solver = prepare_it(jax.tree.map(lambda leaf: _widen(jnp.asarray(leaf)), unshared(network)))
        return jax.tree.map(lambda out, like: out.astype(like.dtype), solver, shape)
    return _call_back(network, prepare_it, shape)


def _preparation(network: Network, method: str, form: str) -> Callable[[Network], Any]:
    """How to prepare; in its structure the result is the same on the host and inside a trace."""
    if method == "auto":
        method = "polar" if network.pv_buses else "chord"
    if method == "newton":
        return prepare_newton
    traced = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(network))
    if method == "polar":
        return partial(prepare_polar, tables=not traced)
    return partial(prepare_chord, form="dense" if traced else form)


def _widen(value: Any) -> Any:
    wide = {"f": np.float64, "c": np.complex128}.get(value.dtype.kind, value.dtype)
    return value.astype(wide)


def _call_back(network: Network, prepare_it: Any, shape: Solver) -> Solver:
    leaves, tree = jax.tree.flatten(network)

    def on_host(*values: Any) -> Solver:
        host = jax.tree.unflatten(tree, [_widen(np.asarray(value)) for value in values])
        return jax.tree.map(lambda out, like: np.asarray(out, like.dtype), prepare_it(host), shape)

    return jax.pure_callback(on_host, shape, *leaves, vmap_method="sequential")
