import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.scenarios import SyntheticParams, moments, sample_day, sample_year
from gridjax.scenarios.compare import real_year
from gridjax.scenarios.moments import by_day, season_days
from gridjax.scenarios.sun import declination

N_LOAD, N_PV = 5, 8
sample = jax.jit(sample_day, static_argnames=("n_load", "n_pv", "steps"))


@pytest.fixture(scope="module")
def year():
    # one village large enough that its mean is that of the generator
    draw = jax.jit(lambda key: sample_year(key, SyntheticParams(), 100, 30))
    return jax.tree.map(np.asarray, draw(jax.random.key(1)))


@pytest.fixture(scope="module")
def both(year):
    return moments(real_year()), moments(year)


def test_shapes_and_dtypes_for_any_resolution():
    for steps in (24, 96, 480):
        day = jax.eval_shape(lambda n=steps: sample_day(jax.random.key(0), 5, SyntheticParams(), 3, 2, n))
        assert [leaf.shape for leaf in day] == [(steps, 3), (steps, 3), (steps, 2)]
        assert {leaf.dtype for leaf in day} == {jnp.dtype(jnp.float32)}


def test_every_number_is_a_leaf():
    params = SyntheticParams()
    assert len(jax.tree.leaves(params)) == len(dataclasses.fields(params))


def test_same_key_same_bits_alone_or_in_a_batch():
    batch = 17  # odd, so that vector units have a remainder to treat otherwise
    keys, days = jax.random.split(jax.random.key(3), batch), jnp.arange(batch) * 21
    together = jax.jit(jax.vmap(lambda key, day: sample_day(key, day, SyntheticParams(), N_LOAD, N_PV)))(
        keys, days
    )
    for i in range(batch):
        alone = sample(keys[i], days[i], SyntheticParams(), n_load=N_LOAD, n_pv=N_PV)
        for one, many in zip(alone, together):
            assert np.array_equal(np.asarray(one), np.asarray(many[i]))


def test_keys_and_days_differ_but_a_village_keeps_its_sites():
    key = jax.random.key(0)
    first, second = (sample(key, day, SyntheticParams(), n_load=N_LOAD, n_pv=N_PV) for day in (101, 102))
    assert not np.array_equal(first.load_p, second.load_p)
    assert not np.array_equal(
        first.pv, sample(jax.random.key(1), 101, SyntheticParams(), n_load=N_LOAD, n_pv=N_PV).pv
    )
    # without weather and noise nothing but the village is left
    calm = dataclasses.replace(
        SyntheticParams(), noise_spread=0.0, day_spread=0.0, spike_per_hour=0.0, load_winter=0.0
    )
    first, second = (sample(key, day, calm, n_load=N_LOAD, n_pv=N_PV) for day in (101, 103))
    assert np.array_equal(first.load_p, second.load_p)


def test_bounds_and_night(year):
    assert year.load_p.min() >= 0
    assert year.load_p.max() <= 1
    assert year.pv.min() >= 0
    assert year.pv.max() <= 1
    assert np.isfinite(year.load_q).all()
    hour = (np.arange(96) + 0.5) / 4
    params = SyntheticParams()
    phi = np.deg2rad(params.latitude)
    delta = np.asarray(declination(jnp.arange(366)))[:, None]
    omega = np.deg2rad(15 * (hour - params.solar_noon))
    up = np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.cos(omega) > 1e-6
    night = np.broadcast_to(~up[:, :, None], year.pv.shape)
    assert not year.pv[night].any()
    assert (year.pv[:, 44:48].max(axis=1) > 0).all()  # around noon the sun is up every day


def test_finite_gradient_through_a_day():
    def energy(params):
        day = sample_day(jax.random.key(0), 180, params, 3, 3, steps=24)
        return day.pv.sum() + day.load_p.sum() + day.load_q.sum()

    gradient = jax.jit(jax.grad(energy))(SyntheticParams())
    assert all(np.isfinite(leaf) for leaf in jax.tree.leaves(gradient))
    assert gradient.pv_scale > 0


RELATIVE = {
    "load_mean": 0.15,
    "load_std": 0.15,
    "load_daily_max": 0.15,
    "load_factor": 0.15,
    "load_winter_over_summer": 0.15,
    "load_weekend_over_weekday": 0.05,
    "load_day_spread": 0.2,
    "load_quantile_99": 0.15,
    "reactive_mean": 0.25,
    "reactive_std": 0.2,
    "pv_std": 0.1,
    "pv_maximum": 0.1,
    "pv_daily_max": 0.12,
    "pv_capacity_factor": 0.08,
    "pv_capacity_factor_winter": 0.2,
    "pv_capacity_factor_spring": 0.15,
    "pv_capacity_factor_summer": 0.15,
    "pv_capacity_factor_autumn": 0.15,
    "pv_day_spread": 0.12,
    "pv_ramp_std": 0.4,  # SimBench's sun runs in straight lines from hour to hour, and so ramps less
}
ABSOLUTE = {
    "load_autocorrelation_step": 0.06,
    "load_autocorrelation_1h": 0.08,
    "load_autocorrelation_3h": 0.08,
    "load_site_correlation": 0.08,
    "reactive_active_correlation": 0.1,
    "pv_autocorrelation_step": 0.01,
    "pv_autocorrelation_1h": 0.03,
    "pv_site_correlation": 0.05,
    "pv_site_correlation_daily": 0.06,
}


@pytest.mark.parametrize("name", RELATIVE)
def test_moment_within_relative_tolerance(both, name):
    assert both[1][name] == pytest.approx(both[0][name], rel=RELATIVE[name])


@pytest.mark.parametrize("name", ABSOLUTE)
def test_moment_within_absolute_tolerance(both, name):
    assert both[1][name] == pytest.approx(both[0][name], abs=ABSOLUTE[name])


@pytest.mark.parametrize("season", ["winter", "summer"])
def test_mean_day_has_the_shape_of_the_real_one(year, season):
    real, chosen = by_day(real_year()), season_days(season)
    for name in ("load_p", "pv"):
        first = real[name][chosen].mean((0, 2))
        second = np.asarray(getattr(year, name), np.float64)[chosen].mean((0, 2))
        assert np.corrcoef(first, second)[0, 1] > 0.9
