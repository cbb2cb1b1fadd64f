import dataclasses
import datetime

import numpy as np
import pytest

from gridjax.scenarios.scenario_pack import ScenarioPack


@pytest.fixture
def pack():
    rng = np.random.default_rng(0)
    n = 28 * 24
    return ScenarioPack(
        load=rng.uniform(1, 2, (n, 2)),
        reactive=rng.uniform(0, 1, (n, 2)),
        generation=rng.uniform(0, 3, (n, 1)),
        price=rng.normal(size=(n, 1)),
        filled=np.zeros(n, bool),
        load_names=("a", "b"),
        generation_names=("roof",),
        price_names=("market",),
        start=datetime.datetime(2023, 3, 6),
        step_hours=1.0,
        utc_offset=1.0,
        notes=("a note",),
        source="data.csv",
    )


def test_it_comes_back_as_it_was_saved(pack, tmp_path):
    pack.save(tmp_path, "mine")
    back = ScenarioPack.load_from(tmp_path, "mine")
    for field in dataclasses.fields(pack):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(pack, field.name))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.json", "mine.npz"]


def test_a_pack_that_was_changed_is_refused(pack, tmp_path):
    pack.save(tmp_path)
    other = dataclasses.replace(pack, load=2 * pack.load)
    sheet = (tmp_path / "scenario.json").read_text()
    other.save(tmp_path)
    (tmp_path / "scenario.json").write_text(sheet)
    with pytest.raises(ValueError, match="checksum"):
        ScenarioPack.load_from(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        ScenarioPack.load_from(tmp_path, "none")


def test_select_keeps_the_order_and_the_reactive_columns(pack):
    chosen = pack.select(["b"], [])
    np.testing.assert_array_equal(chosen.load[:, 0], pack.load[:, 1])
    np.testing.assert_array_equal(chosen.reactive[:, 0], pack.reactive[:, 1])
    assert chosen.names == ("b", "market")
    with pytest.raises(ValueError, match="unknown load profile 'c'"):
        pack.select(["c"])


def test_agents_see_their_own_columns_and_the_prices(pack):
    views = pack.views({"one": ("a", "roof"), "two": ["b"]})
    assert {agent: view.names for agent, view in views.items()} == {
        "one": ("a", "roof", "market"),
        "two": ("b", "market"),
    }
    np.testing.assert_array_equal(views["one"].values, pack.values[:, [0, 2, 3]])
    for own in ("a", (), ("c",)):
        with pytest.raises(ValueError, match=r"agent|unknown"):
            pack.views({"one": own})


def test_statistics_are_those_of_training_days_that_were_measured(pack):
    train = np.repeat(pack.splits == "train", 24)
    assert 0 < train.sum() < train.size
    kept = pack.statistics()
    np.testing.assert_allclose(kept.mean, pack.values[train].mean(0), rtol=1e-5)
    # what is held out, or filled, may be anything
    spoilt = np.where(train[:, None], pack.load, 1e6)
    spoilt[np.flatnonzero(train)[:5]] = 1e6
    filled = np.zeros(train.size, bool)
    filled[np.flatnonzero(train)[:5]] = True
    other = dataclasses.replace(pack, load=spoilt, filled=filled).statistics()
    assert (other.mean < 3).all()
    short = dataclasses.replace(
        pack, **{k: getattr(pack, k)[:24] for k in ("load", "reactive", "generation", "price", "filled")}
    )
    held_out = pack.start + datetime.timedelta(days=int(np.flatnonzero(pack.splits != "train")[0]))
    assert short.n_days == 1
    if dataclasses.replace(short, start=held_out).splits[0] != "train":
        with pytest.raises(ValueError, match="no training day"):
            dataclasses.replace(short, start=held_out).statistics()


def test_shapes_are_checked(pack):
    with pytest.raises(ValueError, match="load has shape"):
        dataclasses.replace(pack, load=pack.load[:-1])
    with pytest.raises(ValueError, match="whole days from midnight"):
        dataclasses.replace(pack, start=datetime.datetime(2023, 3, 6, 1))
