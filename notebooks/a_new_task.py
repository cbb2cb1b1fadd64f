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
# # A new task in about fifty lines
#
# The shipped tasks are three of very many. Yours needs no change to the library: it is a small class of
# pure functions, and everything that works for a shipped task (thousands of copies at once, training,
# figures, films) works for it.
#
# The story: four bus depots hang on the 33-bus feeder. In the evening their electric buses come home with
# batteries to fill, and by six in the morning all have to be full. If every depot charges as soon as the
# buses are plugged in, on top of the evening peak of everybody else, the voltage at the far ends of the
# feeder falls below what the utility allows. So the depots must share the night. Each is an **agent** that
# sees its own meter only.
#
# You should know what a power flow is, and that reinforcement learning looks for actions that earn reward.
# It needs the extra `train`.

# %%
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import gridjax
from gridjax.envs import Box, Environment, Transition, register
from gridjax.powerflow import prepare, solve

# %% [markdown]
# ## 1. The task
#
# Three kinds of things, kept apart:
#
# - the **environment** is structure (how many agents). It never changes, so it is a frozen dataclass;
# - **params** are numbers (the network, ratings, limits), so that `jax.vmap` can run over many of them;
# - the **state** is what changes from step to step.
#
# `initial` draws the first state of an episode from a random key. `transition` does one step, *with one
# power flow*, and says what was earned. `observe` is what agents see. None of them changes anything; each
# returns what is new. Here is the whole task:

# %%
HOURS, STEPS = 0.25, 48  # a night from 18:00 to 6:00, in quarter hours


class Params(NamedTuple):
    network: gridjax.Network
    solver: object  # what the power flow needs of the network alone, prepared once
    depots: jax.Array  # [n_depot], rows of their buses
    power: jax.Array  # MW, all chargers of one depot
    floor: jax.Array  # p.u., the lowest voltage that is allowed


class State(NamedTuple):
    step: jax.Array  # []
    need: jax.Array  # [n_depot], MWh that the buses still want
    voltage: jax.Array  # [n_bus], p.u., after the last step


@dataclass(frozen=True)
class BusDepots(Environment[State, Params]):
    n_depot: int
    name = "BusDepots-v0"
    hours = HOURS
    case_steps = STEPS  # an evaluation is a whole night ...

    def on_case(self, params, case):
        return params  # ... and nights differ by their keys alone

    @property
    def groups(self):
        return {"depot": self.n_depot}

    def initial(self, key, params):
        need = jax.random.uniform(key, (self.n_depot,), minval=1.0, maxval=3.0)
        return State(jnp.int32(0), need, jnp.ones(params.network.n_bus))

    def charging(self, state, actions, params):  # [n_depot], MW
        wish = 0.5 * (jnp.clip(actions["depot"][:, 0], -1.0, 1.0) + 1.0) * params.power
        return jnp.minimum(wish, state.need / HOURS)

    def flow(self, state, charging, params):
        others = 0.40 + 0.25 * jnp.cos(jnp.pi * (state.step * HOURS - 1.0) / 12.0) ** 3  # peak at 19:00
        injection = others * params.network.nominal_injection
        injection = injection.at[params.depots].add(-charging / params.network.base_mva)
        return solve(params.network, injection, method="chord", solver=params.solver)

    def transition(self, key, state, actions, params):
        charging = self.charging(state, actions, params)
        flow = self.flow(state, charging, params)
        voltage, need, step = jnp.abs(flow.voltage), state.need - HOURS * charging, state.step + 1
        below = jnp.maximum(params.floor - voltage.min(), 0.0)
        missing = jnp.where(step == STEPS, need, 0.0)  # MWh with which buses leave too empty
        return Transition(
            state=State(step, need, voltage),
            reward={"depot": -100.0 * below - missing},
            terminated=~flow.converged,
            truncated=(step == STEPS) & flow.converged,
            cost={"undervoltage": below, "missing": missing.sum()},
            metrics={"voltage_min": voltage.min(), "charging": charging.sum()},
        )

    def observe(self, state, params):
        left = jnp.full(self.n_depot, 1.0 - state.step / STEPS)
        volts = (state.voltage[params.depots] - 0.95) / 0.05
        return {"depot": jnp.stack([left, state.need, volts], axis=1)}

    def observation_space(self, params):
        return {"depot": Box(-jnp.inf, jnp.inf, (3,))}

    def observation_labels(self, params):
        return {"depot": ("night left [share]", "need [MWh]", "voltage above 0.95 [0.05 p.u.]")}

    def action_space(self, params):
        return {"depot": Box(-1.0, 1.0, (1,))}


