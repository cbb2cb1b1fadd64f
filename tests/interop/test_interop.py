"""The room: adapters load on first use, and say what they lack."""

import subprocess
import sys

import pytest

import gridjax


def test_importing_the_room_imports_no_adapter():
    code = "import sys, gridjax.interop; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"gymnasium", "pettingzoo", "jaxmarl", "gymnax"} & set(loaded.stdout.split())


def test_an_adapter_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pettingzoo", None)
    monkeypatch.delitem(sys.modules, "gridjax.interop.pettingzoo", raising=False)
    monkeypatch.delattr(gridjax.interop, "pettingzoo", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"gridjax.interop.pettingzoo needs .*'gridjax\[interop\]'"):
        _ = gridjax.interop.pettingzoo


def test_there_is_no_other_adapter():
    with pytest.raises(AttributeError, match="no attribute 'gym'"):
        _ = gridjax.interop.gym
    assert dir(gridjax.interop) == ["gymnasium", "gymnax", "jaxmarl", "pettingzoo"]
