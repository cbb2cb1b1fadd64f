"""Local Volt-VAR droop at its equilibrium with the grid.

The inverters' open-loop response is 5 s (IEEE 1547-2018, category B), a step of the task 180 s: by its
end reactive power and voltage agree. So a droop is taken at that fixed point, found by damped iteration
between curve and power flow. This favours the droop: it sees the voltages of its own action.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from gridjax.devices import reactive_limit, volt_var
from gridjax.envs.voltage_control.environment import GROUP, Params, State, VoltageControl
from gridjax.powerflow.chord import iterate

_SUBSTEPS = 40
_DAMPING = 0.25


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Droop:
    """A Volt-VAR curve, the same for every inverter."""

    points: jax.Array | tuple[float, ...]  # [4], p.u.
    limit: jax.Array | float  # [], share of the rating s_max at the ends of the curve


CATEGORY_B = Droop(points=(0.92, 0.98, 1.02, 1.08), limit=0.44)
STEEP = Droop(points=(0.95, 0.99, 1.01, 1.05), limit=0.44)


def droop(curve: Droop, env: VoltageControl, state: State, params: Params) -> dict[str, jax.Array]:
    """Actions `[n_agent, 1]` of the droop `curve` in `state`.

    The curve asks for q = limit * s_max * f(|v| at the inverter); what exceeds the reactive capability of
    the moment is cut off.
    """
    points = jnp.asarray(curve.points)
    capability = params.action_range * reactive_limit(state.sun, params.apparent)
    rest = env.change(state.demand, state.sun, jnp.zeros_like(state.sun), params)
    place = (params.pv_bus[:, None] == jnp.arange(env.n_bus)).astype(rest.dtype)

    def substep(carry, _):
        reactive, deviation = carry
        change = rest.at[env.n_bus :].add(reactive @ place)
        deviation = iterate(params.chord, change, deviation)
        magnitude, _ = env.voltage(deviation, params)
        asked = volt_var(magnitude[params.pv_bus], points, curve.limit * params.apparent)
        asked = jnp.clip(asked, -capability, capability)
        return (reactive + _DAMPING * (asked - reactive), deviation), None

    start = (jnp.clip(state.reactive, -capability, capability), state.deviation)
    (reactive, _), _ = jax.lax.scan(substep, start, length=_SUBSTEPS)
    return {GROUP: (reactive / jnp.maximum(capability, 1e-9))[:, None]}
