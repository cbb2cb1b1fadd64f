"""The networks that ship with gridjax: where each comes from, and how to build it in pandapower."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandapower.networks as library
import pandapower.topology as topology
from pandapower.auxiliary import pandapowerNet

from gridjax.calibration import ampacity, matpower
from gridjax.calibration.coordinates import tree_layout

_PANDAPOWER = "data as in pandapower (BSD-3-Clause, University of Kassel and Fraunhofer IEE)"
_PYPOWER = "case data as in pandapower (BSD-3-Clause), from PYPOWER and MATPOWER: cite the source"
_PEGASE = "Creative Commons Attribution 4.0, as stated in MATPOWER's case file; data as in pandapower"
_PEGASE_CITATION = (
    "C. Josz, S. Fliscounakis, J. Maeght, P. Panciatici, AC Power Flow Data in MATPOWER and QCQP Format: "
    "iTesla, RTE Snapshots, and PEGASE, arXiv 1603.01533, 2016; S. Fliscounakis, P. Panciatici, "
    "F. Capitanescu, L. Wehenkel, Contingency ranking with respect to overloads in very large power systems, "
    "IEEE Transactions on Power Systems 28(4), 4909-4917, 2013"
)
_ARCHIVE = "Power Systems Test Case Archive, University of Washington, {}; through PYPOWER"
_OWN = "of the source: line max_i_ka, transformer rated currents"
_NO_LIMIT = "of the source, where 9900 MVA stands for no limit: no branch is ever overloaded"
_DRAWN = "layered tree drawn by gridjax, not geography"


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


def _kerber_vorstadtnetz() -> pandapowerNet:
    """Which house connections are overhead is random in pandapower: here always the same."""
    state = random.getstate()
    random.seed(0)
    net = library.create_kerber_vorstadtnetz_kabel_1()
    random.setstate(state)
    ends = topology.create_nxgraph(net).edges()
    place = tree_layout(len(net.bus), np.array(list(ends)), [int(net.ext_grid.bus.iloc[0])])
    net.bus["geo"] = [f'{{"coordinates": [{x}, {y}], "type": "Point"}}' for x, y in place]
    return net


def _case(
    name: str,
    title: str,
    citation: str,
    licence: str = _PYPOWER,
    ratings: str = _OWN,
    coordinates: str = "pandapower (drawing, not geography)",
) -> Source:
    return Source(getattr(library, name), title, citation, licence, ratings, coordinates)


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
        coordinates=_DRAWN,
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
    "case14": _case(
        "case14",
        "14-bus transmission test case, part of the American Electric Power system of 1962",
        _ARCHIVE.format("IEEE 14-bus test case, 1993"),
        ratings=_NO_LIMIT,
    ),
    "case24_ieee_rts": _case(
        "case24_ieee_rts",
        "24-bus reliability test system, 138 and 230 kV",
        "IEEE RTS Task Force of the APM Subcommittee, IEEE Reliability Test System, IEEE Transactions on "
        "Power Apparatus and Systems 98(6), 2047-2054, 1979; through PYPOWER",
    ),
    "case30": _case(
        "case30",
        "30-bus transmission test case with six generators",
        "O. Alsac, B. Stott, Optimal Load Flow with Steady-State Security, IEEE Transactions on Power "
        "Apparatus and Systems 93(3), 745-751, 1974; R. W. Ferrero, S. M. Shahidehpour, V. C. Ramesh, "
        "Transaction Analysis in Deregulated Power Systems Using Game Theory, IEEE Transactions on Power "
        "Systems 12(3), 1340-1347, 1997; through PYPOWER",
    ),
    "case39": _case(
        "case39",
        "39-bus New England transmission test case, ten generators",
        "G. W. Bills et al., On-Line Stability Analysis Study, RP 90-1, Edison Electric Institute, 1970; "
        "through PYPOWER",
    ),
    "case57": _case(
        "case57",
        "57-bus transmission test case, part of the American Electric Power system",
        _ARCHIVE.format("IEEE 57-bus test case, 1993"),
        ratings=_NO_LIMIT,
    ),
    "case89pegase": _case(
        "case89pegase",
        "89 buses of the European transmission grid, 380, 220 and 150 kV",
        _PEGASE_CITATION,
        _PEGASE,
    ),
    "case118": _case(
        "case118",
        "118-bus transmission test case, part of the American Electric Power system of 1962",
        _ARCHIVE.format("IEEE 118-bus test case, 1993"),
        ratings=_NO_LIMIT,
    ),
    "case_illinois200": _case(
        "case_illinois200",
        "200-bus synthetic transmission grid on the footprint of central Illinois, 230 and 115 kV",
        "A. B. Birchfield, T. Xu, K. M. Gegner, K. S. Shetye, T. J. Overbye, Grid Structural Characteristics "
        "as Validation Criteria for Synthetic Networks, IEEE Transactions on Power Systems 32(4), "
        "3258-3265, 2017",
    ),
    "case300": _case(
        "case300",
        "300-bus transmission test case of the IEEE Test Systems Task Force",
        _ARCHIVE.format("IEEE 300-bus test case, 1993"),
        ratings=_NO_LIMIT,
    ),
    "cigre_hv": _case(
        "create_cigre_network_hv",
        "CIGRE European high voltage benchmark, 380/220/110 kV, with generators",
        "CIGRE Task Force C6.04.02, Benchmark Systems for Network Integration of Renewable and "
        "Distributed Energy Resources, Technical Brochure 575, 2014",
        _PANDAPOWER,
        coordinates="pandapower (schematic)",
    ),
    "mv_oberrhein": _case(
        "mv_oberrhein",
        "generic 110/20 kV network of two substations, 141 stations, six open ties, high load",
        "pandapower's MV Oberrhein network, scenario 'load'",
        _PANDAPOWER,
        coordinates="pandapower (longitude, latitude)",
    ),
    "kerber_vorstadtnetz": Source(
        build=_kerber_vorstadtnetz,
        title="suburban low voltage cable network, 10/0.4 kV, 144 house connections",
        citation="G. Kerber, Aufnahmefähigkeit von Niederspannungsverteilnetzen für die Einspeisung aus "
        "Photovoltaikkleinanlagen, dissertation, TU München, 2011; pandapower's Vorstadtnetz Kabel 1",
        licence=_PANDAPOWER,
        ratings=_OWN,
        coordinates=_DRAWN,
    ),
    "ieee_european_lv": _case(
        "ieee_european_lv_asymmetric",
        "IEEE European low voltage test feeder, 11/0.416 kV, 55 one-phase loads at 9:26, taken as balanced",
        "IEEE PES Distribution Test Feeder Working Group, European Low Voltage Test Feeder, 2015",
        _PANDAPOWER,
        coordinates="pandapower (metres)",
    ),
}
