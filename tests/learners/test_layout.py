from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.envs.spaces import Box, Discrete, Hybrid
from gridjax.learners.layout import Group, Layout, layout_of

from .probes import Groups, NoParams, Probe


def test_reads_groups_and_sizes_from_the_task():
    assert layout_of(Groups(), NoParams()) == Layout((Group("left", 1, 3, 2), Group("right", 3, 1, 1)), 1)


def test_join_and_split_are_inverse():
    layout = layout_of(Groups(), NoParams())
    per_group = {"right": jnp.arange(6.0).reshape(2, 3), "left": -jnp.ones((2, 1))}
    joined = layout.join(per_group)
    np.testing.assert_array_equal(joined, [[-1, 0, 1, 2], [-1, 3, 4, 5]])
    for name, part in layout.split(joined).items():
        np.testing.assert_array_equal(part, per_group[name])


def test_numbers_of_groups_are_those_of_their_agents():
    layout = layout_of(Groups(), NoParams())
    np.testing.assert_array_equal(layout.per_agent(0.5), np.float32([0.5] * 4))
    assert layout.per_group(None) == (None, None)
    np.testing.assert_array_equal(layout.per_agent((0.1, 0.2)), np.float32([0.1, 0.2, 0.2, 0.2]))


@dataclass(frozen=True)
class Odd(Probe):
    fault: str = ""

    def action_space(self, params):
        if self.fault == "two axes":
            return {"agent": Discrete(3, (2, 2))}
        return {
            "agent": Box(0.0 if self.fault == "bounds" else -1.0, 1.0, () if self.fault == "scalar" else (1,))
        }

    def observation_space(self, params):
        return {"agent": Box(-1.0, 1.0, (2 if self.fault == "observation" else 1,))}

    def global_state(self, state, params):
        return jnp.ones((2, 2)) if self.fault == "global_state" else super().global_state(state, params)


@pytest.mark.parametrize("fault", ["two axes", "bounds", "scalar"])
def test_refuses_other_action_spaces(fault):
    with pytest.raises(ValueError, match=r"action_space of group 'agent' of Odd: got .* expected a Box"):
        layout_of(Odd(fault=fault), NoParams())


@pytest.mark.parametrize(
    ("space", "parts"),
    [
        (Box(-1.0, 1.0, (2,)), (2, 0, 0, False)),
        (Discrete(3), (0, 1, 3, True)),
        (Discrete(3, (4,)), (0, 4, 3, False)),
        (Hybrid(Box(-1.0, 1.0, (2,)), Discrete(5)), (2, 1, 5, True)),
    ],
)
def test_actions_are_reals_choices_or_both(space, parts):
    @dataclass(frozen=True)
    class Acting(Probe):
        def action_space(self, params):
            return {"agent": space}

    # a step would not take these actions, but none is needed
    group = layout_of(Acting(), NoParams()).groups[0]
    assert (group.action, group.choices, group.levels, group.scalar) == parts


def test_refuses_a_space_that_is_not_that_of_the_observation():
    with pytest.raises(ValueError, match=r"observation of group 'agent' of Odd: got shape \(1, 1\)"):
        layout_of(Odd(fault="observation"), NoParams())


def test_refuses_a_global_state_of_two_axes():
    with pytest.raises(ValueError, match=r"global_state of Odd: got shape \(2, 2\)"):
        layout_of(Odd(fault="global_state"), NoParams())


def test_refuses_a_task_without_agents():
    with pytest.raises(ValueError, match="groups of Probe: got none"):
        layout_of(Probe(sizes=()), NoParams())
