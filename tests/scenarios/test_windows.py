import dataclasses
import datetime

import numpy as np
import pytest

from gridjax.scenarios.scenario_pack import ScenarioPack
from gridjax.scenarios.split import SPLITS
from gridjax.scenarios.windows import windows

N_DAYS = 120


@pytest.fixture
def pack():
    """Hourly rows whose first column is their number."""
    n = N_DAYS * 24
    return ScenarioPack(
        load=np.stack([np.arange(n), np.sin(np.arange(n))], axis=1),
        reactive=np.empty((n, 0)),
        generation=np.empty((n, 0)),
        price=np.empty((n, 0)),
        filled=np.zeros(n, bool),
        load_names=("row", "sine"),
        generation_names=(),
        price_names=(),
        start=datetime.datetime(2023, 2, 3),
        step_hours=1.0,
    )


def touched(made):
    batch = made.arrays()
    return np.unique(np.concatenate([batch.history[:, :, 0], batch.target[:, :, 0]], axis=1).astype(int))


def test_a_target_follows_its_history(pack):
    batch = windows(pack, "train", 24, 12).arrays()
    assert batch.history.shape[1:] == (24, 2)
    assert batch.target.shape[1:] == (12, 2)
    both = np.concatenate([batch.history, batch.target], axis=1)[:, :, 0]
    np.testing.assert_array_equal(np.diff(both, axis=1), 1)
    np.testing.assert_array_equal(batch.target[:, 0, 0], batch.row)


def test_no_row_is_of_two_splits(pack):
    rows = {split: touched(windows(pack, split, 24, 24)) for split in SPLITS}
    for split, every in rows.items():
        assert set(pack.splits[every // 24]) == {split}
    assert sum(map(len, rows.values())) == len(set(np.concatenate(list(rows.values()))))


def test_every_window_that_fits_is_there(pack):
    made = windows(pack, "test", 24, 12)
    inside = np.repeat(pack.splits == "test", 24)
    expected = [row for row in range(24, inside.size - 11) if inside[row - 24 : row + 12].all()]
    np.testing.assert_array_equal(made.rows, expected)
    assert len(made) == len(expected)
    assert set(windows(pack, "test", 24, 12, stride=5).rows) == {r for r in expected if (r - 24) % 5 == 0}


def test_long_gaps_are_left_out(pack):
    filled = np.zeros(N_DAYS * 24, bool)
    rows = set(windows(pack, "train", 24, 12).rows)
    # a row that 36 windows hold
    hole = next(row for row in sorted(rows) if rows.issuperset(range(row - 11, row + 25)))
    filled[hole] = True
    made = windows(dataclasses.replace(pack, filled=filled), "train", 24, 12)
    assert hole not in touched(made)
    assert len(made) == len(rows) - 36


def test_batches_hold_every_window_once(pack):
    made = windows(pack, "train", 24, 12)
    in_order = list(made.batches(100))
    np.testing.assert_array_equal(np.concatenate([b.row for b in in_order]), made.rows)
    assert {len(b.row) for b in in_order[:-1]} == {100}
    one, same, other = (np.concatenate([b.row for b in made.batches(100, seed)]) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(np.sort(one), made.rows)
    whole = list(made.batches(100, 1, drop_last=True))
    assert len(whole) == len(made) // 100
    assert all(len(b.row) == 100 for b in whole)
    with pytest.raises(ValueError, match="size is 0"):
        made.batches(0)


def test_normalised_by_what_was_trained_on_and_back(pack):
    kept = pack.statistics()
    test = windows(pack, "test", 24, 12)
    normal = test.normalised(kept)
    assert len(normal) == len(test)
    np.testing.assert_allclose(
        kept.invert(normal.arrays().target), test.arrays().target, rtol=1e-4, atol=1e-2
    )
    train = np.repeat(pack.splits == "train", 24)
    np.testing.assert_allclose(normal.values[train].mean(axis=0), 0, atol=1e-3)
    with pytest.raises(ValueError, match="statistics are of sine, expected row, sine"):
        test.normalised(kept.select([1]))


def test_windows_of_an_agent_are_those_of_its_columns(pack):
    every = windows(pack, "train", 24, 12).arrays()
    one = windows(pack.views({"house": ["sine"]})["house"], "train", 24, 12).arrays()
    np.testing.assert_array_equal(one.target[:, :, 0], every.target[:, :, 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("exam", 1, 1), "unknown split 'exam'"),
        (("train", 0, 1), "n_history is 0"),
        (("train", 1, 1.5), r"n_horizon is 1\.5"),
        (("train", 1, 1, 0), "stride is 0"),
        (("train", 24 * 60, 1), "no window of 1440 . 1 steps lies within train days"),
    ],
)
def test_what_is_refused(pack, arguments, message):
    with pytest.raises(ValueError, match=message):
        windows(pack, *arguments)
