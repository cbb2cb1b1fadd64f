"""What shipped tasks say of their numbers: all of them, each with a unit or as a pure number."""

import re

import jax
import pytest

import gridjax

OPTIONS = {
    "SmartGrid-v0": {"shares": {"vehicle": 0.5, "heat_pump": 0.5}},
    "Resilience-v0": {"memory": (1.0,)},
}
PURE = re.compile(r"sine of|stability index|term of the reward|share|branches out of service")


@pytest.fixture(scope="module", params=gridjax.tasks())
def task(request):
    env, params = gridjax.make(request.param, **OPTIONS.get(request.param, {}))
    key = jax.random.key(0)
    _, state = jax.eval_shape(env.reset, key, params)
    actions = {group: env.action_space(params)[group].sample(key)[None] for group in env.groups}
    actions = {group: jax.numpy.repeat(x, env.groups[group], axis=0) for group, x in actions.items()}
    *_, info = jax.eval_shape(env.step, key, state, actions, params)
    return env, params, info


def test_every_metric_and_cost_is_labelled(task):
    env, params, info = task
    assert set(env.metric_labels(params)) == set(info["metrics"])
    assert set(env.cost_labels(params)) == set(info["cost"])


def test_what_has_no_unit_is_a_pure_number(task):
    env, params, _ = task
    said = [*env.metric_labels(params).values(), *env.cost_labels(params).values()]
    for labels in (env.observation_labels(params), env.action_labels(params)):
        said += [label for group in labels.values() for label in group]
    bare = [label for label in said if not label.endswith("]") and not PURE.search(label)]
    assert not bare, f"no unit: {bare}"
