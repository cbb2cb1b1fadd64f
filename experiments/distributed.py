"""Train on several hosts or processes, each of which runs this command with a number of its own.

    python -m experiments.distributed --coordinator HOST:PORT --processes 2 --process 0 \\
        --config FILE --run-dir FOLDER --divided environments

HOST is that of process 0; FOLDER is one that all see. What follows the three flags are those of
`experiments.mappo`. Every seed's environments are divided among the devices of all processes, and the result
is that of one process to rounding.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import jax
import numpy as np
from jax.experimental import multihost_utils

from experiments.bad_input import BAD_INPUT


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: that of `experiments.mappo`, or 2 where the processes do not meet."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.distributed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--coordinator", required=True, metavar="HOST:PORT", help="of process 0")
    parser.add_argument("--processes", required=True, type=int, help="how many there are")
    parser.add_argument("--process", required=True, type=int, help="which one this is, counted from 0")
    own, of_training = parser.parse_known_args(arguments)
    if not 0 <= own.process < own.processes:
        parser.error(f"--process is {own.process}, expected 0 to {own.processes - 1}")
    from experiments.command_line import parse

    try:
        parse(of_training)  # before others are waited for
    except BAD_INPUT as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(
        f"process {own.process} waits at {own.coordinator} for all {own.processes}",
        file=sys.stderr,
        flush=True,
    )
    try:
        jax.distributed.initialize(own.coordinator, own.processes, own.process)
    except (RuntimeError, ValueError) as error:
        print(f"error: processes did not meet at {own.coordinator}: {error}", file=sys.stderr)
        return 2
    from experiments import mappo

    return mappo.main(of_training)


def is_first_process() -> bool:
    """Whether this process writes and tells."""
    return jax.process_index() == 0


def anywhere(signal: int) -> int:
    """The signal that any of the processes was sent, 0 for none; all have to ask."""
    if jax.process_count() == 1:
        return signal
    return int(np.max(multihost_utils.process_allgather(np.int32(signal))))


if __name__ == "__main__":
    sys.exit(main())
