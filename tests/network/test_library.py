import subprocess
import sys

import jax
import numpy as np
import pytest

from gridjax import network
from gridjax.powerflow import prepare, solve

SHIPPED = (
    *("case118", "case14", "case141", "case24_ieee_rts", "case30"),
    *("case300", "case33bw", "case39", "case57", "case89pegase", "case_illinois200"),
    *("cigre_hv", "cigre_lv", "cigre_mv"),
    *("ieee_european_lv", "kerber_vorstadtnetz", "mv_oberrhein"),
)


def test_shipped_names():
    assert network.names() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_network_loads_and_is_sound(name):
    grid = network.get(name)
    assert grid.name == name
    assert network.check_network(grid) is grid
    assert network.get(name) is grid
    assert grid.resistance.dtype == np.float64
    assert np.isfinite(grid.coordinates).all()
    assert np.isfinite(grid.rating_from).any()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_network_is_described(name):
    about = network.describe(name)
    assert {"title", "source", "licence", "ratings", "versions", "command", "validation"} <= about.keys()
    assert about["name"] == name


def test_unknown_names_come_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown network 'case33'; did you mean case33bw"):
        network.get("case33")
    with pytest.raises(ValueError, match=r"unknown network '\?'; known: case118, case14"):
        network.describe("?")


def test_networks_need_no_pandapower():
    code = (
        "import sys, gridjax.network as n; n.get('case33bw'); "
        "assert not {'pandapower', 'pandas', 'flax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_network_of_ones_own_by_itself_or_by_its_path(tmp_path):
    grid = network.get("case14")
    assert network.get(grid) is grid
    sheet = network.save_network(grid, tmp_path)
    for path in (sheet, str(sheet)):
        assert network.get(path).name == "case14"
    with pytest.raises(FileNotFoundError, match=r"none\.json does not exist"):
        network.get(tmp_path / "none.json")


def test_what_is_no_network_is_refused_by_its_type():
    class PandapowerNet:
        pass

    for refuse in (network.get, network.check_network, solve_any, prepare):
        with pytest.raises(TypeError, match=r"got a PandapowerNet; gridjax\.calibration\.from_pandapower"):
            refuse(PandapowerNet())
    with pytest.raises(TypeError, match="the name of a shipped network, got a Network"):
        network.describe(network.get("case14"))


def solve_any(grid):
    return solve(grid, np.zeros(14, complex))


def test_a_network_is_shown_in_a_line():
    shown = "<Network 'case14': 14 buses, 20 branches, slack rows [0], 4 PV buses>"
    assert repr(network.get("case14")) == shown
    assert "object" in repr(jax.tree.map(lambda _: None, network.get("case14")))
