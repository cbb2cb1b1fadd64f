"""Failures come as often and last as long as their rates say; listed ones exactly as listed."""

from dataclasses import fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest, lognorm

from gridjax.scenarios.outages import (
    Sizes,
    branch_sound,
    delivery_hours,
    draw,
    fails_to_start,
    grid_present,
    never,
    outage_left_hours,
    rates,
    scripted,
    sensor_alive,
    stack,
    wind,
)
from tests.scenarios.outage_sizes import HOURS, SIZES, over

YEARS = 672 * HOURS / 8760
KEYS = jax.random.split(jax.random.key(0), 6000)
RATES = rates(
    enrichment=20.0,
    wind_fragility=1.0,
    outages_per_year=2.6,
    storms_per_year=2.0,
    line_faults_per_year=1.0,
    transformer_faults_per_year=3.0,
    transformer_repair_hours=60.0,
    sensor_losses_per_year=2.0,
    start_failure=0.2,
    gust_low=42.0,
    gust_high=42.0,
    fragility_median=40.0,
    fragility_spread=0.2,
)
draw_one = jax.jit(draw, static_argnums=2)
draw_many = jax.jit(jax.vmap(draw, (0, None, None, None)), static_argnums=2)


@pytest.fixture(scope="module")
def drawn():
    return jax.tree.map(np.asarray, draw_many(KEYS, RATES, SIZES, HOURS))


def at(timelines, k):
    return jax.tree.map(lambda leaf: leaf[k], timelines)


def same(one, other):
    for field in fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        assert np.asarray(left).dtype == np.asarray(right).dtype, field.name
        np.testing.assert_array_equal(left, right, err_msg=field.name)


def close(found, expected, count):
    assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / count)


def spells(begin, end, mean):
    """The lengths are exponential with the mean, but for the rounding; the begins uniform."""
    happens = end > begin
    lengths = (end - begin)[happens] * HOURS
    assert lengths.min() >= HOURS
    assert abs(lengths.mean() - mean) < 4 * mean / np.sqrt(lengths.size) + 0.05
    assert abs(np.std(lengths) / mean - 1) < 0.15
    assert begin.min() >= 0
    assert begin.max() < SIZES.n_step
    assert kstest((begin[happens] + 0.5) / SIZES.n_step, "uniform").pvalue > 1e-3
    assert (begin[~happens] == 0).all()


def test_ordinary_outages_are_a_poisson_process(drawn):
    expected = 2.6 * 20 * YEARS
    begin, end = drawn.grid_begin[:, :-1], drawn.grid_end[:, :-1]
    count = (end > begin).sum(axis=1)
    close((count >= 1).mean(), 1 - np.exp(-expected), 6000)
    close((count >= 2).mean(), 1 - (1 + expected) * np.exp(-expected), 6000)
    spells(begin, end, 331.2 / 60)


def test_storms_bring_wind_and_take_the_grid(drawn):
    stormy = drawn.storm_end > drawn.storm_begin
    close(stormy.mean(), 1 - np.exp(-2 * 20 * YEARS), 6000)
    length = (drawn.storm_end - drawn.storm_begin)[stormy] * HOURS
    assert length.min() >= 6
    assert length.max() <= 18
    assert abs(length.mean() - 12) < 0.3
    begin, end = drawn.grid_begin[:, -1], drawn.grid_end[:, -1]
    np.testing.assert_array_equal(end > begin, stormy)
    lost = (end - begin)[stormy] * HOURS
    assert lost.min() >= 12
    assert lost.max() <= 72
    assert abs(lost.mean() - 42) < 1.5
    into = ((begin - drawn.storm_begin) / np.maximum(drawn.storm_end - drawn.storm_begin, 1))[stormy]
    assert into.min() >= 0
    assert into.max() < 0.5
    np.testing.assert_array_equal(drawn.gust, np.where(stormy, np.float32(42), 0))


