"""Keep the evaluation of a run: `python -m benchmarks.collect RUN NAME`.

Copies `evaluation.json` to `benchmarks/results/NAME.json`, that among N agents to `NAME-N-agents.json`, every
`families*.json` to `NAME-families*.json`, its figures to `NAME-*.png`, and writes the SHA-256 of every result
anew into `SHA256SUMS` (`sha256sum -c SHA256SUMS` checks them). Without arguments it only renews the sums.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
from pathlib import Path

from benchmarks.report import RESULTS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="folder of the run")
    parser.add_argument("name", nargs="?", help="name of the result, that of its config")
    parser.add_argument("--figures", nargs="*", default=[], help="such as voltage, feeder, training")
    options = parser.parse_args()
    if (options.run is None) != (options.name is None):
        parser.error("give both RUN and NAME, or neither")
    if options.run is not None:
        source = options.run / "evaluation.json"
        if not source.is_file():
            parser.error(f"{source} does not exist: python -m experiments.evaluate {options.run}")
        shutil.copyfile(source, RESULTS / f"{options.name}.json")
        for other in options.run.glob("evaluation-*.json"):
            shutil.copyfile(other, RESULTS / f"{options.name}-{other.name.removeprefix('evaluation-')}")
        for families in options.run.glob("families*.json"):
            shutil.copyfile(families, RESULTS / f"{options.name}-{families.name}")
        for figure in options.figures:
            shutil.copyfile(
                options.run / "figures" / f"{figure}.png", RESULTS / f"{options.name}-{figure}.png"
            )
    results = sorted(path for path in RESULTS.iterdir() if path.suffix in {".json", ".png"})
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in results]
    partial = RESULTS / "SHA256SUMS.partial"
    partial.write_text("\n".join(sums) + "\n")
    os.replace(partial, RESULTS / "SHA256SUMS")


if __name__ == "__main__":
    main()
