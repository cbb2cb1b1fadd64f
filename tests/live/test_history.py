"""What is kept is bounded, in memory and on disk."""

import os
from pathlib import Path

import pytest

from gridjax.live.history import Disk, Kept


def filled(kept, number, size=10):
    for k in range(1, number + 1):
        kept.append(k, f"{k:{size}d}")
    return kept


def test_the_newest_stay():
    assert (Kept(3, 10**6).first, Kept(3, 10**6).last) == (None, None)
    kept = filled(Kept(100, 10**6), 250)
    assert (kept.first, kept.last) == (151, 250)
    kept = filled(Kept(10**6, 1000), 250)
    assert (kept.first, kept.last) == (151, 250)
    kept.append(251, "x" * 5000)  # larger than the bound: the newest is kept all the same
    assert (kept.first, kept.last) == (251, 251)


@pytest.mark.parametrize(
    "ends", [(0, 10**9), (160, 170), (240, 250), (1, 100), (250, 300), (251, 300), (5, 4), (151, 151)]
)
def test_a_range_is_what_is_kept_of_it(ends):
    kept = filled(Kept(100, 10**6), 250)
    for most in (1, 7, 10**6):
        expected = [k for k in range(151, 251) if ends[0] <= k <= ends[1]][:most]
        found = kept.between(*ends, most)
        assert [k for k, _ in found] == expected
        assert all(int(text) == k for k, text in found)
    assert Kept(3, 10**6).between(0, 10, 10) == []


def test_the_files_of_a_session_are_bounded(tmp_path):
    disk = Disk(tmp_path / "new" / "folder", "one", 10_000)
    for k in range(1000):
        assert disk.write(f"{k:99d}")
    disk.close()
    disk.close()
    files = sorted((tmp_path / "new" / "folder").iterdir())
    assert [path.name for path in files] == ["live-one.jsonl", "live-one.older.jsonl"]
    assert sum(path.stat().st_size for path in files) <= 10_100
    lines = [int(line) for path in reversed(files) for line in path.read_text().splitlines()]
    assert lines == list(range(lines[0], 1000))
    assert len(lines) > 50
    assert not disk.write("late")


def test_old_sessions_go_and_nothing_else_does(tmp_path):
    (tmp_path / "mine.jsonl").write_text("keep")
    for k in range(30):
        path = tmp_path / f"live-{k:02d}.jsonl"
        path.write_text("x")
        os.utime(path, (k, k))
    Disk(tmp_path, "now", 10**6).close()
    names = {path.name for path in tmp_path.iterdir()}
    assert {"mine.jsonl", "live-29.jsonl", "live-now.jsonl"} <= names
    assert "live-00.jsonl" not in names
    assert len(names) <= 18


def test_a_full_disk_ends_writing_with_a_clear_message(tmp_path):
    (tmp_path / "live-full.jsonl").symlink_to("/dev/full")
    disk = Disk(tmp_path, "full", 10**6)
    assert disk.writing
    assert not disk.write("x")
    assert not disk.writing
    assert disk.trouble == "history is not written to live-full.jsonl any more: No space left on device"
    assert not disk.write("x")
    disk.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    disk = Disk(tmp_path / "file" / "folder", "one", 10**6)
    assert not disk.writing
    assert disk.trouble is not None
    assert not disk.write("x")
    assert Path(tmp_path / "file").read_text() == ""
