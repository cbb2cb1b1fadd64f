"""Random states of a network: loads and generation drawn element by element, in pandapower's tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pandapower.auxiliary import pandapowerNet
from pandapower.pypower import idx_bus, idx_gen

from gridjax.calibration.supported import in_service
from gridjax.calibration.tables import Tables

MAX_LOAD = 1.5  # times the nominal load
_EXTRA_REACTIVE = 0.4  # reactive power of extra generation, at most this share of its active power
_PHASES = {"p": ["p_a_mw", "p_b_mw", "p_c_mw"], "q": ["q_a_mvar", "q_b_mvar", "q_c_mvar"]}


@dataclass(frozen=True)
class Draw:
    """What is scaled, in MVA: powers consumed at bus rows, and powers of generator rows."""

    at: np.ndarray  # [n_element], bus rows
    power: np.ndarray  # [n_element], complex MVA, consumption positive
    most: np.ndarray  # [n_element], largest factor
    generators: np.ndarray  # [n_generator], rows of ppci["gen"] whose active power is scaled
    extra_at: np.ndarray  # [n_extra], bus rows of generation that the network itself does not have
    extra_power: np.ndarray  # [n_extra], MW, largest of each

    def sample(
        self, ppci: Tables, random: np.random.Generator, depth: float = 1.0, balanced: bool = False
    ) -> Tables:
        """Tables of a random state: each load times U[0, 1.5], each generation times U[0, 1].

        `balanced` scales the generators together, so that their sum follows the sum of the loads and the
        source sends about its nominal share. `depth` below 1 takes every factor only that share of the
        way from nominal to its random value.
        """
        bus, gen = ppci["bus"].copy(), ppci["gen"].copy()
        factor = depth * (random.uniform(0.0, 1.0, self.at.size) * self.most - 1.0)
        change = factor * self.power
        np.add.at(bus[:, idx_bus.PD], self.at, change.real)
        np.add.at(bus[:, idx_bus.QD], self.at, change.imag)
        share = random.uniform(0.0, 1.0, self.generators.size)
        if balanced:
            own, load = gen[self.generators, idx_gen.PG], ppci["bus"][:, idx_bus.PD].sum()
            share *= bus[:, idx_bus.PD].sum() / load * own.sum() / (share @ own)
        gen[self.generators, idx_gen.PG] *= 1.0 + depth * (share - 1.0)
        p = depth * self.extra_power * random.uniform(0.0, 1.0, self.extra_at.size) * random.uniform()
        q = p * random.uniform(-_EXTRA_REACTIVE, _EXTRA_REACTIVE, self.extra_at.size)
        np.subtract.at(bus[:, idx_bus.PD], self.extra_at, p)
        np.subtract.at(bus[:, idx_bus.QD], self.extra_at, q)
        return {**ppci, "bus": bus, "gen": gen}


def prepare_draw(net: pandapowerNet, ppci: Tables, random: np.random.Generator) -> Draw:
    """What can be scaled in `net`, a copy from `internal_tables` with its tables `ppci`.

    A network without voltage-controlled generators gains generation at about a third of its load buses,
    together at most the nominal load, with a power factor of at least 0.93 either way. DC lines, motors,
    wards, storage and shunts stay at their own power.
    """
    lookup, n_bus = net._pd2ppc_lookups["bus"], len(ppci["bus"])
    at, power, most = [], [], []
    for table, sign, largest in (
        ("load", 1.0, MAX_LOAD),
        ("asymmetric_load", 1.0, MAX_LOAD),
        ("sgen", -1.0, 1.0),
        ("asymmetric_sgen", -1.0, 1.0),
    ):
        rows = in_service(net, table)
        if rows.empty:
            continue
        if table.startswith("asymmetric"):
            p, q = (rows[columns].sum(axis=1).to_numpy() for columns in _PHASES.values())
        else:
            p, q = rows["p_mw"].to_numpy(), rows["q_mvar"].to_numpy()
        place = lookup[rows["bus"].to_numpy(int)]
        kept = (place >= 0) & (place < n_bus)
        at.append(place[kept])
        power.append((sign * (p + 1j * q) * rows["scaling"].to_numpy())[kept])
        most.append(np.full(int(kept.sum()), largest))
    at, power, most = (np.concatenate([*parts, []]) for parts in (at, power, most))
    at = at.astype(int)
    generators = _generator_rows(net, ppci)
    extra_at, extra_power = np.zeros(0, int), np.zeros(0)
    if generators.size == 0:
        extra_at, extra_power = _extra_generation(at[most > 1.0], np.real(power[most > 1.0]), random)
    return Draw(at, power, most, generators, extra_at, extra_power)


def _generator_rows(net: pandapowerNet, ppci: Tables) -> np.ndarray:
    """Rows of `ppci["gen"]` that are generators of the network: no sources, no ends of DC lines."""
    n_own = len(net.gen) - 2 * len(net.dcline)  # the ends of DC lines come last
    own = net.gen.index.to_numpy()[:n_own][net["_is_elements"]["gen"][:n_own]]
    rows = net._pd2ppc_lookups["gen"][own] if own.size else np.zeros(0, int)
    return np.setdiff1d(rows, ppci["internal"]["ref_gens"]).astype(int)


def _extra_generation(
    at: np.ndarray, load: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    buses, where = np.unique(at, return_inverse=True)
    if buses.size == 0:
        return np.zeros(0, int), np.zeros(0)
    per_bus = np.zeros(buses.size)
    np.add.at(per_bus, where, np.maximum(load, 0.0))
    chosen = random.permutation(buses.size)[: max(1, buses.size // 3)]
    return buses[chosen], per_bus[chosen] / max(per_bus[chosen].sum(), 1e-12) * per_bus.sum()
