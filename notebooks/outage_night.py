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
# # An outage night on the hospital campus
#
# A winter evening, half past five: the town loses the grid, and will not have it back for thirteen hours. A
# hospital campus has two diesel sets, two batteries, some solar roofs, and buildings whose load is not all
# equally important. What happens if nobody does anything? What does an engineer's rule save? And how much do
# the answers depend on this one night?
#
# You should know what an outage is; the rest is explained. Nothing is trained here. It needs the extra
# `train`, for the pictures.

# %%
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

import gridjax
from gridjax.envs.resilience import TIERS, Scenario, outage_cases

env, params = gridjax.make("Resilience-v0", split="test")
campus = params.campus
print(f"{env.name} on {params.network.name}: {dict(env.groups)}")
print(f"generators: {np.asarray(campus.generator.power).round()} kW")
print(
    f"batteries:  {np.asarray(campus.battery.power).round()} kW, "
    f"{np.asarray(campus.battery.capacity).round()} kWh"
)
print(f"sun:        {float(campus.sun.sum()):.0f} kW at noon in summer")
print(f"mean load:  {float(params.reference_power):.0f} kW")

# %% [markdown]
# The load has three **tiers**: *critical* (intensive care, theatres, data), *priority* (most of the wards,
# cooling of the laboratory), *discretionary* (laundry, heating of offices that can wait). A kWh that is not
# served costs 100, 20 and 4 EUR. No fuel is that expensive, so it never pays to switch patients off.
#
# Every step of a quarter hour solves two things: the **swing equation**, that is the frequency of whatever
# has become an island, with relays that shed load when it sinks; and the **AC power flow** of each part.
#
# ## 1. The night, as a list of events
#
# In training, outages are drawn at random from rates (how often, how long, storms, start failures). Here we
# write one down. Spells are hours since midnight; rows of branches are found by their labels.

# %%
from gridjax.scenarios.outages import scripted

label = list(params.network.branch_labels)
night = scripted(
    env.sizes,
    env.hours,
    grid=[(17.5, 30.5)],  # the grid outside is lost from 17:30 to 6:30
    branches={label.index("line 5"): (21.0, 27.0)},  # a cable of the campus fails at 21:00, for six hours
    start_failures={0: (0, 1)},  # the first diesel set does not start at the first two attempts
    sensors={0: (19.0, 25.0)},  # and one meter says nothing for a while
    deliveries=[8.0],  # fuel takes eight hours to arrive
)
print(
    f"step {env.hours} h; grid lost in steps {np.asarray(night.grid_begin).max()} "
    f"to {np.asarray(night.grid_end).max()} of {env.case_steps}"
)

# %% [markdown]
# A **scenario** is such a list, a day of the year (demand, sun and temperature of that day), and what is in
# batteries and tanks when it begins. The day is 21 January, batteries are 60 % full, tanks full.
#
# One night is a story, not a result. So beside it we put forty outages that were drawn at random on
# held-out days, each longer than an hour: a list that is the same for every controller.

# %%
story = Scenario(
    day=jnp.int32(20),
    charge=jnp.full(len(env.battery_buses), 0.6),
    fuel=jnp.ones(len(env.generator_buses)),
    timeline=jax.tree.map(jnp.asarray, night),
)
drawn = outage_cases(env, params, "test", 40)
cases = jax.tree.map(lambda one, many: jnp.concatenate([jnp.asarray(one)[None], many]), story, drawn)
listed = replace(params, scenarios=cases, listed=jnp.asarray(True))
NIGHT, OTHERS = 0, slice(1, None)

# %% [markdown]
# ## 2. Two ways through it
#
# - **do nothing**: no command is ever given. Batteries still hold up an island, since their inverters do so
#   by themselves, until they are empty; diesel sets stay off.
# - **the engineer's rule**: while the grid is there, fill the batteries where power is cheap, and empty them
#   where it is dear, down to a reserve of 70 %; in an outage live on the batteries first, start the diesel
#   when they are half empty, and switch off discretionary load, then priority load, when what is stored will
#   not last.
#
# The rule acts on *measurements*, which are late and noisy, and sometimes do not come, not on the truth.
#
# Both are one compiled program with a number that says which; it plays all 41 cases at once.

# %%
from jax.tree_util import Partial

from gridjax.controllers.campus import campus_rule, default_rule, do_nothing
from gridjax.evaluation.rollout import record_days


def one_of(which, key, obs, state, params):
    choices = do_nothing(env, state, params), campus_rule(default_rule(), env, state, params)
    return jax.tree.map(lambda *actions: jnp.stack(actions)[which], *choices)


controllers = {"do nothing": Partial(one_of, jnp.int32(0)), "engineer's rule": Partial(one_of, jnp.int32(1))}
rows = np.arange(cases.day.size)
played = {
    name: record_days(env, listed, act, rows, jax.random.key(0), chunk=rows.size).metrics
    for name, act in controllers.items()
}
print(f"{len(played['do nothing'])} measures of {env.case_steps} steps of {rows.size} cases")

# %% [markdown]
# What was not served, in the night of the story:

# %%
print(
    f"{'not served (kWh)':18}"
    + "".join(f"{tier:>15}" for tier in TIERS)
    + f"{'diesel (l)':>12}{'worth (EUR)':>13}"
)
for name, m in played.items():
    lost = [m[f"demand_{tier}"][NIGHT].sum() - m[f"served_{tier}"][NIGHT].sum() for tier in TIERS]
    worth = sum(price * kwh for price, kwh in zip(np.asarray(params.unserved_price), lost))
    print(
        f"{name:18}"
        + "".join(f"{max(x, 0):15.0f}" for x in lost)
        + f"{m['burnt'][NIGHT].sum():12.0f}{worth:13,.0f}"
    )

