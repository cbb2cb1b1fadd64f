"""A recorded episode as a film: GIF, MP4, or the page that plays it.

rollout = record(env, params, act, case=170, key=jax.random.key(0))
animate(rollout, "day.gif")
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gridjax.evaluation.replay import Recording, to_html
from gridjax.powerflow.progress import Progress

if TYPE_CHECKING:
    import numpy as np

    from gridjax.evaluation.figures.film import Film

_MOST = 200  # frames, where it is not said how many


def animate(
    rollout: Recording,
    save_path: str | os.PathLike,
    *,
    every: int | None = None,
    frames_per_second: float = 12.0,
    progress: bool | None = None,
) -> Path:
    """Write a film of `rollout`, and return its path; the suffix says which kind.

    In a `.gif` or `.mp4` a column per policy shows the feeder: buses by voltage (p.u.), lines by loading (%)
    and width by power, arrows along it, gauges of what agents store or compensate, a banner over an island
    and a blackout; below it what is measured, up to now. An `.html` is the page of `to_html`, which plays the
    same with the numbers of every agent.

    Args:
        rollout: what `record` returns.
        save_path: its folder is made where it does not exist.
        every: steps from one frame to the next; None: as few as make at most 200 frames. A page has all.
        frames_per_second: of the film.
        progress: whether to show on standard error how far it is; None: where that is a terminal.

    Raises `ValueError` for another suffix, a rollout without steps or a number out of range,
    `ModuleNotFoundError` without matplotlib (`gridjax[train]`), which films need, and `FileNotFoundError`
    without ffmpeg, which an MP4 needs: the system's, or that of imageio-ffmpeg (`gridjax[video]`).
    """
    path = Path(save_path)
    write = _WRITERS.get(path.suffix.lower())
    if write is None and path.suffix.lower() != ".html":
        raise ValueError(f"save_path is {str(path)!r}, expected it to end in {', '.join(_WRITERS)} or .html")
    if not rollout.looks or not len(rollout.terminated[0]):
        raise ValueError("the rollout has no step, expected what gridjax.evaluation.record returns")
    if every is not None and (not isinstance(every, int) or every < 1):
        raise ValueError(f"every is {every!r}, expected a whole number of steps of at least 1")
    if not 0.1 <= frames_per_second <= 100.0:
        raise ValueError(f"frames_per_second is {frames_per_second!r}, expected a number in [0.1, 100]")
    path.parent.mkdir(parents=True, exist_ok=True)
    if write is None:
        to_html(rollout, path)
        return path
    film = _film(rollout)
    # the last step is always seen
    steps = range(film.steps - 1, -1, -(every or -(-film.steps // _MOST)))[::-1]
    unfinished = path.with_name(f"{path.stem}.partial{path.suffix}")
    shown = sys.stderr.isatty() if progress is None else progress
    try:
        with Progress(len(steps), "frames", shown) as bar:
            write(unfinished, film, steps, frames_per_second, bar.advance)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _film(rollout: Recording) -> Film:
    try:
        from gridjax.evaluation.figures.film import Film

        return Film(rollout)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"a film needs {error.name}: pip install 'gridjax[train]'", name=error.name
        ) from error


def _frames(film: Film, steps: Iterable[int], done: Callable[[int], None]) -> Iterator[np.ndarray]:
    for step in steps:
        yield film.frame(step)
        done(1)


def _write_gif(path: Path, film: Film, steps: range, rate: float, done: Callable[[int], None]) -> None:
    from PIL import Image

    # one palette for all, or colours that stay would flicker
    samples = [film.frame(steps[k * (len(steps) - 1) // 7]) for k in range(8)]
    sheet = Image.new("RGB", (film.size[0], film.size[1] * len(samples)))
    for k, sample in enumerate(samples):
        sheet.paste(Image.fromarray(sample), (0, k * film.size[1]))
    palette = sheet.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    images = (
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in _frames(film, steps, done)
    )
    first = next(images)
    # GIF counts in hundredths of a second
    duration = max(round(100.0 / rate), 1) * 10
    first.save(path, format="GIF", save_all=True, append_images=images, duration=duration, loop=0)


def _write_mp4(path: Path, film: Film, steps: range, rate: float, done: Callable[[int], None]) -> None:
    width, height = film.size
    taken = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{rate:g}", "-i", "-")
    # what browsers and slides play, and its index first, so that it plays while it loads
    made = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "20", "-movflags", "+faststart", str(path))
    command = [_ffmpeg(), "-y", "-loglevel", "error", *taken, *made]
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=complaints) as encoder:
            assert encoder.stdin is not None
            # where it gave up, it says why below
            with contextlib.suppress(BrokenPipeError):
                for frame in _frames(film, steps, done):
                    encoder.stdin.write(frame.tobytes())
                encoder.stdin.close()
        if encoder.returncode:
            complaints.seek(0)
            why = complaints.read().decode(errors="replace").strip()
            raise RuntimeError(f"ffmpeg could not write {path.name}: {why or encoder.returncode}")


def _ffmpeg() -> str:
    """The program that imageio-ffmpeg brings, or else the system's."""
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return get_ffmpeg_exe()
    except (ModuleNotFoundError, RuntimeError):
        found = shutil.which("ffmpeg")
    if found is None:
        raise FileNotFoundError("an MP4 needs ffmpeg, which is not here: pip install 'gridjax[video]'")
    return found


_WRITERS = {".gif": _write_gif, ".mp4": _write_mp4}
