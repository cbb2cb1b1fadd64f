"""A power flow as pandas tables, with pandapower's bus numbers, names and units (extra `pandas`).

Every table has one row per thing and scenario. A single power flow is indexed by the thing alone, a batch
by scenario first: `table.loc[17]` is scenario 17, `table.xs("line 3", level="branch")` one line in all.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gridjax.network import Network
from gridjax.powerflow.flow import Flow
from gridjax.powerflow.status import Status

Table = Any  # a pandas DataFrame
Array = Any  # of numpy


class Tables(NamedTuple):
    """All tables of a power flow."""

    bus: Table
    branch: Table
    source: Table
    scenario: Table


def to_pandas(
    network: Network,
    flow: Flow,
    scenarios: Sequence[Hashable] | None = None,
    backup_slack: Sequence[tuple[int, float]] = (),
) -> Tables:
    """`bus_table`, `branch_table`, `source_table` and `scenario_table` of a power flow.

    Powers at a bus are positive into the grid, where pandapower's `res_bus` has them positive out of it, and
    buses that closed switches fuse repeat their sum.
    `scenarios` labels the leading axis of `flow`, such as a `pandas.DatetimeIndex`; default 0, 1, ...;
    `backup_slack` is that of `solve`.
    Raises `ImportError` without pandas, `ValueError` if `flow` has not the network's shape, more than one
    leading axis, not as many scenarios as labels, or backups that are not those of `backup_slack`.
    """
    return Tables(
        bus=bus_table(network, flow, scenarios),
        branch=branch_table(network, flow, scenarios),
        source=source_table(network, flow, scenarios, backup_slack),
        scenario=scenario_table(network, flow, scenarios),
    )


def bus_table(network: Network, flow: Flow, scenarios: Sequence[Hashable] | None = None) -> Table:
    """Per bus of the source network: `vm_pu`, `va_degree`, and `p_mw`, `q_mvar` **into the grid**.

    The powers are the sum of all loads, generators and sources at the bus, generation positive; those of
    its shunts belong to the grid. Buses fused by closed switches show the same row, powers included.
    """
    batch = _batch(network, flow, scenarios)
    voltage, base = batch.take(flow.voltage), float(network.base_mva)
    power = np.conj(np.asarray(network.shunt)) * np.abs(voltage) ** 2
    for rows, end in ((network.from_bus, flow.power_from), (network.to_bus, flow.power_to)):
        np.add.at(power.T, np.asarray(rows), batch.take(end).T)
    buses = list(network.bus_index)
    rows: Array = network.bus_index[buses]
    columns = {
        "vm_pu": np.abs(voltage)[:, rows],
        "va_degree": np.rad2deg(np.angle(voltage))[:, rows],
        "p_mw": power.real[:, rows] * base,
        "q_mvar": power.imag[:, rows] * base,
    }
    return batch.table(columns, {"bus": buses})


def branch_table(network: Network, flow: Flow, scenarios: Sequence[Hashable] | None = None) -> Table:
    """Per branch label: powers and currents at both ends, positive into the branch, losses, loading.

    Columns `p_from_mw`, `q_from_mvar`, `p_to_mw`, `q_to_mvar`, `pl_mw`, `i_from_ka`, `i_to_ka`,
    `loading_percent`, the last NaN where the branch has no rating.
    """
    batch = _batch(network, flow, scenarios)
    base = float(network.base_mva)
    power_from, power_to = batch.take(flow.power_from) * base, batch.take(flow.power_to) * base
    ampere = base / (np.sqrt(3.0) * np.asarray(network.base_kv))  # kA at 1 p.u.
    rated = np.isfinite(network.rating_from) | np.isfinite(network.rating_to)
    columns = {
        "p_from_mw": power_from.real,
        "q_from_mvar": power_from.imag,
        "p_to_mw": power_to.real,
        "q_to_mvar": power_to.imag,
        "pl_mw": power_from.real + power_to.real,
        "i_from_ka": batch.take(flow.current_from) * ampere[network.from_bus],
        "i_to_ka": batch.take(flow.current_to) * ampere[network.to_bus],
        "loading_percent": np.where(rated, 100.0 * batch.take(flow.loading), np.nan),
    }
    return batch.table(columns, {"branch": list(network.branch_labels)})


def source_table(
    network: Network,
    flow: Flow,
    scenarios: Sequence[Hashable] | None = None,
    backup_slack: Sequence[tuple[int, float]] = (),
) -> Table:
    """Per bus that holds its voltage: `kind`, `vm_pu`, and the power that this takes, `p_mw`, `q_mvar`.

    A `slack` bus supplies both beyond the injection given for it; a `pv` bus only reactive power, its `p_mw`
    is part of the injection and NaN here. `limited` says that a reactive limit holds instead of the voltage.
    A `backup` is one of `backup_slack`, that of `solve`; its power is 0 while it holds no island.
    """
    batch = _batch(network, flow, scenarios)
    base = float(network.base_mva)
    power = batch.take(flow.slack_power) * base
    slacks = [*network.slack_buses, *(row for row, _ in backup_slack)]
    if power.shape[1] != len(slacks):
        raise ValueError(
            f"flow has {power.shape[1] - len(network.slack_buses)} backups, but backup_slack names "
            f"{len(backup_slack)}: give what was given to solve"
        )
    limited = np.zeros(power.shape, bool)
    if network.pv_buses:
        reactive = batch.take(flow.generator_reactive) * base
        power = np.concatenate([power, np.nan + 1j * reactive], axis=1)
        limited = np.concatenate([limited, batch.take(flow.limited) != 0], axis=1)
    rows = [*slacks, *network.pv_buses]
    numbers = len(network.slack_buses), len(backup_slack), len(network.pv_buses)
    kind = np.repeat(["slack", "backup", "pv"], numbers)
    columns = {
        "kind": np.broadcast_to(kind, power.shape),
        "vm_pu": np.abs(batch.take(flow.voltage))[:, rows],
        "p_mw": np.real(power),
        "q_mvar": np.imag(power),
        "limited": limited,
    }
    first: dict[int, int] = {}
    for bus, row in network.bus_index.items():
        first.setdefault(row, bus)
    return batch.table(columns, {"bus": [first.get(row, -1) for row in rows]})


def scenario_table(network: Network, flow: Flow, scenarios: Sequence[Hashable] | None = None) -> Table:
    """Per scenario: how it ended and its extremes. Only rows with `converged` are solutions.

    Columns `status` (see `Status`), `converged`, `iterations`, `mismatch_mva`, `losses_mw`, `slack_mw`,
    `vm_min_pu`, `vm_max_pu` over buses that are energised, `loading_max_percent`.
    """
    batch = _batch(network, flow, scenarios)
    base = float(network.base_mva)
    magnitude = np.abs(batch.take(flow.voltage))
    alive = np.where(magnitude > 0.0, magnitude, np.nan)
    status = batch.take(flow.status)
    columns = {
        "status": np.array([Status(code).name.lower() for code in status]),
        "converged": status == Status.CONVERGED,
        "iterations": batch.take(flow.iterations),
        "mismatch_mva": batch.take(flow.mismatch) * base,
        "losses_mw": batch.take(flow.losses) * base,
        "slack_mw": batch.take(flow.slack_power).real.sum(axis=1) * base,
        "vm_min_pu": np.fmin.reduce(alive, axis=1),
        "vm_max_pu": np.fmax.reduce(alive, axis=1),
        "loading_max_percent": 100.0 * batch.take(flow.loading).max(axis=1, initial=0.0),
    }
    return batch.table(columns, {})


class _Batch(NamedTuple):
    """The leading axis of a flow, there or not."""

    labels: Sequence[Hashable] | None  # None: a single power flow
    size: int

    def take(self, value: Any) -> Array:
        """As numpy, with a leading axis."""
        value = np.asarray(value)
        return value[None] if self.labels is None else value

    def table(self, columns: Mapping[str, Array], things: Mapping[str, Sequence[Hashable]]) -> Table:
        pandas = _pandas()
        levels = ([] if self.labels is None else [self.labels]) + list(things.values())
        names = ([] if self.labels is None else ["scenario"]) + list(things)
        if len(levels) > 1:
            index = pandas.MultiIndex.from_product(levels, names=names)
        else:
            index = pandas.Index(levels[0], name=names[0]) if levels else None
        return pandas.DataFrame({name: value.reshape(-1) for name, value in columns.items()}, index=index)


def _batch(network: Network, flow: Flow, scenarios: Sequence[Hashable] | None) -> _Batch:
    _pandas()
    shape = np.shape(flow.voltage)
    if not 1 <= len(shape) <= 2 or shape[-1] != network.n_bus:
        raise ValueError(
            f"flow.voltage has shape {shape}, expected [{network.n_bus}] or [scenarios, {network.n_bus}] "
            f"for network {network.name!r}"
        )
    if len(shape) == 1:
        if scenarios is not None:
            raise ValueError("scenarios labels a batch, but this is a single power flow")
        return _Batch(None, 1)
    if scenarios is not None and len(scenarios) != shape[0]:
        raise ValueError(f"{len(scenarios)} labels for {shape[0]} scenarios")
    return _Batch(range(shape[0]) if scenarios is None else scenarios, shape[0])


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError('tables need pandas: pip install "gridjax[pandas]"') from error
    return pandas
