"""Derivatives by the implicit function theorem against those of an unrolled solver."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.powerflow import prepare, solve
from tests.powerflow.conftest import meshed, states

PARAMETERS = ("resistance", "reactance", "tap_ratio", "phase_shift")
METHODS = ("dense", "cut", "tree", "polar", "newton", "auto")


def with_generator():
    """The meshed network with a generator that holds the voltage of bus 3, and voltage-dependent loads."""
    net = meshed()
    current, impedance = np.zeros(6, complex), np.zeros(6, complex)
    current[2], impedance[4] = -0.08 - 0.03j, -0.1 - 0.02j
    return dataclasses.replace(
        net,
        pv_buses=(3,),
        pv_voltage=np.array([1.01]),
        reactive_min=np.array([-np.inf]),
        reactive_max=np.array([np.inf]),
        constant_current=current,
        constant_impedance=impedance,
    )


def unrolled(net, at):
    """Complex voltages after six plain Newton steps in rectangular coordinates, nothing implicit."""
    f, t, n = net.from_bus, net.to_bus, net.n_bus
    y = 1.0 / (at["resistance"] + 1j * at["reactance"])
    tap = at["tap_ratio"] * jnp.exp(1j * at["phase_shift"])
    matrix = jnp.zeros((n, n), complex).at[np.arange(n), np.arange(n)].add(net.shunt)
    matrix = matrix.at[f, f].add((y + net.charging_from) / at["tap_ratio"] ** 2)
    matrix = matrix.at[f, t].add(-y / jnp.conj(tap)).at[t, f].add(-y / tap).at[t, t].add(y + net.charging_to)
    free, pv = net.free_buses, np.array(net.pv_buses, int)
    slack = jnp.zeros(n, complex).at[np.array(net.slack_buses)].set(at["slack"] + 0j)

    def equations(x):
        v = slack.at[free].set(x[: free.size] + 1j * x[free.size :])
        s = at["active"] + 1j * at["reactive"]
        s = s + net.constant_current * jnp.abs(v) + net.constant_impedance * jnp.abs(v) ** 2
        short = v * jnp.conj(matrix @ v) - s
        second = short.imag.at[pv].set(jnp.abs(v[pv]) ** 2 - at["pv_voltage"] ** 2)
        return jnp.concatenate([short.real[free], second[free]])

    x = jnp.concatenate([jnp.ones(free.size), jnp.zeros(free.size)])
    for _ in range(6):
        x = x - jnp.linalg.solve(jax.jacfwd(equations)(x), equations(x))
    return slack.at[free].set(x[: free.size] + 1j * x[free.size :])


def at_parameters(net):
    injection = states(net, 1, seed=3)[0]
    at = {name: jnp.asarray(getattr(net, name)) for name in PARAMETERS}
    at |= {"active": jnp.asarray(injection.real), "reactive": jnp.asarray(injection.imag)}
    return at | {"slack": jnp.asarray(net.slack_voltage.real), "pv_voltage": jnp.asarray(net.pv_voltage)}


@pytest.fixture(scope="module")
def oracle():
    """Per kind of network: parameters, a direction, and the voltage's derivative along it."""
    found = {}
    with jax.enable_x64(True):
        for kind, net in (("pq", meshed()), ("pv", with_generator())):
            net = dataclasses.replace(net, slack_voltage=net.slack_voltage.real)
            at = at_parameters(net)
            rng = np.random.default_rng(5)
            along = {name: rng.normal(size=x.shape) * (0.1 + np.abs(np.asarray(x))) for name, x in at.items()}
            along = jax.tree.map(jnp.asarray, along)
            voltage, moved = jax.jit(lambda at, d, net=net: jax.jvp(lambda a: unrolled(net, a), (at,), (d,)))(
                at, along
            )
            found[kind] = net, at, along, np.asarray(voltage), np.asarray(moved)
    return found


@pytest.mark.parametrize(
    ("kind", "method"),
    [(kind, m) for kind in ("pq", "pv") for m in METHODS if kind == "pq" or m in ("polar", "newton", "auto")],
)
def test_forward_and_reverse_agree_with_the_unrolled_solver(oracle, kind, method, float64):
    net, at, along, voltage, moved = oracle[kind]
    form = method if method in ("dense", "cut", "tree") else "auto"
    name = "chord" if form != "auto" else method
    solver = prepare(net, name, form)

    def find(at):
        changed = dataclasses.replace(net, slack_voltage=at["slack"], pv_voltage=at["pv_voltage"])
        changed = dataclasses.replace(changed, **{leaf: at[leaf] for leaf in PARAMETERS})
        injection = at["active"] + 1j * at["reactive"]
        return solve(changed, injection, name, solver=solver, tolerance=1e-12).voltage

    value, tangent = jax.jit(lambda at, d: jax.jvp(find, (at,), (d,)))(at, along)
    np.testing.assert_allclose(value, voltage, atol=1e-10)
    scale = np.abs(moved).max()
    np.testing.assert_allclose(tangent / scale, moved / scale, atol=1e-7)
    # reverse: the adjoint of a random covector pairs with the direction as the tangent does
    rng = np.random.default_rng(6)
    cotangent = jnp.asarray(rng.normal(size=voltage.shape) + 1j * rng.normal(size=voltage.shape))

    def pull(at, cotangent):
        return jax.grad(lambda a: jnp.sum((jnp.conj(cotangent) * find(a)).real))(at)

    gradient = jax.jit(pull)(at, cotangent)
    pairing = sum(float(jnp.sum(gradient[leaf] * along[leaf])) for leaf in at)
    expected = float(np.sum((np.conj(cotangent) * moved).real))
    assert pairing == pytest.approx(expected, rel=1e-6)


def test_the_response_near_the_nose_is_that_of_newton(float64):
    """Where the chord itself no longer converges, its matrix still preconditions."""
    from gridjax import network

    net = network.get("case33bw")
    solver = {name: prepare(net, name) for name in ("auto", "newton")}
    nose = 3.1 * net.nominal_injection

    def lowest(scale, method):
        return jnp.min(jnp.abs(solve(net, scale * nose, method, solver=solver[method]).voltage))

    flow = solve(net, nose, solver=solver["auto"])
    assert flow.converged
    assert float(jnp.abs(flow.voltage).min()) < 0.7
    auto, newton = (jax.jit(jax.grad(lowest), static_argnums=1)(1.0, m) for m in ("auto", "newton"))
    assert float(auto) == pytest.approx(float(newton), rel=1e-6)
