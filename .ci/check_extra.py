"""`check_extra.py NAME`: what the extra NAME is for, where gridjax is installed with that extra alone."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


def pandas() -> None:
    from gridjax import network
    from gridjax.powerflow import solve, to_pandas

    net = network.get("case33bw")
    tables = to_pandas(net, solve(net, net.nominal_injection))
    assert tables.bus.vm_pu.min().round(5) == 0.91309, tables.bus.vm_pu.min()


def data() -> None:
    hours = (f"2023-01-{day:02d} {hour:02d}:00" for day in range(2, 30) for hour in range(24))
    rows = (f"{hour},{1 + number % 5}" for number, hour in enumerate(hours))
    Path("meters.csv").write_text("\n".join(["time,house [kW]", *rows]) + "\n")
    columns = ["meters.csv", "--load", "house [kW]", "--timezone", "UTC"]
    _run("gridjax.scenarios.prepare", *columns, "--out", "pack")
    from gridjax.scenarios import ScenarioPack

    pack = ScenarioPack.load_from("pack")
    assert pack.load.max() == 5.0, pack.load.max()


def train() -> None:
    little = ["--total-steps", "512", "--num-seeds", "1", "--num-envs", "4"]
    _run("experiments.mappo", *little, "--run-dir", "run", "--no-evaluate")
    assert Path("run/metrics.jsonl").stat().st_size > 0


def video() -> None:
    import jax

    import gridjax
    from gridjax.controllers import no_control
    from gridjax.evaluation import animate, record

    env, params = gridjax.make("VoltageControl-v0")
    idle = lambda key, obs, state, params: no_control(env, state, params)  # noqa: E731
    film = animate(record(env, params, idle, case=170, key=jax.random.key(0)), "day.mp4", every=60)
    assert film.read_bytes()[4:8] == b"ftyp", "not an MP4 file"


def wandb() -> None:
    import wandb

    import gridjax

    print(wandb.__version__, gridjax.__version__)


def live() -> None:
    port = 18_347
    page = subprocess.Popen(
        [sys.executable, "-m", "gridjax.live", "--port", str(port), "--no-history", "--start"]
    )
    try:
        for _ in range(300):
            assert page.poll() is None, "the server ended"
            time.sleep(1.0)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                    assert answer.status == 200
                    break
            except OSError:
                pass
        else:
            raise AssertionError("the server was not ready within five minutes")
    finally:
        page.terminate()
    assert page.wait(60) == 0, page.returncode


def calibration() -> None:
    import pandapower.networks

    from gridjax.calibration import from_pandapower
    from gridjax.powerflow import solve

    net, _ = from_pandapower(pandapower.networks.case33bw())
    flow = solve(net, net.nominal_injection)
    assert abs(float(abs(flow.voltage).min()) - 0.91309) < 1e-5


def interop() -> None:
    import pettingzoo.test
    from gymnasium.utils.env_checker import check_env

    from gridjax.interop import gymnasium, gymnax, jaxmarl
    from gridjax.interop import pettingzoo as zoo

    check_env(gymnasium.make("VoltageControl-v0", network="case33bw"), skip_render_check=True)
    pettingzoo.test.parallel_api_test(zoo.make("VoltageControl-v0", network="case33bw"), num_cycles=8)
    for library in (gymnax, jaxmarl):
        library.make("VoltageControl-v0", network="case33bw")


def _run(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    checks = {
        check.__name__: check for check in (train, video, wandb, pandas, data, live, calibration, interop)
    }
    (name,) = sys.argv[1:]
    checks[name]()
    print(f"extra {name}: works")
