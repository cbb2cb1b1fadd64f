"""No control."""

import jax
import numpy as np

from gridjax.controllers import no_control


def test_no_control_asks_for_nothing(feeder, penalty):
    env, params, states = feeder
    actions = jax.vmap(lambda state: no_control(env, state, params))(states)
    assert actions["inverter"].shape == (32, 6, 1)
    assert actions["inverter"].dtype == states.demand.dtype
    assert not actions["inverter"].any()
    assert np.isfinite(penalty(actions, params)).all()
