import numpy as np
import pytest

from gridjax.learners.optimise import _by_group


def test_every_group_has_diagnostics_of_its_own():
    entropies = {"a": np.array([[1.0, 3.0]]), "b": np.array([[5.0]])}
    log_ratios = {"a": np.log([[1.0, 1.5]]), "b": np.zeros((1, 1))}
    found = _by_group(entropies, log_ratios, 0.2)
    assert (found["entropy/a"], found["entropy/b"]) == (2.0, 5.0)
    assert (found["clip_fraction/a"], found["clip_fraction/b"]) == (0.5, 0.0)
    assert found["approximate_kl/a"] == pytest.approx((0.5 - np.log(1.5)) / 2, rel=1e-5)
    assert found["approximate_kl/b"] == 0.0
    assert not any("ratio_deviation" in name for name in found)
