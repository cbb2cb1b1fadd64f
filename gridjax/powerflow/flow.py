"""The result of a power flow."""

from __future__ import annotations

from dataclasses import dataclass

import jax


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Flow:
    """A power flow per scenario; leading axes are those of the injection. All p.u. unless said otherwise."""

    voltage: jax.Array  # [..., n_bus], complex
    deviation: jax.Array  # [..., n_bus], complex e of V = V_n (1 + e): a warm start for the next solve
    status: jax.Array  # [...], int32, see `Status`
    iterations: jax.Array  # [...], int32
    mismatch: jax.Array  # [...], largest |S - V conj(Y V)| over free buses, from the branches
    power_from: jax.Array  # [..., n_branch], complex, into the branch at its from end
    power_to: jax.Array  # [..., n_branch], complex, into the branch at its to end
    current_from: jax.Array  # [..., n_branch], magnitude
    current_to: jax.Array  # [..., n_branch], magnitude
    loading: jax.Array  # [..., n_branch], share of the rating, the worse end; 0 where unrated
    losses: jax.Array  # [...], active, all branches together
    # what each source injects beyond the bus's own injection, complex; backups behind the network's own, 0
    # where they are no source
    slack_power: jax.Array  # [..., n_slack + n_backup]
    generator_reactive: jax.Array  # [..., n_pv], what the generators at PV buses inject beyond the same
    limited: jax.Array  # [..., n_pv], bool, held at a reactive limit instead of the voltage set-point
    energised: jax.Array  # [..., n_bus], bool; a dead bus has voltage 0, its branches carry nothing

    @property
    def converged(self) -> jax.Array:
        """`status == Status.CONVERGED`, bool `[...]`."""
        return self.status == 0
