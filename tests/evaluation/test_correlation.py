import numpy as np
import pytest
from scipy.stats import spearmanr

from gridjax.evaluation.correlation import rank_correlation


@pytest.fixture
def samples():
    return np.random.default_rng(0).normal(size=(4, 500))


def test_ranks_correlate_as_scipy_has_it(samples):
    a, b, c, _ = samples
    columns = {
        "observation": {"a": a, "mixed": a + b},
        "action": {"c": np.exp(c), "against": -a + 0.5 * c},
        "grid": {"still": np.zeros(500), "b": b},
    }
    found = rank_correlation(columns)
    assert found["constant"] == ["still"]
    assert sorted(found["labels"]) == ["a", "against", "b", "c", "mixed"]
    assert found["kinds"] == ["observation"] * 2 + ["action"] * 2 + ["grid"]
    every = {name: values for kind in columns.values() for name, values in kind.items()}
    expected = spearmanr(np.stack([every[name] for name in found["labels"]]), axis=1).statistic
    np.testing.assert_allclose(found["matrix"], expected, atol=1e-12)


def test_what_moves_together_is_shown_as_one_within_its_kind(samples):
    a, b, _, noise = samples
    columns = {
        "observation": {"b": b, "a": a, "a, noisy": a + 0.01 * noise, "a, turned": -2.0 * a},
        "action": {"like a": a},
    }
    found = rank_correlation(columns)
    assert sorted(found["labels"]) == ["a", "b", "like a"]
    assert found["merged"] == {"a": ["a, noisy", "a, turned"]}
    assert found["matrix"][found["labels"].index("a"), found["labels"].index("like a")] == pytest.approx(1.0)
    assert len(rank_correlation({"observation": dict(zip("abcd", samples))}, most=2)["labels"]) == 2


def test_bad_columns():
    with pytest.raises(ValueError, match="expected one length"):
        rank_correlation({"a": {"x": np.zeros(3)}, "b": {"y": np.zeros(4)}})
    with pytest.raises(ValueError, match="no column ever changes"):
        rank_correlation({"a": {"x": np.zeros(3)}})


def test_what_is_not_finite_everywhere_is_left_out_and_named(samples):
    a, b, c, _ = samples
    found = rank_correlation({"grid": {"a": a, "b": b, "broken": np.where(np.arange(500) == 3, np.nan, c)}})
    assert found["undefined"] == ["broken"]
    assert sorted(found["labels"]) == ["a", "b"]
    assert np.all(np.isfinite(found["matrix"]))
