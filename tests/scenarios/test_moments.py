import types

import numpy as np
import pytest

from gridjax.scenarios.moments import autocorrelation, moments, season_days


def _year(load_p, pv):
    return types.SimpleNamespace(load_p=load_p, load_q=0.3 * load_p, pv=pv)


def test_statistics_of_known_series():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(366, 96, 2))
    hour = (np.arange(96) + 0.5) / 4
    sun = np.clip(np.cos((hour - 12) * np.pi / 12), 0, None)[None, :, None] * np.ones((366, 1, 3))
    found = moments(_year(1 + 0.1 * noise, sun))
    assert found["load_mean"] == pytest.approx(1, abs=0.01)
    assert found["load_std"] == pytest.approx(0.1, rel=0.02)
    assert found["load_autocorrelation_step"] == pytest.approx(0, abs=0.02)
    assert found["load_site_correlation"] == pytest.approx(0, abs=0.02)
    assert found["reactive_active_correlation"] == pytest.approx(1)
    assert found["pv_site_correlation"] == pytest.approx(1)
    assert found["pv_capacity_factor"] == pytest.approx(1 / np.pi, rel=1e-3)
    assert found["pv_day_spread"] == pytest.approx(0, abs=1e-9)


def test_autocorrelation_of_an_ar1_process():
    rng = np.random.default_rng(0)
    values = np.zeros((366, 96, 1))
    values[:, 0] = rng.normal(size=(366, 1))
    for t in range(1, 96):
        values[:, t] = 0.8 * values[:, t - 1] + 0.6 * rng.normal(size=(366, 1))
    np.testing.assert_allclose(autocorrelation(values, np.array([1, 2, 4])), [0.8, 0.64, 0.4096], atol=0.02)


def test_seasons_cover_the_year():
    days = np.concatenate([season_days(s) for s in ("winter", "spring", "summer", "autumn")])
    assert np.array_equal(np.sort(days), np.arange(366))
    assert list(season_days("spring")[[0, -1]]) == [60, 151]
    with pytest.raises(ValueError, match="unknown season 'monsoon'; known: winter, spring, summer, autumn"):
        season_days("monsoon")


def test_bad_input_is_named():
    good = np.ones((366, 24, 1))
    with pytest.raises(ValueError, match=r"load_p has shape \(24, 1\), expected \[366, steps, n\]"):
        moments(_year(good[0], good))
    with pytest.raises(ValueError, match="pv holds values that are not finite"):
        moments(_year(good, good * np.nan))
