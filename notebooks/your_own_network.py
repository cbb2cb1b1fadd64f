# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own network: ten thousand states, a year, every outage
#
# This is for the engineer who has a network in pandapower and a question with many power flows in it: *how
# low can the voltage get? what does a year look like? which line must not fail?* One power flow at a time
# answers none of them. Here each is one call.
#
# The three steps are always the same: `from_pandapower` converts the network once, `solve` takes any number
# of states at once, `to_pandas` gives tables with bus numbers and units.
#
# Run it as a notebook with `jupytext --to ipynb notebooks/your_own_network.py`. It needs the extras
# `calibration` (pandapower), `pandas`, and matplotlib. You know power flow; of JAX you need to know nothing.

# %%
import time

import jax
import matplotlib.pyplot as plt
import numpy as np
import pandapower as pp
import pandas as pd

from gridjax.calibration import from_pandapower
from gridjax.powerflow import prepare, solve
from gridjax.powerflow.tables import to_pandas
from gridjax.powerflow.timeseries import time_series

# %% [markdown]
# JAX computes in single precision unless told otherwise. gridjax keeps single precision good enough for
# most work (better than 1e-6 p.u. in voltage); planning studies are used to more, so we ask for double.

# %%
jax.config.update("jax_enable_x64", True)

# %% [markdown]
# ## 1. The network
#
# A town: one 110/20 kV transformer, a 20 kV ring of fourteen stations, and two branch lines into the
# country. A biogas plant on the ring holds its voltage. The hospital's load is a mixture of constant power,
# constant current and constant impedance, as measurements of real loads are.

# %%
town = pp.create_empty_network(name="town", sn_mva=10.0)
grid = pp.create_bus(town, vn_kv=110.0, name="grid")
busbar = pp.create_bus(town, vn_kv=20.0, name="busbar")
pp.create_ext_grid(town, grid, vm_pu=1.02)
pp.create_transformer(town, grid, busbar, std_type="25 MVA 110/20 kV", tap_pos=-2)

CABLE = "NA2XS2Y 1x150 RM/25 12/20 kV"


def street(start, names, length_km):
    """Buses in a row behind `start`, with their cables; returns them."""
    buses = []
    for name in names:
        buses.append(pp.create_bus(town, vn_kv=20.0, name=name))
        pp.create_line(town, start, buses[-1], length_km=length_km, std_type=CABLE, name=f"to {name}")
        start = buses[-1]
    return buses


north = street(busbar, [f"north {k}" for k in range(1, 8)], 1.1)
south = street(busbar, [f"south {k}" for k in range(1, 8)], 1.3)
pp.create_line(town, north[-1], south[-1], length_km=0.9, std_type=CABLE, name="tie")
farms = street(north[3], ["farm 1", "farm 2"], 3.0)
mill = street(south[2], ["mill 1", "mill 2"], 2.5)

rng = np.random.default_rng(1)
for bus in north + south + farms + mill:
    peak = rng.uniform(0.5, 1.1)
    pp.create_load(town, bus, p_mw=peak, q_mvar=0.3 * peak)
hospital = south[4]
pp.create_load(
    town,
    hospital,
    p_mw=1.5,
    q_mvar=0.5,
    const_z_p_percent=40.0,
    const_i_p_percent=30.0,
    const_z_q_percent=60.0,
    const_i_q_percent=20.0,
    name="hospital",
)
biogas = north[5]
pp.create_gen(town, biogas, p_mw=3.0, vm_pu=1.01, min_q_mvar=-4.0, max_q_mvar=4.0, name="biogas")

pp.runpp(town, calculate_voltage_angles=True, tolerance_mva=1e-9)
print(f"{len(town.bus)} buses, {len(town.line)} cables, {town.load.p_mw.sum():.1f} MW of load")

# %% [markdown]
# ## 2. Converted, solved, compared
#
# `from_pandapower` reads the same tables as pandapower's own power flow does: taps, charging, switches,
# generators, voltage-dependent loads. What it cannot express it refuses, naming the element. You get
# the network and its own injection, one complex number per bus in p.u., **generation positive**.

# %%
network, own = from_pandapower(town)
flow = solve(network, own)
tables = to_pandas(network, flow)

difference = (tables.bus.vm_pu - town.res_bus.vm_pu).abs().max()
print(f"largest difference from pandapower: {difference:.1e} p.u.")
assert difference < 1e-7
tables.bus.join(town.bus.name).set_index("name", append=True).round(4).head(6)

# %% [markdown]
# The branch table is labelled as pandapower's elements are; `pl_mw` are the losses. The source table
# has who holds the voltage: the grid connection, and the biogas plant with the reactive power that takes.

# %%
tables.branch.sort_values("loading_percent", ascending=False).round(3).head(5)

# %%
tables.source.round(3)

