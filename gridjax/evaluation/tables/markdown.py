"""Markdown tables, and numbers with their intervals."""

from __future__ import annotations

from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells, the first of them the heading, as an aligned Markdown table."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if k else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(cells, widths))
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(rows[0]), line(rule), *(line(row) for row in rows[1:])])


def interval(bounds: Sequence[float], digits: int) -> str:
    """`LOW to HIGH`."""
    return f"{bounds[0]:.{digits}f} to {bounds[1]:.{digits}f}"


def percent(share: float, bounds: Sequence[float]) -> str:
    """A share and its interval, in per cent."""
    return f"{100 * share:.1f} ({interval([100 * bound for bound in bounds], 1)})"
