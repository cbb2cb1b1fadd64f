"""What a grid is: the `Network` pytree, its files, and the library of named networks."""

from gridjax.network.artefact import load_network, save_network
from gridjax.network.fuse import fuse
from gridjax.network.library import describe, get, names
from gridjax.network.network import BusIndex, Network
from gridjax.network.validation import check_network

__all__ = [
    "BusIndex",
    "Network",
    "check_network",
    "describe",
    "fuse",
    "get",
    "load_network",
    "names",
    "save_network",
]