# %% [markdown]
# ## 3. Ten thousand load states in one cell
#
# Leading axes of the injection are scenarios: no loop. Each load is scaled on its own by 0.5 to 1.5; the
# row of a pandapower bus is `network.bus_index[bus]`, for one bus or many. What varies is `loads`, on
# top of the network's own injection, in which the biogas plant is contained.

# %%
ordinary = town.load[town.load.name != "hospital"]
load_rows = network.bus_index[ordinary.bus]
loads = np.zeros(network.n_bus, complex)
loads[load_rows] = -(ordinary.p_mw + 1j * ordinary.q_mvar) / float(network.base_mva)  # consumption: negative

states = own + loads * rng.uniform(-0.5, 0.5, (10_000, network.n_bus))

solver = prepare(network)  # what depends on the network alone, once
run = jax.jit(lambda s: solve(network, s, solver=solver))
jax.block_until_ready(run(states))  # the first call compiles

began = time.perf_counter()
many = jax.block_until_ready(run(states))
elapsed = time.perf_counter() - began
print(f"{len(states):,} power flows in {elapsed:.2f} s: {len(states) / elapsed:,.0f} a second")
assert many.converged.all()

# %% [markdown]
# Nothing raises when a state has no solution: it is flagged, so look at `converged` before you believe a
# number. In pandas a batch is indexed by scenario first.

# %%
result = to_pandas(network, many)
result.scenario[["losses_mw", "slack_mw", "vm_min_pu", "loading_max_percent"]].describe().round(3)

# %%
by_bus = result.bus.vm_pu.unstack("bus")
order = [busbar, *north, *reversed(south)]
low, middle, high = (by_bus[order].quantile(q) for q in (0.01, 0.5, 0.99))
figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
axes.fill_between(range(len(order)), low, high, color="#0072B2", alpha=0.2, lw=0, label="98 of 100 states")
axes.plot(middle.to_numpy(), color="#0072B2", marker="o", ms=3, label="median")
axes.set_xticks(range(len(order)), town.bus.name[order], rotation=60, ha="right")
axes.set_ylabel("voltage (p.u.)")
axes.set_title("around the ring: ten thousand load states")
axes.grid(alpha=0.3)
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## 4. A year of quarter hours, at four levels of growth
#
# 35,136 steps (2024 is a leap year) times four scenarios are 140,544 power flows. Their injections need
# not lie in memory at once: `time_series` asks a function for one slice of steps after another, in chunks
# that fit a memory budget, and keeps what you name: here extremes, losses, and a function of our own
# (the reactive power of the biogas plant).
# With `folder=...` the results go to memory-mapped files, and an interrupted run goes on where it was.

# %%
when = pd.date_range("2024-01-01", periods=35_136, freq="15min")
hour = when.hour + when.minute / 60
season = 1.0 + 0.25 * np.cos(2 * np.pi * (when.dayofyear - 15) / 366)
day = 0.55 + 0.3 * np.exp(-(((hour - 12) / 4) ** 2)) + 0.35 * np.exp(-(((hour - 19) / 2.2) ** 2))
week = np.where(when.dayofweek < 5, 1.0, 0.85)
shape = (season * day * week).to_numpy()
growth = np.array([1.0, 1.2, 1.4, 1.6])


def injection(steps):
    """Complex p.u. `[steps, 4, n_bus]` of a slice of steps."""
    noise = np.random.default_rng(steps.start).uniform(0.9, 1.1, (steps.stop - steps.start, 1, network.n_bus))
    return own + loads * (shape[steps, None, None] * growth[:, None] * noise - 1.0)


series = time_series(
    network,
    injection,
    steps=len(when),
    outputs={
        "lowest": "voltage_min",
        "loading": "loading_max",
        "losses": "losses",
        "plant": lambda flow: flow.generator_reactive[..., 0],
    },
    solver=solver,
    memory=128 << 20,
)
print(f"{series.status.size:,} power flows, {series.chunk_steps:,} steps in a chunk")
assert series.converged.all()

# %%
names = [f"load x {g:g}" for g in growth]
lost = pd.DataFrame(series["losses"] * float(network.base_mva), index=when, columns=names)
energy = lost.sum() / 4
overload = pd.DataFrame(series["loading"] > 1.0, columns=names).sum() / 4
lowest = pd.DataFrame(series["lowest"], columns=names).min()
plant = pd.DataFrame(series["plant"] * float(network.base_mva), columns=names)
pd.DataFrame(
    {
        "losses (MWh)": energy.round(0),
        "overloaded (h)": overload,
        "lowest voltage (p.u.)": lowest.round(4),
        "plant beyond 4 MVAr (h)": (plant > 4.0).sum() / 4,
    }
)

# %% [markdown]
# At the two higher levels the plant would have to supply more reactive power than it can. Ask for its
# limits where that matters: then the bus gives up its voltage instead, and is marked `limited`.

