"""Events happen when they are switched on, in their hours, and do what they say."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.scenarios.events import EVENTS, draw, events, factors

KEYS = jax.random.split(jax.random.key(0), 4000)


def test_off_means_never():
    drawn = jax.vmap(draw, (0, None, None))(KEYS, events(), 0.25)
    assert (drawn.begin == drawn.end).all()
    price, sun, demand, connected = factors(events(), jax.tree.map(lambda x: x[0], drawn), jnp.int32(50))
    assert (float(price), float(sun), float(demand), bool(connected)) == (1.0, 1.0, 1.0, True)


def test_probability_and_hours():
    given = events(EVENTS, 0.3)
    drawn = jax.vmap(draw, (0, None, None))(KEYS, given, 0.25)
    happens = np.asarray(drawn.end > drawn.begin)
    np.testing.assert_allclose(happens.mean(axis=0), 0.3, atol=0.03)
    begin = np.asarray(drawn.begin) / 4
    length = np.asarray(drawn.end - drawn.begin)[happens] / 4
    assert (begin >= np.asarray(given.earliest)).all()
    assert (begin <= np.asarray(given.latest)).all()
    assert 1.0 <= length.min() < length.max() <= 4.0


def test_each_event_does_its_own():
    for k, name in enumerate(EVENTS):
        given = events([name])
        drawn = draw(KEYS[0], given, 0.25)
        found = factors(given, drawn, drawn.begin[k])
        before = factors(given, drawn, drawn.begin[k] - 1)
        after = factors(given, drawn, drawn.end[k])
        expected = [1.0, 1.0, 1.0, 1.0]
        expected[k] = [2.0, 0.25, 1.6, 0.0][k]
        np.testing.assert_allclose([float(x) for x in found], expected, rtol=1e-6)
        assert [float(x) for x in (*before, *after)] == [1.0] * 8


def test_sizes_are_numbers_that_can_be_mapped_over():
    given = events(["cloud_front"])
    drawn = draw(KEYS[0], given, 0.25)
    sizes = jnp.array([0.0, 0.5, 1.0])
    sun = jax.vmap(lambda s: factors(replace(given, size=given.size.at[1].set(s)), drawn, drawn.begin[1])[1])(
        sizes
    )
    np.testing.assert_allclose(sun, [1.0, 0.5, 0.0])


def test_bad_options_are_named():
    with pytest.raises(ValueError, match="hail"):
        events(["hail"])
    with pytest.raises(ValueError, match=r"probability is 1\.5"):
        events(["cloud_front"], 1.5)
