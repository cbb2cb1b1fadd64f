import json

import numpy as np
import pytest

from gridjax.scenarios.normalise import Statistics, statistics


def test_normalised_and_back():
    values = np.random.default_rng(0).normal([3.0, -200.0], [1.0, 50.0], (500, 2)).astype(np.float32)
    kept = statistics(values, ("a", "b"))
    normal = kept.apply(values)
    np.testing.assert_allclose(normal.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(normal.std(0), 1, rtol=1e-4)
    np.testing.assert_allclose(kept.invert(normal), values, rtol=1e-4, atol=1e-4)
    one = kept.select([1])
    np.testing.assert_array_equal(one.apply(values[:, [1]]), normal[:, [1]])
    assert one.names == ("b",)


def test_a_constant_column_is_zero_and_comes_back():
    kept = statistics(np.full((9, 1), 7.0, np.float32), ("still",))
    assert (kept.apply(np.full((2, 1), 7.0)) == 0).all()
    assert kept.invert(np.zeros(1)) == 7


def test_kept_in_a_file():
    kept = statistics(np.random.default_rng(1).normal(size=(9, 2)).astype(np.float32), ("a", "b"))
    back = Statistics.from_dict(json.loads(json.dumps(kept.as_dict())))
    np.testing.assert_array_equal(back.mean, kept.mean)
    np.testing.assert_array_equal(back.spread, kept.spread)
    assert back.names == kept.names


@pytest.mark.parametrize("values", [np.empty((0, 1)), np.zeros((3, 2)), np.full((3, 1), np.nan)])
def test_what_has_no_statistics(values):
    with pytest.raises(ValueError, match="values"):
        statistics(values, ("a",))
