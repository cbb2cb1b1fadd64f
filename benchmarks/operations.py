"""What a traced function must do: arithmetic, and bytes through its matrix products and gathers."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

_FREE = {"reshape", "broadcast_in_dim", "squeeze", "transpose", "convert_element_type", "copy", "slice"}
_MOVES = {"gather", "scatter", "scatter-add", "dynamic_slice", "dynamic_update_slice", "concatenate", "pad"}


class Count(NamedTuple):
    operations: float
    moved: float  # bytes; a floor, for what is fused between two products is taken to stay in cache


def count(function: Callable[..., Any], *arguments: Any, trips: float) -> Count:
    """Operations and bytes of one call; every `while` is taken to go round `trips` times.

    Of the branches of a conditional the cheapest counts, and a loop that factorises matrices does not run:
    a fallback is not what usually happens. What no result needs does not count.
    """
    import jax
    from jax.interpreters.partial_eval import dce_jaxpr

    traced = jax.make_jaxpr(function)(*arguments).jaxpr
    needed, _ = dce_jaxpr(traced, [True] * len(traced.outvars), instantiate=True)
    inside = _walk(needed, trips)
    ends = sum(_bytes(v) for v in (*needed.invars, *needed.outvars))
    return Count(inside.operations, inside.moved + ends)


def _walk(jaxpr: Any, trips: float) -> Count:
    operations = moved = 0.0
    for equation in jaxpr.eqns:
        name, parameters = equation.primitive.name, equation.params
        out = sum(prod(v.aval.shape) for v in equation.outvars)
        if name == "dot_general":
            (left, _), _ = parameters["dimension_numbers"]
            shared = prod(equation.invars[0].aval.shape[axis] for axis in left)
            operations += 2.0 * out * shared
            moved += sum(_bytes(v) for v in (*equation.invars, *equation.outvars))
        elif name == "while":
            if _factorises(parameters["body_jaxpr"].jaxpr):
                continue
            inner = _walk(parameters["body_jaxpr"].jaxpr, trips)
            operations, moved = operations + trips * inner.operations, moved + trips * inner.moved
        elif name == "scan":
            inner, length = _walk(parameters["jaxpr"].jaxpr, trips), parameters["length"]
            operations, moved = operations + length * inner.operations, moved + length * inner.moved
        elif name == "cond":
            inner = min(_walk(branch.jaxpr, trips) for branch in parameters["branches"])
            operations, moved = operations + inner.operations, moved + inner.moved
        elif name in _MOVES:
            moved += 2.0 * sum(_bytes(v) for v in equation.outvars)
        elif name not in _FREE:
            inside = [part for part in map(_inner, parameters.values()) if part is not None]
            for part in inside[:1]:  # the function of a call or of a custom rule, not the rule
                inner = _walk(part, trips)
                operations, moved = operations + inner.operations, moved + inner.moved
            if not inside:
                operations += out
    return Count(operations, moved)


def _factorises(jaxpr: Any) -> bool:
    for equation in jaxpr.eqns:
        parts = [_inner(part) for part in _flat(equation.params)]
        if equation.primitive.name == "lu" or any(_factorises(part) for part in parts if part is not None):
            return True
    return False


def _flat(parameters: dict[str, Any]) -> list[Any]:
    """Parameters of an equation, those in tuples too."""
    return [
        leaf for value in parameters.values() for leaf in (value if isinstance(value, tuple) else (value,))
    ]


def _inner(parameter: Any) -> Any:
    parameter = getattr(parameter, "jaxpr", parameter)
    return parameter if hasattr(parameter, "eqns") else None


def _bytes(variable: Any) -> int:
    aval = variable.aval
    return prod(aval.shape) * aval.dtype.itemsize if hasattr(aval, "dtype") else 0