# %% [markdown]
# A few things worth a second look:
#
# - An action is a number in [-1, 1]; the environment makes megawatts of it. So learners need no tuning to
#   your units.
# - `terminated` says that the *grid failed* (the power flow has no solution), `truncated` that *time ran
#   out*. Learners treat them differently, and mixing them up spoils what they learn.
# - The undervoltage is in the reward *and* by itself in `cost`, so that you can look at it alone.
# - `solve` with `method="chord"` is the fastest solver alone, quick to compile. The default, `"auto"`, has
#   Newton's method behind it, for states close to collapse.
# - All nights begin at 18:00, so copies of the task run in step, and what a learner sees between two updates
#   should be a whole night, as below. A task may also begin its first episodes in their midst: see
#   `Environment.staggered`.
# - The reward is priced: 0.01 p.u. too low for a quarter hour costs as much as 1 MWh that is missing in the
#   morning. What you write here is what you will get.
#
# A factory puts network and numbers together, and `register` gives it a name for `gridjax.make`.


# %%
def depots_on_a_feeder(network="case33bw", buses=(17, 21, 24, 32), power=1.0, floor=0.93):
    """The environment and its params; `buses` as the network's own source numbers them."""
    network = gridjax.network.get(network)
    rows = jnp.asarray(network.bus_index[list(buses)])
    params = Params(network, prepare(network, "chord"), rows, jnp.float32(power), jnp.float32(floor))
    return BusDepots(len(buses)), params


register("BusDepots-v0", depots_on_a_feeder)
env, params = gridjax.make("BusDepots-v0")
print({group: f"{number} agents" for group, number in env.groups.items()})

# %% [markdown]
# ## 2. Does it keep the contract?
#
# `check_env` takes a few hundred steps with random, extreme and impossible actions and holds the task to
# everything that learners rely on: shapes that never change, the same key giving the same episode on any
# batch size, honest auto-resets, costs that are not negative, a reset without a power flow. It raises an
# `AssertionError` that says what is broken. It is the best minute that you can spend on a new task.

# %%
from gridjax.testing import check_env

check_env(env, params, steps=100)
print("the contract is kept")

# %% [markdown]
# ## 3. What is it to be measured against?
#
# Before any learning: what do simple rules do? Always ask this, for a task that a simple rule solves needs
# no learning. Here is one rule with one number, its *pace*: 1 spreads what a bus needs evenly over what is
# left of the night, 0 never charges, and a very large number charges at once.
#
# `score_days` plays it through 200 nights and averages over the steps. `Partial` makes the number an argument
# of what is compiled, so that all three paces share one program.


# %%
from jax.tree_util import Partial

from gridjax.evaluation.rollout import score_days


def paced(pace, key, obs, state, params):
    """Actions of the rule; any controller is a function of these five, or of the last four."""
    power = pace * state.need / (HOURS * (STEPS - state.step))
    return {"depot": jnp.clip(2.0 * power / params.power - 1.0, -1.0, 1.0)[:, None]}


def results(act):
    """Means over 200 nights: reward of an agent, p.u. x h too low, MWh missing."""
    scores = score_days(env, params, act, np.arange(200), jax.random.key(5), chunk=200)
    low, missing = (STEPS * scores.cost[name].mean() for name in ("undervoltage", "missing"))
    return STEPS * scores.reward.mean(), HOURS * low, missing


evenly = Partial(paced, jnp.float32(1.0))
paces = {"never": 0.0, "at once": 1e6, "evenly": 1.0}
table = {name: results(Partial(paced, jnp.float32(pace))) for name, pace in paces.items()}
print(f"{'':10} reward of a night   undervoltage (p.u. x h)   missing in the morning (MWh)")
for name, (reward, low, missing) in table.items():
    print(f"{name:10} {reward:17.2f} {low:25.4f} {missing:30.2f}")

# %% [markdown]
# *At once* fills every battery and breaks the voltage limit by far. *Evenly* is much better, but it too adds
# its share to the evening peak. A good controller waits for the night, not too long, and charges less where
# the feeder is weak. How long, and how much less? That is what is learned.
#
# ## 4. Training
#
# `MAPPO` needs the environment and a few settings. One `update` plays 64 copies of the feeder for a night
# each (3,072 power flows), and improves the policy on what it saw; `init` and `update` are compiled. The four
# depots share one policy network, which is told which of them it is.

# %%
import time

from gridjax.learners import MAPPO

UPDATES = 60
learner = MAPPO.create(
    env,
    params,
    num_envs=64,
    num_steps=STEPS,
    num_minibatches=8,
    gamma=0.99,  # what is missing in the morning counts in the evening
    learning_rate=1e-3,
    decay_learning_rate=True,
    total_updates=UPDATES,
    initial_log_std=-1.0,
)
began, returns = time.perf_counter(), []
training = learner.init(jax.random.key(0))
for _ in range(UPDATES):
    training, metrics = learner.update(training)
    returns.append(float(metrics["episode_return"]))
steps = UPDATES * learner.steps_per_update
print(f"{steps:,} steps with a power flow each, compiled and trained in {time.perf_counter() - began:.0f} s")

