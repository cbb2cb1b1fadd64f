"""`check_env` passes a good environment and names what is broken in a bad one."""

import dataclasses
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.envs import Box, Discrete, Environment, Hybrid, Transition
from gridjax.testing import check_env
from gridjax.testing.actions import all_actions
from gridjax.testing.keys import check_keys


class Ball(NamedTuple):
    time: jax.Array
    place: jax.Array


class Numbers(NamedTuple):
    length: object = 5
    drift: object = 0.1


@dataclass(frozen=True)
class Good(Environment[Ball, Numbers]):
    """Two agents push a ball along a line; an episode takes `length` steps."""

    name = "Good-v0"
    groups = MappingProxyType({"pusher": 2})

    def initial(self, key, params):
        return Ball(jnp.int32(0), jax.random.uniform(key))

    def transition(self, key, state, actions, params):
        push = jnp.mean(jnp.clip(actions["pusher"], -1.0, 1.0))
        place = jnp.clip(state.place + params.drift * push + 0.01 * jax.random.normal(key), -1.0, 1.0)
        time, lost = state.time + 1, place < -0.99
        return Transition(
            state=Ball(time, place),
            reward={"pusher": jnp.full(2, -jnp.abs(place))},
            terminated=lost,
            truncated=(time >= params.length) & ~lost,
            cost={"far": jnp.maximum(place - 0.5, 0.0)},
            metrics={"place": place},
        )

    def observe(self, state, params):
        return {"pusher": jnp.tile(jnp.stack([state.place, state.time / 10.0]), (2, 1))}

    def global_state(self, state, params):
        return jnp.stack([state.place, state.time.astype(jnp.float32)])

    def observation_space(self, params):
        return {"pusher": Box(-10.0, 10.0, (2,))}

    def action_space(self, params):
        return {"pusher": Box(-1.0, 1.0, (1,))}

    def observation_labels(self, params):
        return {"pusher": ("place [m]", "time [10 steps]")}


def check(env, params=None):
    check_env(env, Numbers() if params is None else params, steps=40)


def test_a_good_environment_passes():
    check(Good())


def test_a_good_environment_passes_with_another_key_and_discrete_actions():
    @dataclass(frozen=True)
    class Switch(Good):
        def action_space(self, params):
            return {"pusher": Discrete(3, (1,))}

    check_env(Switch(), Numbers(), key=jax.random.PRNGKey(3), steps=10)


def choosing(mask):
    """What a task with reals and choices differs in; `mask` is of its two agents."""
    space = Hybrid(Box(-1.0, 1.0, (1,)), Discrete(3))
    return {
        "action_space": lambda self, params: {"pusher": space},
        "action_mask": lambda self, state, params: mask,
        "transition": lambda self, key, state, actions, params: Good.transition(
            self, key, state, {"pusher": actions["pusher"]["continuous"]}, params
        ),
    }


