"""Figures of a run, from its files: `RUN/figures/*.png`."""

from __future__ import annotations

from typing import Any

from experiments.cases import Cases
from experiments.run_directory import RunDirectory
from experiments.training import Trainer
from gridjax.envs.resilience import Resilience
from gridjax.envs.smart_grid import SmartGrid


def draw_run(
    run: RunDirectory, trainer: Trainer, policies: Any, cases: Cases, optimum: bool = True
) -> list[str]:
    """Draw the training curve, and one of `cases` under the policy of the first seed; the paths.

    Without `optimum` none is searched for.
    """
    if isinstance(trainer.task, SmartGrid):
        from experiments.community_figures import draw_community

        return draw_community(run, trainer, policies, cases.rows)
    if isinstance(trainer.task, Resilience):
        from experiments.campus_figures import draw_campus

        return draw_campus(run, trainer, policies, cases)
    from experiments.voltage_figures import draw_voltage

    return draw_voltage(run, trainer, policies, cases.rows, optimum)
