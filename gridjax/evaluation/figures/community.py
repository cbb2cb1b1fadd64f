"""Figures of a community of prosumers: a day of energy, batteries and prices, and who supplied whom."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gridjax.evaluation.figures.style import COLOURS, FLOWS, LIMIT, dress, hours, new_figure, save
from gridjax.evaluation.tables.titles import TITLES


class CommunityDay(NamedTuple):
    """One day under one controller; powers in kW, sums over the community unless said otherwise."""

    demand: np.ndarray  # [n_step]
    sun: np.ndarray  # [n_step], available
    battery: np.ndarray  # [n_step], positive for discharge
    exchange: np.ndarray  # [n_step], positive for import
    peers: np.ndarray  # [n_step], sent from agent to agent
    charge: np.ndarray  # [n_step, n_agent], share of capacity, nan without battery
    supplied: np.ndarray  # [n_agent, n_agent], kWh of the day from row to column


def energy_day(
    days: Mapping[str, CommunityDay], buy: np.ndarray, sell: np.ndarray, path: Path, title: str
) -> Path:
    """Flows above battery levels above prices (EUR/kWh, `[n_step]`), a column per controller."""
    figure = new_figure(4.9 * len(days), 7.6)
    figure.suptitle(title)
    every = figure.subplots(3, len(days), sharex=True, sharey="row", height_ratios=(3, 2, 1.3), squeeze=False)
    hour = 24.0 * np.arange(buy.size) / buy.size
    for column, (name, day) in enumerate(days.items()):
        flows, levels, prices = every[:, column]
        flows.fill_between(hour, day.sun, color=FLOWS["sun"], alpha=0.5, lw=0, label="sun")
        flows.plot(hour, day.demand, color=FLOWS["demand"], lw=1.8, label="demand")
        flows.plot(hour, day.exchange, color=FLOWS["grid"], lw=1.5, label="from the grid (+), to it (-)")
        flows.plot(hour, day.battery, color=FLOWS["battery"], lw=1.5, label="batteries: discharge (+)")
        flows.plot(hour, day.peers, color=FLOWS["peers"], lw=1.5, ls="--", label="from peer to peer")
        flows.axhline(0, color=LIMIT, lw=0.8)
        dress(flows, "", "power of all (kW)" if column == 0 else "", TITLES.get(name, name))
        for agent in range(day.charge.shape[1]):
            if np.isfinite(day.charge[:, agent]).all():
                levels.plot(hour, 100 * day.charge[:, agent], lw=1.3, label=f"agent {agent}")
        levels.set_ylim(-3, 103)
        dress(levels, "", "battery level (%)" if column == 0 else "")
        prices.step(hour, buy, where="post", color=FLOWS["grid"], lw=1.5, label="import")
        prices.step(hour, sell, where="post", color=FLOWS["sun"], lw=1.5, label="feed-in")
        prices.set_ylim(0, None)
        dress(prices, "hour of the day (h)", "price (EUR/kWh)" if column == 0 else "")
        hours(prices)
    for row in range(3):
        every[row, -1].legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return save(figure, path)


def supply_matrix(supplied: Mapping[str, np.ndarray], path: Path, title: str) -> Path:
    """Energy sent from agent (row) to agent (column), kWh `[n_agent, n_agent]`, a panel per controller."""
    figure = new_figure(4.4 * len(supplied) + 0.8, 4.4)
    figure.suptitle(title)
    most = max(max(float(matrix.max()) for matrix in supplied.values()), 1e-9)
    every = figure.subplots(1, len(supplied), squeeze=False)[0]
    image = None
    for axes, (name, matrix) in zip(every, supplied.items()):
        image = axes.imshow(matrix, cmap="cividis", vmin=0.0, vmax=most)
        n = matrix.shape[0]
        if n <= 12:
            for giver, taker in np.argwhere(matrix >= 0.05):
                value = matrix[giver, taker]
                colour = "black" if value > 0.6 * most else "white"
                axes.text(taker, giver, f"{value:.1f}", ha="center", va="center", color=colour, fontsize=9)
            axes.set_xticks(range(n))
            axes.set_yticks(range(n))
        axes.set_xlabel("to agent")
        axes.set_ylabel("from agent" if axes is every[0] else "")
        axes.set_title(f"{TITLES.get(name, name)}: {matrix.sum():.0f} kWh", fontsize=11)
    figure.colorbar(image, ax=list(every), label="energy (kWh)", shrink=0.85)
    return save(figure, path)


def stability_meaning(path: Path) -> Path:
    """The stability index against its three severities, and where two of them meet."""
    import jax.numpy as jnp

    from gridjax.envs.stability import FREQUENCY, VOLTAGE, stability_index

    def shown_index(voltage: np.ndarray, loading: np.ndarray, frequency: np.ndarray) -> np.ndarray:
        return np.asarray(stability_index(*(jnp.asarray(x) for x in (voltage, loading, frequency))))

    figure = new_figure(10.5, 4.0)
    figure.suptitle("stability index: product of 1 - severity² over voltage, loading and frequency")
    left, right = figure.subplots(1, 2)
    x = np.linspace(0.0, 1.2, 241)
    for loading, colour in ((0.0, COLOURS["optimum"]), (0.5, COLOURS["mappo"]), (0.8, COLOURS["no_control"])):
        index = shown_index(1.0 + VOLTAGE * x[:, None], np.full((x.size, 1), loading), np.full(x.size, 50.0))
        left.plot(100 * VOLTAGE * x, index, color=colour, lw=1.8, label=f"loading {100 * loading:.0f} %")
    off = shown_index(np.ones((x.size, 1)), np.zeros((x.size, 1)), 50.0 * (1.0 + FREQUENCY * x))
    left.plot(100 * VOLTAGE * x, off, color=LIMIT, lw=1.2, ls="--")
    left.text(
        0.02,
        0.04,
        "dashed: an island's frequency,\n2 % off where voltage is 10 % off",
        transform=left.transAxes,
        fontsize=8,
    )
    left.legend(frameon=False, fontsize=9)
    dress(left, "worst bus: |v - 1| (%)", "stability index (-)")
    voltage, loading = np.meshgrid(np.linspace(0, 1, 101), np.linspace(0, 1, 101))
    index = shown_index(1.0 + VOLTAGE * voltage[..., None], loading[..., None], np.full(voltage.shape, 50.0))
    shown = right.contourf(
        100 * VOLTAGE * voltage, 100 * loading, index, levels=np.linspace(0, 1, 11), cmap="cividis"
    )
    figure.colorbar(shown, ax=right, label="stability index (-)")
    dress(right, "worst bus: |v - 1| (%)", "worst branch: loading (%)")
    return save(figure, path)
