"""A task of one's own is recorded and filmed by what it tells of a step."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax import network as networks
from gridjax.envs import Box, Environment, Transition
from gridjax.evaluation import record
from gridjax.evaluation.figures.film import Film
from gridjax.evaluation.views import NetworkView, Seen
from gridjax.live.schema import Frame, Hello
from gridjax.powerflow import prepare, solve

NETWORK = networks.get("case33bw")
ROWS = (17, 32)


class Params(NamedTuple):
    network: Any = NETWORK
    solver: Any = prepare(NETWORK, "chord")


@dataclass(frozen=True)
class Heaters(Environment[jax.Array, Params]):
    """Two heaters; an action of 1 draws 1 MW."""

    name = "Heaters-v0"
    groups = {"heater": 2}  # noqa: RUF012
    case_steps = 4

    def on_case(self, params, case):
        return params

    def initial(self, key, params):
        return jnp.int32(0)

    def flow(self, actions, params):
        drawn = 0.1 * actions["heater"][:, 0]
        injection = jnp.asarray(0.5 * params.network.nominal_injection)
        injection = injection.at[jnp.array(ROWS)].add(-drawn)
        return solve(params.network, injection, "chord", solver=params.solver)

    def transition(self, key, state, actions, params):
        flow, over = self.flow(actions, params), state + 1 == 4
        reward = {"heater": jnp.array([1.0, 3.0])}
        return Transition(state + 1, reward, ~flow.converged, over, {}, {"losses": flow.losses})

    def observe(self, state, params):
        return {"heater": jnp.full((2, 1), state, jnp.float32)}

    def observation_space(self, params):
        return {"heater": Box(0.0, 4.0, (1,))}

    def observation_labels(self, params):
        return {"heater": ("step",)}

    def action_space(self, params):
        return {"heater": Box(-1.0, 1.0, (1,))}


ENV, PARAMS = Heaters(), Params()


def read(state, actions, out, params):
    return Seen(ENV.flow(actions, params), 22.0 + state, {"demand_kw": 1e3 * actions["heater"][:, 0]})


def view(**changes):
    return NetworkView.of(ENV, NETWORK, {"heater": ROWS}, **({"hours": 1.0, "read": read} | changes))


def half(key, obs, state, params):
    return {"heater": jnp.array([[0.5], [0.0]])}


@pytest.fixture(scope="module")
def rollout():
    return record(ENV, PARAMS, half, 0, jax.random.key(0), view=view())


def test_a_step_is_the_power_flow_of_the_task(rollout):
    expected = ENV.flow(half(*[None] * 4), PARAMS)
    (looks,) = rollout.looks
    for step in range(4):
        np.testing.assert_allclose(looks.voltage[step], np.abs(expected.voltage), atol=1e-6)
    base = 1e3 * float(NETWORK.base_mva)
    np.testing.assert_allclose(looks.lines.kw[0], expected.power_from.real * base, rtol=1e-4, atol=0.05)
    np.testing.assert_allclose(looks.metrics["losses_kw"], expected.losses * base, rtol=1e-4)
    np.testing.assert_allclose(looks.metrics["demand_kw"], 500.0)
    np.testing.assert_allclose(looks.metrics["reward"], 2.0)
    np.testing.assert_allclose(looks.hour, [22.0, 23.0, 0.0, 1.0])


def test_it_plays_as_a_page_and_as_a_film(rollout):
    Hello.model_validate(rollout.hello)
    frames = [Frame.model_validate(frame) for frame in rollout.frames]
    assert [card.demand_kw for card in frames[0].agents] == [500.0, 0.0]
    assert [card.name for card in Hello.model_validate(rollout.hello).agents] == ["heater 1", "heater 2"]
    assert Film(rollout).steps == 4


@pytest.mark.parametrize(
    ("buses", "message"),
    [
        ({}, r"buses of group 'heater' are \[\], expected 2 rows of the network's 33"),
        ({"heater": (1, 33)}, r"are \[1, 33\], expected 2 rows"),
        ({"heater": (1, 2, 3)}, r"are \[1, 2, 3\], expected 2 rows"),
    ],
)
def test_buses_that_do_not_fit_are_refused(buses, message):
    with pytest.raises(ValueError, match=message):
        NetworkView.of(ENV, NETWORK, buses, hours=1.0, read=read)


def test_a_column_that_does_not_exist_is_refused():
    def wrong(*step):
        return read(*step)._replace(agents={"colour": jnp.zeros(2)})

    state = ENV.initial(None, PARAMS)
    actions = half(*[None] * 4)
    out = ENV.transition(None, state, actions, PARAMS)
    with pytest.raises(ValueError, match="colour: expected columns among charge, energy_kwh"):
        replace(view(), read=wrong).look(state, actions, out, PARAMS)