def test_branches_and_sensors_fail_by_their_rates(drawn):
    begin, end = drawn.branch_begin[..., 0], drawn.branch_end[..., 0]
    transformer = np.array(SIZES.transformers)
    for rows, rate, repair in ((transformer, 3.0, 60.0), (~transformer, 1.0, 30.0)):
        close((end > begin)[:, rows].mean(), 1 - np.exp(-rate * 20 * YEARS), 6000 * rows.sum())
        spells(begin[:, rows], end[:, rows], repair)
    close((drawn.sensor_end > drawn.sensor_begin).mean(), 1 - np.exp(-2 * 20 * YEARS), 6000 * 4)
    spells(drawn.sensor_begin, drawn.sensor_end, 24.0)


def test_wind_breaks_lines_by_their_fragility_on_the_rising_flank(drawn):
    stormy = drawn.storm_end > drawn.storm_begin
    broken = drawn.branch_end[..., 1] > drawn.branch_begin[..., 1]
    transformer = np.array(SIZES.transformers)
    assert not broken[:, transformer].any()
    assert not broken[~stormy].any()
    lines = broken[stormy][:, ~transformer]
    close(lines.mean(), lognorm.cdf(42.0, 0.2, scale=40.0), lines.size)
    storm_begin, storm_end = drawn.storm_begin[:, None], drawn.storm_end[:, None]
    into = (drawn.branch_begin[..., 1] - storm_begin)[broken]
    assert (into >= 0).all()
    assert (into <= 0.5 * (storm_end - storm_begin).repeat(5, axis=1)[broken]).all()
    assert (drawn.branch_end[..., 1] > storm_end)[broken].all()
    repair = (drawn.branch_end[..., 1] - storm_end)[broken] * HOURS
    assert abs(repair.mean() / 30.0 - 1) < 0.06


def test_generators_and_deliveries(drawn):
    close(drawn.start_fails.mean(), 0.2, drawn.start_fails.size)
    for found, mean in ((drawn.trip_after, 1100.0), (drawn.generator_repair, 24.0)):
        assert kstest(found.ravel(), "expon", (0, mean)).pvalue > 1e-3
    assert kstest(drawn.delivery.ravel(), "uniform", (6, 18)).pvalue > 1e-3
    assert (drawn.delivery_in_storm == 2).all()


def test_no_wind_fragility_no_wind_damage(drawn):
    calm = draw_many(KEYS, replace(RATES, wind_fragility=jnp.float32(0)), SIZES, HOURS)
    assert (calm.branch_end[..., 1] == 0).all()
    np.testing.assert_array_equal(calm.storm_end, drawn.storm_end)
    np.testing.assert_array_equal(calm.branch_end[..., 0], drawn.branch_end[..., 0])


def test_enrichment_adds_events_and_keeps_the_others(drawn):
    more = draw_many(KEYS, replace(RATES, enrichment=jnp.float32(40)), SIZES, HOURS)
    for name in ("grid", "branch", "sensor", "storm"):
        begin, end = getattr(drawn, f"{name}_begin"), getattr(drawn, f"{name}_end")
        happens = end > begin
        if name == "branch":
            assert (happens <= np.asarray(more.branch_end > more.branch_begin)).all()
        np.testing.assert_array_equal(np.asarray(getattr(more, f"{name}_begin"))[happens], begin[happens])
        np.testing.assert_array_equal(np.asarray(getattr(more, f"{name}_end"))[happens], end[happens])
        assert np.asarray(getattr(more, f"{name}_end") > 0).sum() > happens.sum()


def test_zero_rates_never():
    off = {name: 0 for name in vars(RATES) if name.endswith("per_year")}
    quiet = draw_many(KEYS, rates(start_failure=0, enrichment=1e6, **off), SIZES, HOURS)
    for field in fields(quiet):
        if field.name.endswith(("begin", "end")) or field.name in ("gust", "start_fails"):
            assert not np.asarray(getattr(quiet, field.name)).any(), field.name
    nowhere = draw_many(KEYS, replace(RATES, enrichment=jnp.float32(0)), SIZES, HOURS)
    assert (nowhere.grid_end == 0).all()
    assert (nowhere.branch_end == 0).all()


def least_or_greatest(value):
    bounded = {"start_failure": min(value, 1), "wind_fragility": 1, "enrichment": 1e9}
    positive = {"fragility_median": max(value, 1e-6), "running_hours_to_failure": max(value, 1e-6)}
    every: dict[str, Any] = dict.fromkeys(vars(RATES), value)
    return rates(**every | bounded | positive)