# %% [markdown]
# ## 3. The outage told in one picture
#
# From top to bottom: what happened; who supplied (what is below zero charges batteries); which share of each
# tier was served; what was left in batteries and tanks; voltages; frequency. Grey is the time without the
# grid.

# %%
import tempfile
from pathlib import Path

from IPython.display import Image

from experiments.campus_figures import events_of
from gridjax.evaluation.figures.outage import plot_outage

folder = tempfile.mkdtemp()


def told(name):
    """The picture of the night under a controller."""
    m = {measure: values[NIGHT] for measure, values in played[name].items()}
    m |= {
        "charge": m["stored"] / float(campus.battery.capacity.sum()),
        "tank": m["fuel"].sum(axis=1) / float(campus.generator.tank.sum()),
    }
    events = events_of(jax.tree.map(np.asarray, night), env.case_steps)
    path = plot_outage(m, env.hours, Path(folder) / f"{name}.png", events, name)
    return Image(filename=str(path), width=750)


told("engineer's rule")

# %% [markdown]
# Read it from left to right:
#
# - The day before, batteries fill up where power is cheap, at night. At five in the afternoon it is dear, and
#   they begin to empty down to the reserve: the outage finds them at 82 %.
# - At 17:30 the grid is gone, and supply jumps from *grid* to *batteries*. But these can supply 1.7 MW, and
#   2.7 MW are asked for. So the frequency falls to 48.3 Hz within the step, and **relays** shed the
#   discretionary tier. No command is needed for that, and none would be fast enough.
# - At 19:15 the batteries are half empty, and the second diesel set starts. The first one, which fails twice,
#   comes at 1:45. In between 1 MW of diesel and nearly empty batteries carry the campus.
# - At 21:00 the cable fails. For half an hour a few per cent of the critical load are lost; then switches
#   close and feed it from the other side.
# - Until 1:45 discretionary load goes on and off: the rule decides by thresholds, and what it switches
#   on takes it below one again. Nobody would run a laundry like that; a rule with a memory would not.
# - At 6:30 the grid is back, but the island must be in step with it before the switch may close: 7:00.
#   Fuel comes in the afternoon, and the batteries go back to the reserve.
#
# And the same night without any command:

# %%
told("do nothing")

# %% [markdown]
# Relays shed the same load, batteries carry the rest for three hours, and then it is dark for ten: intensive
# care too, beside tanks full of diesel.
#
# ## 4. Watch it
#
# `record` keeps what a case looks like, `animate` makes a film of it. What is dead is black, open switches
# are hollow, and the bars are what batteries and tanks hold.

# %%
from gridjax.evaluation import animate, record

rollout = record(
    env,
    listed,
    controllers["engineer's rule"],
    case=NIGHT,
    key=jax.random.key(0),
    policy="engineer's rule",
    comparison=controllers["do nothing"],
    compared="do nothing",
)
Image(filename=str(animate(rollout, Path(folder) / "night.gif", every=4, frames_per_second=6)), width=900)

# %% [markdown]
# ## 5. Beyond one night: the survival curve
#
# Of the forty outages drawn at random: in which share of those that last at least T hours is the *critical
# load served without a gap* for all T? That is the survival S(T). An outage that ends before T says nothing
# about T, so it is no longer counted there (as in medicine, where the curve comes from).

# %%
from experiments.campus_figures import outage_of
from gridjax.evaluation.figures.resilience import plot_survival
from gridjax.evaluation.survival import survival

curves, lengths = {}, None
for name, m in played.items():
    begin, end = outage_of(m["grid_present"][OTHERS])
    whole = m["served_critical"][OTHERS] >= (1 - 1e-5) * m["demand_critical"][OTHERS]
    lengths = (end - begin).astype(int)
    through = np.ones((lengths.size, lengths.max()), bool)
    for k, (first, last) in enumerate(zip(begin, end)):
        through[k, : last - first] = whole[k, first:last]
    curves[name] = survival(through, lengths)
hours = env.hours * lengths
print(f"{lengths.size} outages, median {np.median(hours):.1f} h, longest {hours.max():.1f} h")
for after in (2, 6, 12):
    number = int((hours >= after).sum())
    shares = ", ".join(f"{name} {curve[int(after / env.hours) - 1]:.0%}" for name, curve in curves.items())
    print(f"S({after:2} h): {shares}   ({number} outages last as long)")
Image(
    filename=str(plot_survival(curves, env.hours, Path(folder) / "survival.png", "held-out outages")),
    width=700,
)

# %% [markdown]
# Two warnings. On the right the curve rests on few outages; the printed numbers say on how many. And 39 of 40
# are 98 %, but if the true share were 87 %, one would still see that once in forty times.
#
# ## 6. What the numbers mean
#
# - **Energy not served by tier** is what the hospital feels; **worth** weighs it. The worth is dominated by
#   the critical tier, so a controller may lose much discretionary energy and still be good.
# - **Survival** counts a gap of a quarter hour like one of a night. For an operating theatre that is right,
#   for a freezer it is not: look at both.
# - The rule here is the first that an engineer would write down. Tuned on training outages it is better, and
#   the tables of the README compare that one with trained agents and with a plan that knows the outage.
# - The rates of failures are the part that one knows least about. `gridjax.scenarios.outages.rates` lists
#   them with their sources, and `gridjax.make("Resilience-v0", rates={...})` changes them.
