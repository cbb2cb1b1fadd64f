"""Spaces become Gymnasium's, and actions outside of them are refused by name."""

import re

import numpy as np
import pytest
from gymnasium import spaces

from gridjax.envs import Box, Discrete, Hybrid
from gridjax.interop.spaces import checked, native, native_mask

BOX, ONE, SEVERAL = Box(-1.0, 1.0, (2,)), Discrete(3), Discrete(3, (2,))
BOTH = Hybrid(BOX, ONE)


def test_spaces_become_those_of_gymnasium():
    assert native(BOX) == spaces.Box(-1.0, 1.0, (2,), np.float32)
    assert native(Box(-np.inf, np.array([1.0, np.inf]), (2,))).bounded_above.tolist() == [True, False]
    assert native(ONE) == spaces.Discrete(3)
    assert native(SEVERAL) == spaces.MultiDiscrete([3, 3])
    assert native(BOTH) == spaces.Dict({"continuous": native(BOX), "discrete": native(ONE)})


@pytest.mark.parametrize(
    ("space", "mask"),
    [
        (ONE, [False, True, False]),
        (SEVERAL, [[False, True, False]] * 2),
        (BOTH, [False, True, False]),
    ],
)
def test_masks_are_what_sampling_takes(space, mask):
    mask = native_mask(space, np.array(mask))
    for _ in range(10):
        sample = native(space).sample(mask=mask)
        assert np.all(np.asarray(sample["discrete"] if space is BOTH else sample) == 1)


@pytest.mark.parametrize("space", [BOX, ONE, SEVERAL, BOTH])
def test_samples_pass(space):
    space = native(space)
    sample = space.sample()
    assert spaces.utils.flatten(space, checked(space, sample, "action")).tolist() == pytest.approx(
        spaces.utils.flatten(space, sample).tolist()
    )


def test_reals_beyond_their_bounds_pass_as_float32():
    assert checked(native(BOX), [2, -3.5], "action").tolist() == [2.0, -3.5]
    assert checked(native(BOX), [2, -3.5], "action").dtype == np.float32


@pytest.mark.parametrize(
    ("space", "value", "error", "message"),
    [
        (BOX, [0.0], ValueError, "action of unit_0 has shape (1,), expected (2,)"),
        (BOX, [0.0, np.nan], ValueError, "action of unit_0 is not finite: [ 0. nan]"),
        (BOX, ["up", "down"], TypeError, "action of unit_0 is <U4, expected reals"),
        (BOX, None, TypeError, "action of unit_0 is object, expected reals"),
        (ONE, 3, ValueError, "action of unit_0 is 3, expected integers from 0 to 2"),
        (ONE, -1, ValueError, "action of unit_0 is -1, expected integers from 0 to 2"),
        (ONE, 1.0, TypeError, "action of unit_0 is float64, expected integers"),
        (SEVERAL, [0, 7], ValueError, "action of unit_0 is [0 7], expected integers from 0 to [2 2]"),
        (BOTH, 0, ValueError, "action of unit_0 is int, expected a dict of continuous, discrete"),
        (BOTH, {"discrete": 0}, ValueError, "action of unit_0 is ['discrete'], expected a dict of"),
        (
            BOTH,
            {"continuous": [0.0], "discrete": 0},
            ValueError,
            "action of unit_0['continuous'] has shape (1,)",
        ),
    ],
)
def test_what_is_no_action(space, value, error, message):
    with pytest.raises(error, match=re.escape(message)):
        checked(native(space), value, "action of unit_0")
