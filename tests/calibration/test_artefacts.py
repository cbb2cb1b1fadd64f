"""The shipped artefacts against pandapower, fresh: never against our own last output alone."""

import dataclasses

import numpy as np
import pytest

from gridjax import network as library
from gridjax.calibration import from_pandapower, validate
from gridjax.calibration.sources import SOURCES

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]

# lowest voltage in p.u. and losses in kW at nominal load; case33bw: as published for the Baran and Wu
# feeder; case14, case30, case39, case24: as MATPOWER gives them; the others: pandapower
BASE_CASES = {
    "case33bw": (0.91309, 202.68),
    "case141": (0.92786, 632.70),
    "cigre_mv": (0.92298, 303.58),
    "cigre_lv": (0.91227, 28.33),
    "case14": (1.01000, 13393.27),
    "case24_ieee_rts": (0.95168, 52772.65),
    "case30": (0.96062, 2443.80),
    "case39": (0.98200, 43641.13),
    "case57": (0.71991, 30290.21),
    "case89pegase": (0.96838, 132426.52),
    "case118": (0.94300, 133169.69),
    "case_illinois200": (0.98552, 23420.63),
    "case300": (0.88900, 424886.58),
    "cigre_hv": (0.95105, 53365.67),
    "mv_oberrhein": (0.97562, 1017.70),
    "kerber_vorstadtnetz": (0.97937, 4.31),
    "ieee_european_lv": (1.02932, 0.90),
}
# one of each kind; `python -m gridjax.calibration` has taken all of them through the same
KINDS = ("case33bw", "cigre_lv", "mv_oberrhein", "case14", "case39", "case118")


def test_the_shipped_networks_are_those_of_the_table():
    assert set(library.names()) == set(SOURCES) == set(BASE_CASES)


@pytest.mark.parametrize("name", BASE_CASES)
def test_a_fresh_conversion_gives_the_shipped_network(name, shipped):
    fresh, injection = from_pandapower(shipped(name), name)
    stored = library.get(name)
    for field in dataclasses.fields(fresh):
        value, expected = getattr(fresh, field.name), getattr(stored, field.name)
        if field.metadata.get("static"):
            assert value == expected, field.name
        else:
            np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-15, err_msg=field.name)
    np.testing.assert_array_equal(injection, fresh.nominal_injection)


@pytest.mark.parametrize("name", KINDS)
def test_random_states_agree_with_pandapower(name, shipped):
    report = validate(library.get(name), shipped(name), n_states=12, seed=1)
    check(name, report)
    low, high = report["voltage_range"]
    assert high - low > 0.01
    assert 0.0 < report["loading_max"] < 10.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ieee_european_lv"])
def test_random_states_of_large_networks_agree_with_pandapower(name, shipped):
    check(name, validate(library.get(name), shipped(name), n_states=4, seed=1))


@pytest.mark.parametrize("name", BASE_CASES)
def test_the_shipped_report_keeps_the_promise(name):
    about = library.describe(name)
    check(name, about["validation"])
    assert about["validation"]["depth"] == 1.0
    assert about["validation"]["states"] >= 200
    lowest, losses = BASE_CASES[name]
    assert about["base_case"]["lowest_voltage_pu"] == pytest.approx(lowest, abs=1e-5)
    assert about["base_case"]["losses_kw"] == pytest.approx(losses, rel=1e-6, abs=0.01)
    assert "/" not in about["command"]


def check(name, report):
    double, single = report["float64"], report["float32"]
    assert double["failures"] == single["failures"] == 0
    assert double["voltage_error"] < 1e-8
    assert single["voltage_error"] < 1e-6
    assert max(double[key] for key in double if key.endswith("_relative")) < 1e-7
    assert double["loading_error"] < 1e-7
    assert max(single[key] for key in single if key.endswith("_relative")) < 1e-6
    assert single["loading_error"] < 1e-6


@pytest.mark.parametrize("name", ["case33bw", "case141"])
def test_stated_ratings_follow_the_rule(name, shipped):
    network = library.get(name)
    assert "stated by gridjax" in library.describe(name)["ratings"]
    amperes = 1e3 * network.rating_from * network.base_mva / np.sqrt(3) / network.base_kv[network.from_bus]
    assert set(np.round(amperes, 6)) <= {200.0, 300.0, 400.0, 600.0, 800.0, 1200.0}
    current = 1e3 * shipped(name).res_line.i_ka[[int(b.split()[1]) for b in network.branch_labels]].to_numpy()
    assert (amperes >= 1.5 * current).all()
    steps = np.array([0.0, 200.0, 300.0, 400.0, 600.0, 800.0, 1200.0])
    smaller = steps[np.searchsorted(steps, amperes - 1.0) - 1]
    assert ((smaller < 1.5 * current) | (smaller == 0.0)).all()
    head = np.argmax(current)
    assert 0.5 < current[head] / amperes[head] < 0.7