# %%
from gridjax.evaluation.rollout import act_with

act = act_with(learner.policy(training))
table["learned"] = results(act)
for name, (reward, low, missing) in table.items():
    print(f"{name:10} {reward:17.2f} {low:25.4f} {missing:30.2f}")
assert table["learned"][0] > table["evenly"][0]

# %%
figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
axes.plot(np.arange(1, UPDATES + 1) * learner.steps_per_update / 1e3, returns, color="#0072B2", label="MAPPO")
for (name, colour), style in zip({"evenly": "#D55E00", "never": "#000000"}.items(), ("--", ":")):
    axes.axhline(table[name][0], color=colour, ls=style, label=name)
axes.set(xlabel="environment steps (thousand)", ylabel="reward of a night (-)", ylim=(-25, 1))
axes.grid(alpha=0.3)
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# The curve is of nights in training, in which actions are drawn at random around what the policy thinks
# best; the table is of the policy without that noise.
#
# ## 5. Look at it
#
# Numbers can be right for the wrong reasons, so look at a night. A `NetworkView` says what is to be shown:
# the power flow of a step, the hour, and for every agent the columns that it has. With a view a task can be
# recorded, and a recording becomes a GIF, an MP4 or a page (`animate(rollout, "night.html")`).

# %%
from gridjax.evaluation import animate, record
from gridjax.evaluation.views import NetworkView, Seen


def read(state, actions, out, params):
    charging = env.charging(state, actions, params)
    return Seen(
        flow=env.flow(state, charging, params),
        hour=18.0 + HOURS * state.step,
        agents={"demand_kw": 1e3 * charging, "charge": 1.0 - out.state.need / 3.0},
    )


view = NetworkView.of(
    env, params.network, {"depot": params.depots}, hours=HOURS, read=read, voltage_band=(0.93, 1.07)
)
rollout = record(
    env,
    params,
    act,
    case=0,
    key=jax.random.key(32),  # a night in which much is needed
    policy="learned",
    comparison=evenly,
    compared="evenly",
    view=view,
)
film = animate(rollout, "depots.gif", every=2)

# %%
from IPython.display import Image

Image(filename=str(film), width=900)

# %% [markdown]
# And the same night on paper: how much each depot charges, and the lowest voltage of the feeder. Depots 2
# and 3 are close to the substation, 1 and 4 at the far ends, where the voltage is lowest. Compare who
# charges when. Nobody told the agents where they are: they found it in the voltage that they see, and in
# what they were paid.

# %%
figure, axes = plt.subplots(2, 2, figsize=(10, 5), sharex=True, sharey="row", layout="constrained")
hours = 18.0 + HOURS * np.arange(STEPS)
styles = [
    {"color": "#0072B2", "ls": "-"},
    {"color": "#E69F00", "ls": "--"},
    {"color": "#009E73", "ls": ":"},
    {"color": "#D55E00", "ls": "-."},
]
for column, (name, looks) in zip(axes.T, zip(rollout.policies, rollout.looks)):
    for k, style in enumerate(styles):
        power = 1e-3 * np.asarray(looks.agents["demand_kw"])[:, k]
        column[0].step(hours, power, where="post", label=f"depot {k + 1}", **style)
    column[1].step(hours, looks.voltage.min(axis=1), where="post", color="#000000")
    column[1].axhline(float(params.floor), color="0.4", ls="--")
    column[0].set_title(name)
    column[1].set(xlabel="hour", xticks=range(18, 31, 2), xticklabels=[h % 24 for h in range(18, 31, 2)])
axes[0, 0].set_ylabel("charging power (MW)")
axes[1, 0].set_ylabel("lowest voltage (p.u.)")
axes[0, 1].legend(frameon=False)
for one in axes.flat:
    one.grid(alpha=0.3)
plt.show()

# %% [markdown]
# ## Where to go from here
#
# - Put the class and its `register` call into a module, say `depots.py`. Then the command lines find it:
#   `python -m experiments.mappo --env depots:BusDepots-v0 --num-steps 48 --gamma 0.99`, several seeds,
#   checkpoints and all; `python -m experiments.analyse RUN` draws what it does. Options of the factory are
#   not on the command line: register a second name, such as
#   `register("WeakDepots-v0", lambda: depots_on_a_feeder(power=0.5))`.
# - The policy of such a run: `gridjax.evaluation.trained.Trained.load("RUN/policies/best").act(env, params)`.
# - The same module in other libraries: `gridjax.interop.gymnasium.make("depots:BusDepots-v0")`.
# - Prices, solar roofs, real demand: `gridjax.scenarios` has a year of each, split into days for training
#   and days for testing.
# - Write your rule down, as `evenly` here, and state the result of both. A learned policy that nothing is
#   compared with has shown nothing.
