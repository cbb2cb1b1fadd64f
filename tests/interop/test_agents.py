"""Names of agents, and values between groups and agents."""

import numpy as np
import pytest

from gridjax.interop import agents
from tests.interop.choices import Choices

ENV = Choices()
NAMES = ("unit_0", "unit_1", "switch_0", "switch_1", "switch_2", "tap_0")


def test_names_are_group_and_number_in_the_order_of_the_groups():
    assert agents.names(ENV) == NAMES
    assert agents.members(ENV)["switch"] == ["switch_0", "switch_1", "switch_2"]


def test_stacking_undoes_splitting():
    values = {name: {"a": np.full(2, k), "b": np.int32(k)} for k, name in enumerate(NAMES)}
    stacked = agents.stack(ENV, values, np)
    assert stacked["switch"]["a"].shape == (3, 2)
    assert stacked["switch"]["b"].tolist() == [2, 3, 4]
    again = agents.split(ENV, stacked)
    assert list(again) == list(NAMES)
    for name in NAMES:
        np.testing.assert_array_equal(again[name]["a"], values[name]["a"])


@pytest.mark.parametrize(
    ("actions", "error", "message"),
    [
        ([0.0], TypeError, "actions is a list, expected a dict by agent"),
        ({"a": 0}, ValueError, "no action for b: expected one for every agent"),
        ({"a": 0, "b": 0, "c": 0}, ValueError, "action for c; agents: a, b"),
    ],
)
def test_names_that_do_not_fit(actions, error, message):
    with pytest.raises(error, match=message):
        agents.check_names(["a", "b"], actions)
