"""Forecasts against persistence, as a Markdown table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridjax.evaluation.tables.markdown import table


def forecasts_table(report: Mapping[str, Any]) -> str:
    """The rows of a result of `experiments.forecast`: errors by horizon."""
    methods = report["methods"]
    hours = [key for key in methods[0]["mae"] if key != "all"]
    rows = [["forecast", *(f"MAE, {key} h ahead" for key in hours), "MAE, whole day", "RMSE, whole day"]]
    for method in methods:
        cells = [f"{method['mae'][key]['value']:.3f}" for key in hours]
        whole = [_with_interval(method[kind]["all"]) for kind in ("mae", "rmse")]
        rows.append([method["name"], *cells, *whole])
    against = "; ".join(f"{_gain(gain)} against the {name}" for name, gain in report["mae_against"].items())
    return (
        f"{table(rows)}\n\n{report['source']}: {report['columns']} columns, {report['windows']:,} windows of "
        f"{report['days']} {report['split']} days; {report['unit']}. Brackets: 95 % bootstrap intervals "
        f"over days and over {report['seeds']} training seeds. MAE of the forecaster, paired by day: "
        f"{against}."
    )


def _gain(estimate: Mapping[str, float]) -> str:
    value, low, high = (100 * estimate[name] for name in ("value", "low", "high"))
    return f"{value:+.1f} % [{low:+.1f}, {high:+.1f}]"


def _with_interval(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"
