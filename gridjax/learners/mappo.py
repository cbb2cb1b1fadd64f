"""Multi-agent proximal policy optimisation (Yu et al. 2022), and with a local critic its independent kin."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gridjax.envs.environment import Environment
from gridjax.learners import lagrangian, losses, settings
from gridjax.learners.actor import ARCHITECTURES, Actor
from gridjax.learners.batch import prepare
from gridjax.learners.critic import CentralCritic, LocalCritic
from gridjax.learners.head import CONTINUOUS, Output
from gridjax.learners.layout import Layout, layout_of
from gridjax.learners.networks import ACTIVATIONS, SHARING
from gridjax.learners.normalise import empty_stats, merge, normalise
from gridjax.learners.optimise import run_epochs, transformation
from gridjax.learners.policy import Policy
from gridjax.learners.rollout import Rollout, collect
from gridjax.learners.train_state import TrainState, no_episodes

# Returns drift as the policy improves: their statistics remember about a hundred updates.
VALUE_MEMORY = 0.99


PerGroup = dict[str, jax.Array]


def _static(default: Any) -> Any:
    return field(default=default, metadata={"static": True})


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class MAPPO:
    """A frozen description of training; build it with `MAPPO.create(env, params, **settings)`.

    Settings that are numbers, and `env_params`, are leaves: `jax.vmap` runs over them. The others are
    static. `init` and `update` are compiled, and pure.
    """

    env: Environment = field(metadata={"static": True})
    layout: Layout = field(metadata={"static": True})
    env_params: Any

    learning_rate: Any = 5e-4
    final_learning_rate_fraction: Any = 0.0  # reached at total_updates, where decay_learning_rate
    total_updates: Any = 1000
    gamma: Any = 0.99
    gae_lambda: Any = 0.95  # or a tuple, one per group of agents
    clip: Any = 0.2
    value_clip: Any = 0.2  # in standard deviations of the return
    huber_delta: Any = 10.0  # in standard deviations of the return
    # in mean absolute deviations, or a tuple, one per group; None: rare disasters count in full
    advantage_clip: Any = None
    entropy_coefficient: Any = 0.0
    # of the divergence from zero actions: of a steered rule, from the rule; or a tuple, one per group
    prior_coefficient: Any = None
    value_coefficient: Any = 0.5
    max_grad_norm: Any = 0.5
    # of the task's named costs, the most that each may be in the mean of all steps: MAPPO-Lagrangian
    cost_bounds: Any = None
    multiplier_rate: Any = 0.05  # of the costs' multipliers, per update
    cost_margin: Any = 0.0  # share of each bound that is kept free, for days dearer than those seen
    reward_sharing: Any = 0.0  # 0: agents learn from their own reward, 1: from the mean over all agents

    num_envs: int = _static(128)
    num_steps: int = _static(16)
    stagger: bool = _static(True)  # first episodes begin in their midst, so that not all end together
    num_epochs: int = _static(4)
    num_minibatches: int = _static(4)
    architecture: str = _static("feedforward")  # "feedforward", "gru", "attention" over the agents
    head: str = _static("gaussian")  # "gaussian", "beta": of continuous actions; choices are categorical
    attend: str = _static("all")  # "all", "neighbours": whom agents attend to
    hidden: tuple[int, ...] = _static((64, 64))
    activation: str = _static("tanh")  # "tanh", "relu", "silu"
    sharing: str = _static("group")  # "all", "group", "agent": see networks
    identity: bool = _static(True)  # where agents share a network, whether they know who they are
    twin: bool = _static(False)  # advantages against the same steps without exploration, see `twin`
    twin_critic: bool = _static(True)  # False: of rewards alone, where disasters drown what a critic can tell
    skip: bool = _static(False)  # a linear path beside the hidden layers of the actor
    central_critic: bool = _static(True)  # False: independent PPO, each agent's critic on its own observation
    finite_horizon: bool = _static(False)  # an episode's end is the end: no value beyond a time limit
    normalise_observations: bool = _static(True)  # of the actor and of the critic, global state included
    normalise_values: bool = _static(True)
    value_loss: str = _static("huber")  # "clipped", "huber", "squared"
    decay_learning_rate: bool = _static(False)
    # before tanh; or a tuple, one per entry of the action, or per group where several have their own networks
    initial_log_std: float | tuple[float, ...] = _static(-1.5)

    def __post_init__(self) -> None:
        # JAX rebuilds the pytree with this constructor, leaves being tracers: only static fields are checked.
        for name in ("num_envs", "num_steps", "num_epochs", "num_minibatches"):
            settings.check_count(name, getattr(self, name))
        for entry in fields(self):
            if entry.type == "bool":
                object.__setattr__(
                    self, entry.name, settings.check_flag(entry.name, getattr(self, entry.name))
                )
        if not isinstance(self.hidden, list | tuple):
            raise ValueError(f"hidden: got {self.hidden!r}, expected a sequence of positive integers")
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for width in self.hidden:
            settings.check_count("hidden", width)
        settings.check_choice("architecture", self.architecture, ARCHITECTURES)
        settings.check_choice("head", self.head, CONTINUOUS)
        settings.check_choice("attend", self.attend, ("all", "neighbours"))
        settings.check_choice("activation", self.activation, ACTIVATIONS)
        settings.check_choice("sharing", self.sharing, SHARING)
        settings.check_choice("value_loss", self.value_loss, losses.VALUE_LOSSES)
        settings.check_sharing(self.sharing, self.layout)
        spread = settings.check_log_std(self.initial_log_std, self.layout, self.sharing, self.head)
        object.__setattr__(self, "initial_log_std", spread)
        settings.check_architecture(self.architecture, self.sharing, self.hidden)
        settings.check_prior(self.prior_coefficient, self.head, self.layout)
        # sequences stay whole where there is a memory
        samples = self.num_envs if self.recurrent else self.steps_per_update
        if samples % self.num_minibatches:
            what = "num_envs" if self.recurrent else "num_envs * num_steps"
            raise ValueError(
                f"num_minibatches: got {self.num_minibatches}, expected a divisor of {what} = {samples}"
            )

    @classmethod
    def create(cls, env: Environment, params: Any, **chosen: Any) -> MAPPO:
        """A learner for `env`; `ValueError` names the field, the value and what was expected."""
        given = {"env", "env_params", "layout"}
        settings.check_names(chosen, {entry.name for entry in fields(cls)} - given)
        settings.check_hashable("env", env)
        layout = layout_of(env, params)
        chosen["cost_bounds"] = lagrangian.check_bounds(env, params, chosen.get("cost_bounds"))
        for name in settings.PER_GROUP & chosen.keys():
            chosen[name] = settings.check_groups(name, chosen[name], layout)
        for name in settings.NUMBERS.keys() & chosen.keys():
            settings.check_number(name, chosen[name])
        # Arrays of the host would be copied to the device at every call.
        params = jax.tree.map(
            lambda x: jnp.asarray(x) if isinstance(x, np.ndarray | np.generic) else x, params
        )
        return cls(env=env, env_params=params, layout=layout, **chosen)

    @property
    def steps_per_update(self) -> int:
        """Environment steps that one update trains on."""
        return self.num_envs * self.num_steps

    @property
    def recurrent(self) -> bool:
        """Whether actor and critic remember."""
        return self.architecture == "gru"

    @property
    def actor(self) -> Actor:
        """The policy network."""
        return Actor(
            self.layout,
            self.architecture,
            self.head,
            self.sharing,
            self.hidden,
            self.activation,
            self.initial_log_std,
            self.identity,
            self.skip,
        )

    @property
    def critic(self) -> CentralCritic | LocalCritic:
        """The value network."""
        if self.central_critic:
            return CentralCritic(self.layout, self.hidden, self.activation, self.recurrent, self.streams)
        return LocalCritic(
            self.layout,
            self.architecture,
            self.sharing,
            self.hidden,
            self.activation,
            self.identity,
            self.streams,
        )

    @property
    def streams(self) -> int:
        """What is valued: the reward, and every cost that is bounded."""
        return 1 + len(self.cost_bounds or {})

    def bounded(self, cost: dict[str, jax.Array], leading: tuple[int, ...]) -> jax.Array:
        """Named costs of shape `leading` that are bounded, `[*leading, K - 1]`, in order of their names."""
        return lagrangian.bounded(self.cost_bounds, cost, leading)

    @property
    def neighbours(self) -> jax.Array | None:
        """Whom agents attend to, bool `[A, A]`; None: to all."""
        return self.env.neighbours(self.env_params) if self.attend == "neighbours" else None

    @jax.jit
    def init(self, key: jax.Array) -> TrainState:
        """The state at the start of training that `key` determines, environments reset."""
        actor_key, critic_key, env_key, key = jax.random.split(key, 4)
        env_params = self.env.staggered(self.env_params) if self.stagger else self.env_params
        observation, env_state = jax.vmap(self.env.reset, (0, None))(
            jax.random.split(env_key, self.num_envs), env_params
        )
        seen = {group.name: jnp.zeros((group.agents, group.observation)) for group in self.layout.groups}
        actor, critic, neighbours = self.actor, self.critic, self.neighbours
        inputs = (jnp.zeros(self.layout.global_state),) if self.central_critic else (seen,)
        inputs += (critic.memory(),) if self.central_critic else (critic.memory(), neighbours)
        params = {
            "actor": actor.init(actor_key, seen, actor.memory(), neighbours)["params"],
            "critic": critic.init(critic_key, *inputs)["params"],
        }
        state = TrainState(
            params=params,
            optimiser=transformation(self.max_grad_norm).init(params),
            observation_stats={group.name: empty_stats((group.observation,)) for group in self.layout.groups},
            global_stats=empty_stats((self.layout.global_state,)),
            value_stats={group.name: empty_stats((self.streams,)) for group in self.layout.groups},
            multipliers=jnp.zeros(self.streams - 1),
            env_state=env_state,
            observation=observation,
            memory={"actor": actor.memory(self.num_envs), "critic": critic.memory(self.num_envs)},
            episodes=no_episodes(self.num_envs),
            key=key,
            updates=jnp.zeros((), jnp.int32),
        )
        # Weakly typed leaves would come back strong from the first update, and compile it a second time.
        return jax.tree.map(_strong, state)

    @jax.jit
    def update(self, state: TrainState) -> tuple[TrainState, dict[str, jax.Array]]:
        """One rollout and the epochs on it: the next state, and metrics (scalars)."""
        key, rollout_key, shuffle_key = jax.random.split(state.key, 3)
        state, rollout, logged = collect(self, state, rollout_key)
        batch, returns, metrics = prepare(self, state, rollout)
        step_size = self.step_size(state.updates)
        params, optimiser, steps = run_epochs(
            self, state.params, state.optimiser, batch, step_size, shuffle_key
        )
        # One set of statistics serves a whole update, acting and learning: new ones wait for the next.
        multipliers, bounds = lagrangian.update(
            self.cost_bounds, state.multipliers, rollout.cost, self.multiplier_rate, self.cost_margin
        )
        state = replace(
            self._observe(state, rollout, returns),
            params=params,
            multipliers=multipliers,
            optimiser=optimiser,
            key=key,
            updates=state.updates + 1,
        )
        first_ratio_deviation = steps.pop("ratio_deviation")[0, 0]
        metrics |= {name: jnp.mean(x) for name, x in steps.items()} | logged | bounds
        metrics |= {
            "first_ratio_deviation": first_ratio_deviation,
            "learning_rate": step_size,
            "episode_return": state.episodes.last_return,
            "episode_length": state.episodes.last_length,
            "episodes": state.episodes.finished,
        }
        return state, metrics

    def policy(self, state: TrainState) -> Policy:
        """The policy of `state`, to act with: `policy(observation, key=None)`."""
        return Policy(
            state.params["actor"],
            state.observation_stats,
            self.neighbours,
            self.actor,
            self.normalise_observations,
        )

    def step_size(self, updates: jax.Array) -> jax.Array:
        """Learning rate, a scalar, after `updates` updates: constant, or linear to its final fraction."""
        if not self.decay_learning_rate:
            return jnp.asarray(self.learning_rate, jnp.float32)
        progress = jnp.clip(updates / self.total_updates, 0.0, 1.0)
        return self.learning_rate * (1.0 - (1.0 - self.final_learning_rate_fraction) * progress)

    def scale_observation(self, state: TrainState, observation: dict[str, jax.Array]) -> dict[str, jax.Array]:
        """Observations `[..., n_agents, n]` per group, as the networks take them."""
        if not self.normalise_observations:
            return observation
        return {name: normalise(state.observation_stats[name], x) for name, x in observation.items()}

    def scale_global(self, state: TrainState, global_state: Any) -> jax.Array:
        """The global state `[..., n_state]` as the central critic takes it."""
        return normalise(state.global_stats, global_state) if self.normalise_observations else global_state

    def actor_output(
        self, params: dict[str, Any], observation: PerGroup, memory: PerGroup
    ) -> tuple[dict[str, Output], PerGroup]:
        """What heads take, and the memory after, for normalised observations `[..., n_agents, n]`."""
        found: Any = self.actor.apply({"params": params["actor"]}, observation, memory, self.neighbours)
        return found

    def critic_output(
        self, params: dict[str, Any], observation: PerGroup, global_state: Any, memory: PerGroup
    ) -> tuple[jax.Array, PerGroup]:
        """Normalised values `[..., all agents, K]` for normalised inputs, and the memory after."""
        weights = {"params": params["critic"]}
        found: Any
        if self.central_critic:
            found = self.critic.apply(weights, global_state, memory)
        else:
            found = self.critic.apply(weights, observation, memory, self.neighbours)
        return found

    def evaluate(
        self, state: TrainState, observation: PerGroup, global_state: Any, memory: PerGroup
    ) -> tuple[jax.Array, PerGroup]:
        """As `critic_output`, values `[..., all agents, K]`, for inputs as the task gives them."""
        if self.central_critic:
            return self.critic_output(state.params, {}, self.scale_global(state, global_state), memory)
        return self.critic_output(state.params, self.scale_observation(state, observation), None, memory)

    def _observe(self, state: TrainState, rollout: Rollout, returns: jax.Array) -> TrainState:
        """Statistics with the rollout's observations, global states and returns counted in."""
        if self.normalise_observations:
            merged = {
                name: merge(state.observation_stats[name], x) for name, x in rollout.observation.items()
            }
            state = replace(state, observation_stats=merged)
        if self.normalise_observations and rollout.global_state is not None:
            state = replace(state, global_stats=merge(state.global_stats, rollout.global_state))
        if self.normalise_values:
            split = self.layout.split(returns, axis=-2)
            merged = {name: merge(state.value_stats[name], x, VALUE_MEMORY) for name, x in split.items()}
            state = replace(state, value_stats=merged)
        return state


def _strong(x: jax.Array) -> jax.Array:
    """`x` with its type no longer weak; random keys have none."""
    return x if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else jax.lax.convert_element_type(x, x.dtype)