# %%
step, level = np.unravel_index(np.argmax(series["plant"]), series["plant"].shape)
worst = injection(slice(step, step + 1))[0, level]
limited = solve(network, worst, enforce_reactive_limits=True)
print(f"{when[step]:%d %B, %H:%M}, {names[level]}")
to_pandas(network, limited).source.round(3)

# %% [markdown]
# The curve that planning asks for: how many hours a year is the most loaded element above so much?

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
hours = np.arange(len(when)) / 4
for k, (name, colour) in enumerate(zip(names, ("#56B4E9", "#0072B2", "#E69F00", "#D55E00"))):
    left.plot(hours, 100 * np.sort(series["loading"][:, k])[::-1], color=colour, label=name)
left.axhline(100, color="0.3", ls="--")
left.set(xlabel="hours a year", ylabel="loading of the worst element (%)", xlim=(0, 8784))
left.grid(alpha=0.3)
left.legend(frameon=False)
image = right.imshow(
    series["lowest"][:, 3].reshape(366, 96).T,
    aspect="auto",
    origin="lower",
    extent=(1, 366, 0, 24),
    cmap="viridis",
)
right.set(xlabel="day of the year", ylabel="hour", title=f"lowest voltage (p.u.), {names[3]}")
figure.colorbar(image, ax=right)
plt.show()

# %% [markdown]
# ## 5. What if a line fails?
#
# Topology may differ from scenario to scenario, too: a zero in `branch_status` takes a branch out. So the
# N-1 screening of the whole network is one batch, a scenario for each cable that fails. Behind a radial
# cable the buses lose supply: they are found, reported in `energised`, and have voltage 0.
#
# We do it in the worst quarter hour of the ordinary year, reactive limits of the plant included.

# %%
worst_step = int(np.argmax(series["loading"][:, 0]))
worst_hour = injection(slice(worst_step, worst_step + 1))[0, 0]
in_service = np.ones((network.n_branch, network.n_branch)) - np.eye(network.n_branch)

began = time.perf_counter()
outages = solve(
    network,
    np.broadcast_to(worst_hour, (network.n_branch, network.n_bus)),
    branch_status=in_service,
    enforce_reactive_limits=True,
)
screened = to_pandas(network, outages, list(network.branch_labels))
screened.scenario["dead buses"] = (~np.asarray(outages.energised)).sum(axis=1)
print(f"{network.n_branch} outages at {when[worst_step]:%d %B, %H:%M}, compiled and solved in", end=" ")
print(f"{time.perf_counter() - began:.1f} s")
ranked = screened.scenario.sort_values(["dead buses", "loading_max_percent"], ascending=False)
ranked[["converged", "dead buses", "vm_min_pu", "loading_max_percent"]].round(3).head(10)

# %% [markdown]
# Without the one transformer everything is dark. Of the cables of the ring the first of each side weigh most.
# pandapower says the same, an outage at a time:

# %%
load = -float(network.base_mva) * (worst_hour - own + loads)[load_rows]
town.load.loc[ordinary.index, "p_mw"], town.load.loc[ordinary.index, "q_mvar"] = load.real, load.imag
checked = screened.scenario.index[:: max(1, network.n_branch // 6)]
for label in checked:
    kind, index = label.split()[:2]
    town[kind].loc[int(index), "in_service"] = False
    try:
        pp.runpp(town, calculate_voltage_angles=True, enforce_q_lims=True, tolerance_mva=1e-8)
        ours, theirs = screened.scenario.vm_min_pu[label], town.res_bus.vm_pu.min()
        print(f"without {label}: lowest voltage {ours:.5f} p.u., pandapower {theirs:.5f} p.u.")
        assert abs(ours - theirs) < 1e-5
    finally:
        town[kind].loc[int(index), "in_service"] = True

# %%
shown = screened.scenario[screened.scenario["dead buses"] == 0].sort_values("loading_max_percent")
figure, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
axes.barh(shown.index, shown.loading_max_percent, color="#0072B2")
axes.axvline(100, color="0.3", ls="--")
axes.set(xlabel="loading of the worst element (%)", title="if this one fails")
axes.tick_params(axis="y", labelsize=8)
axes.grid(alpha=0.3, axis="x")
plt.show()

# %% [markdown]
# ## Where to go from here
#
# - Larger networks: `gridjax.powerflow.contingencies(network, injection)` screens every outage by
#   compensating the intact network's factor; `rank` sorts what it finds.
# - A tour of the rest, gradients and learning environments: `notebooks/first_tour.py`.
# - How fast, how exact, against which peers: `python -m benchmarks.powerflow`.
# - An environment on it: `gridjax.make("VoltageControl-v0", network=network)`, with inverters at
#   `pv_buses=network.bus_index[[...]]`; thousands of it step at once, and agents learn on it.
# - Save your network for next time: `gridjax.network.save_network(network, folder)`.
#   `gridjax.network.get(path)` reads it, and so does `python -m experiments.mappo --network PATH.json`.
