"""`check_env`: whether a task, ours or a user's, keeps the environment contract."""

from __future__ import annotations

from typing import Any

import jax

from gridjax.envs.environment import Environment
from gridjax.testing.actions import KINDS, all_actions
from gridjax.testing.declared import check_declared
from gridjax.testing.episodes import check_episodes
from gridjax.testing.keys import check_keys
from gridjax.testing.shapes import check_reset, check_step

__all__ = ["check_env"]


def check_env(env: Environment, params: Any, key: jax.Array | None = None, steps: int = 600) -> None:
    """Hold a task to the contract of `gridjax.envs.environment`; `AssertionError` says what is broken.

    `steps` steps are taken with random, extreme and out-of-range actions. At least one episode must end among
    them, or the auto-reset would go unseen: raise `steps` or pass `params` of short episodes. Every step is
    compared with an episode composed of `transition` and `initial`, with the key split as
    `Environment.step` splits it.

    That a reset costs no power flow is tested by a proxy: there is no `while` loop in it. Samplers that
    reject (`jax.random.poisson`, `binomial`) have one too; draw those in `transition`.
    """
    key = jax.random.key(0) if key is None else key
    check_declared(env, params)
    obs, state = check_reset(env, params, key)
    actions = all_actions(env, params, steps)
    check_step(env, params, key, obs, state, jax.tree.map(lambda x: x[0, 0], actions))
    keys = jax.random.split(key, len(KINDS))
    episodes = check_episodes(env, params, keys, actions)
    check_keys(env, params, keys, actions, episodes)
