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
# # A first tour of gridjax
#
# A grid is a *pytree of numbers* and everything that is done with it a *pure function*. So the whole of JAX
# applies: `vmap` solves thousands of states at once, `grad` differentiates through the power flow, `jit`
# compiles the lot. This tour does each once, then brings in a network of its own from pandapower.
#
# Run it as a notebook with `jupytext --to ipynb notebooks/first_tour.py`. It needs the extras `train` (for
# the plots) and `calibration` (for pandapower, from section 4 on).

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import gridjax

# %% [markdown]
# ## 1. Load a network and solve it
#
# Everything is in per-unit on the network's base. Injections are complex, one entry per bus, and **positive
# for generation**: a load is a negative injection. `nominal_injection` holds the network's own loads.

# %%
feeder = gridjax.network.get("case33bw")
flow = gridjax.powerflow.solve(feeder, feeder.nominal_injection)

magnitude = jnp.abs(flow.voltage)
lowest = int(magnitude.argmin())
print(f"{feeder.n_bus} buses, {feeder.n_branch} branches, base {float(feeder.base_mva):g} MVA")
print(f"converged: {bool(flow.converged)} after {int(flow.iterations)} iterations")
print(f"lowest voltage {magnitude[lowest]:.4f} p.u. at row {lowest}")
print(f"losses {float(flow.losses * feeder.base_mva) * 1e3:.1f} kW")

# %% [markdown]
# Baran and Wu published this feeder in 1989, with 0.9131 p.u. and 202.7 kW. We should agree:

# %%
assert abs(float(magnitude.min()) - 0.9131) < 1e-4
assert abs(float(flow.losses * feeder.base_mva) * 1e3 - 202.7) < 0.1

# %% [markdown]
# ## 2. Ten thousand load states at once
#
# Leading axes of the injection are scenarios: no loop, no `vmap` needed. A scenario that has no solution is
# *flagged* in `flow.status` and stays finite. It never raises, and never spoils its neighbours; so look at
# `flow.converged` before you believe a number. Here every load is scaled independently by 0 to 1.5.

# %%
scale = jax.random.uniform(jax.random.key(0), (10_000, feeder.n_bus), maxval=1.5)
many = gridjax.powerflow.solve(feeder, feeder.nominal_injection * scale)
lowest_of_each = jnp.abs(many.voltage).min(axis=-1)

print(f"{int(many.converged.sum()):,} of {many.status.size:,} states converged")
print(f"below 0.95 p.u. somewhere: {float((lowest_of_each < 0.95).mean()):.1%} of the states")
assert many.converged.all()

# %% [markdown]
# ## 3. The gradient of the losses
#
# Where would one more unit of reactive power save most? That is the derivative of the losses in the
# injections. `solve` is differentiated by the implicit function theorem, not through its iterations: it is
# exact at the solution, and costs one more linear solve.


# %%
def losses_with(reactive):
    """Losses in p.u. with extra reactive power `[n_bus]`, p.u."""
    return gridjax.powerflow.solve(feeder, feeder.nominal_injection + 1j * reactive).losses


none = jnp.zeros(feeder.n_bus)
slope = jax.jit(jax.grad(losses_with))(none)
best = int(slope.argmin())
print(f"best place for a capacitor: row {best}, {-float(slope[best]) * 1e3:.0f} W saved by each kVAr")

# %% [markdown]
# A derivative is easily checked: do it by hand, with a difference of two power flows. (These run in
# float32, so the step may not be tiny: a change of losses below about 1e-7 drowns in rounding.)

# %%
step = 1e-2
bump = none.at[best].set(step)
by_hand = (losses_with(bump) - losses_with(-bump)) / (2 * step)
print(f"by hand {float(by_hand):.5f}, by grad {float(slope[best]):.5f}")
assert abs(float(by_hand - slope[best])) < 0.01 * abs(float(by_hand))

# %% [markdown]
# ## 4. A network of your own
#
# Any pandapower network of supported elements becomes a `Network`; an unsupported element is refused by
# name. Here is a small one by hand: a substation and two streets of a village, whose buses have the odd
# numbers that a utility's own model would give them.

# %%
import pandapower as pp

village = pp.create_empty_network(name="village")
busbar = pp.create_bus(village, vn_kv=0.4, index=100)
grid = pp.create_bus(village, vn_kv=20.0, index=7)
pp.create_ext_grid(village, grid, vm_pu=1.0)
pp.create_transformer(village, grid, busbar, std_type="0.4 MVA 20/0.4 kV")
for street in (200, 300):
    before = busbar
    for house in range(8):
        bus = pp.create_bus(village, vn_kv=0.4, index=street + house)
        pp.create_line(village, before, bus, length_km=0.06, std_type="NAYY 4x50 SE")
        pp.create_load(village, bus, p_mw=0.004, q_mvar=0.001)
        before = bus

