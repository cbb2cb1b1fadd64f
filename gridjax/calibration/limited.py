"""Reference states in which generators reach their reactive limits, as pandapower enforces them."""

from __future__ import annotations

import numpy as np
from pandapower.auxiliary import pandapowerNet
from pandapower.pf.run_newton_raphson_pf import _run_ac_pf_with_qlims_enforced
from pandapower.pypower import idx_bus, idx_gen

from gridjax.calibration.conversion import bus_powers
from gridjax.calibration.reference import Reference, collect, operable
from gridjax.calibration.states import prepare_draw
from gridjax.calibration.tables import Tables, internal_tables
from gridjax.calibration.truth import Solution, Truth
from gridjax.network import Network


def limited_reference(
    network: Network, net: pandapowerNet, n_states: int, seed: int, depth: float = 1.0, balanced: bool = False
) -> tuple[Reference, np.ndarray]:
    """The nominal and `n_states - 1` random states solved with `enforce_q_lims=True`, and who is limited.

    The second result is bool `[n_states, n_pv]`. pandapower turns every generator beyond a limit into
    constant power there, solves again until none is beyond, and never turns one back.
    """
    random = np.random.default_rng(seed)
    net, ppci = internal_tables(net)
    truth, draw = Truth(ppci), prepare_draw(net, ppci, random)
    options = {**net._options, "enforce_q_lims": True, "max_iteration": 30}
    solutions, powers, limited = [], [], []
    state = ppci
    for _ in range(20 * n_states):
        solution, at_limit = enforce(truth, state, options)
        if solution is not None and operable(solution):
            solutions.append(solution)
            powers.append(bus_powers(state))
            limited.append(np.isin(network.pv_buses, at_limit))
            if len(solutions) == n_states:
                return collect(network, solutions, powers), np.stack(limited)
        state = draw.sample(ppci, random, depth, balanced)
    raise ValueError(f"pandapower solves hardly any state of network {network.name!r} within limits")


def enforce(truth: Truth, state: Tables, options: dict) -> tuple[Solution | None, np.ndarray]:
    """pandapower's solution of `state` within reactive limits, and the bus rows that are at a limit."""
    copied = {**state, **{table: state[table].copy() for table in ("bus", "gen", "branch")}}
    copied["internal"] = {**state["internal"], "Ybus": np.zeros(0)}
    start = truth.start if truth.nominal is None else truth.nominal.voltage
    copied["bus"][:, idx_bus.VM], copied["bus"][:, idx_bus.VA] = np.abs(start), np.rad2deg(np.angle(start))
    with np.errstate(all="ignore"):
        solved, success, _, _, gen, _ = _run_ac_pf_with_qlims_enforced(copied, options)
    if not success:
        return None, np.zeros(0, int)
    pv = np.asarray(solved["internal"]["pv"])
    at_limit = np.setdiff1d(truth.pv, pv)
    fixed = {**state, "bus": state["bus"].copy()}
    at = gen[:, idx_gen.GEN_BUS].real.astype(int)
    there = np.isin(at, at_limit)
    np.subtract.at(fixed["bus"][:, idx_bus.QD], at[there], gen[there, idx_gen.QG])
    return truth.solve(fixed, pv, solved["internal"]["V"]), at_limit
