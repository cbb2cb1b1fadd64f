"""`VectorEnv`: Gymnasium's own vector of single environments is the reference, in all modes of auto-reset."""

import re

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

import gridjax
from gridjax.interop.gymnasium import GridEnv, GridVectorEnv
from tests.envs.counter import Counter, Limits
from tests.interop.choices import Choices
from tests.interop.choices import Limits as Lengths
from tests.interop.tasks import STEPS, build, every_task

MODES = ["SameStep", "NextStep", "Disabled"]
COUNTER = Counter(), Limits(length=3)
FAILING = Counter(), Limits(length=3, fails_at=2)


def same(ours, theirs):
    for name, mine, reference in zip(("observation", "reward", "terminated", "truncated"), ours, theirs):
        assert data_equivalence(mine, reference, exact=True), name
    assert data_equivalence(ours[-1], theirs[-1]), "info"


@pytest.mark.parametrize("task", [COUNTER, FAILING], ids=["time runs out", "fails"])
@pytest.mark.parametrize("mode", MODES)
def test_it_is_gymnasiums_own_vector(mode, task):
    ours = GridVectorEnv(*task, num_envs=3, autoreset_mode=mode)
    theirs = SyncVectorEnv([lambda: GridEnv(*task)] * 3, autoreset_mode=mode)
    assert ours.metadata["autoreset_mode"] is theirs.metadata["autoreset_mode"]
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    same(ours.reset(seed=9), theirs.reset(seed=9))
    ours.action_space.seed(0)
    # copies out of step with one another
    actions = ours.action_space.sample()
    same(ours.step(actions), theirs.step(actions))
    only = {"reset_mask": np.array([False, True, False])}
    same(ours.reset(options=dict(only)), theirs.reset(options=dict(only)))
    ends = 0
    for _ in range(8):
        actions = ours.action_space.sample()
        stepped = ours.step(actions)
        same(stepped, theirs.step(actions))
        over = stepped[2] | stepped[3]
        ends += over.sum()
        if mode == "Disabled" and over.any():
            only = {"reset_mask": over}
            same(ours.reset(options=dict(only)), theirs.reset(options=dict(only)))
    assert ends >= 6
    same(ours.reset(seed=[4, 5, 6]), theirs.reset(seed=[4, 5, 6]))
    same(ours.reset(), theirs.reset())


@every_task
def test_every_task_in_many_copies(name, options):
    task = build(name, options)
    envs = GridVectorEnv(*task, num_envs=2)
    observation, _ = envs.reset(seed=3)
    envs.action_space.seed(3)
    for step in range(STEPS):
        assert observation in envs.observation_space
        last = observation
        observation, reward, terminated, truncated, info = envs.step(envs.action_space.sample())
        assert np.isfinite(reward).all()
        assert reward.shape == (2,)
        assert not terminated.any()
        assert truncated.tolist() == [step == STEPS - 1] * 2
        assert ("final_obs" in info) == (step == STEPS - 1)
    assert (info["final_obs"][0] != observation[0]).any()
    assert (info["final_obs"][0] != last[0]).any()
    assert all(np.isfinite(value).all() for value in info["final_info"]["cost"].values())
    assert "cost" not in info


def test_masks_of_choices():
    envs = GridVectorEnv(Choices(), Lengths(length=2), num_envs=2)
    _, info = envs.reset(seed=0)
    assert info["action_mask"].shape == (2, 3 + 3 + 2 + 2 + 2 + 4 + 4)
    assert info["action_mask"][0, :6].all()
    *_, info = envs.step(envs.action_space.sample())
    assert info["action_mask"][1, :6].tolist() == [False, False, True] * 2
    *_, info = envs.step(envs.action_space.sample())
    assert info["action_mask"][1, :6].all()
    assert info["final_info"]["action_mask"].shape == (2, 20)
    alone = GridEnv(Choices(), Lengths())
    alone.reset(seed=0)
    np.testing.assert_array_equal(info["action_mask"][0], alone.action_masks())


def test_wrappers_of_gymnasium_go_around_it():
    envs = DictInfoToList(RecordEpisodeStatistics(GridVectorEnv(*COUNTER, num_envs=2)))
    envs.reset(seed=0)
    for _ in range(3):
        *_, info = envs.step(envs.action_space.sample())
    # steps 1, 2 and 3 pay t to one agent and 2 t to two
    assert [one["episode"]["r"] for one in info] == [pytest.approx(10.0)] * 2


def test_the_global_state_at_the_end_of_an_episode():
    envs = GridVectorEnv(*COUNTER, num_envs=2, observation="global")
    envs.reset(seed=0)
    for _ in range(3):
        observation, *_, info = envs.step(envs.action_space.sample())
    assert observation[:, 0].tolist() == [0.0, 0.0]
    assert [final[0] for final in info["final_obs"]] == [3.0, 3.0]


def test_gymnasium_makes_registered_tasks():
    name = "gridjax.interop.gymnasium:gridjax/VoltageControl-v0"
    kinds = {"network": "case33bw", "autoreset_mode": "NextStep"}
    envs = gymnasium.make_vec(name, num_envs=2, vectorization_mode="vector_entry_point", **kinds)
    assert isinstance(envs.unwrapped, GridVectorEnv)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert gridjax.interop.gymnasium.make_vec("VoltageControl-v0", 3).num_envs == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_envs": 0}, "num_envs is 0, expected a whole number of at least 1"),
        ({"autoreset_mode": "now"}, "autoreset_mode is 'now', expected one of NextStep, SameStep, Disabled"),
        ({"reward": "max"}, "reward is 'max'"),
    ],
)
def test_options_that_there_are_not(options, message):
    with pytest.raises(ValueError, match=message):
        GridVectorEnv(*COUNTER, **{"num_envs": 2, **options})


def test_what_cannot_be_done():
    envs = GridVectorEnv(*COUNTER, num_envs=2, autoreset_mode="Disabled")
    actions = envs.action_space.sample()
    with pytest.raises(RuntimeError, match="call reset before step"):
        envs.step(actions)
    with pytest.raises(ValueError, match="seed has 3 entries, expected one per copy, 2"):
        envs.reset(seed=[1, 2, 3])
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=re.escape("reset_mask is [False False], expected bool [2]")):
        envs.reset(options={"reset_mask": np.zeros(2, bool)})
    with pytest.raises(ValueError, match=re.escape("actions has shape (7,), expected (2, 7)")):
        envs.step(actions[0])
    for _ in range(3):
        envs.step(actions)
    with pytest.raises(RuntimeError, match=re.escape("episodes of [0, 1] are over")):
        envs.step(actions)
