"""The environment contract."""

import gridjax
from gridjax.testing import check_env


def test_keeps_the_contract():
    env, params = gridjax.make("Resilience-v0", episode_length=24, rates={"enrichment": 200.0})
    check_env(env, params, steps=60)
