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
# # Analysis of a run: what did it learn, and where does it fail?
#
# A mean reward says *how good* a policy is, not *what it does*. This notebook opens a run: what each agent
# does how often, what goes with what, what the critic's forecasts are worth, and the days that went worst.
#
# The run is small on purpose, half a minute of training on the 33-bus feeder, so that there is something to
# find. On your own runs only the folder changes: everything here is `python -m experiments.analyse RUN`.
#
# You should know what voltage and reactive power are, and what a policy is (or read `training_and_results`
# first). It needs the extra `train`. What the text says of the pictures was seen where it was written;
# another processor rounds in another way, and may find another day.

# %%
import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image

from experiments import analyse, mappo

# %% [markdown]
# ## 1. A run to look into

# %%
run = Path(tempfile.mkdtemp()) / "run"
settings = "--total-steps 45000 --updates-per-chunk 2 --validation-every 20000 --validation-days 2"
assert mappo.main([*settings.split(), "--no-evaluate", "--cpu-devices", "1", "--run-dir", str(run)]) == 0

# %% [markdown]
# ## 2. Analyse it
#
# The policy plays 24 whole days that it was never trained on, once without exploring (to see what it does),
# and once exploring, beside its critic (to see what the critic knows). Everything that the figures show
# is then in `analysis.json`, from which they can be drawn again, and other figures too.

# %%
assert analyse.main([str(run), "--days", "24", "--worst", "3", "--checkpoint", "last"]) == 0
analysis = json.loads((run / "analysis.json").read_text())

# %% [markdown]
# ## 3. What does it do?
#
# A shape for each agent, as wide as an action is frequent; the dot is the median, the bar holds the middle
# half. The action is a share of the reactive power that the inverter can supply (above 0) or absorb.

# %%
Image(filename=str(run / "figures" / "analysis_actions.png"), width=700)

# %% [markdown]
# What to look for:
#
# - **Are agents different where they should be?** Agents 2 and 3 hang close to the substation, where reactive
#   power moves the voltage little; they do little. Nobody told them.
# - **Does anything sit at a bound?** A shape that is squeezed against -1 or 1 wants more than it can have:
#   the inverter is too small, or the reward is.
# - **Does anything never move?** An agent that always does the same has learned a constant; a set-point would
#   do.
#
# Such questions can be put to the numbers. How often does each agent *absorb*?

# %%
entry = analysis["actions"]["inverter"][0]
middles = 0.5 * (np.array(entry["edges"])[1:] + np.array(entry["edges"])[:-1])
for agent, shares in enumerate(np.array(entry["shares"])):
    print(f"agent {agent}: absorbs in {100 * shares[middles < -0.02].sum():4.1f} % of the steps")

# %% [markdown]
# ## 4. What goes with what?
#
# Rank correlations between what an agent observes (blue), what it does (red), and what the grid does
# (green): 1 where one always rises with the other, -1 where one falls, 0 where they have nothing to do with
# each other. Entries that are alike are merged, or a feeder's voltages would fill the page.

# %%
Image(filename=str(run / "figures" / "analysis_correlation_inverter.png"), width=850)

# %% [markdown]
# Read the **row of the action**, between the black lines: it is the policy in one line. What has a dark field
# there moves it. The rest says what the task is like: the blocks of demand are houses that get up at the
# same hour.
#
# It says what goes *together*, not what *causes* what. The action goes with the reactive power that the
# inverter holds already, since both follow the voltage. And a correlation over all agents can hide agents
# who do opposite things. The strongest entries as a list:

# %%
found = analysis["correlations"]["inverter"]
row = np.array(found["matrix"])[found["kinds"].index("action")]
for k in np.argsort(-np.abs(row))[:8]:
    if found["kinds"][k] != "action":
        print(f"{row[k]:+.2f}  {found['kinds'][k]:12} {found['labels'][k]}")

