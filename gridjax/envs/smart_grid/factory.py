"""Build SmartGrid-v0 from a network, a year of profiles, and what prosumers own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import jax
import jax.numpy as jnp
import numpy as np

from gridjax import network as networks
from gridjax.envs.options import known
from gridjax.envs.placement import spread
from gridjax.envs.registry import register
from gridjax.envs.smart_grid.environment import SmartGrid
from gridjax.envs.smart_grid.households import Shares, draw_households
from gridjax.envs.smart_grid.neighbours import (
    electrical_distance,
    impedances,
    loss_matrix,
    neighbour_slots,
)
from gridjax.envs.smart_grid.outside import AHEAD
from gridjax.envs.smart_grid.state import Params, Weights
from gridjax.network import Network
from gridjax.powerflow import prepare
from gridjax.scenarios import HOUSEHOLDS, Profiles, SyntheticParams, days, load_simbench, sample_year
from gridjax.scenarios.events import events as draw_events
from gridjax.scenarios.prices import Tariff
from gridjax.scenarios.prices import tariff as default_tariff
from gridjax.scenarios.split import N_DAYS
from gridjax.scenarios.tables import Foretold, Tables, tables
from gridjax.scenarios.task_year import check_year

SEASONS: Mapping[str, tuple[int, ...]] = {
    "winter": (12, 1, 2),
    "spring": (3, 4, 5),
    "summer": (6, 7, 8),
    "autumn": (9, 10, 11),
}
SOURCES = ("simbench", "synthetic")
_SYNTHETIC_LOADS, _SYNTHETIC_SITES = 32, 8
# the smallest shipped networks with enough loads; more agents than these have share buses of the last
_NETWORKS = (("cigre_lv", 15), ("kerber_vorstadtnetz", 146))
# of cigre_lv: the loads of the residential feeder (CIGRE task force C6.04.02) but that at its transformer
_RESIDENTIAL = (11, 15, 16, 17, 18)
_WEIGHTS = Weights(stability=0.5, efficiency=0.1, cost=1.0, cooperation=0.02)


def make(
    network: str | Network | None = None,
    *,
    agents: int = 5,
    buses: Sequence[int] | None = None,
    neighbours: int = 4,
    split: str = "train",
    season: str | None = None,
    source: str = "simbench",
    profiles: Profiles | None = None,
    events: Sequence[str] = (),
    event_probability: float = 1.0,
    tariff: Tariff | None = None,
    weights: Mapping[str, float] | None = None,
    shares: Shares | Mapping[str, float] | None = None,
    forecast_error: float = 0.2,
    foretold: Foretold | None = None,
    message_noise: float = 0.02,
    message_loss: float = 0.05,
    contracted_power: float | None = None,
    episode_length: int = 96,
    seed: int = 0,
    max_iterations: int = 20,
) -> tuple[SmartGrid, Params]:
    """SmartGrid-v0: the static environment and its params.

    Args:
        network: a shipped name or a `Network` of slack and PQ buses. Default: the smallest of cigre_lv and
            kerber_vorstadtnetz with a load bus for every agent.
        agents: number of prosumers. On cigre_lv first those of the residential feeder, elsewhere at load
            buses far apart. Where there are more than load buses, some share one, like flats behind one
            cable: each then has an equal part of the bus's demand.
        buses: rows of the network, one per agent, in place of those.
        neighbours: slots per agent, filled by electrical distance.
        split: "train", "validation" or "test": the days an episode may start on.
        season: "winter", "spring", "summer" or "autumn": of those days; default all.
        source: "simbench", the real year, or "synthetic", a year drawn from `seed`.
        profiles: a year in place of `source`, such as `gridjax.scenarios.task_profiles` makes of a user's
            table; agents and all others follow all of its loads.
        events: names of `gridjax.scenarios.events.EVENTS` that happen, each with `event_probability` per
        episode.
        tariff: default `gridjax.scenarios.prices.tariff()`.
        weights: of reward terms, those not named as by default.
        shares: of the agents that own sun, battery, vehicle, heat pump; those not named as by default.
            Vehicles and heat pumps add an action each as soon as their share is not 0.
        forecast_error: relative standard deviation of forecasts eight hours ahead.
        foretold: forecasts to observe in place of those, for every quarter hour of the year 1, 2, 4 and 8 h
            ahead, such as `gridjax.learners.forecaster.foretell` makes.
        message_noise, message_loss: of what neighbours say, and the probability of not hearing one.
        contracted_power: kW that the community may import at once, beyond which there is the cost `peak`.
            Default: a fifth of the sum of the agents' own peaks, which do not coincide.
        episode_length: quarter hours, from midnight.
        seed: of ratings and of who follows which profile, on the host.
        max_iterations: of the chord, before a power flow counts as failed.

    Raises `ValueError` that names the option, its value and what was expected.
    """
    if network is None:
        network = next((name for name, most in _NETWORKS if agents <= most), _NETWORKS[-1][0])
    network = networks.get(network)
    owned = shares if isinstance(shares, Shares) else Shares(**known("shares", shares, asdict(Shares())))
    chosen = replace(_WEIGHTS, **known("weights", weights, asdict(_WEIGHTS)))
    for name, value, good, expected in (
        ("agents", agents, isinstance(agents, int) and agents >= 1, "a whole number of at least 1"),
        (
            "neighbours",
            neighbours,
            isinstance(neighbours, int) and neighbours >= 1,
            "a whole number of at least 1",
        ),
        ("source", source, source in SOURCES, f"one of {', '.join(SOURCES)}"),
        ("season", season, season is None or season in SEASONS, f"one of {', '.join(SEASONS)}, or None"),
        ("forecast_error", forecast_error, 0 <= forecast_error < np.inf, "a finite number, not negative"),
        ("message_noise", message_noise, 0 <= message_noise < np.inf, "a finite number, not negative"),
        ("message_loss", message_loss, 0 <= message_loss <= 1, "a probability in [0, 1]"),
        ("episode_length", episode_length, 1 <= episode_length <= 96 * 7, "1 to 672 quarter hours"),
        ("max_iterations", max_iterations, max_iterations >= 2, "at least 2"),
        (
            "contracted_power",
            contracted_power,
            contracted_power is None or 0 <= contracted_power < np.inf,
            "a finite number, not negative, or None",
        ),
        *((f"shares[{k!r}]", v, 0 <= v <= 1, "a share in [0, 1]") for k, v in asdict(owned).items()),
        *((f"weights[{k!r}]", v, np.isfinite(v), "a finite number") for k, v in asdict(chosen).items()),
    ):
        if not good:
            raise ValueError(f"{name} is {value!r}, expected {expected}")

    base = float(network.base_mva) * 1e3
    nominal = -np.asarray(network.nominal_injection).astype(complex) * base
    places = _places(network, agents) if buses is None else _check_buses(buses, network, agents)
    crowd = np.bincount(places, minlength=network.n_bus)
    peak = np.abs(nominal[places].real) / crowd[places]
    table, own_columns, other_columns = _profiles(source, seed) if profiles is None else _given(profiles)
    homes = draw_households(
        places, peak, nominal[places].imag / crowd[places], own_columns, table.sun.shape[1], owned, seed
    )
    columns = impedances(network, places)
    neighbour, reverse = neighbour_slots(
        electrical_distance(columns, places), min(neighbours, max(agents - 1, 1))
    )
    others = np.where((crowd > 0) | (nominal.real <= 0.0), 0.0, nominal)
    rng = np.random.default_rng(seed + 1)
    mean_demand = float(np.mean(table.demand[:, np.asarray(homes.demand_profile)].mean(axis=0) * peak))
    prices = _tariff(tariff)
    energy = mean_demand * 0.25
    background_mean = float(np.sum(np.real(others))) * float(table.demand[:, other_columns].mean())

    env = SmartGrid(
        n_bus=network.n_bus,
        n_agent=agents,
        n_slot=neighbour.shape[1],
        vehicles=owned.vehicle > 0,
        heat_pumps=owned.heat_pump > 0,
        max_iterations=max_iterations,
    )
    number = jnp.float32
    params = Params(
        network=network,
        chord=prepare(network, "chord"),
        profiles=jax.tree.map(jnp.asarray, table),
        days=jnp.asarray(_days(split, season), jnp.int32),
        households=homes,
        background=jnp.asarray(others / base, jnp.complex64),
        background_profile=jnp.asarray(rng.choice(other_columns, network.n_bus), jnp.int32),
        agents_at=jnp.asarray(_agents_at(places, network.n_bus)),
        neighbour=jnp.asarray(neighbour),
        reverse=jnp.asarray(reverse),
        loss_matrix=jnp.asarray(loss_matrix(columns), number),
        tariff=prices,
        events=draw_events(events, event_probability),
        weights=jax.tree.map(number, chosen),
        stored_price=number(0.16),
        unserved_price=number(10.0),
        discomfort_price=number(1.0),
        reference_energy=number(energy),
        reference_bill=number(energy * float(jnp.mean(prices.bands))),
        forecast_error=number(forecast_error),
        message_noise=number(message_noise),
        message_loss=number(message_loss),
        initial_charge=jnp.asarray([0.1, 0.9], number),
        contracted_power=number(0.2 * float(peak.sum()) if contracted_power is None else contracted_power),
        island_power=number(max(background_mean, 0.2 * float(peak.sum()))),
        island_droop=number(0.015),
        voltage_low=number(0.95),
        voltage_high=number(1.05),
        divergence_penalty=number(200.0),
        episode_length=jnp.int32(episode_length),
        latest_start=jnp.int32(0),
        foretold=None if foretold is None else _forecasts(foretold, table),
    )
    return env, params


def _places(network: Network, agents: int) -> np.ndarray:
    """Buses of the agents, `[agents]` ascending; all load buses in turn where those are too few."""
    nominal = np.real(network.nominal_injection)
    loaded = np.setdiff1d(np.flatnonzero(nominal < 0.0), network.slack_buses)
    if loaded.size == 0:
        raise ValueError(f"network {network.name!r} has no load bus, expected one to put a prosumer on")
    rounds, rest = divmod(agents, loaded.size)
    if network.name == "cigre_lv" and not rounds:
        first = np.array(_RESIDENTIAL)
        more = np.concatenate([first, np.setdiff1d(loaded, first)])[:rest]
    else:
        more = np.array(spread(network, rest), int) if rest else np.empty(0, int)
    return np.sort(np.concatenate([np.repeat(loaded, rounds), more]))


def _check_buses(buses: Sequence[int], network: Network, agents: int) -> np.ndarray:
    rows = np.asarray(buses, int)
    if rows.shape != (agents,):
        raise ValueError(f"buses is {list(buses)!r}, expected one row per agent, {agents}")
    load = -np.real(network.nominal_injection)
    bad = [int(row) for row in rows if not (0 <= row < network.n_bus and load[row] > 0.0)]
    if bad:
        raise ValueError(f"buses holds {bad}, expected rows of {network.name!r} with a load")
    return rows


def _agents_at(buses: np.ndarray, n_bus: int) -> np.ndarray:
    width = int(np.bincount(buses, minlength=n_bus).max())
    table = np.full((n_bus, width), -1, np.int32)
    filled = np.zeros(n_bus, int)
    for agent, bus in enumerate(buses):
        table[bus, filled[bus]] = agent
        filled[bus] += 1
    return table


def _days(split: str, season: str | None) -> np.ndarray:
    every = days(split)
    if season is None:
        return every
    month = (np.datetime64("2016-01-01") + every).astype("datetime64[M]").astype(int) % 12 + 1
    return every[np.isin(month, SEASONS[season])]


def _profiles(source: str, seed: int) -> tuple[Tables, np.ndarray, np.ndarray]:
    """Tables of the year, and the demand columns of prosumers and of all others."""
    if source == "simbench":
        year = load_simbench()
        own = [year.load_names.index(name) for name in HOUSEHOLDS]
        trade = [k for k, name in enumerate(year.load_names) if name.startswith("G1-")]
        return tables(year), np.array(own), np.array(own + trade)
    drawn = jax.jit(sample_year, static_argnums=(2, 3))(
        jax.random.key(seed), SyntheticParams(), _SYNTHETIC_LOADS, _SYNTHETIC_SITES
    )
    parts = [np.asarray(part).reshape(N_DAYS * 96, -1) for part in (drawn.load_p, drawn.load_q, drawn.pv)]
    half = _SYNTHETIC_LOADS // 2
    return Tables(*parts), np.arange(half), np.arange(half, _SYNTHETIC_LOADS)


def _forecasts(given: Foretold, table: Tables) -> Foretold:
    for name, truth in (("demand", table.demand), ("sun", table.sun)):
        found, shape = getattr(given, name), (truth.shape[0], len(AHEAD), truth.shape[1])
        if found.shape != shape:
            raise ValueError(f"foretold.{name} has shape {found.shape}, expected {shape}")
        if not np.isfinite(found).all():
            raise ValueError(f"foretold.{name} holds numbers that are not finite")
    return jax.tree.map(lambda part: jnp.asarray(part, jnp.float32), given)


def _given(year: Profiles) -> tuple[Tables, np.ndarray, np.ndarray]:
    every = np.arange(len(check_year(year).load_names))
    return tables(year), every, every


def _tariff(given: Tariff | None) -> Tariff:
    return default_tariff() if given is None else given


register("SmartGrid-v0", make)
