from pathlib import Path

import jax
import numpy as np
import pytest

import gridjax
from experiments.command_line import parse
from experiments.config import Config
from experiments.task import OPTIONS, RESILIENCE, SMART_GRID, Task

CONFIGS = Path(__file__).parents[2] / "experiments" / "configs"
LEARNERS = CONFIGS / "learners.yaml"


def test_each_task_has_options_of_its_own():
    assert Task().options()["barrier"] == "l1"
    assert "agents" not in Task().options()
    options = Task(env=SMART_GRID, agents=7, cooperation_weight=0.0, ownership_seed=3).options()
    assert options["agents"] == 7
    assert options["weights"] == {"cooperation": 0.0}
    assert options["seed"] == 3
    assert not {"barrier", "reactive_weight", "shares"} & options.keys()


def test_an_option_of_another_task_is_refused():
    with pytest.raises(ValueError, match="barrier is 'l2', but SmartGrid-v0 has no such option"):
        Task(env=SMART_GRID, barrier="l2").resolved()
    with pytest.raises(ValueError, match="agents is 7"):
        parse(["--agents", "7"])


def test_what_is_written_is_complete():
    task = Config(task=Task(env=SMART_GRID)).resolved().task
    assert task.agents == 5
    assert task.resolved() == task
    assert task.title == "smartgrid"
    assert Task().title == "case33bw"


def test_every_option_is_the_default_of_the_task():
    """Left out or written down, the same numbers."""
    plain, plain_params = gridjax.make(SMART_GRID)
    written, params = gridjax.make(SMART_GRID, **Task(env=SMART_GRID).options())
    assert plain == written
    for a, b in zip(jax.tree.leaves(plain_params), jax.tree.leaves(params), strict=True):
        np.testing.assert_array_equal(a, b)
    assert set(OPTIONS[SMART_GRID]) | {"env"} <= set(vars(Task()))


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.yaml") if path != LEARNERS))
def test_shipped_configs_are_of_the_task_in_their_name(name):
    config, _ = parse(["--config", str(CONFIGS / f"{name}.yaml")])
    assert name.startswith(
        config.task.network or {SMART_GRID: "smart_grid", RESILIENCE: "resilience"}[config.task.env]
    )


def test_a_run_is_named_after_its_network(tmp_path):
    assert Task(network="case141").title == "case141"
    assert Task(network=str(tmp_path / "my town.json")).title == "my town"
    assert Task(env="depots:BusDepots-v0").title == "busdepots"
