"""Figures of a run, from its files: `RUN/figures/*.png`."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.run_directory import RunDirectory
from experiments.training import Trainer
from gridjax.envs.smart_grid import SmartGrid


def draw_run(run: RunDirectory, trainer: Trainer, policies: Any, days: np.ndarray) -> list[str]:
    """Draw the training curve, and one of `days` under the policy of the first seed; the paths."""
    if isinstance(trainer.task, SmartGrid):
        from experiments.community_figures import draw_community

        return draw_community(run, trainer, policies, days)
    from experiments.voltage_figures import draw_voltage

    return draw_voltage(run, trainer, policies, days)
