"""The solvers that gridjax is measured against, each on the same scenarios, and the truth they are held to.

A module of a solver has classes that keep to `Peer`, one for each way of calling it.
"""

from benchmarks.peers.case import Case, build
from benchmarks.peers.peer import Peer

__all__ = ["Case", "Peer", "build"]
