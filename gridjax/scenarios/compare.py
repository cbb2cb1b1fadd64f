"""Real beside synthetic: `python -m gridjax.scenarios.compare [--out PATH]` prints a table and draws it."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from gridjax.scenarios.moments import moments
from gridjax.scenarios.profiles import HOUSEHOLDS, Profiles, load_simbench
from gridjax.scenarios.synthetic import Day, SyntheticParams, sample_year


def real_year() -> Profiles:
    """The SimBench households and PV sites the generator is fitted to."""
    return load_simbench().select(HOUSEHOLDS)


def synthetic_years(n_villages: int, seed: int = 0) -> Day:
    """Years of `n_villages` with as many households and sites as the real one, `[village, 366, 96, n]`."""
    real = real_year()
    n_load, n_pv = len(real.load_names), len(real.pv_names)
    keys = jax.random.split(jax.random.key(seed), n_villages)
    sample = jax.jit(jax.vmap(lambda key: sample_year(key, SyntheticParams(), n_load, n_pv)))
    return jax.tree.map(np.asarray, sample(keys))


def table(years: Day) -> dict[str, dict[str, float]]:
    """Each of `moments`: `real`, and `synthetic` and `synthetic_std` (mean and deviation over villages)."""
    real = moments(real_year())
    each = [moments(Day(*(leaf[i] for leaf in years))) for i in range(years.pv.shape[0])]
    return {
        name: {
            "real": value,
            "synthetic": float(np.mean([m[name] for m in each])),
            "synthetic_std": float(np.std([m[name] for m in each])),
        }
        for name, value in real.items()
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Print the comparison as a table and draw it."""
    parser = argparse.ArgumentParser(prog="python -m gridjax.scenarios.compare", description=__doc__)
    parser.add_argument(
        "--out", default="figures/scenarios.png", help="PNG file, or a folder for scenarios.png"
    )
    parser.add_argument("--villages", type=int, default=8, help="synthetic years to sample")
    arguments = parser.parse_args(argv)
    if arguments.villages < 1:
        parser.error(f"--villages must be at least 1, not {arguments.villages}")
    out = Path(arguments.out)
    if out.suffix != ".png":
        out = out / "scenarios.png"

    years = synthetic_years(arguments.villages)
    rows = table(years)
    print(f"{'statistic':<30} {'real':>9} | {'synthetic':>9}  (std over {arguments.villages} villages)")
    for name, row in rows.items():
        print(f"{name:<30} {row['real']:9.4f} | {row['synthetic']:9.4f}  ({row['synthetic_std']:.4f})")

    from gridjax.scenarios.figure import draw

    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial.png")
    draw(real_year(), years, partial)
    os.replace(partial, out)
    record = {
        "real": "SimBench, 5 households and 8 PV sites of 2016",
        "villages": arguments.villages,
        "moments": rows,
    }
    sheet = out.with_suffix(".json")
    partial = sheet.with_suffix(".partial.json")
    partial.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(partial, sheet)
    print(f"wrote {out} and {sheet}")


if __name__ == "__main__":
    main()
