"""Optimum with perfect information: the best reactive set-points of one instant.

The task has no memory but the clock, so the optimum of a day is that of each of its steps: a convex penalty
of voltages that are nearly linear in the set-points, within a box. Outer steps take the exact power flow
and its derivatives (forward, by the implicit function theorem); inner steps solve the linearised problem
by a log-barrier Newton method, the kinks of the penalty smoothed, wall and smoothing fading together
(Boyd & Vandenberghe, Convex Optimization, 2004, sections 4.6 and 11.3). The best exact value is kept.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gridjax.devices import reactive_limit
from gridjax.envs.voltage_control.barriers import barrier
from gridjax.envs.voltage_control.environment import GROUP, Params, State, VoltageControl
from gridjax.powerflow import elimination, solve

# smoothing (p.u.) of every stage of each outer step: the later ones start nearer
_FIRST = tuple(1e-2 * 0.25**stage for stage in range(9))
_LATER = tuple(4e-3 * 0.25 ** max(stage - 1, 0) for stage in range(9))
_SMOOTHING = (_FIRST, _LATER, _LATER)
_NEWTON = 6


def optimum(
    env: VoltageControl, state: State, params: Params, *, loss_curvature: bool = False
) -> dict[str, jax.Array]:
    """Actions `[n_agent, 1]`, shares of the capability, that minimise the penalty of the coming step.

    `loss_curvature` adds the second derivative of the losses to the inner model: several times the work,
    and needed where `params.loss_weight` is not 0.
    """
    n, n_agent = env.n_bus, env.n_agent
    base = params.network.base_mva
    limit = jnp.maximum(params.action_range * reactive_limit(state.sun, params.apparent), 1e-9)
    place = (params.pv_bus[:, None] == jnp.arange(n)).astype(limit.dtype)
    active = state.sun @ place - state.demand[:n]

    def grid(action):
        """Voltage magnitudes `[n_bus]` and losses, p.u."""
        reactive = (action * limit) @ place - state.demand[n:]
        flow = solve(params.network, jax.lax.complex(active, reactive), solver=params.chord)
        return jnp.sqrt(flow.voltage.real**2 + flow.voltage.imag**2), flow.losses

    def exact(action):
        voltage, losses = grid(action)
        return (
            jnp.mean(barrier(params.barrier, voltage))
            + params.reactive_weight * base * jnp.mean(jnp.abs(action * limit))
            + params.loss_weight * base * losses
        )

    def outer(action, smoothing):
        (voltage, _), pushforward = jax.linearize(grid, action)
        d_voltage, d_losses = jax.vmap(pushforward)(jnp.eye(n_agent, dtype=limit.dtype))
        bend = jnp.zeros((n_agent, n_agent), limit.dtype)
        if loss_curvature:
            bend = jax.jacfwd(jax.grad(lambda a: grid(a)[1]))(action)

        def derivatives(step, smoothing):
            """Value, gradient `[n_agent]` and Hessian `[n_agent, n_agent]` of the smoothed linear model."""
            v = voltage + step @ d_voltage
            b, db, ddb = _elementwise(lambda x: barrier(params.barrier, 1.0 + x, smoothing), v - 1.0)
            weight = params.reactive_weight * base * limit / n_agent
            q, dq, ddq = _elementwise(lambda a: jnp.sqrt(a * a + 1e-2 * smoothing**2), action + step)
            price = params.loss_weight * base
            value = jnp.mean(b) + weight @ q + price * (step @ d_losses + 0.5 * step @ bend @ step)
            gradient = d_voltage @ db / n + weight * dq + price * (d_losses + bend @ step)
            hessian = (d_voltage * ddb) @ d_voltage.T / n + jnp.diag(weight * ddq) + price * bend
            return value, gradient, hessian

        action = jnp.clip(action + _minimise(derivatives, action, smoothing), -1.0, 1.0)
        return action, action

    # the set-points held from the last step are a good guess, and doing nothing is never beaten by less
    held, nothing = jnp.clip(state.reactive / limit, -1.0, 1.0), jnp.zeros(n_agent, limit.dtype)
    _, found = jax.lax.scan(outer, held, jnp.asarray(_SMOOTHING, limit.dtype))
    candidates = jnp.stack([held, *found, nothing])
    best = candidates[jnp.argmin(jax.vmap(exact)(candidates))]
    return {GROUP: best[:, None]}


def _elementwise(f: Callable, x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """An elementwise function, its slope, and a curvature at least that of the quadratic above it.

    A kink has no curvature away from itself, so Newton's steps are far too long; slope / x is the
    curvature of the parabola that touches a function like |x| at x and x = -x and lies above it.
    """
    ones = jnp.ones_like(x)

    def first(x):
        return jax.jvp(f, (x,), (ones,))

    (value, slope), (_, curvature) = jax.jvp(first, (x,), (ones,))
    touching = slope / jnp.where(jnp.abs(x) > 1e-9, x, 1e-9)
    return value, slope, jnp.maximum(curvature, touching)


def _minimise(derivatives: Callable, action: jax.Array, smoothing: jax.Array) -> jax.Array:
    """Step `[n_agent]` that minimises the model with action + step inside (-1, 1), stage by stage."""
    eye = jnp.eye(action.shape[0], dtype=action.dtype)
    halvings = jnp.concatenate([jnp.zeros(1), 0.5 ** jnp.arange(7)]).astype(action.dtype)

    def stage(step, smoothing):
        wall = 1e-5 * smoothing + 1e-1 * smoothing**2

        def walled(step):
            at = action + step
            inside = jnp.maximum(1.0 - at * at, 1e-12)
            return derivatives(step, smoothing)[0] - wall * jnp.sum(jnp.log(inside))

        def newton(step, _):
            at = action + step
            inside = jnp.maximum(1.0 - at * at, 1e-12)
            _, gradient, hessian = derivatives(step, smoothing)
            gradient = gradient + wall * 2.0 * at / inside
            hessian = hessian + jnp.diag(wall * (2.0 / inside + 4.0 * at * at / inside**2))
            ridge = 1e-5 * jnp.trace(hessian) / action.shape[0] + 1e-12
            direction = -elimination.solve(hessian + ridge * eye, gradient)
            # stay strictly inside the box, then take the best of a halving sequence
            room = jnp.where(direction > 0, 1.0 - at, 1.0 + at)
            reach = jnp.min(room / jnp.maximum(jnp.abs(direction), 1e-12))
            trials = step + halvings[:, None] * jnp.minimum(1.0, 0.99 * reach) * direction
            return trials[jnp.argmin(jax.vmap(walled)(trials))], None

        return jax.lax.scan(newton, step, length=_NEWTON)[0], None

    return jax.lax.scan(stage, jnp.clip(action, -0.98, 0.98) - action, smoothing)[0]
