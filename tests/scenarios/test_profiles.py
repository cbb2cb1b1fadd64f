import datetime
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from gridjax.scenarios import HOUSEHOLDS, load_simbench
from gridjax.scenarios.profiles import FOLDER, read_simbench


@pytest.fixture
def copied(tmp_path):
    for name in ("simbench.npz", "simbench.json"):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def test_shapes_types_and_names():
    profiles = load_simbench()
    n_load, n_pv = len(profiles.load_names), len(profiles.pv_names)
    assert n_load >= 45
    assert n_pv == 8
    assert profiles.load_p.shape == profiles.load_q.shape == (35136, n_load)
    assert profiles.pv.shape == (35136, n_pv)
    assert {a.dtype for a in (profiles.load_p, profiles.load_q, profiles.pv)} == {np.dtype(np.float32)}
    assert (profiles.n_days, profiles.steps_per_day, profiles.step_hours) == (366, 96, 0.25)
    assert profiles.start == datetime.datetime(2016, 1, 1)
    assert set(HOUSEHOLDS) <= set(profiles.load_names)
    assert len(set(profiles.load_names)) == n_load


def test_values_are_physical():
    profiles = load_simbench()
    assert np.isfinite(profiles.load_q).all()
    assert profiles.load_p.min() >= 0
    assert profiles.load_p.max() == 1
    assert profiles.pv.min() >= 0
    assert 0.5 < profiles.pv.max() < 1
    assert not profiles.pv.reshape(366, 96, -1)[:, :12].any()  # midnight to three: dark in every month
    assert (profiles.load_p.std(0) > 0.03).all()  # none is constant
    assert ((profiles.pv.mean(0) > 0.06) & (profiles.pv.mean(0) < 0.08)).all()


def test_sun_is_highest_around_noon_and_in_summer():
    pv = load_simbench().pv.mean(1).reshape(366, 96)
    assert 10.5 < (pv.mean(0) @ np.arange(96)) / pv.mean(0).sum() / 4 < 13
    assert pv[120:240].mean() > 3 * pv[[*range(45), *range(330, 366)]].mean()


def test_cached_and_read_only():
    assert load_simbench() is load_simbench()
    with pytest.raises(ValueError, match="read-only"):
        load_simbench().load_p[0, 0] = 2


def test_select_keeps_the_order_asked_for():
    chosen = load_simbench().select(["WB-H", "H0-A"], ["PV3"])
    everything = load_simbench()
    assert chosen.load_names == ("WB-H", "H0-A")
    assert np.array_equal(chosen.load_q[:, 1], everything.load_q[:, everything.load_names.index("H0-A")])
    assert np.array_equal(chosen.pv[:, 0], everything.pv[:, 2])


def test_unknown_profile_names_the_nearest():
    with pytest.raises(ValueError, match=r"unknown load profile 'H0-Z'; did you mean .*H0-"):
        load_simbench().select(["H0-Z"])


def test_tampered_archive_is_refused(copied):
    with np.load(copied / "simbench.npz") as stored:
        arrays = dict(stored)
    arrays["pv"][0, 0] += 1
    np.savez_compressed(copied / "simbench.npz", **arrays)
    with pytest.raises(ValueError, match=r"simbench\.npz does not match the checksum in simbench\.json"):
        read_simbench(copied)


def test_broken_or_missing_files_are_named(copied):
    content = (copied / "simbench.npz").read_bytes()
    (copied / "simbench.npz").write_bytes(content[:1000])
    with pytest.raises(ValueError, match=r"simbench.npz cannot be read"):
        read_simbench(copied)
    (copied / "simbench.npz").unlink()
    with pytest.raises(FileNotFoundError, match=r"simbench.npz does not exist"):
        read_simbench(copied)
    for text, expected in (("{", "is no JSON: "), ("[]", "is no JSON object")):
        (copied / "simbench.json").write_text(text)
        with pytest.raises(ValueError, match=rf"simbench.json {expected}"):
            read_simbench(copied)
    (copied / "simbench.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"simbench.json does not exist"):
        read_simbench(copied)


def test_the_data_are_small_and_say_whose_they_are():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 4e6
    notice = (FOLDER / "NOTICE.md").read_text()
    assert "Open Database License" in notice
    assert "SimBench" in notice
    sheet = json.loads((FOLDER / "simbench.json").read_text())
    assert {"source", "version", "licence", "sha256", "start", "step_hours", "load_names"} <= set(sheet)


def test_import_pulls_in_no_optional_part():
    code = (
        "import sys, gridjax.scenarios; "
        "print([m for m in ('matplotlib', 'simbench', 'pandas', 'pandapower') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
