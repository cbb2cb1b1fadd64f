import numpy as np

from gridjax import network
from gridjax.powerflow import Status, solve
from tests.powerflow.conftest import states


def test_agrees_with_the_chord(shipped, float64):
    injection = states(shipped, 16)
    chord, newton = solve(shipped, injection, "chord"), solve(shipped, injection, "newton")
    assert (chord.status == Status.CONVERGED).all()
    assert (newton.status == Status.CONVERGED).all()
    np.testing.assert_allclose(chord.voltage, newton.voltage, atol=1e-9)
    np.testing.assert_allclose(chord.losses, newton.losses, atol=1e-10)


def test_converges_quadratically(mesh, float64):
    flow = solve(mesh, states(mesh, 16), "newton", tolerance=1e-12)
    assert flow.iterations.max() <= 6
    assert flow.mismatch.max() < 1e-12


def test_slack_voltages_stay(mesh):
    rows = np.array(mesh.slack_buses)
    flow = solve(mesh, mesh.nominal_injection * 1.4, "newton")
    np.testing.assert_allclose(flow.voltage[rows], mesh.slack_voltage, atol=1e-6)


def test_reaches_loads_that_the_chord_gives_up(float64):
    """Near the nose the chord is flagged before Newton is; neither calls anything else a solution."""
    shipped = network.get("case33bw")
    scales = np.linspace(1.0, 12.0, 23)[:, None]
    injection = shipped.nominal_injection * scales
    chord, newton = solve(shipped, injection, "chord"), solve(shipped, injection, "newton")
    good = np.asarray(newton.converged)
    assert good.sum() >= np.asarray(chord.converged).sum() > 2
    both = good & np.asarray(chord.converged)
    np.testing.assert_allclose(chord.voltage[both], newton.voltage[both], atol=1e-7)
    assert not good[-1]
