import re
import subprocess
import sys

import jax

import gridjax
from gridjax import network


def test_it_tells_versions_devices_tasks_and_networks():
    told = subprocess.run(
        [sys.executable, "-m", "gridjax"], check=True, capture_output=True, text=True, timeout=120
    ).stdout
    lines = dict(re.findall(r"^(\w+) +(.*(?:\n .*)*)", told, flags=re.MULTILINE))
    assert lines["gridjax"].startswith(gridjax.__version__)
    assert f"jax {jax.__version__}," in lines["packages"]
    assert "pytest" not in lines["packages"]
    assert "cpu" in lines["devices"]
    assert lines["tasks"].split(", ") == list(gridjax.tasks())
    for name in network.names():
        assert f"{name} ({network.get(name).n_bus})" in " ".join(lines["networks"].split())
