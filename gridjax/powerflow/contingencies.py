"""N-1 and N-k screening: a whole network with every outage in turn, solved as one batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.network import Network
from gridjax.powerflow.flow import Flow
from gridjax.powerflow.prepare import Solver
from gridjax.powerflow.solve import solve

Array = Any


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Contingencies:
    """Power flows with branches out; leading axes are those of the injection, then the outages."""

    outages: Array  # [n_outage, k], int, branches out in each; -1 where fewer than k are
    flow: Flow  # [..., n_outage], `flow.energised` tells the dead buses
    worst_loading: jax.Array  # [..., n_outage], largest share of a rating
    worst_branch: jax.Array  # [..., n_outage], int, the branch that has it
    lowest_voltage: jax.Array  # [..., n_outage], p.u., of energised buses
    highest_voltage: jax.Array  # [..., n_outage], p.u., of energised buses
    lost_load: jax.Array  # [..., n_outage], active p.u. at 1 p.u. voltage, of dead buses that draw power


def contingencies(
    network: Network,
    injection: Array | None = None,
    outages: Iterable[int | str | Iterable[int | str]] | None = None,
    method: str = "auto",
    *,
    tolerance: float | None = None,
    solver: Solver | None = None,
) -> Contingencies:
    """Solve `network` with each of `outages`, all in one batch.

    Args:
        network: any.
        injection: complex p.u. `[..., n_bus]`; default the network's own.
        outages: a branch or the branches out at once, for each contingency: rows or labels of branches;
            default every branch by itself.
        method, tolerance, solver: those of `solve`; `"auto"` compensates the shared inverse for up to two
            branches at once and leaves the rest to Newton's method.

    Buses that an outage cuts off are dead: voltage 0, no flow (an island is not run on its generators).
    A case without solution is flagged in `flow.status`. Precision is that of `injection`.

    Raises `ValueError` for a branch that is not in the network, or no outage at all.
    """
    rows = outage_rows(network, outages)
    status = branch_status(network, rows)
    if injection is None:
        injection = network.nominal_injection
    injection = jnp.asarray(injection)[..., None, :]
    flow = solve(network, injection, method, branch_status=status, tolerance=tolerance, solver=solver)
    return _summary(network, injection, rows, flow)


def rank(found: Contingencies) -> jax.Array:
    """Positions of the outages from worst to least, `[..., n_outage]`.

    Those without a solution first, then by the largest loading.
    """
    return jnp.argsort(-jnp.where(found.flow.converged, found.worst_loading, jnp.inf), axis=-1, stable=True)


def outage_rows(network: Network, outages: Iterable[Any] | None = None) -> np.ndarray:
    """Branch rows of each outage, int `[n_outage, k]`, filled up with -1; see `contingencies`."""
    if outages is None:
        return np.arange(network.n_branch)[:, None]
    number = {label: row for row, label in enumerate(network.branch_labels)}
    found = []
    for outage in outages:
        parts = [outage] if isinstance(outage, str) or np.ndim(outage) == 0 else list(outage)  # pyright: ignore
        rows = []
        for part in parts:
            row = number.get(part) if isinstance(part, str) else int(part)
            if row is None or not 0 <= row < network.n_branch:
                raise ValueError(
                    f"outage {part!r} is no branch of network {network.name!r}: expected a label such as "
                    f"{network.branch_labels[0]!r} or a row in [0, {network.n_branch})"
                )
            rows.append(row)
        found.append(sorted(set(rows)))
    if not found:
        raise ValueError("outages is empty, expected at least one")
    width = max(map(len, found))
    return np.array([rows + [-1] * (width - len(rows)) for rows in found]).reshape(len(found), width)


def branch_status(network: Network, rows: np.ndarray) -> np.ndarray:
    """0 at the branches of each outage and 1 elsewhere, `[n_outage, n_branch]`."""
    status = np.ones((rows.shape[0], network.n_branch + 1))
    status[np.arange(rows.shape[0])[:, None], rows] = 0.0
    return status[:, :-1]


def _summary(network: Network, injection: jax.Array, rows: np.ndarray, flow: Flow) -> Contingencies:
    live = flow.energised
    magnitude = jnp.abs(flow.voltage)
    own = network.constant_current + network.constant_impedance
    power = (injection + jnp.asarray(own, injection.dtype)).real
    return Contingencies(
        outages=rows,
        flow=flow,
        worst_loading=jnp.max(flow.loading, axis=-1),
        worst_branch=jnp.argmax(flow.loading, axis=-1),
        lowest_voltage=jnp.min(jnp.where(live, magnitude, jnp.inf), axis=-1),
        highest_voltage=jnp.max(magnitude, axis=-1),
        lost_load=jnp.sum(jnp.where(live, 0.0, jnp.maximum(-power, 0.0)), axis=-1),
    )
