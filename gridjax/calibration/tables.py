"""pandapower's internal tables: the model that its `runpp` solves, per unit and in service only."""

from __future__ import annotations

import copy
import logging
from contextlib import contextmanager
from typing import Any

from pandapower.auxiliary import _add_auxiliary_elements, _init_runpp_options, pandapowerNet
from pandapower.pd2ppc import _pd2ppc

from gridjax.calibration.supported import in_service

Tables = dict[str, Any]


def internal_tables(net: pandapowerNet) -> tuple[pandapowerNet, Tables]:
    """A copy of `net` with pandapower's lookups, and the tables `ppci` of an unsolved power flow.

    The options are those of `runpp(net, calculate_voltage_angles=True, trafo_model="t")`, with
    voltage-dependent loads. DC lines become pairs of generators in the copy, as in `runpp`.

    The public `to_ppc` would not do: it clips reactive power at its limits, which `runpp` does not by
    default, and drops the conductance columns of the branches.

    Raises `ValueError` where pandapower refuses the network, such as for set-points that contradict.
    """
    net = copy.deepcopy(net)
    net.user_pf_options = {}
    for table in ("load", "sgen", "storage", "asymmetric_load", "asymmetric_sgen"):
        # pandapower multiplies what is out of service by zero, which lets NaN through
        net[table] = in_service(net, table) if len(net[table]) else net[table]
    _init_runpp_options(
        net,
        algorithm="nr",
        calculate_voltage_angles=True,
        init="flat",
        max_iteration=20,
        tolerance_mva=1e-8,
        trafo_model="t",
        trafo_loading="current",
        enforce_p_lims=False,
        enforce_q_lims=False,
        check_connectivity=True,
        voltage_depend_loads=True,
        numba=False,
        lightsim2grid=False,
    )
    with _quiet():
        _add_auxiliary_elements(net)
        try:
            _, ppci = _pd2ppc(net)
        except UserWarning as refusal:
            raise ValueError(f"pandapower refuses the network: {refusal}") from refusal
    return net, ppci


@contextmanager
def _quiet():
    """pandapower logs a warning for every isolated bus; we drop or refuse those ourselves."""
    logger = logging.getLogger("pandapower")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
