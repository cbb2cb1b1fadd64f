"""Films of a campus of four buses, whose recording is written by hand: calm, an island, a blackout."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image

from gridjax.evaluation import animate, animation, to_html
from gridjax.evaluation.figures.film import Film
from gridjax.evaluation.replay import Recording
from gridjax.evaluation.views import Look, View
from gridjax.evaluation.views.lines import Lines
from gridjax.evaluation.views.view import COLUMNS, agent

CALM, ISLAND, BLACKOUT = 2, 6, 10  # steps
STEPS = 12
VERMILLION, BLACK = (0xD5, 0x5E, 0x00), (0, 0, 0)


@dataclass(frozen=True)
class Task:
    name: str = "Task-v0"


class FourBuses(View):
    def look(self, state, actions, out, params):
        raise NotImplementedError


VIEW = FourBuses(
    env=Task(),
    network="four buses",
    grid={
        "buses": [
            {"id": f"bus-{k}", "name": f"bus {k}", "x": float(k), "y": k % 2, "kv": 20.0} for k in range(4)
        ],
        "lines": [
            {"id": f"line-{k}", "name": "", "source": f"bus-{k}", "target": f"bus-{k + 1}", "kind": "line"}
            for k in range(3)
        ],
    },
    agents=(
        agent("generator 1", "generator", 1),
        agent("battery 1", "battery", 1, 100.0),
        agent("inverter 1", "inverter", 3),
        agent("switch 1", "switch", None, line="line-0"),
    ),
    hours=0.25,
    voltage_band=(0.95, 1.05),
    rated=np.array([True, True, False]),
)


def looks(steps=STEPS):
    step = np.arange(steps)
    islanded, dead = (step >= 4) & (step < 8), step >= 8
    voltage = np.full((steps, 4), 1.02)
    voltage[islanded, 0] = 0.0
    voltage[dead] = 0.0
    nothing = np.full((steps, 4), np.nan)
    columns = dict.fromkeys(COLUMNS, nothing)
    columns["charge"] = np.tile([0.5, np.nan, np.nan, np.nan], (steps, 1))
    columns["charge"][:, 1] = np.linspace(1.0, 0.0, steps)
    columns["reactive_kvar"] = np.tile([np.nan, np.nan, 1.0, np.nan], (steps, 1)) * np.cos(step)[:, None]
    service = np.stack([~islanded & ~dead, ~dead, ~dead], axis=1)
    power = np.where(service, 100.0, 0.0)
    lost = np.where(dead, 10.0, 0.0)
    return Look(
        day=np.full(steps, 20),
        hour=0.25 * step,
        voltage=voltage,
        lines=Lines(power, 0.4 * service, service),
        agents=columns,
        running=np.tile([1.0, np.nan, np.nan, 1.0], (steps, 1)),
        sent=np.zeros((steps, 0)),
        metrics={
            "stability": np.ones(steps),
            "generation_kw": 50.0 + step,
            "demand_kw": 80.0 - step,
            "unserved_kwh": lost,
            "voltage_min": voltage[:, 1],
            "voltage_max": voltage[:, 1],
        },
        connected=~islanded & ~dead,
        islanded=islanded,
        energised=np.where(dead, 0.0, np.where(islanded, 0.75, 1.0)),
        converged=np.ones(steps, bool),
    )


ROLLOUT = Recording(VIEW, 20, ("rule",), (looks(),), (np.zeros(STEPS, bool),))


@pytest.fixture(scope="module")
def film():
    return Film(ROLLOUT)


def count(frame, colour):
    return int((frame == np.array(colour, np.uint8)).all(axis=-1).sum())


def the_map(frame):
    return frame[: frame.shape[0] // 2, : 2 * frame.shape[1] // 3]


def test_an_island_and_a_blackout_cannot_be_missed(film):
    calm, island, blackout = (the_map(film.frame(step)) for step in (CALM, ISLAND, BLACKOUT))
    assert count(calm, VERMILLION) < 100
    assert count(island, VERMILLION) > 10_000
    assert count(blackout, BLACK) > count(calm, BLACK) + 10_000
    assert count(blackout, VERMILLION) < 100


def test_what_is_measured_grows_with_time(film):
    orange = [count(film.frame(step)[film.size[1] // 2 :], (0xE6, 0x9F, 0x00)) for step in range(4)]
    assert all(after > before for before, after in pairwise(orange))


def test_a_step_looks_the_same_whatever_was_shown_before(film):
    first = film.frame(CALM)
    film.frame(BLACKOUT)
    np.testing.assert_array_equal(film.frame(CALM), first)
    assert (film.frame(CALM + 1) != first).any()


def test_two_policies_stand_side_by_side_and_one_that_failed_stays(film):
    failed = np.arange(STEPS) >= CALM
    both = Film(replace(ROLLOUT, policies=("a", "b"), looks=ROLLOUT.looks * 2, terminated=(failed, ~failed)))
    # the other one has failed at once
    assert both.steps == CALM + 1
    assert both.size[0] > 1.5 * film.size[0]


def test_buses_without_places_are_drawn_as_a_tree():
    buses = [bus | {"x": None} for bus in VIEW.grid["buses"]]
    view = replace(VIEW, grid=VIEW.grid | {"buses": buses})
    assert Film(replace(ROLLOUT, view=view)).frame(0).std() > 0


def test_a_gif_has_every_frame_in_its_time(film, tmp_path, capsys):
    path = animate(ROLLOUT, tmp_path / "new" / "day.gif", frames_per_second=10)
    assert [found.name for found in path.parent.iterdir()] == ["day.gif"]
    with Image.open(path) as image:
        assert (image.format, image.n_frames, image.info["duration"]) == ("GIF", STEPS, 100)
        image.seek(ISLAND)
        shown = np.asarray(image.convert("RGB")).astype(int)
    assert capsys.readouterr().err == ""
    wrong = np.abs(shown - film.frame(ISLAND)).max(axis=-1)
    assert (wrong > 40).mean() < 0.01


def test_every_so_many_steps_end_with_the_last(film, tmp_path):
    with Image.open(animate(ROLLOUT, tmp_path / "day.gif", every=5)) as image:
        assert image.n_frames == 3
        image.seek(2)
        last = np.asarray(image.convert("RGB")).astype(int)
    assert (np.abs(last - film.frame(STEPS - 1)).max(axis=-1) > 40).mean() < 0.01


def test_an_mp4_plays_as_many_frames_of_the_size(film, tmp_path):
    path = animate(ROLLOUT, tmp_path / "day.MP4", frames_per_second=5, progress=False)
    command = [get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    told = done.stderr.decode()
    assert "Video: h264" in told
    assert "yuv420p" in told
    assert "5 fps" in told
    width, height = film.size
    frames = np.frombuffer(done.stdout, np.uint8).reshape(STEPS, height, width, 3).astype(int)
    assert (np.abs(frames[ISLAND] - film.frame(ISLAND)).max(axis=-1) > 60).mean() < 0.02


def test_a_page_is_the_replay(tmp_path):
    path = animate(ROLLOUT, tmp_path / "day.html")
    assert path.read_text(encoding="utf-8") == to_html(ROLLOUT)


def test_progress_is_shown_where_it_is_asked_for(tmp_path, capsys):
    animate(ROLLOUT, tmp_path / "day.gif", every=6, progress=True)
    assert "2/2 frames" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("day.avi", {}, r"expected it to end in .gif, .mp4 or .html"),
        ("day", {}, r"expected it to end in .gif, .mp4 or .html"),
        ("day.gif", {"every": 0}, "every is 0, expected a whole number of steps of at least 1"),
        ("day.gif", {"every": 1.5}, r"every is 1\.5"),
        ("day.gif", {"frames_per_second": 0.0}, r"frames_per_second is 0\.0, expected a number in"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(tmp_path, path, options, message):
    with pytest.raises(ValueError, match=message):
        animate(ROLLOUT, tmp_path / path, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".html"])
def test_a_rollout_without_steps_is_refused(tmp_path, suffix):
    empty = replace(ROLLOUT, looks=(looks(0),), terminated=(np.zeros(0, bool),))
    with pytest.raises(ValueError, match="the rollout has no step, expected what"):
        animate(empty, tmp_path / f"day{suffix}")


def test_without_ffmpeg_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match=r"needs ffmpeg.*pip install 'gridjax\[video\]'"):
        animate(ROLLOUT, tmp_path / "day.mp4")
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_fails_leaves_nothing_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(animation, "_ffmpeg", lambda: shutil.which("false"))
    with pytest.raises(RuntimeError, match=r"could not write day\.partial\.mp4"):
        animate(ROLLOUT, tmp_path / "day.mp4")
    assert not list(tmp_path.iterdir())
