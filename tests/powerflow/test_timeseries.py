import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax import network
from gridjax.powerflow import solve
from gridjax.powerflow.timeseries import OUTPUTS, time_series


@pytest.fixture(scope="module")
def feeder():
    return network.get("case33bw")


@pytest.fixture(scope="module")
def year(feeder):
    """Injections `[steps, 2, n_bus]`; step 40 of the second scenario has no solution."""
    scale = np.random.default_rng(0).uniform(0.0, 1.5, (101, 2, feeder.n_bus))
    scale[40, 1] = 50.0
    return feeder.nominal_injection * scale


@pytest.fixture(scope="module")
def whole(feeder, year):
    return jax.tree.map(np.asarray, jax.jit(lambda s: solve(feeder, s))(year.astype(np.complex64)))


def run(feeder, injection, **options):
    return time_series(feeder, injection, progress=False, **options)


def test_equals_one_big_solve(feeder, year, whole):
    series = run(feeder, year, outputs=list(OUTPUTS), memory=720_000)
    assert 1 < series.chunk_steps < 50  # several chunks, the last of them padded
    np.testing.assert_array_equal(series.status, whole.status)
    good = series.converged
    assert good.sum() == good.size - 1
    assert not good[40, 1]
    for name, output in OUTPUTS.items():  # rounding depends on the batch
        np.testing.assert_allclose(
            series[name][good],
            np.asarray(output(whole))[good],
            atol=1 if name == "iterations" else 1e-5,
            err_msg=name,
        )


def test_functions_of_steps_and_of_flows(feeder, year, whole):
    asked = []

    def fetch(steps):
        asked.append(steps)
        return year[steps]

    mean = {"mean": lambda flow: jnp.abs(flow.voltage).mean((-2, -1)), "lost": "losses"}
    series = run(feeder, fetch, steps=len(year), outputs=mean, memory=720_000)
    assert set(series.outputs) == {"mean", "lost"}
    assert series["mean"].shape == (101,)
    np.testing.assert_allclose(series["mean"], np.abs(whole.voltage).mean((1, 2)), atol=2e-6)
    assert all(steps.stop <= len(year) for steps in asked)


def test_warm_start_finds_the_same(feeder, year, whole):
    series = run(feeder, year, outputs=["voltage", "iterations"], warm_start=True)
    good = series.converged
    np.testing.assert_array_equal(good, whole.converged)
    np.testing.assert_allclose(series["voltage"][good], whole.voltage[good], atol=2e-6)
    still = run(feeder, np.repeat(year[:1], 5, axis=0), outputs=["iterations"], warm_start=True)
    assert (still["iterations"][1:] <= 2).all()  # starts at the solution; two iterations tell the rate
    assert (still["iterations"][1:] < still["iterations"][0]).all()


def test_memory_stays_within_the_budget(feeder):
    budget, steps = 3_000_000, 20_000
    alive = []

    def fetch(span):
        alive.append(sum(array.nbytes for array in jax.live_arrays()))
        return np.broadcast_to(feeder.nominal_injection, (span.stop - span.start, feeder.n_bus))

    held = sum(array.nbytes for array in jax.live_arrays())
    series = run(feeder, fetch, steps=steps, outputs=["losses"], memory=budget)
    assert series.chunk_bytes <= budget
    assert series.chunk_bytes > budget / 4  # and it is used
    assert max(alive) - held <= budget
    assert 8 * steps * feeder.n_bus > budget  # the injections alone would not fit


def test_an_interrupted_run_goes_on(feeder, year, tmp_path):
    class Interrupt(Exception):
        pass

    options = {"steps": len(year), "outputs": ["losses"], "memory": 720_000}

    def fails(steps):
        if steps.start > 60 and steps.stop - steps.start > 1:
            raise Interrupt
        return year[steps]

    with pytest.raises(Interrupt):
        run(feeder, fails, folder=tmp_path, **options)
    asked = []

    def fetch(steps):
        asked.append(steps.start)
        return year[steps]

    series = run(feeder, fetch, folder=tmp_path, **options)
    assert sorted(asked)[2] > 20  # beyond the first step, which tells shape and identity
    np.testing.assert_array_equal(
        series["losses"], run(feeder, year, **(options | {"steps": None}))["losses"]
    )
    assert isinstance(series["losses"], np.memmap)
    assert Path(tmp_path / "losses.npy").exists()
    with pytest.raises(ValueError, match="another time series"):
        run(feeder, 0.5 * year, outputs=["losses"], folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outputs": ["voltages"]}, "unknown output 'voltages'"),
        ({"outputs": {"status": "losses"}}, "status is always kept"),
        ({"memory": 10}, "one step needs"),
        ({"steps": 7}, "steps is 7"),
    ],
)
def test_bad_input_is_refused_by_name(feeder, year, options, message):
    with pytest.raises(ValueError, match=message):
        run(feeder, year, **options)


def test_bad_injections_are_refused_by_name(feeder, year):
    with pytest.raises(ValueError, match=r"expected \[steps, ..., 33\]"):
        run(feeder, year[..., :5])
    with pytest.raises(ValueError, match="needs their number"):
        run(feeder, lambda steps: year[steps])
    with pytest.raises(ValueError, match="was asked for"):
        run(feeder, lambda steps: year[:1], steps=50)


def test_the_bar_tells_rate_and_time_left(capsys):
    from gridjax.powerflow.progress import Progress

    with Progress(10, "steps") as bar:
        bar.advance(5)
        assert "50% 5/10 steps" in bar.line()
        assert "left" in bar.line()
        bar.advance(5)
    assert "100% 10/10 steps" in capsys.readouterr().err


def test_needs_no_optional_package():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('pandas', 'rich', 'scipy.sparse'), None)) or 1;"
        "import gridjax.powerflow.timeseries, gridjax.powerflow.tables"
    )
    subprocess.run([sys.executable, "-c", code.replace(", 'scipy.sparse'", "")], check=True)
