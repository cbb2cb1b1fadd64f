import numpy as np
import pytest

from gridjax.envs import Box, Discrete, Hybrid
from gridjax.evaluation.action_distribution import BINS, action_distribution


def test_reals_by_hand():
    # two agents of two entries, through four steps of one case
    first = np.array([[-1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [1.0, 0.5]])
    second = np.zeros((4, 2))
    actions = np.stack([first, second], axis=1)[None]  # [case, step, agent, entry]
    found = action_distribution(actions, Box(-1.0, 1.0, (2,)), ("give", "take"))
    assert [entry["label"] for entry in found] == ["give", "take"]
    give = found[0]
    assert give["shares"].shape == (2, BINS)
    assert (give["shares"][0, 0], give["shares"][0, BINS // 2], give["shares"][0, -1]) == (0.5, 0.25, 0.25)
    assert give["shares"][1, BINS // 2] == 1.0
    assert give["mean"].tolist() == [-0.25, 0.0]
    assert give["at_bounds"].tolist() == [0.75, 0.0]
    assert found[1]["quartiles"][0].tolist() == [0.0, 0.25, 0.5]
    assert found[1]["deviation"][0] == 0.25


def test_small_actions_are_looked_at_closely():
    small, none = (
        action_distribution(np.full((1, 4, 1, 1), x), Box(-1.0, 1.0, (1,)), ("give",))[0] for x in (-0.1, 0.0)
    )
    np.testing.assert_allclose(small["edges"][[0, -1]], [-0.12, 0.12])
    np.testing.assert_allclose(none["edges"][[0, -1]], [-0.01, 0.01])
    assert small["shares"].sum() == none["shares"][0, BINS // 2] == 1.0


def test_choices_and_both():
    chosen = np.array([[0, 2], [0, 1], [2, 1], [0, 1]])[None]  # [case, step, agent]
    (entry,) = action_distribution(chosen, Discrete(3), ("pick",))
    np.testing.assert_allclose(entry["shares"], [[0.75, 0.0, 0.25], [0.0, 0.75, 0.25]])
    both = {"continuous": np.full((1, 4, 2, 1), 0.5), "discrete": chosen}
    real, choice = action_distribution(both, Hybrid(Box(-1.0, 1.0, (1,)), Discrete(3)), ("push", "pick"))
    assert real["mean"].tolist() == [0.5, 0.5]
    np.testing.assert_allclose(choice["shares"], entry["shares"])


def test_labels_must_fit():
    with pytest.raises(ValueError, match="got 1 labels for actions of 2 entries"):
        action_distribution(np.zeros((1, 3, 4, 2)), Box(-1.0, 1.0, (2,)), ("one",))
