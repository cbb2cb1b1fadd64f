"""The shipped networks in pandapower, built once a session."""

import functools

import pytest

from gridjax.calibration.sources import SOURCES


@functools.cache
def build(name):
    return SOURCES[name].build()


@pytest.fixture(scope="session")
def shipped():
    """`shipped(name)`: the pandapower network of a shipped one; not to be changed."""
    return build
