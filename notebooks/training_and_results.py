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
# # Training, and reading the results
#
# Six solar inverters hang on the 33-bus feeder. On a sunny noon they push the voltage up, and every three
# minutes each may choose how much reactive power it absorbs or supplies to hold it. Engineers solve this
# with a *droop*, a fixed curve from voltage to reactive power. Here a policy **learns** it in about a
# minute, and then comes the longer half of the work: finding out what it has learned, and whether the droop
# would have done as well.
#
# You should know what voltage and reactive power are; of reinforcement learning only that a *policy* maps
# what agents see to what they do, and is improved by what was earned (the *reward*). It needs the extra
# `train`.

# %%
import tempfile
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import gridjax

# %% [markdown]
# ## 1. The task
#
# Every agent sees its own neighbourhood: demand, sun, reactive power and voltage. The reward of a step is
# a penalty, the same for all: the mean distance of the voltages from 1 p.u., and a hundredth of the mean
# reactive power in MVAr, since that heats the lines. Zero would be perfect, and is not possible.

# %%
env, params = gridjax.make("VoltageControl-v0", network="case33bw")
print(f"agents: {dict(env.groups)}, {env.case_steps} steps a day")
for label in env.observation_labels(params)["inverter"][:3]:
    print("  sees", label)
print("  ...")

# %% [markdown]
# The year of demand and sun is split **by whole weeks** into days to train on, days to validate on and days
# for the final test. Days next to each other are alike; were they split one by one, a policy could score
# well on a test day because it trained on the day before.

# %%
from gridjax.scenarios import days, held_out_days

for split in ("train", "validation", "test"):
    print(f"{split:11} {days(split).size} days")

# %% [markdown]
# ## 2. Train
#
# This is what `python -m experiments.mappo --total-steps 150000` does; from Python it is the same function.
# It steps 128 feeders at once. After every 16 steps of each it improves the policy (that is an *update*),
# and now and then it plays whole validation days without exploring. Most of the time goes into
# compiling. `--no-evaluate` leaves out the evaluation at the end, which we do ourselves below.

# %%
from experiments import mappo

run = Path(tempfile.mkdtemp()) / "run"
settings = "--total-steps 150000 --validation-every 30000 --validation-days 4 --no-evaluate --cpu-devices 1"
assert mappo.main([*settings.split(), "--run-dir", str(run)]) == 0

# %% [markdown]
# A run is a folder. All that a figure shows can be drawn again from its files, and
# `python -m experiments.mappo --resume RUN` goes on where a killed run was.

# %%
for file in sorted(run.iterdir()):
    print(file.name)

# %% [markdown]
# ## 3. Did it learn?
#
# `metrics.jsonl` has a record for every few updates; lists are over the seeds (here one).

# %%
from experiments.run_directory import read_metrics

records = read_metrics(run / "metrics.jsonl")
first, last = records[1], records[-1]
for name in ("reward", "metrics/out_of_band", "entropy", "explained_variance", "approximate_kl"):
    print(f"{name:22} {first[name][0]:9.5f}  ->  {last[name][0]:9.5f}")

# %% [markdown]
# - `reward`: mean per step, of the policy *as it explores*. It should rise.
# - `metrics/out_of_band`: share of the buses whose voltage is outside 0.95 to 1.05 p.u. A physical quantity;
#   look at some beside the reward always, for a reward can rise for a reason you did not mean.
# - `entropy`: how random the policy still is. It falls as the policy becomes sure.
# - `explained_variance`: how much of what was earned the *critic* had foretold, 1 being all. Near 0 or below,
#   advantages are noise, and learning is slow.
# - `approximate_kl`: how far one update moves the policy. Jumps (above about 0.05) mean steps that are too
#   large.
#
# The learning curve of a run is in the library, in one line:

# %%
from IPython.display import Image

from gridjax.evaluation.figures.run import training_curve

Image(filename=str(training_curve(records, run / "figures" / "training.png")), width=800)

# %% [markdown]
# The two lines are not the same thing. The blue one explores, on training days; the other is the policy
# without exploration on validation days, a few whole days only. The gap between them is exploration, and
# which days they are. *Neither* is the result: the best checkpoint is chosen by validation, so validation
# flatters it.
#
# ## 4. What is it worth?
#
# The test: 24 of the 120 held-out days, that neither training nor choosing has seen, and the same days, with
# the same noise, for the rules beside it:
#
# - **no control**: reactive power zero. What doing nothing costs;
# - **droop**: the curve of category B that IEEE 1547 suggests, and a steep one that starts right at 1 p.u.;
# - **droop, tuned**: its four constants searched for on training days. A learned policy was tuned to
#   this feeder; to be fair the rule must be, too. This is the one to beat.

# %%
from jax.tree_util import Partial

from gridjax.controllers import CATEGORY_B, STEEP, Droop, droop, no_control, tune_droop
from gridjax.evaluation.rollout import score_days
from gridjax.evaluation.trained import Trained


def follow(curve, key, obs, state, params):
    """A droop with its curve as an argument, so that all curves are one compiled program."""
    return droop(curve, env, state, params)


def as_arrays(curve: Droop) -> Droop:
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), curve)


