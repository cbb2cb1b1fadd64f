"""The inverse of one real sparse matrix, applied to a whole batch: three forms with one interface.

Every bus has two unknowns, so that the matrix is `[2 n_bus, 2 n_bus]`, first unknowns before second ones.
A form keeps buses in one or two parts with an order of their own: a part of a vector is
`[blocks, 2, width, batch]`, batch last, and that of `order`, `[blocks, width]`, names the bus of every
position (`n_bus` where there is none).
"""

from gridjax.powerflow.inverse.cut import CutInverse, prepare_cut
from gridjax.powerflow.inverse.dense import DenseInverse, prepare_dense
from gridjax.powerflow.inverse.layout import Blocks, gather_buses, scatter_buses
from gridjax.powerflow.inverse.prepare import FORMS, Inverse, prepare_inverse
from gridjax.powerflow.inverse.tree import TreeInverse, prepare_tree

__all__ = [
    "FORMS",
    "Blocks",
    "CutInverse",
    "DenseInverse",
    "Inverse",
    "TreeInverse",
    "gather_buses",
    "prepare_cut",
    "prepare_dense",
    "prepare_inverse",
    "prepare_tree",
    "scatter_buses",
]
