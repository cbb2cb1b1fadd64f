"""Optimum with perfect information: the best reactive set-points of one instant.

The task has no memory but the clock, so the optimum of a day is that of each of its steps: a convex penalty
of voltages that are nearly linear in the set-points, within a box. Outer steps take the exact power flow
and its derivatives (forward through the implicit function theorem); inner steps solve the linearised
problem by a log-barrier Newton method with the kinks of the penalty smoothed, both fading together.
Sequential convex programming; Boyd & Vandenberghe, Convex Optimization, 2004, section 11.3.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from gridjax.devices import reactive_limit
from gridjax.envs.voltage_control.barriers import barrier
from gridjax.envs.voltage_control.environment import GROUP, Params, State, VoltageControl
from gridjax.powerflow import solve

_OUTER = 4
_STAGES = 7
_NEWTON = 4
_FADE = 0.2


def penalty(
    voltage: jax.Array,
    reactive: jax.Array,
    losses: jax.Array,
    params: Params,
    smoothing: jax.Array | float = 0.0,
) -> jax.Array:
    """The negated reward at |v| `[n_bus]` p.u., q `[n_agent]` p.u. and losses p.u.; `smoothing` in p.u."""
    base = params.network.base_mva
    softened = jnp.sqrt(reactive**2 + (1e-2 * smoothing) ** 2 + 1e-30)
    mean_q = jnp.where(smoothing > 0.0, jnp.mean(softened), jnp.mean(jnp.abs(reactive)))
    return (
        jnp.mean(barrier(params.barrier, voltage, smoothing))
        + params.reactive_weight * mean_q * base
        + params.loss_weight * losses * base
    )


def optimum(
    env: VoltageControl, state: State, params: Params, *, loss_curvature: bool = False
) -> dict[str, jax.Array]:
    """Actions `[n_agent, 1]` that minimise the penalty of the step that begins in `state`.

    `loss_curvature` adds the second derivative of the losses to the inner model: several times the work,
    and needed where `params.loss_weight` is not 0.
    """
    n = env.n_bus
    limit = jnp.maximum(params.action_range * reactive_limit(state.sun, params.apparent), 1e-9)
    place = (params.pv_bus[:, None] == jnp.arange(n)).astype(limit.dtype)
    active = state.sun @ place - state.demand[:n]

    @partial(jax.jit, inline=True)
    def outputs(action):
        """Voltage magnitudes and losses, p.u., at actions `[n_agent]`."""
        reactive = (action * limit) @ place - state.demand[n:]
        flow = solve(params.network, jax.lax.complex(active, reactive), solver=params.chord)
        return jnp.sqrt(flow.voltage.real**2 + flow.voltage.imag**2), flow.losses

    def exact(action):
        voltage, losses = outputs(action)
        return penalty(voltage, action * limit, losses, params)

    def outer(carry, _):
        action, best, value = carry
        (voltage, losses), pushforward = jax.linearize(outputs, action)
        d_voltage, d_losses = jax.vmap(pushforward)(jnp.eye(env.n_agent, dtype=limit.dtype))

        curvature = jax.jacfwd(jax.grad(lambda a: outputs(a)[1]))(action) if loss_curvature else None

        def model(step, smoothing):
            bent = 0.0 if curvature is None else 0.5 * step @ curvature @ step
            return penalty(
                voltage + step @ d_voltage,
                (action + step) * limit,
                losses + step @ d_losses + bent,
                params,
                smoothing,
            )

        candidate = jnp.clip(action + _minimise(model, action), -1.0, 1.0)
        reached = exact(candidate)
        better = reached < value
        best = jnp.where(better, candidate, best)
        return (candidate, best, jnp.where(better, reached, value)), None

    start = jnp.zeros(env.n_agent, limit.dtype)
    (_, best, _), _ = jax.lax.scan(outer, (start, start, exact(start)), length=_OUTER)
    return {GROUP: best[:, None]}


def _minimise(model, action: jax.Array) -> jax.Array:
    """Step `[n_agent]` that minimises `model(step, smoothing)` with action + step in (-1, 1)."""
    eye = jnp.eye(action.shape[0], dtype=action.dtype)
    scales = 0.5 ** jnp.arange(8, dtype=action.dtype)

    def stage(carry, smoothing):
        weight = 1e-1 * smoothing * smoothing + 1e-3 * smoothing * 1e-2

        def walled(step):
            at = action + step
            inside = jnp.maximum(1.0 - at * at, 1e-12)
            return model(step, smoothing) - weight * jnp.sum(jnp.log(inside))

        def newton(step, _):
            gradient, hessian = jax.grad(walled)(step), jax.hessian(walled)(step)
            size = jnp.trace(hessian) / action.shape[0]
            direction = -jnp.linalg.solve(hessian + (1e-5 * size + 1e-12) * eye, gradient)
            # stay strictly inside the box, then take the best of a halving sequence
            room = jnp.where(direction > 0, 1.0 - (action + step), 1.0 + action + step)
            reach = jnp.min(jnp.where(direction != 0, room / jnp.maximum(jnp.abs(direction), 1e-12), jnp.inf))
            longest = jnp.minimum(1.0, 0.99 * reach)
            trials = step + jnp.concatenate([jnp.zeros(1), scales])[:, None] * longest * direction
            return trials[jnp.argmin(jax.vmap(walled)(trials))], None

        return jax.lax.scan(newton, carry, length=_NEWTON)[0], None

    inside = jnp.clip(action, -0.98, 0.98) - action
    smoothing = 1e-2 * _FADE ** jnp.arange(_STAGES, dtype=action.dtype)
    return jax.lax.scan(stage, inside, smoothing)[0]
