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
    with pytest.raises(TypeError, match="VoltageControl-v0 has no option 'colour'; it has network, split"):
        gridjax.make("VoltageControl-v0", colour="green")
    with pytest.raises(registry.UnknownOption, match=r"no option 'pv_bus'; did you mean pv_buses"):
        gridjax.make("VoltageControl-v0", pv_bus=[3])


@pytest.mark.usefixtures("empty")
def test_a_factory_that_takes_any_option():
    registry.register("Mine-v0", lambda **options: ("env", options))
    assert registry.make("Mine-v0", colour="green") == ("env", {"colour": "green"})


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


@pytest.mark.usefixtures("empty")
def test_a_factory_defined_again_takes_the_place_of_what_it_was():
    def define(answer):
        def factory():
            return "env", answer

        return factory

    registry.register("Mine-v0", define(1))
    registry.register("Mine-v0", define(2))
    assert registry.make("Mine-v0") == ("env", 2)


@pytest.mark.usefixtures("empty")
def test_a_name_may_say_which_module_registers_it(tmp_path, monkeypatch):
    code = "from gridjax.envs import register\nregister('Mine-v0', lambda size=1: ('env', size))\n"
    (tmp_path / "module_of_mine.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert registry.make("module_of_mine:Mine-v0", size=2) == ("env", 2)
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        registry.make("no_such_module:Mine-v0")
