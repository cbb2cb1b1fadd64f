import numpy as np

from gridjax.evaluation.evaluated_run import EvaluatedRun, reward_terms
from tests.synthetic_runs import evaluation


def test_what_an_evaluation_tells():
    run = EvaluatedRun("MAPPO", evaluation())
    assert (run.task, run.learner, run.start) == ("VoltageControl-v0, case33bw", "mappo", "no_control")
    assert run.scores()["reward"].shape == (5, 12)
    np.testing.assert_array_equal(run.scores("no_control")["reward"].shape, (1, 12))
    assert run.reward == {"barrier": "l1", "reactive_weight": 0.01}


def test_communities_of_other_sizes_are_other_tasks():
    found = evaluation()
    found["task"] = {"env": "SmartGrid-v0", "agents": 20, "network": None}
    assert EvaluatedRun("x", found).task == "SmartGrid-v0, 20 agents on case33bw"


def test_older_evaluations_do_not_name_the_start_nor_the_network():
    found = evaluation()
    del found["start"], found["network"]
    run = EvaluatedRun("x", found)
    assert (run.start, run.network) == ("no_control", "case33bw")


def test_reward_terms_leave_out_the_rest_of_a_task():
    assert reward_terms({"env": "a", "loss_weight": 1.0, "barrier": None}) == {"loss_weight": 1.0}


def test_a_world_is_what_happens_whoever_acts_and_however_that_is_paid():
    options = {"env": "a", "network": "b", "loss_weight": 1.0, "peak_pv_mw": 2.0, "delay": 3, "season": None}
    assert EvaluatedRun("x", {"task": options}).world == {"peak_pv_mw": 2.0}
