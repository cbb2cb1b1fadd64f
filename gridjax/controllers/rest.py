"""No control: unity power factor."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from gridjax.envs.voltage_control.environment import GROUP, Params, State, VoltageControl


def no_control(env: VoltageControl, state: State, params: Params) -> dict[str, jax.Array]:
    """Zero reactive power from every inverter: actions `[n_agent, 1]`."""
    del params
    return {GROUP: jnp.zeros((env.n_agent, 1), state.demand.dtype)}
