"""AC power flows per second, against peers and network size: `python -m benchmarks.powerflow --help`.

Every solver gets the same scenarios, each load times U[0.5, 1.5] (case300: U[0.9, 1.1], beyond which not all
have a solution), at the coarsest tolerance of 1e-8, 1e-9, ... that leaves its error below 1e-8 p.u. One run
measures all of them in turn, round by round: quote ratios, not figures of different runs. All cores means
threads (lightsim2grid, power-grid-model) or a process on every core (gridjax, see `benchmarks.workers`; the
batch is that of all of them). Errors are against Newton's method in float64
(`benchmarks.peers.reference`). Writes `benchmarks/results/powerflow-<platform>.json` and `.png`.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, save

FEEDERS = ["case33bw", "case141", "mv_oberrhein", "kerber_vorstadt", "european_lv", "case118", "case300"]
SIZES = ["tree33", "tree100", "tree300", "tree900", "tree2700", "case1354pegase"]
# times the better of lightsim2grid and power-grid-model that gridjax should reach: float64, float32
BARS = {
    "case33bw": (5.0, 12.0),
    "case141": (4.0, 9.0),
    "mv_oberrhein": (4.0, 9.0),
    "european_lv": (3.0, 5.0),
    "case118": (1.0, 1.7),
    "case300": (1.0, 1.7),
}
PACKAGES = ("pandapower", "lightsim2grid", "power-grid-model", "numba", "scipy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=FEEDERS, help="see benchmarks/peers/case.py")
    parser.add_argument("--sizes", nargs="*", default=SIZES, help="series for the plot, at one batch")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64, 1024, 4096, 16384])
    parser.add_argument("--size-batch", type=int, default=1024)
    parser.add_argument("--precisions", nargs="+", default=["float64", "float32"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--quick", action="store_true", help="two networks, two batches, two rounds")
    parser.add_argument("--update", action="store_true", help="keep the other networks of an earlier result")
    parser.add_argument("--out", type=Path, default=None, help="JSON; the figure goes beside it")
    options = parser.parse_args()
    if options.quick:
        options.networks, options.sizes = options.networks[:2], options.sizes[:3]
        options.batches, options.rounds = options.batches[1:3], min(options.rounds, 2)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    warnings.simplefilter("ignore")

    from benchmarks import machine
    from benchmarks.scaling import draw
    from gridjax.evaluation.tables.powerflow import powerflow_rows, powerflow_table

    report: dict[str, Any] = machine.describe(PACKAGES)
    report |= {"rounds": options.rounds, "tolerance": 1e-8, "limits": machine.limits()}
    report["load_average_before"] = round(os.getloadavg()[0], 2)
    report |= {"networks": {}, "rows": [], "unfit": {}}
    out = options.out or RESULTS / f"powerflow-{report['platform']}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    if options.update:
        before, renewed = json.loads(out.read_text()), {*options.networks, *options.sizes}
        report["rows"] = [row for row in before["rows"] if row["network"] not in renewed]
        for part in ("networks", "unfit"):
            report[part] = {k: v for k, v in before[part].items() if k not in renewed}
    began = time.perf_counter()
    plan = [(name, options.batches) for name in options.networks]
    plan += [(name, [options.size_batch]) for name in options.sizes]
    for done, (name, batches) in enumerate(plan):
        try:
            phases = _one(name, batches, options, report, brief=name in options.sizes)
        except Exception as error:  # one network must not cost the others their results
            report["unfit"][name] = {"gridjax": f"{type(error).__name__}: {error}"[:200]}
            phases = f"left out: {error}"
        elapsed = time.perf_counter() - began
        print(f"[{elapsed:4.0f} s] {done + 1} of {len(plan)}: {name} ({phases})", flush=True)
        _shares(report["rows"], report["limits"], report["cores"])
        report["bars"] = _bars(report["rows"])
        report["exponents"] = draw(report, out.with_suffix(".png"))
        save(report, out)  # after every network, so that an interruption costs one
    print(f"{powerflow_rows(report)}\n\n{powerflow_table(report)}")
    print(f"\nwritten to {out} and {out.with_suffix('.png').name}")


def _one(
    name: str, batches: list[int], options: argparse.Namespace, report: dict[str, Any], brief: bool
) -> str:
    """Measure one network, and say how long each part of that took.

    Its contenders are dropped before the next, so that memory is bounded. `brief` leaves out the slower ways
    of calling pandapower.
    """
    from benchmarks.contender import CHECKED, peers
    from benchmarks.peers.case import build
    from benchmarks.peers.reference import Reference
    from benchmarks.workers import Workers

    marks = [time.perf_counter()]
    case = build(name)
    truth = Reference(case).solve(case.scenarios(CHECKED))
    marks.append(time.perf_counter())
    with Workers(name, truth, options.method) as workers:
        rows = workers.contenders(batches, options.precisions)
        marks.append(time.perf_counter())
        network = case.network
        report["networks"][name] = {
            "buses": network.n_bus,
            "branches": network.n_branch,
            "pv_buses": len(network.pv_buses),
            "spread": case.spread,
            **workers.about,
        }
        if not options.no_peers:
            found, unfit = peers(case, truth, seconds=0.25, brief=brief)
            rows += found
            report["unfit"][name] = unfit
        marks.append(time.perf_counter())
        for turn in range(options.rounds):
            start = turn * len(rows) // options.rounds
            for row in rows[start:] + rows[:start]:
                row.measure()
    report["rows"] += [row.record() for row in rows]
    marks.append(time.perf_counter())
    gc.collect()
    names = ("truth", "gridjax compiled", "peers set up", "rounds")
    return ", ".join(f"{n} {b - a:.0f} s" for n, a, b in zip(names, marks, marks[1:]))


def _shares(rows: list[dict[str, Any]], limits: dict[str, float], cores: int) -> None:
    """Shares of the measured limits of the device, for rows that had all of it."""
    for row in rows:
        if "operations_per_scenario" in row and row["cores"] == cores:
            rate = row["per_second_median"]
            arithmetic = limits[f"{row['precision']}_per_second"]
            row["arithmetic_share"] = rate * row["operations_per_scenario"] / arithmetic
            row["bandwidth_share"] = rate * row["bytes_per_scenario"] / limits["bytes_per_second"]


def _bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ours at its best batch over the better right peer, on all cores by the clock and per core-second."""
    bars = []
    for network, factors in BARS.items():
        here = [row for row in rows if row["network"] == network]
        rivals = [
            r for r in here if r["solver"].startswith(("lightsim2grid", "power-grid")) and r["error"] <= 1e-8
        ]
        for precision, factor in zip(("float64", "float32"), factors):
            ours = [r for r in here if r["solver"] == "gridjax" and r["precision"] == precision]
            if not ours or not rivals:
                continue
            bar: dict[str, Any] = {"network": network, "precision": precision, "wanted": factor}
            for measure, which in (("per_second_median", max), ("per_core_second_median", max)):
                best, rival = (which(group, key=lambda r: r[measure]) for group in (ours, rivals))
                label = "wall" if measure == "per_second_median" else "core"
                bar[label] = {
                    "ours": best[measure],
                    "batch": best["batch"],
                    "peer": rival[measure],
                    "solver": rival["solver"],
                    "ratio": best[measure] / rival[measure],
                }
            # both: other processes on the machine disturb the clock, and not all solvers alike
            bar["met"] = min(bar["wall"]["ratio"], bar["core"]["ratio"]) >= factor
            bars.append(bar)
    return bars


if __name__ == "__main__":
    main()