policy = Trained.load(run / "policies" / "best")
tuned = tune_droop(env, params, jax.random.key(0), n_state=64)
controllers = {
    "no control": lambda key, obs, state, params: no_control(env, state, params),
    "droop, category B": Partial(follow, as_arrays(CATEGORY_B)),
    "droop, steep": Partial(follow, as_arrays(STEEP)),
    "droop, tuned": Partial(follow, as_arrays(tuned)),
    "MAPPO": policy.act(env, params),
}
test_days = held_out_days()[::5]
scores = {
    name: score_days(env, params, act, test_days, jax.random.key(0), chunk=24)
    for name, act in controllers.items()
}
print(f"{'':18} reward per step   in the band (%)   mean |q| (MVAr)   losses (MW)")
for name, score in scores.items():
    m = {metric: float(np.mean(values)) for metric, values in score.metrics.items()}
    print(
        f"{name:18} {score.reward.mean():15.5f} {100 * m['controllable']:17.2f} "
        f"{m['reactive_mvar']:17.3f} {m['losses_mw']:13.4f}"
    )

# %% [markdown]
# A table of means invites belief. How sure is it? The same days were played by all, so compare **day by
# day**: `paired_difference` draws days anew many times, and gives the interval that holds 95 % of the means.

# %%
from gridjax.evaluation.statistics import paired_difference

for name in ("no control", "droop, steep", "droop, tuned"):
    gain = paired_difference(scores["MAPPO"].reward[None], scores[name].reward[None])
    print(f"MAPPO - {name:13} {gain.value:+.5f}   [{gain.low:+.5f}, {gain.high:+.5f}]")

# %% [markdown]
# And every single day, as a dot: above the diagonal MAPPO earned more than the tuned droop.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
ours, theirs = scores["MAPPO"].reward, scores["droop, tuned"].reward
left.scatter(theirs, ours, color="#0072B2", s=28)
low = 1.1 * min(ours.min(), theirs.min())
left.plot([low, 0], [low, 0], color="0.4", ls="--", lw=1)
left.set(
    xlabel="tuned droop: reward per step (-)", ylabel="MAPPO: reward per step (-)", title="24 held-out days"
)
left.locator_params(nbins=5)
names = list(scores)[1:]
right.boxplot([scores[name].reward for name in names], orientation="horizontal")
right.set_yticks(range(1, len(names) + 1), names)
right.set(xlabel="reward per step (-)", title="spread over the days")
for axes in (left, right):
    axes.grid(alpha=0.3)
plt.show()

# %% [markdown]
# ## 5. What has it learned?
#
# The sunniest of these days, without control and under the policy: each bus's voltage through the day.

# %%
from gridjax.evaluation import record
from gridjax.evaluation.figures.run import voltage_fan

sun = np.asarray(params.sun).sum(axis=1)
rows = env.rows_per_day
sunniest = int(max(test_days, key=lambda day: sun[day * rows : (day + 1) * rows].sum()))
rollout = record(
    env,
    params,
    controllers["no control"],
    case=sunniest,
    key=jax.random.key(0),
    policy="no control",
    comparison=controllers["MAPPO"],
    compared="MAPPO",
)
# under these names the pictures of all runs have the same colours
voltages = {name: looks.voltage for name, looks in zip(("no_control", "mappo"), rollout.looks)}
band = (float(params.voltage_low), float(params.voltage_high))
Image(
    filename=str(voltage_fan(voltages, band, run / "figures" / "voltage.png", "the sunniest day")), width=800
)

# %% [markdown]
# And what one inverter does with what it measures. A droop is a line in this picture. What the policy does
# is not: at the same voltage it acts differently, since it also sees demand and sun.

# %%
looks = rollout.looks[1]
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
volts = looks.agents["voltage"]
for k, colour in ((1, "#D55E00"), (3, "#0072B2")):
    axes.scatter(
        volts[:, k], looks.agents["reactive_kvar"][:, k], s=8, color=colour, label=f"inverter {k + 1}"
    )
axes.set(xlabel="voltage at the inverter, after the action (p.u.)", ylabel="reactive power (kvar)")
axes.axhline(0, color="0.4", lw=0.8)
axes.legend(frameon=False)
axes.grid(alpha=0.3)
plt.show()

# %% [markdown]
# `gridjax.evaluation.animate(rollout, "day.gif")` makes a film of it, `animate(rollout, "day.html")` a page
# with all numbers.
#
# ## 6. Reading it honestly
#
# - **What was paid for is what one gets.** The steep droop already keeps every bus in the band. What the
#   policy adds is voltages closer to 1 p.u., because the reward asks for that, and it pays with reactive
#   power: look at the losses. Whether that is *better* is a question about the reward, not about learning.
#   `--loss-weight` puts the losses into it.
# - **One seed is an anecdote.** The interval above is over *days*. Another seed may learn better or worse,
#   and nothing here says by how much. `--num-seeds 5` trains five side by side; the README states results
#   over five seeds.
# - **Short training.** 150,000 steps are a tenth of the default. What it says about MAPPO it says about
#   MAPPO after a minute.
# - **The rule was tuned quickly, too**, on 64 instants instead of 1,024. `python -m experiments.evaluate RUN`
#   tunes in earnest and adds the optimum with perfect information, which tells how much is left to gain at
#   all.
# - **It knows this feeder only.** A policy that beats the droop on 33 buses says nothing about other 33
#   buses, and the droop does not need to be trained.
# - `python -m experiments.analyse RUN` looks further into a run: the notebook `analysis_of_a_run` shows how.
