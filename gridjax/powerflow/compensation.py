"""Branches out of service without a new inverse: the compensation method on the log-polar chord.

Taking a branch out of the equations of `polar` removes T_ft (w_t - w_f) from the rows of its from bus and
T_tf (w_f - w_t) from those of its to bus: J + U W, two columns U and two rows W for each branch, and

    (J + U W)^-1 = (1 - C (1 + W C)^-1 W) J^-1,   C = J^-1 U

(Sherman, Morrison and Woodbury; in power flow: Alsac, Stott and Tinney, IEEE Trans. PAS-102, 1983). J^-1
stays shared by the batch. Where outages leave buses dead, only rows of live buses are changed: dead buses
hang on one-way, the matrix stays regular and the live part of the answer is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gridjax.network import Network
from gridjax.powerflow.branch import branch_flow

Array = Any


class Compensation(NamedTuple):
    """What outages change, batch last. There are 2 k branch ends where k branches may be out."""

    near: jax.Array  # [2 k, batch], place of the end's bus
    far: jax.Array  # [2 k, batch], place of the other end
    coupling: jax.Array  # [2, 2 k, batch], real and imaginary part of T near -> far, 0 at dead buses
    excess: jax.Array  # [2, 2 k, batch], conjugate of the power into the branch at nominal, likewise
    live: jax.Array  # [m, batch], 1 at unknowns of energised buses, else 0
    columns: jax.Array  # [2 k, m, batch], C (1 + W C)^-1
    rows: jax.Array  # [2, 2 k, batch], the unknowns of which W takes the difference
    possible: jax.Array  # [batch], bool: no more branches are out than the k that are followed

    def without(self, drawn: jax.Array, *value: jax.Array) -> jax.Array:
        """Sums of T (value_far - value_near) less those of branches that are out; all `[n_bus, 2, batch]`.

        The value is the sum of all that are given, as for `Neighbours.differences`.
        """
        scenario = jnp.arange(drawn.shape[-1])
        # advanced indices around a slice: the plane comes last, [2 k, batch, 2]
        d = sum(x[self.far, :, scenario] - x[self.near, :, scenario] for x in value)
        d_re, d_im = jnp.moveaxis(jnp.asarray(d), -1, 0)
        re, im = self.coupling.astype(drawn.dtype)
        lost = jnp.stack([re * d_re - im * d_im, re * d_im + im * d_re], axis=-1)
        return drawn.at[self.near, :, scenario].add(-lost)

    def demanded(self, excess: jax.Array) -> jax.Array:
        """`excess` of injections `[n_bus, 2, batch]` plus what the branches drew."""
        part = jnp.moveaxis(self.excess, 0, -1).astype(excess.dtype)
        return excess.at[self.near, :, jnp.arange(excess.shape[-1])].add(part)

    def correct(self, product: Callable[[jax.Array], jax.Array], left: jax.Array) -> jax.Array:
        """(J + U W)^-1 times `left`, `[m, batch]`, from J^-1, which is `product`; zero at dead buses."""
        live = self.live.astype(left.dtype)
        correction = product(left * live)
        for column, lost in zip(self.columns, _difference(correction, self.rows)):
            correction = correction - column * lost
        return correction * live.astype(correction.dtype)


def compensate(
    network: Network, polar: Any, branch_status: Array, energised: Array, most: int = 2
) -> Compensation:
    """Prepare the outages of a batch.

    Args:
        network: with all branches in service.
        polar: `Polar` of `network`.
        branch_status: `[batch, n_branch]`, 1 in service, 0 out.
        energised: bool `[batch, n_bus]`, connected to a slack bus, see `topology.energised`.
        most: k, branches out in one scenario that are followed.
    """
    status = jnp.asarray(branch_status).T
    dtype, batch = status.dtype, status.shape[-1]
    scenario = jnp.arange(batch)
    m, n = polar.inverse.shape[0], network.n_bus
    of_angle, of_magnitude = _unknown_of_place(polar, n)
    inverse = jnp.asarray(polar.inverse, jnp.float32)
    place = jnp.asarray(polar.place)
    live = jnp.asarray(energised).T.astype(dtype)
    v = jnp.asarray(polar.nominal.voltage, jnp.result_type(dtype, jnp.complex64))
    series = 1.0 / (network.resistance + 1j * network.reactance)
    tap = network.tap_ratio * jnp.exp(1j * network.phase_shift)
    flow = branch_flow(network, polar.nominal, jnp.zeros_like(v))

    left = 1.0 - status
    ends, columns, rows = [], [], []
    for _ in range(min(most, network.n_branch)):
        branch = jax.lax.argmax(left.astype(jnp.float32), 0, jnp.int32)
        share = left[branch, scenario]
        left = left.at[branch, scenario].set(0.0)
        f, t = jnp.asarray(network.from_bus)[branch], jnp.asarray(network.to_bus)[branch]
        admittance = jnp.asarray(series, v.dtype)[branch]
        turn = jnp.asarray(tap, v.dtype)[branch]
        pair = jnp.zeros((2, m, batch), jnp.float32)
        for near, far, coupling, power, sign in (
            (f, t, -jnp.conj(v[f]) * admittance / jnp.conj(turn) * v[t], flow.power_from, -1.0),
            (t, f, -jnp.conj(v[t]) * admittance / turn * v[f], flow.power_to, 1.0),
        ):
            weight = share * live[near, scenario]
            term, drawn = coupling * weight, jnp.conj(power[branch]) * weight
            ends.append((place[near], place[far], term, drawn))
            u = (sign * term).astype(jnp.complex64)
            for row, factors in (
                (of_angle[place[near]], (u.real, -u.imag)),
                (of_magnitude[place[near]], (u.imag, u.real)),
            ):
                column = inverse.T.at[row].get(mode="fill", fill_value=0.0).T
                pair += column * jnp.stack(factors)[:, None]
        columns.append(pair)
        rows.append(
            jnp.stack([jnp.stack([index[place[b]] for index in (of_magnitude, of_angle)]) for b in (t, f)])
        )

    c, w = jnp.concatenate(columns), jnp.concatenate(rows, axis=1)
    inner = jnp.stack([_difference(column, w) for column in c], axis=1)  # W C, [row, column, batch]
    inner = jnp.moveaxis(inner, -1, 0) + jnp.eye(c.shape[0], dtype=c.dtype)
    factor = jnp.linalg.inv(inner)
    factor = jnp.where(jnp.isfinite(factor), factor, 0.0)
    alive = _rows_of_unknowns(polar, live).astype(jnp.float32)
    near, far, coupling, excess = (jnp.stack(part) for part in zip(*ends))
    return Compensation(
        near=near,
        far=far,
        coupling=jnp.stack([coupling.real, coupling.imag]),
        excess=jnp.stack([excess.real, excess.imag]),
        live=alive,
        columns=jnp.einsum("bij,imb->jmb", factor, c, precision=jax.lax.Precision.HIGHEST),
        rows=w,
        possible=jnp.all(left == 0.0, axis=0),
    )


def _unknown_of_place(polar: Any, n_bus: int) -> tuple[jax.Array, jax.Array]:
    """Position of phi and of lambda among the unknowns, `[n_bus]` by place; m where it is none."""
    m, n_pq = polar.inverse.shape[0], polar.pq_place.shape[0]
    n_free = m - n_pq
    angle = jnp.arange(n_bus)
    row = jnp.asarray(polar.lambda_row)
    return jnp.where(angle < n_free, angle, m), jnp.where(row < n_pq, n_free + row, m)


def _rows_of_unknowns(polar: Any, value: jax.Array) -> jax.Array:
    """`[n_bus, batch]` by bus to `[m, batch]`."""
    placed = value[jnp.asarray(polar.order)]
    n_free = polar.inverse.shape[0] - polar.pq_place.shape[0]
    return jnp.concatenate([placed[:n_free], placed[jnp.asarray(polar.pq_place)]])


def _difference(vector: jax.Array, rows: jax.Array) -> jax.Array:
    """W times `[m, batch]`: `[2 k, batch]`; what is not unknown does not change."""
    scenario = jnp.arange(vector.shape[-1])
    ahead, behind = (vector.at[row, scenario].get(mode="fill", fill_value=0.0) for row in rows)
    return ahead - behind
