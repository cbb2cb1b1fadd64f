"""One tiny run, trained once in this process, that the tests of this folder share."""

from pathlib import Path

import jax
import pytest
from tiny_run import write_config

from experiments import mappo


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    config = write_config(folder)
    assert mappo.main(["--config", str(config), "--run-dir", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled programs that the processes of the tests share."""
    return Path(jax.config.jax_compilation_cache_dir or tmp_path_factory.mktemp("cache"))
