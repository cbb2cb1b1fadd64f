import warnings
from collections import Counter
from dataclasses import fields, replace

import pytest
import tyro

from experiments import config_file
from experiments.command_line import parse
from experiments.config import Config, Learner, Run, Task, differences
from gridjax.learners import MAPPO


def write(tmp_path, text):
    path = tmp_path / "some.yaml"
    path.write_text(text)
    return path


def test_file_then_flags(tmp_path):
    path = write(
        tmp_path, "task: {network: case141}\nlearner: {learning_rate: 3e-4, hidden: [32]}\nrun: {seed: 3}"
    )
    config, resumed = parse(["--config", str(path), "--seed", "5", "--barrier", "bowl", "--no-evaluate"])
    assert resumed is None
    assert config.task == Task(network="case141", barrier="bowl").resolved()
    assert config.learner == Learner(learning_rate=3e-4, hidden=(32,))
    assert config.run == Run(seed=5, evaluate=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("task: {netwrok: case141}", "unknown key task.netwrok; did you mean network"),
        ("lerner: {}", "unknown key lerner; did you mean learner"),
        ("learner: {hidden: 64}", "learner.hidden: got 64, expected a list such as"),
        ("learner: {hidden: [64, x]}", r"learner.hidden\[1\]: got 'x', expected a whole number"),
        ("learner: {learning_rate: fast}", "learner.learning_rate: got 'fast', expected a finite number"),
        ("learner: {learning_rate: .nan}", "learner.learning_rate: got nan, expected a finite number"),
        ("learner: {gamma: true}", "learner.gamma: got True, expected a finite number"),
        ("learner: {cost_bounds: 3}", "learner.cost_bounds: got 3, expected a mapping such as"),
        (
            "learner: {cost_bounds: {voltage: low}}",
            r"learner\.cost_bounds\.voltage: got 'low', expected a finite number",
        ),
        ("run: {num_seeds: 2.5}", "run.num_seeds: got 2.5, expected a whole number"),
        ("run: {num_seeds: 0}", "num_seeds is 0, expected at least 1"),
        ("run: {seed: 4294967294, num_seeds: 3}", r"seed is 4294967294, expected below 2\*\*32"),
        ("learner: {num_envs: 0}", "num_envs is 0, expected at least 1"),
        ("learner: {num_steps: -4}", "num_steps is -4, expected at least 1"),
        ("run: {evaluate: 1}", "run.evaluate: got 1, expected true or false"),
        ("task: {barrier: l3}", "task.barrier: got 'l3', expected one of l1, l2, bowl, none"),
        ("task: case33bw", "task: got 'case33bw', expected a mapping"),
        ("- 1", "the file: got"),
        ("a: [", "is no YAML file"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, text, expected):
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=expected) as error:
        config_file.read(path, Config)
    assert str(path) in str(error.value)


def test_whole_numbers_may_be_written_with_an_exponent(tmp_path):
    config = config_file.read(write(tmp_path, "run: {total_steps: 2e6}"), Config)
    assert config.run.total_steps == 2_000_000
    assert isinstance(config.run.total_steps, int)


def test_an_empty_file_is_all_defaults(tmp_path):
    assert config_file.read(write(tmp_path, ""), Config) == Config()


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.yaml does not exist"):
        config_file.read(tmp_path / "none.yaml", Config)


def test_written_and_read_again(tmp_path):
    learner = Learner(learning_rate=1e-5, hidden=(8, 8), cost_bounds={"voltage": 0.1})
    config = Config(learner=learner, run=Run(run_dir="runs/x"))
    assert config_file.read(write(tmp_path, config_file.text(config)), Config) == config


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(["--netwrok", "case33bw"], "--netwrok"), (["--seed", "many"], "many"), (["--barrier", "l3"], "l3")],
)
def test_a_bad_flag_ends_with_status_2(capsys, arguments, expected):
    with pytest.raises(SystemExit) as end:
        parse(arguments)
    assert end.value.code == 2
    assert expected in capsys.readouterr().err


def test_settings_go_over_those_of_the_base(tmp_path):
    write(tmp_path, "learner: {gamma: 0.5, hidden: [8], cost_bounds: {voltage: 0.1}}\nrun: {seed: 3}")
    (tmp_path / "middle.yaml").write_text("base: some.yaml\nlearner: {gamma: 0.7}")
    above = tmp_path / "above.yaml"
    above.write_text("base: middle.yaml\nlearner: {hidden: [4, 4]}\ntask: {network: case141}")
    config = config_file.read(above, Config)
    assert config.learner == Learner(gamma=0.7, hidden=(4, 4), cost_bounds={"voltage": 0.1})
    assert config.run == Run(seed=3)
    assert config.task.network == "case141"


@pytest.mark.parametrize(
    ("base", "error", "expected"),
    [
        ("other.yaml", FileNotFoundError, "other.yaml does not exist"),
        ("some.yaml", ValueError, "a config cannot be its own base"),
        ("[1]", ValueError, r"base: got \[1\], expected text"),
    ],
)
def test_a_bad_base_is_refused(tmp_path, base, error, expected):
    with pytest.raises(error, match=expected):
        config_file.read(write(tmp_path, f"base: {base}"), Config)


def test_learner_settings_are_those_of_mappo():
    of_mappo = {entry.name for entry in fields(MAPPO)} - {"env", "layout", "env_params"}
    assert set(Config().learner_settings()) == of_mappo


def test_counts_of_updates():
    config = Config(learner=Learner(num_envs=4, num_steps=5), run=Run(total_steps=101, updates_per_chunk=3))
    assert config.total_updates == 6
    assert config.updates_between(1) == 3
    assert config.updates_between(61) == 6


def test_differences_go_by_name():
    assert differences(Config(), replace(Config(), run=Run(seed=1))) == {"seed": (0, 1)}


def test_every_setting_says_in_words_of_its_own_what_it_is():
    """The command line takes them from comments; one above a setting covers those below that have none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        parser = tyro.extras.get_parser(Config, config=(tyro.conf.OmitArgPrefixes,))
    told = Counter(action.help.split("(default")[0].strip() for action in parser._actions)
    assert len(told) > 80
    assert told[""] == 0
    assert [text for text, number in told.items() if number > 1] == []
