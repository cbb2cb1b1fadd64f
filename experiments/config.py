"""Settings of a training run: defaults, a YAML file, then the command line, each over the one before.

    run = parse(["--config", "experiments/configs/case33bw.yaml", "--num-seeds", "5"])

In a file the settings stand under `task`, `learner` and `run`; on the command line their names are flat.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from experiments.task import Task


@dataclass(frozen=True)
class Learner:
    """How it is learned: the settings of `gridjax.learners.MAPPO`."""

    num_envs: int = 128  # environments stepped at once, for each seed
    num_steps: int = 16  # actions in every environment between updates
    # first episodes begin in their midst, so that not all end together, where a task knows how (`staggered`)
    stagger: bool = True
    action_repeat: int = 1  # steps for which an action is kept in training
    learning_rate: float = 1e-3  # of Adam, for policy and critic
    decay_learning_rate: bool = True  # linearly over the run
    final_learning_rate_fraction: float = 0.0  # reached at total_steps, where decay_learning_rate
    gamma: float = 0.3  # low: what is done now hardly matters in three minutes
    gae_lambda: tuple[float, ...] = (0.95,)  # one for all, or one per group of agents
    clip: float = 0.2  # of the ratio of new to old probability
    value_clip: float = 0.2  # by how much a value may move in an update, where the loss is clipped
    huber_delta: float = 10.0  # normalised error from which the loss of the critic is linear
    # in mean absolute deviations, one for all, or one per group of agents; None: rare disasters count in full
    advantage_clip: tuple[float, ...] | None = None
    entropy_coefficient: float = 0.0  # of the policy's randomness, for which it is paid
    # of the divergence from zero actions: of a steered rule, from the rule; one for all, or one per group
    prior_coefficient: tuple[float, ...] | None = None
    value_coefficient: float = 0.5  # of the critic's loss beside that of the policy
    max_grad_norm: float = 0.5  # beyond which a gradient is scaled down
    steers: Literal["tuned_rule"] | None = None  # whose constants the actions set
    rule_constants: tuple[float, ...] | None = None  # of that rule; tuned on training days where None
    twin: bool = False  # advantages against the same steps without exploration
    twin_critic: bool = True  # False: of rewards alone, where disasters drown what a critic can tell
    # of the task's named costs, the most that each may be in the mean of all steps: MAPPO-Lagrangian
    cost_bounds: dict[str, float] | None = None
    multiplier_rate: float = 0.05  # of the costs' multipliers, per update
    cost_margin: float = 0.0  # share of each bound that is kept free, for days dearer than those seen
    reward_sharing: float = 0.0  # 0: agents learn from their own reward, 1: from the mean over all agents
    num_epochs: int = 4  # passes over what was just seen, in every update
    num_minibatches: int = 4  # of each pass
    # "gru" remembers; with "attention" agents take in what others see, and any number of them may
    architecture: Literal["feedforward", "gru", "attention"] = "feedforward"
    attend: Literal["all", "neighbours"] = "all"  # whom, with attention
    head: Literal["gaussian", "beta"] = "gaussian"  # what continuous actions are drawn from
    hidden: tuple[int, ...] = (64, 64)  # widths of the layers of policy and critic
    activation: Literal["tanh", "relu", "silu"] = "tanh"  # between them
    sharing: Literal["all", "group", "agent"] = "group"  # who shares one policy network
    identity: bool = True  # where they share one, whether they know who they are
    skip: bool = False  # a linear path beside the hidden layers of the policy
    central_critic: bool = True  # False: independent PPO
    finite_horizon: bool = False  # an episode's end is the end: no value is bootstrapped at a time limit
    normalise_observations: bool = True  # by the mean and deviation of all that was seen
    normalise_values: bool = True  # what the critic learns, by those of the returns
    value_loss: Literal["clipped", "huber", "squared"] = "huber"  # of the critic
    # before tanh: one for all, or one per entry of the action, or per group where there are several
    initial_log_std: tuple[float, ...] = (-1.5,)


@dataclass(frozen=True)
class Run:
    """How long, how often, and where to."""

    seed: int = 0  # of the first run; the others count up from it
    num_seeds: int = 1  # trained side by side in one program
    total_steps: int = 1_500_000  # environment steps of each seed, rounded up to whole updates
    # new folder of the run; runs/NETWORK or runs/TASK, with a number where that is taken
    run_dir: str | None = None
    updates_per_chunk: int = 15  # between two looks at the progress; here 240 steps, one episode
    checkpoint_every: int = 200_000  # steps from one checkpoint to the next, rounded up to whole chunks
    checkpoints_kept: int = 3  # the newest; each also holds the best policies so far
    validation_every: int = 100_000  # steps from one validation to the next, rounded up to whole chunks
    validation_days: int = 6  # whole days, none of which is trained or tested on
    # what several devices have their share of: whole seeds, or the environments of every seed
    divided: Literal["seeds", "environments"] = "seeds"
    # to make of a CPU; None: one for each seed where those are divided, else one
    cpu_devices: int | None = None
    evaluate: bool = True  # on the 120 held-out days at the end
    evaluated: Literal["best", "last"] = "best"  # policies best in validation, bounds first, or the newest
    # Weights & Biases, besides JSON lines and TensorBoard; offline it only writes files, for `wandb sync`
    wandb: Literal["disabled", "offline", "online"] = "disabled"
    wandb_project: str = "gridjax"  # to which the run belongs there


@dataclass(frozen=True)
class Config:
    """All settings of a run."""

    task: Task = field(default_factory=Task)
    learner: Learner = field(default_factory=Learner)
    run: Run = field(default_factory=Run)

    def __post_init__(self) -> None:
        for name in ("num_seeds", "total_steps", "updates_per_chunk", "checkpoint_every"):
            _at_least(1, name, getattr(self.run, name))
        for name in ("checkpoints_kept", "validation_every", "validation_days"):
            _at_least(1, name, getattr(self.run, name))
        for name in ("num_envs", "num_steps", "action_repeat"):
            _at_least(1, name, getattr(self.learner, name))
        _at_least(0, "seed", self.run.seed)
        if self.run.seed + self.run.num_seeds > 2**32:
            # beyond that jax.random.key drops what is higher, and two seeds are one
            raise ValueError(f"seed is {self.run.seed}, expected below 2**32, the last of the seeds included")
        if self.run.cpu_devices is not None:
            _at_least(1, "cpu_devices", self.run.cpu_devices)
        if self.run.validation_days > 42:
            raise ValueError(
                f"validation_days is {self.run.validation_days}, expected at most 42, all there are"
            )

    @property
    def steps_per_update(self) -> int:
        """Environment steps of one seed in one update."""
        return self.learner.num_envs * self.learner.num_steps * self.learner.action_repeat

    @property
    def total_updates(self) -> int:
        """Updates that `total_steps` take."""
        return -(-self.run.total_steps // self.steps_per_update)

    def updates_between(self, steps: int) -> int:
        """`steps` as a whole number of chunks, in updates."""
        chunk = self.run.updates_per_chunk
        return -(-steps // (self.steps_per_update * chunk)) * chunk

    def task_options(self) -> dict[str, Any]:
        """Options of `gridjax.make(config.task.env, ...)`."""
        return self.task.options()

    def resolved(self) -> Config:
        """With every option of the task filled in. Raises `ValueError` for one that it does not have."""
        return replace(self, task=self.task.resolved())

    def learner_settings(self) -> dict[str, Any]:
        """Settings of `MAPPO.create(env, params, ...)`: all but those of the environment."""
        chosen = {entry.name: getattr(self.learner, entry.name) for entry in fields(self.learner)}
        del chosen["steers"], chosen["rule_constants"], chosen["action_repeat"]
        return chosen | {"total_updates": self.total_updates}


def differences(old: Any, new: Any) -> dict[str, tuple[Any, Any]]:
    """Settings, by name, whose values differ between two configs."""
    found: dict[str, tuple[Any, Any]] = {}
    for entry in fields(old):
        before, after = getattr(old, entry.name), getattr(new, entry.name)
        if is_dataclass(before):
            found |= differences(before, after)
        elif before != after:
            found[entry.name] = (before, after)
    return found


def _at_least(least: int, name: str, value: int) -> None:
    if value < least:
        raise ValueError(f"{name} is {value}, expected at least {least}")
