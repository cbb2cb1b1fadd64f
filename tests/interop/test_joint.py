"""All agents as one: where their parts lie, with leading axes or without."""

import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.interop.joint import Joint, bounds, check_options
from tests.envs.counter import Counter, Limits
from tests.interop.choices import Choices
from tests.interop.choices import Limits as Lengths

JOINT = Joint.of(Choices(), Lengths())


@pytest.mark.parametrize("lead", [(), (5,)])
@pytest.mark.parametrize("xp", [np, jnp])
def test_actions_lie_in_the_order_of_the_groups(xp, lead):
    assert JOINT.n_reals == 4
    assert JOINT.choices == (3, 3, 2, 2, 2, 4, 4)
    reals, choices = (xp.broadcast_to(xp.arange(n), (*lead, n)) for n in (4, 7))
    found = JOINT.actions({"continuous": reals, "discrete": choices})
    assert found["unit"]["continuous"].shape == (*lead, 2, 2)
    np.testing.assert_array_equal(found["unit"]["continuous"][..., 1, :], np.broadcast_to([2, 3], (*lead, 2)))
    np.testing.assert_array_equal(found["unit"]["discrete"], np.broadcast_to([0, 1], (*lead, 2)))
    np.testing.assert_array_equal(found["switch"], np.broadcast_to([2, 3, 4], (*lead, 3)))
    np.testing.assert_array_equal(found["tap"][..., 0, :], np.broadcast_to([5, 6], (*lead, 2)))


def test_reals_alone_need_no_dict():
    found = Joint.of(Counter(), Limits()).actions(np.arange(7.0))
    assert found["a"].tolist() == [[0.0]]
    assert found["b"].tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


@pytest.mark.parametrize("lead", [(), (5,)])
def test_masks_lie_as_choices_do_and_what_has_none_is_open(lead):
    unit = np.broadcast_to([[True, False, True], [False, True, True]], (*lead, 2, 3))
    tap = np.broadcast_to([[[False, True, True, True]] * 2], (*lead, 1, 2, 4))
    mask = JOINT.mask({"tap": tap, "unit": unit}, np)
    assert mask.shape == (*lead, sum(JOINT.choices))
    row = mask.reshape(-1, mask.shape[-1])[-1].astype(int).tolist()
    assert row == [1, 0, 1, 0, 1, 1, *[1] * 6, 0, 1, 1, 1, 0, 1, 1, 1]
    assert JOINT.mask({}, np) is None


def test_observations_and_rewards_follow_the_groups_and_not_the_alphabet():
    joint = Joint.of(Choices(), Lengths())
    values = {"switch": np.full((3, 1), 2.0), "tap": np.full((1, 2), 3.0), "unit": np.full((2, 1), 1.0)}
    assert joint.observation(values, np).tolist() == [1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0]
    pay = {"switch": np.ones(3), "tap": np.full(1, 7.0), "unit": np.full(2, 4.0)}
    assert joint.reward(pay, "mean", np) == pytest.approx(3.0)
    assert joint.reward(pay, "sum", np) == pytest.approx(18.0)


def test_bounds_are_those_of_every_agent():
    low, high = bounds(Choices(), Lengths())
    assert low.shape == high.shape == (2 * 5 + 3 * 3 + 1 * 4,)
    assert (low == -1e3).all()
    assert (high == 1e3).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [(("all", "mean"), "observation is 'all'"), (("joined", "max"), "reward is 'max'")],
)
def test_unknown_options(options, message):
    with pytest.raises(ValueError, match=message):
        check_options(*options)