def test_a_good_environment_with_reals_and_masked_choices():
    check(broken(choosing({"pusher": jnp.ones((2, 3), bool).at[:, 1].set(False)})))


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ({"pusher": jnp.zeros((2, 3), bool)}, "the mask of group 'pusher' forbids every choice"),
        (
            {"pusher": jnp.ones((2, 4), bool)},
            "action_mask of group 'pusher' is bool[2, 4], expected bool[2, 3]",
        ),
        ({"puller": jnp.ones((2, 3), bool)}, "action_mask has group 'puller'"),
    ],
)
def test_masks_that_fit_no_choice(mask, message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        check(broken(choosing(mask)))


def test_a_mask_of_what_is_not_chosen():
    with pytest.raises(AssertionError, match="has group 'pusher', which chooses nothing"):
        check(broken({"action_mask": lambda s, state, p: {"pusher": jnp.ones((2, 1, 2), bool)}}))


def broken(attributes):
    """An instance of a subclass of `Good` with other attributes."""
    return dataclass(frozen=True)(type("Broken", (Good,), attributes))()


def after(function):
    """Override `transition` by one with other fields: `function(out, actions)`."""

    def transition(self, key, state, actions, params):
        out = Good.transition(self, key, state, actions, params)
        return out._replace(**function(out, actions))

    return transition


def step_with(function):
    """Override `step` by one that edits what it returns, a list of six."""

    def step(self, key, state, actions, params):
        out = list(Environment.step(self, key, state, actions, params))
        function(self, out, params)
        return tuple(out)

    return step


def test_what_is_no_environment():
    with pytest.raises(AssertionError, match="env is a int, not a gridjax"):
        check(3)


def test_not_frozen():
    class Thawed(Good):
        pass

    # a plain subclass inherits the mark of its parent, so strip it
    Thawed.__dataclass_params__ = dataclasses.dataclass(type("X", (), {})).__dataclass_params__
    with pytest.raises(AssertionError, match="Thawed is not a frozen dataclass"):
        check(Thawed())


def test_not_hashable():
    @dataclass(frozen=True)
    class Listed(Good):
        values: list = dataclasses.field(default_factory=list)

    with pytest.raises(AssertionError, match=r"not hashable.*list"):
        check(Listed())


def test_hash_of_the_instance():
    @dataclass(frozen=True, eq=False)
    class ByIdentity(Good):
        __hash__ = object.__hash__

    with pytest.raises(AssertionError, match="copy of env has another hash"):
        check(ByIdentity())


DECLARED = {
    "env.name is empty": {"name": ""},
    "env.name is 3, not a string": {"name": 3},
    "env.groups is empty": {"groups": {}},
    "env.groups is not a mapping": {"groups": ("pusher",)},
    "name of group 1 is not a string": {"groups": {1: 2}},
    "'pusher' has 2.0 agents, not a whole number": {"groups": {"pusher": 2.0}},
    "'pusher' has 0 agents": {"groups": {"pusher": 0}},
    "observation_space has groups {'puller'}": {
        "observation_space": lambda s, p: {"puller": Box(0.0, 1.0, (2,))}
    },
    "observation_space of group 'pusher' is not a Box": {
        "observation_space": lambda s, p: {"pusher": Discrete(2)}
    },
    "action_space of group 'pusher' is no Box, Discrete or Hybrid": {
        "action_space": lambda s, p: {"pusher": (1,)}
    },
    "action_space of group 'pusher' is not [-1, 1]": {
        "action_space": lambda s, p: {"pusher": Box(0.0, 1.0, (1,))}
    },
    "'pusher' has 1 labels for 2": {"observation_labels": lambda s, p: {"pusher": ("place [m]",)}},
    "labels of group 'pusher' repeat": {"observation_labels": lambda s, p: {"pusher": ("a", "a")}},
    "'pusher' has 2 labels for 1 action": {"action_labels": lambda s, p: {"pusher": ("push", "pull")}},
    "labels of group 'pusher' are not all names": {"observation_labels": lambda s, p: {"pusher": ("a", "")}},
}


@pytest.mark.parametrize("message", DECLARED)
def test_broken_declarations(message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        check(broken(DECLARED[message]))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (Numbers(drift="fast"), "params.drift is a str, not an array"),
        (Numbers(drift=np.array([None])), "params.drift is an array of objects"),
        (object(), "params is a object, not an array: is params a pytree?"),
    ],
)
def test_params_that_are_no_pytree_of_arrays(params, message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        check(Good(), params)


def solving(self, key, params):
    place = jax.lax.while_loop(lambda x: x > 1.0, lambda x: 0.5 * x, 5.0 * jax.random.uniform(key))
    return Ball(jnp.int32(0), place)


def branching(self, key, params):
    return Ball(jnp.int32(0), jnp.float32(1.0 if jax.random.uniform(key) > 0.5 else 0.0))


def info_without(name):
    return step_with(lambda self, out, params: out[5].pop(name))


FLOAT = jax.ShapeDtypeStruct((), jnp.float32)
SHAPES = {
    "reset cannot be traced": {"initial": branching},
    "reset contains a while loop": {"initial": solving},
    "observation of group 'pusher' has shape (2, 1), expected (2, 2)": {
        "observe": lambda s, state, p: {"pusher": jnp.tile(state.place[None], (2, 1))}
    },
    "observation has groups {'puller'}": {"observe": lambda s, state, p: {"puller": jnp.zeros((2, 2))}},
    "expected a dict by group": {"observe": lambda s, state, p: np.zeros((2, 2))},
    "observation of group 'pusher' is int32": {
        "observe": lambda s, state, p: {"pusher": jnp.tile(state.time, (2, 2))}
    },
    "step cannot be traced": {
        "transition": after(lambda out, a: {"state": out.state if bool(out.terminated) else 0})
    },
    "step returns 5 values": {"step": step_with(lambda self, out, params: out.pop())},
    "reward of group 'pusher' has shape (), expected (2,)": {
        "transition": after(lambda out, a: {"reward": {"pusher": out.metrics["place"]}})
    },
    "terminated is float32[], not a scalar bool": {
        "step": step_with(lambda self, out, params: out.__setitem__(3, out[3].astype(jnp.float32)))
    },
    "truncated is bool[2], not a scalar bool": {
        "step": step_with(lambda self, out, params: out.__setitem__(4, jnp.tile(out[4], 2)))
    },
    "info has no 'final_observation'": {"step": info_without("final_observation")},
    "info has no 'final_global_state'": {"step": info_without("final_global_state")},
    "info has no 'cost'": {"step": info_without("cost")},
    "info has no 'metrics'": {"step": info_without("metrics")},
    "info['metrics'] is not a dict of named quantities": {
        "transition": after(lambda out, a: {"metrics": [out.metrics["place"]]})
    },
    "cost 'far' has shape (2,), expected a scalar": {
        "transition": after(lambda out, a: {"cost": {"far": out.reward["pusher"] ** 2}})
    },
    "state.time changes its type: int32[] from reset, float32[] from step": {
        "transition": after(
            lambda out, a: {"state": out.state._replace(time=out.state.time.astype(jnp.float32))}
        )
    },
    "state.time changes its type: weak int32[] from reset, int32[] from step": {
        "initial": lambda s, key, p: Ball(jnp.asarray(0), jax.random.uniform(key)),
        "transition": after(lambda out, a: {"state": out.state._replace(time=jnp.int32(1))}),
    },
    "state changes its structure": {
        "step": step_with(lambda self, out, params: out.__setitem__(1, out[1]._asdict()))
    },
    "labels of metrics and info['metrics'] differ by ['place', 'speed']": {
        "metric_labels": lambda s, p: {"speed": "how fast it rolls [m/s]"}
    },
    "labels of cost and info['cost'] differ by ['near']": {
        "cost_labels": lambda s, p: {"far": "beyond a half [m]", "near": "within it [m]"}
    },
    "global_state has shape (2, 2), expected one vector": {
        "global_state": lambda s, state, p: jnp.tile(state.place, (2, 2))
    },
    "reset cannot be batched over params": {
        "initial": lambda s, key, p: Ball(jnp.int32(0), jax.pure_callback(lambda x: x, FLOAT, p.drift * 1.0))
    },
}


@pytest.mark.parametrize("message", SHAPES)
def test_broken_structures_and_shapes(message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        check(broken(SHAPES[message]))


def without_reset(self, key, state, actions, params):
    out = self.transition(jax.random.split(key)[0], state, actions, params)
    obs, whole = self.observe(out.state, params), self.global_state(out.state, params)
    info = {"final_observation": obs, "final_global_state": whole, "cost": out.cost, "metrics": out.metrics}
    return obs, out.state, out.reward, out.terminated, out.truncated, info


def set_final(self, out, params):
    out[5]["final_observation"] = out[0]


def set_final_whole(self, out, params):
    out[5]["final_global_state"] = self.global_state(out[1], params)


def keep_time(self, key, state, actions, params):
    """Reset the place but not the clock, which the observation of this one does not show."""
    obs, fresh, *rest = Environment.step(self, key, state, actions, params)
    return obs, fresh._replace(time=state.time + 1), *rest


def stale(self, out, params):
    out[0] = jax.tree.map(lambda leaf: 0.5 * leaf, out[0])


def other_reward(self, out, params):
    out[2] = jax.tree.map(lambda leaf: leaf + 1.0, out[2])


def one_place(self, state, params):
    return {"pusher": jnp.tile(state.place, (2, 2))}


RUNS = {
    "observation is not finite": {
        "observe": lambda s, state, p: {"pusher": jnp.full((2, 2), jnp.log(state.place))}
    },
    "state is not finite": {
        "transition": lambda s, key, state, a, p: after(
            lambda out, a: {"state": out.state._replace(place=jnp.log(jnp.mean(a["pusher"])))}
        )(s, key, state, a, p),
        "observe": lambda s, state, p: {"pusher": jnp.zeros((2, 2))},
        "global_state": lambda s, state, p: jnp.zeros(2),
    },
    "reward is not finite (step 0, millionfold actions)": {
        "transition": after(lambda out, a: {"reward": {"pusher": jnp.exp(jnp.abs(a["pusher"][:, 0]))}})
    },
    "global_state is not finite": {"global_state": lambda s, state, p: jnp.full(2, jnp.inf)},
    "info['metrics'] is not finite": {
        "transition": after(lambda out, a: {"metrics": {"x": jnp.float32(jnp.nan)}})
    },
    "cost 'far' is negative": {"transition": after(lambda out, a: {"cost": {"far": out.metrics["place"]}})},
    "observation of group 'pusher' leaves its space": {
        "observe": lambda s, state, p: {"pusher": jnp.tile(50.0 * state.place, (2, 2))}
    },
    "both terminated and truncated": {"transition": after(lambda out, a: {"terminated": out.truncated})},
    "after an end, step does not return the first observation of a fresh episode": {"step": without_reset},
    "step does not return the observation of the state it led to": {"step": step_with(stale)},
    "final_observation is not the observation before the reset": {"step": step_with(set_final)},
    "final_global_state is not the global state before the reset": {"step": step_with(set_final_whole)},
    "an end is not that of transition since a fresh start": {
        "step": keep_time,
        "observe": one_place,
        "global_state": lambda s, state, p: state.place[None],
    },
    "reward is not that of transition since a fresh start": {"step": step_with(other_reward)},
    "global_state after a step is not that of the state it led to": {
        "step": keep_time,
        "observe": one_place,
        "transition": after(
            lambda out, a: {"terminated": jnp.asarray(True), "truncated": jnp.asarray(False)}
        ),
    },
    "no episode ended within 40 steps": {
        "transition": after(
            lambda out, a: {"terminated": out.state.time < 0, "truncated": out.state.time < 0}
        )
    },
    "a key gives another episode in a batch than alone": {
        "initial": lambda s, key, p: Ball(
            jnp.int32(0), jax.random.uniform(key) + 0.1 * ("Batch" in type(key).__name__)
        )
    },
    "8 keys gave the same episode": {
        "initial": lambda s, key, p: Ball(jnp.int32(0), jnp.float32(0.3)),
        "transition": lambda s, key, state, a, p: Good.transition(s, jax.random.key(0), state, a, p),
    },
}


@pytest.mark.parametrize("message", RUNS)
def test_broken_episodes(message):
    with pytest.raises(AssertionError, match=re.escape(message)):
        check(broken(RUNS[message]))


def test_randomness_from_outside_the_key():
    numbers = np.random.default_rng(0)

    def initial(self, key, params):
        return Ball(jnp.int32(0), jax.pure_callback(lambda: np.float32(numbers.uniform()), FLOAT))

    env = broken({"initial": initial})
    with pytest.raises(AssertionError, match="one key gave two episodes"):
        check_keys(
            env, Numbers(), jax.random.split(jax.random.key(0), 2), all_actions(env, Numbers(), 8), None
        )


def test_a_second_compilation():
    class Unsettled(Good):
        def step(self, key, state, actions, params):
            obs, state, *rest = Environment.step(self, key, state, actions, params)
            return obs, state._replace(time=jnp.asarray(state.time, jnp.float32)), *rest

    actions = all_actions(Unsettled(), Numbers(), 8)
    with pytest.raises(AssertionError, match="step was compiled 2 times"):
        check_keys(Unsettled(), Numbers(), jax.random.split(jax.random.key(0), 2), actions, None)
