"""Build VoltageControl-v0 from a network, real profiles and a placement of inverters."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from gridjax import network as networks
from gridjax.envs.placement import spread
from gridjax.envs.registry import register
from gridjax.envs.voltage_control.barriers import BARRIERS
from gridjax.envs.voltage_control.environment import Params, VoltageControl
from gridjax.envs.voltage_control.placement import nearest_zones, published
from gridjax.network import Network
from gridjax.powerflow import prepare
from gridjax.scenarios import Profiles, days, load_simbench
from gridjax.scenarios.task_year import check_year


def make(
    network: str | Network = "case33bw",
    *,
    split: str = "train",
    barrier: str = "l1",
    reactive_weight: float = 0.01,
    loss_weight: float = 0.0,
    episode_length: int = 240,
    pv_buses: Sequence[int] | None = None,
    zones: Sequence[Sequence[int]] | None = None,
    peak_load_mw: float | None = None,
    peak_pv_mw: float | None = None,
    action_range: float | None = None,
    voltage_band: tuple[float, float] = (0.95, 1.05),
    profiles: Profiles | None = None,
    assignment_seed: int = 0,
    max_iterations: int = 20,
) -> tuple[VoltageControl, Params]:
    """VoltageControl-v0: the static environment and its params.

    Args:
        network: a shipped name, the path of one that `save_network` wrote, or a `Network`. Its nominal
            injection says which buses have demand, and in which proportion; those that generate more than
            they use have none, with a warning. Constant-current and -impedance parts stay as they are.
        split: "train", "validation" or "test": the days an episode may start on.
        barrier: "l1", "l2" or "bowl".
        reactive_weight: on the mean |q| in MVAr. MAPDN publishes 0.1, with which doing nothing is optimal.
        loss_weight: on the losses in MW; 0 in the protocol.
        episode_length: three-minute steps; 480 make a day.
        pv_buses, zones: rows of the network with an inverter (of buses as its source numbers them:
            `network.bus_index[[58, 60]]`), and the rows that each observes. Default: MAPDN's for case33bw and
            case141, else loaded buses far apart, each observing what is nearest.
        peak_load_mw, peak_pv_mw: largest total demand, and sum of the inverters' peaks. Default: MAPDN's,
            else the network's own load and 2.5 times that.
        action_range: share of the reactive capability in use; MAPDN's, else 0.8.
        voltage_band: p.u., of the metrics and of the voltage cost.
        profiles: a year of relative profiles, such as `gridjax.scenarios.task_profiles` makes of a user's
            table; default SimBench's.
        assignment_seed: which bus follows which profile.
        max_iterations: of the chord, before a power flow counts as failed.

    Raises `ValueError` that names the option, its value and what was expected.
    """
    network = networks.get(network)
    if barrier not in BARRIERS:
        raise ValueError(f"barrier is {barrier!r}, expected one of {', '.join(BARRIERS)}")
    protocol = published(network) if pv_buses is None else None
    if protocol is not None:
        pv, default_zones = protocol.pv_buses, protocol.zones
    else:
        pv = _check_rows("pv_buses", pv_buses if pv_buses is not None else spread(network), network)
        default_zones = None
        slack = sorted(set(pv) & set(network.slack_buses))
        if slack:
            raise ValueError(
                f"pv_buses holds {slack}, where the slack holds the voltage, expected other rows"
            )
    if len(set(pv)) != len(pv):
        raise ValueError(f"pv_buses must be distinct, got {list(pv)}")
    if zones is None:
        zones = default_zones or nearest_zones(network, [[bus] for bus in pv])
    if len(zones) != len(pv):
        raise ValueError(f"zones has {len(zones)} entries, expected one per inverter, {len(pv)}")
    zones = [_check_rows(f"zones[{k}]", zone, network) for k, zone in enumerate(zones)]

    own_load = float(-np.minimum(np.real(network.nominal_injection), 0.0).sum() * network.base_mva)
    if peak_load_mw is None:
        peak_load_mw = protocol.peak_load_mw if protocol else own_load
    if peak_pv_mw is None:
        peak_pv_mw = protocol.peak_pv_mw if protocol else 2.5 * peak_load_mw
    if action_range is None:
        action_range = protocol.action_range if protocol else 0.8
    low, high = voltage_band
    for name, value, good in (
        ("peak_load_mw", peak_load_mw, np.isfinite(peak_load_mw) and peak_load_mw > 0),
        ("peak_pv_mw", peak_pv_mw, np.isfinite(peak_pv_mw) and peak_pv_mw > 0),
        ("action_range", action_range, 0 < action_range <= 1),
        ("reactive_weight", reactive_weight, np.isfinite(reactive_weight) and reactive_weight >= 0),
        ("loss_weight", loss_weight, np.isfinite(loss_weight) and loss_weight >= 0),
        ("episode_length", episode_length, 1 <= episode_length <= 480),
        ("voltage_band", voltage_band, 0 < low < high),
        ("max_iterations", max_iterations, max_iterations >= 2),
    ):
        if not good:
            raise ValueError(f"{name} is {value!r}, out of range")

    profiles = load_simbench() if profiles is None else check_year(profiles)
    demand = _demand(network, profiles, peak_load_mw, assignment_seed)
    sun = _sun(network, profiles, len(pv), peak_pv_mw)
    width = max(len(zone) for zone in zones)
    padded = np.full((len(pv), width), -1, np.int32)
    for k, zone in enumerate(zones):
        padded[k, : len(zone)] = zone
    env = VoltageControl(n_bus=network.n_bus, n_agent=len(pv), max_iterations=max_iterations)
    params = Params(
        network=network,
        chord=prepare(network, "chord", "dense"),
        demand=jnp.asarray(demand),
        sun=jnp.asarray(sun),
        days=jnp.asarray(days(split), jnp.int32),
        pv_bus=jnp.asarray(pv, jnp.int32),
        zone=jnp.asarray(padded),
        apparent=jnp.asarray(1.2 * sun.max(axis=0), jnp.float32),
        action_range=jnp.float32(action_range),
        barrier=jnp.int32(BARRIERS.index(barrier)),
        reactive_weight=jnp.float32(reactive_weight),
        loss_weight=jnp.float32(loss_weight),
        voltage_low=jnp.float32(low),
        voltage_high=jnp.float32(high),
        divergence_penalty=jnp.float32(200.0),
        tolerance=jnp.float32(1e-5),
        episode_length=jnp.int32(episode_length),
        random_start=jnp.bool_(True),
    )
    return env, params


def _check_rows(name: str, rows: Sequence[int], network: Network) -> tuple[int, ...]:
    rows = tuple(int(row) for row in rows)
    if not rows:
        raise ValueError(f"{name} is empty")
    bad = [row for row in rows if not 0 <= row < network.n_bus]
    if bad:
        raise ValueError(f"{name} holds {bad}, expected rows of {network.name!r} in [0, {network.n_bus})")
    return rows


def _with_last_row_twice(table: np.ndarray) -> np.ndarray:
    # two rows past the year, so that interpolation at its last midnight stays inside the table
    return np.concatenate([table, table[-1:], table[-1:]]).astype(np.float32)


def _demand(network: Network, profiles: Profiles, peak_mw: float, seed: int) -> np.ndarray:
    nominal = -np.asarray(network.nominal_injection).astype(np.complex128)
    generating = np.flatnonzero(nominal.real < 0.0)
    if generating.size:
        warnings.warn(
            f"network {network.name!r}: {generating.size} buses generate more than they use, such as in row "
            f"{generating[0]}; they have no demand in VoltageControl-v0",
            stacklevel=3,
        )
        nominal[generating] = 0.0
    loaded = np.flatnonzero(nominal != 0.0)
    shuffled = np.random.default_rng(seed).permutation(profiles.load_p.shape[1])
    profile = np.zeros(network.n_bus, int)
    profile[loaded] = np.resize(shuffled, loaded.size)
    active = profiles.load_p[:, profile] * nominal.real
    reactive = profiles.load_q[:, profile] * nominal.imag
    scale = peak_mw / float(network.base_mva) / active.sum(axis=1).max()
    return _with_last_row_twice(scale * np.concatenate([active, reactive], axis=1))


def _sun(network: Network, profiles: Profiles, n_agent: int, peak_mw: float) -> np.ndarray:
    profile = profiles.pv[:, np.arange(n_agent) % profiles.pv.shape[1]]
    share = peak_mw / n_agent / float(network.base_mva)
    return _with_last_row_twice(share * profile / profile.max(axis=0))


register("VoltageControl-v0", make)