@pytest.mark.parametrize(
    "extreme",
    [least_or_greatest(0), least_or_greatest(1e9), replace(RATES, fragility_spread=jnp.float32(1e9))],
    ids=["least", "greatest", "spread"],
)
def test_extreme_rates_are_finite(extreme):
    found = draw_many(KEYS, extreme, SIZES, HOURS)
    for field in fields(found):
        leaf = np.asarray(getattr(found, field.name))
        assert np.isfinite(leaf).all(), field.name
        assert (leaf >= 0).all(), field.name
    for name in ("grid", "branch", "sensor", "storm"):
        assert (getattr(found, f"{name}_end") >= getattr(found, f"{name}_begin")).all()


def test_a_key_gives_the_same_bits_on_any_batch(drawn):
    same(stack([draw_one(key, RATES, SIZES, HOURS) for key in KEYS[:30]]), at(drawn, slice(30)))
    same(draw_many(KEYS[7:10], RATES, SIZES, HOURS), at(drawn, slice(7, 10)))


def test_no_generators_sensors_or_slots():
    least = Sizes(n_step=96, n_branch=0, n_generator=0, n_sensor=0, n_outage=1)
    found = draw_one(KEYS[0], RATES, least, HOURS)
    assert found.grid_begin.shape == (1,)
    assert found.branch_begin.shape == (0, 2)
    assert bool(grid_present(never(least), 3))


def test_queries_of_many_scenarios_equal_those_of_one(drawn):
    def ask(timeline, step):
        return (
            grid_present(timeline, step),
            branch_sound(timeline, step),
            sensor_alive(timeline, step),
            wind(timeline, step),
            outage_left_hours(timeline, step, HOURS),
            fails_to_start(timeline, jnp.array([0, 5, 9])),
            delivery_hours(timeline, 1, step),
        )

    some = jax.tree.map(jnp.asarray, at(drawn, slice(20)))
    together = jax.jit(jax.vmap(ask, (0, None)))(some, 300)
    one = jax.jit(ask)
    for k in range(20):
        for found, expected in zip(together, one(at(some, k), 300)):
            np.testing.assert_array_equal(found[k], expected)


def test_scripted_never_and_drawn_stack():
    alone = stack(
        [never(SIZES), scripted(SIZES, HOURS, grid=[(1, 2)]), draw_one(KEYS[0], RATES, SIZES, HOURS)]
    )
    assert alone.grid_begin.shape == (3, 3)
    assert alone.grid_begin.dtype == jnp.int32
    same(at(alone, 0), never(SIZES))
    assert over(grid_present, never(SIZES), [0, 300, 671]).all()
    assert not never(SIZES).start_fails.any()


def test_bad_rates_are_named():
    with pytest.raises(ValueError, match=r"'outage_per_year' is not a rate.*outages_per_year"):
        rates(outage_per_year=1)
    bad: list[tuple[str, Any, str]] = [
        ("outages_per_year", -1, "outages_per_year is -1"),
        ("outage_hours", np.nan, "outage_hours is nan"),
        ("enrichment", np.inf, "enrichment is inf"),
        ("start_failure", 1.5, r"start_failure is 1.5, expected a number in \[0, 1\]"),
        ("line_repair_hours", [1, 2], r"line_repair_hours is \[1, 2\]"),
        ("sensor_loss_hours", "long", "sensor_loss_hours is 'long'"),
        ("wind_fragility", 0.5, "wind_fragility is 0.5, expected 0 or 1"),
        ("fragility_median", 0, "fragility_median is 0"),
        ("gust_low", 60, "gust_low is 60.0, expected at most gust_high, 55.0"),
    ]
    for name, value, words in bad:
        with pytest.raises(ValueError, match=words):
            rates(**{name: value})


def test_rates_are_float32_scalars():
    assert {(leaf.dtype, leaf.shape) for leaf in jax.tree.leaves(rates(enrichment=3))} == {
        (jnp.dtype("float32"), ())
    }
