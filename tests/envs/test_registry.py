"""Tasks by name."""

import pytest

import gridjax
from gridjax.envs import registry


@pytest.fixture
def empty(monkeypatch):
    monkeypatch.setattr(registry, "_FACTORIES", {})


def test_the_shipped_tasks_are_there():
    assert "VoltageControl-v0" in gridjax.tasks()


@pytest.mark.parametrize("name", ["VoltageControl", "voltagecontrol-v0", "VoltageControl-v1"])
def test_an_unknown_task_names_the_nearest(name):
    with pytest.raises(ValueError, match=rf"unknown task '{name}'; did you mean .*VoltageControl-v0"):
        gridjax.make(name)


def test_a_name_like_no_other_lists_what_is_known():
    with pytest.raises(ValueError, match=r"unknown task '###'; known: .*VoltageControl-v0"):
        gridjax.make("###")


def test_an_option_that_the_task_does_not_have():
    with pytest.raises(TypeError, match="colour"):
        gridjax.make("VoltageControl-v0", colour="green")


@pytest.mark.usefixtures("empty")
def test_a_task_of_ones_own():
    def factory(size=1):
        return "env", size

    registry.register("Mine-v0", factory)
    registry.register("Mine-v0", factory)  # twice is harmless: a module may be loaded again
    assert registry.tasks() == ("Mine-v0",)
    assert registry.make("Mine-v0", size=3) == ("env", 3)
    with pytest.raises(ValueError, match=r"task 'Mine-v0' is registered already"):
        registry.register("Mine-v0", lambda: None)
