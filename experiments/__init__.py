"""Command lines: `python -m experiments.mappo`, `experiments.evaluate`, `experiments.tables`."""

import os

# XLA spreads batched LAPACK over its own threads; OpenBLAS's on top of them wait for one another, up to
# twenty times slower on two cores. Read when the library loads, hence here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
