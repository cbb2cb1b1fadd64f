"""One task and one set of compiled functions for all tests of the server."""

import pytest

import gridjax
from gridjax.live.lane import World


@pytest.fixture(scope="session")
def task():
    """A whole day on the smallest feeder, whose power flow compiles fast."""
    return gridjax.make("VoltageControl-v0", split="test")


@pytest.fixture(scope="session")
def world(task):
    return World(*task)


@pytest.fixture(scope="session")
def params(task):
    return task[1]
