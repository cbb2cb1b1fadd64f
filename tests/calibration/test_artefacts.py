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
# feeder; the others: pandapower
BASE_CASES = {
    "case33bw": (0.91309, 202.68),
    "case141": (0.92786, 632.70),
    "cigre_mv": (0.92298, 303.58),
    "cigre_lv": (0.91227, 28.33),
}
# branches of almost no impedance lose their flow to rounding in float32, where it comes from voltages
FLOW_FLOAT32 = {"case33bw": 1e-5, "case141": 3e-2, "cigre_mv": 3e-4, "cigre_lv": 1e-5}


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


@pytest.mark.parametrize("name", BASE_CASES)
def test_random_states_agree_with_pandapower(name, shipped):
    report = validate(library.get(name), shipped(name), n_states=24, seed=1)
    check(name, report)
    again = report["voltage_range"]
    assert again[0] < 0.98
    assert report["loading_max"] > 0.5


@pytest.mark.parametrize("name", BASE_CASES)
def test_the_shipped_report_keeps_the_promise(name):
    about = library.describe(name)
    check(name, about["validation"])
    assert about["validation"]["states"] >= 256
    lowest, losses = BASE_CASES[name]
    assert about["base_case"]["lowest_voltage_pu"] == pytest.approx(lowest, abs=1e-5)
    assert about["base_case"]["losses_kw"] == pytest.approx(losses, abs=0.01)
    assert "/" not in about["command"]


def check(name, report):
    double, single = report["float64"], report["float32"]
    assert report["reference_failures"] == 0
    assert double["failures"] == single["failures"] == 0
    assert double["voltage_error"] < 1e-8
    assert single["voltage_error"] < 1e-6  # promised: 1e-5
    assert max(double[key] for key in double if key.endswith("_error")) < 1e-7
    assert max(single["losses_error"], single["slack_power_error"]) < 1e-4
    assert max(single[key] for key in ("power_error", "current_error", "loading_error")) < FLOW_FLOAT32[name]


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
