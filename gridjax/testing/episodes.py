"""Whole episodes beside a reference that resets by hand."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.environment import Environment
from gridjax.testing.actions import KINDS
from gridjax.testing.compare import all_finite, differ


class _Flags(NamedTuple):
    """What is wrong in one step, by the name of what it is wrong with; True is bad."""

    not_finite: dict[str, jax.Array]
    negative_cost: dict[str, jax.Array]
    outside: dict[str, jax.Array]
    shut: dict[str, jax.Array]
    broken: dict[str, jax.Array]


_TEXTS = (
    "{} is not finite",
    "cost {!r} is negative",
    "the observation of group {!r} leaves its space",
    "the mask of group {!r} forbids every choice",
    "{}",
)


def check_episodes(env: Environment, params: Any, keys: jax.Array, actions: Any) -> Any:
    """Run one episode after another for each key and kind of action, in one scan under vmap.

    keys: `[n_kind]`. actions: `[n_kind, n_step, n_agents, ...]` per group. Returns what a reset returned,
    `[n_kind, ...]`, and observation and reward of every step, `[n_kind, n_step, ...]`.
    """

    # compiling is nearly all of the time this takes
    options = {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None

    @partial(jax.jit, compiler_options=options)
    def run(keys, actions, params):
        return jax.vmap(_run, in_axes=(None, 0, 0, None))(env, keys, actions, params)

    first, taken, flags, ended = run(keys, actions, params)
    for text, found in zip(_TEXTS, flags):
        # the earliest fault: later ones are often its consequences
        places = {name: np.argwhere(np.asarray(bad).T) for name, bad in found.items() if np.any(bad)}
        if places:
            name = min(places, key=lambda name: tuple(places[name][0]))
            step, kind = places[name][0]
            raise AssertionError(f"{text.format(name)} (step {step}, {KINDS[kind]} actions)")
    steps = ended.shape[1]
    assert np.any(ended), f"no episode ended within {steps} steps, so no reset was seen: raise `steps`"
    return first, taken


def _run(env: Environment, key: jax.Array, actions: Any, params: Any) -> Any:
    reset_key, key = jax.random.split(key)
    obs, state = env.reset(reset_key, params)

    def step(carry, inputs):
        state, reference, space = *carry, env.observation_space(params)
        key, action = inputs
        obs, after, reward, terminated, truncated, info = env.step(key, state, action, params)
        # the same step by the parts of the contract, from a state that never saw `step`
        step_key, reset_key = jax.random.split(key)
        out = env.transition(step_key, reference, action, params)
        done = out.terminated | out.truncated
        fresh = env.initial(reset_key, params)
        reference = jax.tree.map(lambda new, old: jnp.where(done, new, old), fresh, out.state)
        seen, whole = differ(obs, env.observe(reference, params)), env.global_state(after, params)

        named = {"observation": obs, "reward": reward, "global_state": whole, "state": after}
        named |= {f"info[{name!r}]" if name in ("cost", "metrics") else name: x for name, x in info.items()}
        flags = _Flags(
            not_finite={name: ~all_finite(value) for name, value in named.items()},
            negative_cost={name: value < 0.0 for name, value in info["cost"].items()},
            outside={group: ~jnp.all(space[group].contains(value)) for group, value in obs.items()},
            shut={
                group: ~jnp.all(jnp.any(mask, axis=-1))
                for group, mask in env.action_mask(after, params).items()
            },
            broken={
                "the episode is both terminated and truncated": terminated & truncated,
                "after an end, step does not return the first observation of a fresh episode": done & seen,
                "step does not return the observation of the state it led to": ~done & seen,
                "an end is not that of transition since a fresh start (terminated, truncated)": (
                    (terminated != out.terminated) | (truncated != out.truncated)
                ),
                "reward is not that of transition since a fresh start": differ(reward, out.reward),
                "final_observation is not the observation before the reset": differ(
                    info["final_observation"], env.observe(out.state, params)
                ),
                "final_global_state is not the global state before the reset": differ(
                    info["final_global_state"], env.global_state(out.state, params)
                ),
                "global_state after a step is not that of the state it led to": differ(
                    whole, env.global_state(reference, params)
                ),
            },
        )
        return (after, reference), ((obs, reward), flags, terminated | truncated)

    steps = jax.tree.leaves(actions)[0].shape[0]
    _, out = jax.lax.scan(step, (state, state), (jax.random.split(key, steps), actions))
    return (obs, state), *out
