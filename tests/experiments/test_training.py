"""One program of several seeds, divided among devices in one way or another, is that of each by itself."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from tiny_run import write_config

from experiments import config_file
from experiments.config import Config
from experiments.training import Trainer


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    found = config_file.read(write_config(tmp_path_factory.mktemp("config")), Config)
    return replace(found, run=replace(found.run, num_seeds=5))


@pytest.fixture(scope="module")
def together(config):
    trainer = Trainer.of(config)
    return trainer.advance(trainer.start(), 3)[0]


def test_five_seeds_in_one_program_are_five_runs(config, together):
    for k in range(5):
        alone = Trainer.of(replace(config, run=replace(config.run, num_seeds=1, seed=k)))
        state = alone.advance(alone.start(), 3)[0].state
        for mine, of_five in zip(jax.tree.leaves(state.params), jax.tree.leaves(together.state.params)):
            np.testing.assert_allclose(mine[0], of_five[k], rtol=2e-5, atol=2e-6)
