import dataclasses
import datetime

import jax
import numpy as np
import pytest

from gridjax.learners.forecaster import Forecaster, foretell
from gridjax.scenarios.scenario_pack import ScenarioPack
from gridjax.scenarios.windows import windows

N_DAYS, DAY = 120, 8


@pytest.fixture(scope="module")
def pack():
    """Three-hourly rows: days of a size that changes and only their course tells, larger at weekends."""
    rng = np.random.default_rng(0)
    size = 1.0 + 0.8 * rng.random(N_DAYS) + np.isin(np.arange(N_DAYS) % 7, (5, 6))
    shape = 2.0 + np.sin(2 * np.pi * np.arange(DAY) / DAY)
    load = (size[:, None] * shape).reshape(-1, 1) * [1.0, 30.0]
    nothing = np.empty((N_DAYS * DAY, 0))
    return ScenarioPack(
        load=load,
        reactive=nothing,
        generation=load[:, :1] / 2,
        price=nothing,
        filled=np.zeros(N_DAYS * DAY, bool),
        load_names=("small", "large"),
        generation_names=("roof",),
        price_names=(),
        start=datetime.datetime(2024, 1, 1),
        step_hours=3.0,
    )


@pytest.fixture(scope="module")
def fitted(pack):
    forecaster = Forecaster.create(pack, hidden=(16,), n_update=800, batch_size=64, learning_rate=1e-2)
    kept = pack.statistics()
    train = windows(pack, "train", DAY, DAY).normalised(kept)
    parameters, errors = jax.jit(lambda key: forecaster.fit(train, key))(jax.random.key(0))
    return forecaster, parameters, np.asarray(errors), kept


def test_it_beats_persistence_on_days_that_it_never_saw(pack, fitted):
    forecaster, parameters, errors, kept = fitted
    assert errors[-50:].mean() < 0.5 * errors[:5].mean()
    batch = windows(pack, "test", DAY, DAY).normalised(kept).arrays()
    history = np.moveaxis(batch.history, 2, 1)
    foretold = forecaster.predict(parameters, history, np.repeat(batch.row[:, None], 3, axis=1))
    error = np.abs(np.moveaxis(np.asarray(foretold), 1, 2) - batch.target).mean()
    assert error < 0.7 * np.abs(batch.history - batch.target).mean()  # the day before
    assert error < 0.5 * np.abs(batch.history[:, -1:] - batch.target).mean()  # the last value


def test_columns_of_one_shape_are_foretold_alike(pack, fitted):
    forecaster, parameters, _, kept = fitted
    told = foretell(forecaster, parameters, pack, kept, hours=(3, 12))
    assert told.demand.shape == (N_DAYS * DAY, 2, 2)
    assert told.sun.shape == (N_DAYS * DAY, 2, 1)
    np.testing.assert_allclose(told.demand[..., 1], 30 * told.demand[..., 0], rtol=1e-2)
    assert (told.demand >= 0).all()


def test_what_is_foretold_of_a_row_follows_from_the_rows_before_it(pack, fitted):
    forecaster, parameters, _, kept = fitted
    told = foretell(forecaster, parameters, pack, kept, hours=(3, 12))
    changed = pack.load.copy()
    changed[401:] += 1.0
    other = foretell(forecaster, parameters, dataclasses.replace(pack, load=changed), kept, hours=(3, 12))
    np.testing.assert_array_equal(other.demand[20:401], told.demand[20:401])
    assert (np.abs(other.demand[401:410] - told.demand[401:410]) > 0).any()
    # it is aligned: what is said in row 400 of 3 h later is near row 401, not near 400 or 402
    spread = [np.abs(told.demand[20:-20, 0, 0] - pack.load[20 + k : k - 20, 0]).mean() for k in (0, 1, 2)]
    assert np.argmin(spread) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_history": 0}, "n_history is 0"),
        ({"n_update": 1.5}, r"n_update is 1\.5"),
        ({"learning_rate": 0}, "learning_rate is 0"),
    ],
)
def test_settings_out_of_range(pack, settings, message):
    with pytest.raises(ValueError, match=message):
        Forecaster.create(pack, **settings)


def test_windows_and_hours_that_do_not_fit(pack, fitted):
    forecaster, parameters, _, kept = fitted
    with pytest.raises(ValueError, match=r"windows are of 4 \+ 8 steps, expected 8 \+ 8"):
        forecaster.fit(windows(pack, "train", 4, 8), jax.random.key(0))
    for hours in ((1,), (27,), (0,)):
        with pytest.raises(ValueError, match="expected whole steps of 3 h, at most 8"):
            foretell(forecaster, parameters, pack, kept, hours)
