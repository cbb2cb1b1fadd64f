"""Command lines: `python -m experiments.mappo`, `experiments.evaluate`, `experiments.tables`."""
