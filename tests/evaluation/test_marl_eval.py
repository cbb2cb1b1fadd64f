"""The raw data that marl-eval documents; read by its own code too, where that is installed.

id-marl-eval asks for a pandas of 2022, and so is installed without what it depends on; what reads raw data
needs NumPy and colorama alone.
"""

import json

import numpy as np
import pytest

from gridjax.evaluation.evaluated_run import EvaluatedRun
from gridjax.evaluation.learning_curve import learning_curve
from gridjax.evaluation.marl_eval import marl_eval_data
from tests.synthetic_runs import evaluation, records


def run(name, task="voltage", quality=0.8, seeds=5, number=11, from_start=True):
    lines = records(quality, seeds, number, from_start=from_start)
    return EvaluatedRun(name, evaluation(task, quality, seeds), learning_curve(lines))


@pytest.fixture(scope="module")
def data():
    """Two learners on two environments, validated at different paces; as it comes back from a file."""
    runs = [run("MAPPO"), run("IPPO", quality=0.6, number=7)]
    runs += [run("MAPPO", "campus", number=5), run("IPPO", "campus", number=5, from_start=False)]
    return json.loads(json.dumps(marl_eval_data(runs)))


def test_schema(data):
    assert list(data) == ["VoltageControl-v0", "Resilience-v0"]
    assert list(data["VoltageControl-v0"]) == ["case33bw"]
    for tasks in data.values():
        for algorithms in tasks.values():
            assert list(algorithms) == ["MAPPO", "IPPO"]
            for seeds in algorithms.values():
                assert list(seeds) == [f"seed_{k}" for k in range(5)]
                for steps in seeds.values():
                    *logged, absolute = steps
                    assert absolute == "absolute_metrics"
                    assert logged == [f"step_{k}" for k in range(1, len(logged) + 1)]
                    counts = [steps[name].pop("step_count") for name in logged]
                    assert all(isinstance(count, int) for count in counts)
                    assert counts == sorted(set(counts))
                    for metrics in steps.values():
                        assert list(metrics) == ["reward"]
                        assert np.shape(metrics["reward"]) == (1,)
                    for name, count in zip(logged, counts):
                        steps[name]["step_count"] = count


def test_values_are_those_of_the_run(data):
    source = run("IPPO", quality=0.6, number=7)
    found = data["VoltageControl-v0"]["case33bw"]["IPPO"]["seed_3"]
    np.testing.assert_allclose(
        [found[f"step_{k + 1}"]["reward"][0] for k in range(7)], source.curve.rewards[3], rtol=1e-12
    )
    assert found["absolute_metrics"]["reward"] == [pytest.approx(source.scores()["reward"][3].mean())]


def test_where_validations_differ_the_last_before_counts(data):
    # 11 validations, every 100 000 steps, at the steps of the run with 7
    source = run("MAPPO")
    found = data["VoltageControl-v0"]["case33bw"]["MAPPO"]["seed_0"]
    assert found["step_3"]["step_count"] == 333_333
    assert found["step_3"]["reward"] == [source.curve.rewards[0, 3]]
    # nothing is known of the untrained policies of one of the two
    assert data["Resilience-v0"]["campus13"]["MAPPO"]["seed_0"]["step_1"]["step_count"] == 250_000


def test_marl_evals_own_code_reads_it(data, capsys):
    pytest.importorskip("marl_eval", reason="id-marl-eval is not installed")
    from marl_eval.utils.data_processing_utils import create_matrices_for_rliable, data_process_pipeline
    from marl_eval.utils.diagnose_data_errors import DiagnoseData

    checks = DiagnoseData(data).check_data()
    assert set(checks) == {"voltagecontrol-v0", "resilience-v0"}
    assert all(all(found.values()) for found in checks.values()), checks
    processed = data_process_pipeline(data, metrics_to_normalize=["reward"])
    assert processed["extra"]["number_of_runs"] == 5
    final, efficiency = create_matrices_for_rliable(processed, "VoltageControl-v0", ["reward"])
    scores = final["mean_norm_reward"]
    assert scores["mappo"].shape == scores["ippo"].shape == (5, 1)
    assert scores["mappo"].mean() > scores["ippo"].mean()
    assert efficiency["mean_norm_reward"]["mappo"].shape == (5, 1, 7)
    assert "issue" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run("a, b")], "'a, b' has a comma"),
        ([run("a"), run("b", seeds=3)], r"as many seeds in every run, got \{'a': 5, 'b': 3\}"),
        ([EvaluatedRun("a", evaluation())], "a on VoltageControl-v0, case33bw has no validations"),
    ],
)
def test_what_marl_eval_cannot_read_is_refused(runs, expected):
    with pytest.raises(ValueError, match=expected):
        marl_eval_data(runs)


def test_tasks_with_other_runs_are_refused():
    other = run("b")
    elsewhere = EvaluatedRun("b", dict(other.evaluation) | {"network": "case141"}, other.curve)
    with pytest.raises(ValueError, match=r"case141: marl-eval needs the same runs on all tasks, \['a'\]"):
        marl_eval_data([run("a"), elsewhere])
