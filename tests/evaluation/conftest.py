"""Scores to compare learners by, and the bootstrap of rliable with draws of ours."""

from collections.abc import Iterable

import numpy as np
import pytest


@pytest.fixture
def scores():
    """Two learners on the same 12 days: 5 and 4 runs, with ties."""
    generator = np.random.default_rng(7)
    days = generator.normal(0.6, 0.3, size=12)
    first = np.round(days + generator.normal(0.10, 0.2, size=(5, 12)), 2)
    second = np.round(days + generator.normal(0.00, 0.1, size=(4, 12)), 2)
    first[0, :3] = second[0, :3]
    return first, second


@pytest.fixture
def same_draws(monkeypatch):
    """Makes the next bootstraps of rliable, which draw by `numpy.random.choice`, take the draws given."""

    def use(draws: Iterable[np.ndarray]) -> None:
        following = iter(draws)

        def choice(number, shape, replace):
            drawn = next(following)
            assert drawn.shape == tuple(shape)
            assert drawn.max() < number
            assert replace
            return drawn

        monkeypatch.setattr(np.random, "choice", choice)

    return use
