"""What one way of calling one solver is to the harness."""

from __future__ import annotations

from typing import Any, Protocol


class Peer(Protocol):
    """A solver set up for one case: `set_injection` its scenarios, then `solve` as often as one likes.

    What depends on the network alone is prepared in the constructor, a mere change of units in
    `set_injection`; neither is timed. A constructor raises `ValueError` for a case beyond its solver.
    """

    name: str
    settings: str
    threads_offered: bool  # whether `solve(threads)` can use more than one core

    def set_injection(self, injection: Any) -> None:
        """Complex p.u. `[scenarios, n_bus]`; differs from the network's own at load buses only."""

    def solve(self, threads: int = 1) -> None:
        """What is timed."""

    def voltage(self) -> Any:
        """Complex p.u. `[scenarios, n_row]` at the case's `rows`, NaN where it did not converge."""

    def iterations(self) -> float | None:
        """Mean over the scenarios, where the solver tells."""