network, injection = gridjax.calibration.from_pandapower(village)
print(f"{network.name}: {network.n_bus} buses, {network.n_branch} branches")

# %% [markdown]
# Rows of the arrays are *not* pandapower's bus numbers: closed switches fuse buses, unused ones vanish.
# `network.bus_index` translates, one bus or many. And pandapower itself says whether we are right:

# %%
street_rows = network.bus_index[[200 + house for house in range(8)]]
ours = gridjax.powerflow.solve(network, injection)
pp.runpp(village)

buses = list(network.bus_index)
ours_vm = np.abs(np.asarray(ours.voltage))[network.bus_index[buses]]
worst = np.abs(ours_vm - village.res_bus.vm_pu[buses]).max()
print(f"end of the street, bus 207: {ours_vm[buses.index(207)]:.5f} p.u.")
print(f"largest difference from pandapower: {worst:.1e} p.u.")
assert worst < 1e-5

# %% [markdown]
# ## 5. Make an environment of it
#
# `gridjax.make` takes the name of a shipped network or a `Network`. Put solar inverters at three houses;
# each chooses its reactive power every three minutes, to keep the voltages good. `env` is structure
# (hashable and static); every number is in `params`, a pytree, so that you can `vmap` over ratings or
# weights too.

# %%
env, params = gridjax.make(
    "VoltageControl-v0",
    network=network,
    pv_buses=network.bus_index[[203, 207, 307]].tolist(),
    peak_pv_mw=0.16,
)
print(f"agents: {dict(env.groups)}")

observation, state = env.reset(jax.random.key(1), params)
print({group: array.shape for group, array in observation.items()})
print("the last two entries are", env.observation_labels(params)["inverter"][-2:])

# %% [markdown]
# Agents come in *groups*; observations, actions and rewards are dicts of them, stacked `[agent, ...]`.
# Actions are in [-1, 1]: the environment maps them to the reactive power that the inverter has left.

# %%
idle = {group: jnp.zeros((number, 1)) for group, number in env.groups.items()}
observation, state, reward, terminated, truncated, info = jax.jit(env.step)(
    jax.random.key(2), state, idle, params
)
print(f"reward {reward['inverter']}")
print({name: round(float(value), 4) for name, value in info["metrics"].items()})

# %% [markdown]
# ## 6. A thousand grids, one day
#
# `vmap` over keys gives a thousand grids on as many random days of the year. `on_case` starts them at
# midnight, for all 480 steps of a day, and `scan` makes the day one compiled program: 480,000 power flows
# in all. We do it twice: with idle inverters, and with a *droop*, the rule that real inverters follow. It
# absorbs reactive power where the voltage is high and supplies it where the voltage is low.

# %%
from gridjax.controllers import CATEGORY_B, droop, no_control


def day_of(act, day):
    """Metrics of every step of the day of the year `day`, each `[480]`."""
    todays = env.on_case(params, day)
    _, state = env.reset(jax.random.key(0), todays)

    def step(state, key):
        _, state, _, _, _, info = env.step(key, state, act(state), todays)
        return state, info["metrics"]

    return jax.lax.scan(step, state, jax.random.split(jax.random.key(1), 480))[1]


days = jax.random.choice(jax.random.key(3), params.days, (1000,))
controllers = {
    "no control": lambda state: no_control(env, state, params),
    "droop (category B)": lambda state: droop(CATEGORY_B, env, state, params),
}
found = {
    name: jax.jit(jax.vmap(lambda day, act=act: day_of(act, day)))(days) for name, act in controllers.items()
}
for name, metrics in found.items():
    print(f"{name:20} steps with every bus within 0.95 to 1.05 p.u.: {metrics['controllable'].mean():.1%}")
assert all(metrics["converged"].all() for metrics in found.values())

# %% [markdown]
# And the picture: the highest voltage of the village through the day. The line is the median of a thousand
# days, the band holds nine of ten.

# %%
hour = np.arange(1, 481) / 20
_, axes = plt.subplots(figsize=(8, 4), layout="constrained")
for (name, metrics), colour in zip(found.items(), ("#D55E00", "#0072B2"), strict=True):
    low, middle, high = np.quantile(np.asarray(metrics["voltage_max"]), (0.05, 0.5, 0.95), axis=0)
    axes.plot(hour, middle, color=colour, label=name)
    axes.fill_between(hour, low, high, color=colour, alpha=0.2, lw=0)
axes.axhline(1.05, color="0.3", ls="--", label="limit")
axes.set(xlabel="hour of the day", ylabel="highest voltage (p.u.)", xlim=(0, 24), xticks=range(0, 25, 4))
axes.grid(alpha=0.3)
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Where to go from here
#
# - Train agents on a shipped network: `notebooks/training_and_results.py`.
# - Write a task of your own and train on it: `notebooks/a_new_task.py`.
# - Differentiate through a whole episode: `day_of` is as differentiable as `solve`, wherever its power
#   flows converge.
