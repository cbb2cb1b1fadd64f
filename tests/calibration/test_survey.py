import inspect
import json

import pandapower as pp
import pandapower.networks
import pytest

from gridjax.calibration.survey import candidates, examine, survey
from gridjax.evaluation.tables.networks import networks_table

from .handmade import controlled, switched

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]

NOT_BUILDERS = {"create_dickert_lv_feeders", "sorted_from_json"}


def test_every_builder_of_pandapower_is_a_candidate():
    own = [
        name
        for name, value in inspect.getmembers(pandapower.networks, inspect.isfunction)
        if value.__module__.startswith("pandapower.networks")
    ]
    named = {name.split("(")[0] for name in candidates()}
    assert named == set(own) - NOT_BUILDERS
    assert len(candidates()) > 70


@pytest.mark.parametrize(
    "name",
    [
        "case5",
        "case_ieee30",
        "create_cigre_network_hv",
        "example_multivoltage",
        "create_cigre_network_mv(with_der=all)",
        "create_synthetic_voltage_control_lv_network(network_class=rural_1)",
    ],
)
def test_a_quick_survey_holds_the_promise(name):
    check(examine(name, candidates()[name], n_states=6, seed=2))


def test_generators_wards_dc_lines_and_voltage_dependent_loads_hold_the_promise():
    record = examine("controlled", lambda: controlled(3), n_states=6, seed=0)
    assert record["pv_buses"] == 4
    assert record["slack_buses"] == 2
    assert record["voltage_dependent"]
    check(record)


def check(record):
    double, single = record["float64"], record["float32"]
    assert record["states"] == 6
    assert record["runpp"]["voltage"] < 1e-7
    assert record["runpp"]["loading"] < 1e-6
    assert double["failures"] == single["failures"] == 0
    assert double["voltage_error"] < 1e-8
    assert single["voltage_error"] < 1e-6
    assert single["losses_relative"] < 1e-6
    for key in ("power_relative", "slack_power_relative", "losses_relative"):
        assert double[key] < 1e-7


def test_reasons_to_leave_a_network_out_are_kept():
    def with_converter():
        net = switched()
        pp.create_ssc(net, 106, r_ohm=0.1, x_ohm=1.0, set_vm_pu=1.0)
        return net

    record = examine("with a converter", with_converter, 1, 0)
    assert record.keys() == {"left_out"}
    assert "1 ssc (ssc 0) in service: static synchronous compensators" in record["left_out"]
    record = examine("case11_iwamoto", pandapower.networks.case11_iwamoto, 1, 0)
    assert record["buses"] == 11
    assert "does not converge on the nominal state" in record["left_out"]


def test_a_survey_goes_on_where_it_stopped(tmp_path, capsys):
    path = tmp_path / "networks.json"
    survey(["case11_iwamoto"], path, 2, 0)
    content = survey(["simple_four_bus_system"], path, 2, 0)
    assert json.loads(path.read_text()) == content
    assert list(content["networks"]) == ["case11_iwamoto", "simple_four_bus_system"]
    assert [file.name for file in tmp_path.iterdir()] == ["networks.json"]
    assert "simple_four_bus_system: 4 buses, chord" in capsys.readouterr().out
    text = networks_table(content)
    assert "| simple_four_bus_system" in text
    assert "- case11_iwamoto: pandapower does not converge" in text
