"""The networks that ship with gridjax: where each comes from, and how to build it in pandapower."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandapower.networks as library
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration import ampacity, matpower

_PANDAPOWER = "data as in pandapower (BSD-3-Clause, University of Kassel and Fraunhofer IEE)"
_OWN = "of the source: line max_i_ka, transformer rated currents"


@dataclass(frozen=True)
class Source:
    """A shipped network: `build()` makes the pandapower network, the rest goes into its description."""

    build: Callable[[], pandapowerNet]
    title: str
    citation: str
    licence: str
    ratings: str
    coordinates: str


def _case33bw() -> pandapowerNet:
    net = library.case33bw()
    assert isinstance(net, pandapowerNet)
    return ampacity.give_ratings(net)


def _case141() -> pandapowerNet:
    return ampacity.give_ratings(matpower.to_pandapower(matpower.read("case141")))


SOURCES = {
    "case33bw": Source(
        build=_case33bw,
        title="33-bus radial distribution feeder, 12.66 kV, five open tie lines",
        citation="M. E. Baran, F. F. Wu, Network reconfiguration in distribution systems for loss reduction "
        "and load balancing, IEEE Transactions on Power Delivery 4(2), 1401-1407, 1989, doi 10.1109/61.25627",
        licence=_PANDAPOWER,
        ratings=ampacity.RULE,
        coordinates="pandapower",
    ),
    "case141": Source(
        build=_case141,
        title="141-bus radial distribution feeder, 12.47 kV, a zone of the metropolitan area of Caracas",
        citation="H. M. Khodr, F. G. Olsina, P. M. De Oliveira-De Jesus, J. M. Yusta, Maximum savings "
        "approach for location and sizing of capacitors in distribution systems, Electric Power Systems "
        "Research 78(7), 1192-1203, 2008, doi 10.1016/j.epsr.2007.10.002; MATPOWER's case141 of 2020-10-01",
        licence="case file of MATPOWER; its BSD licence does not cover case files: cite the source",
        ratings=ampacity.RULE,
        coordinates="layered tree drawn by gridjax, not geography",
    ),
    "cigre_mv": Source(
        build=lambda: library.create_cigre_network_mv(with_der=False),
        title="CIGRE European medium voltage benchmark, 110/20 kV, two feeders, no distributed resources",
        citation="CIGRE Task Force C6.04.02, Benchmark Systems for Network Integration of Renewable and "
        "Distributed Energy Resources, Technical Brochure 575, 2014",
        licence=_PANDAPOWER,
        ratings=_OWN,
        coordinates="pandapower (schematic)",
    ),
    "cigre_lv": Source(
        build=library.create_cigre_network_lv,
        title="CIGRE European low voltage benchmark, 20/0.4 kV, residential, industrial, commercial feeders",
        citation="CIGRE Task Force C6.04.02, Benchmark Systems for Network Integration of Renewable and "
        "Distributed Energy Resources, Technical Brochure 575, 2014",
        licence=_PANDAPOWER,
        ratings=_OWN,
        coordinates="pandapower (schematic)",
    ),
}