# %% [markdown]
# ## 5. What is the critic worth?
#
# The critic foretells the return of a state: what will be earned from here on, later steps counting less.
# Learning compares what came with what it foretold, so a critic that knows nothing makes slow, noisy
# learning. Across: foretold. Up: what followed. On the dashed diagonal it is right in the mean.

# %%
Image(filename=str(run / "figures" / "analysis_value_error.png"), width=600)

# %%
error = analysis["value_error"]["streams"]["reward"]["inverter"]
print(f"gamma {analysis['value_error']['gamma']}: a step counts so much less than the one before it")
print(f"bias {error['bias']:+.5f}, RMSE {error['root_mean_square']:.5f}")
print(f"explained variance {error['explained_variance']:.2f}")

# %% [markdown]
# - The dots lie on a line **flatter than the diagonal**: the critic exaggerates. Where it foretells very good
#   or very bad, it is less so. That is a young critic; after the 1.5 million steps of the default it is much
#   better.
# - **Explained variance** is the share of the ups and downs of returns that it foretold. 1 is all, 0 is no
#   better than the mean, below 0 worse. Some of it nobody can foretell: exploration is random.
#
# How learning went, update by update:

# %%
Image(filename=str(run / "figures" / "analysis_learning.png"), width=850)

# %% [markdown]
# - `entropy` falls while the policy becomes sure. If it falls to nothing early, it stopped exploring too
#   soon.
# - `KL` and clipped ratios say how far an update moves the policy. Here they vanish at the end, for the
#   learning rate was to be zero at 45,000 steps. **The curve flattens because we said so**, not because all
#   is learned.
# - `explained variance` was hopeless in the first updates, as always, and then rose.
#
# ## 6. Where does it fail?
#
# Means hide bad days. All days are ranked by their *costs*: physical harm such as voltage out of the band,
# which the task reports apart from the reward.

# %%
ranked = analysis["worst_cases"]["ranked"]
harmed = [case for case in ranked if case["voltage"] > 0.0]
print(f"{len(harmed)} of {len(ranked)} days have a bus out of the band")
for case in ranked[:5]:
    print(f"{case['name']:14} voltage cost {case['voltage']:.2e}   reward {case['reward']:.5f}")

# %%
Image(filename=str(run / "figures" / "analysis_worst_cases.png"), width=900)

# %% [markdown]
# The first column is the finding. On 15 August the sun is so strong that the highest bus goes above
# 1.05 p.u. before noon. Could the inverters do more? Strong sun leaves them less capability, but the
# picture of the actions above ends at -0.5: they *never* absorb more than half of what they can. So the
# policy has not yet learned strong sun, of which it saw little in 45,000 steps. The dotted lines are the
# median day: look at how unlike it this day is.
#
# Reward alone would have hidden that, for by reward other days are worse:

# %%
rewards = np.array([case["reward"] for case in ranked])
costs = np.array([case["voltage"] for case in ranked])
figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
axes.scatter(rewards, 1e5 * costs, s=36, color=np.where(costs > 0, "#D55E00", "#0072B2"))
for case in harmed:
    axes.annotate(
        case["name"], (case["reward"], 1e5 * case["voltage"]), xytext=(8, -4), textcoords="offset points"
    )
axes.set(xlabel="mean reward of the day (-)", ylabel="voltage cost of the day\n(1e-5 p.u., mean per step)")
axes.grid(alpha=0.3)
plt.show()

# %% [markdown]
# ## 7. What to do with it
#
# - Train longer, and look whether *this day* is mended: `--total-steps 1500000` is the default.
# - If not, the reward does not mind enough. A bound on the cost says what must not happen whatever the
#   reward: `experiments/configs/case33bw_lagrangian.yaml` trains MAPPO-Lagrangian.
# - Rank by one cost where there are several: `python -m experiments.analyse RUN --rank-by voltage`.
# - Figures for another page: change them and call `--redraw`; nothing is played again.
# - Runs side by side, with intervals over the seeds: `python -m experiments.compare`.
