"""The epochs of an update: minibatches of whole environment steps, shuffled over time and environments.

With a memory they are minibatches of environments, each with all its steps in their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import optax

from gridjax.learners import losses
from gridjax.learners.batch import Batch, values_of
from gridjax.learners.distributions.gaussian import LOG_STD_BOUNDS
from gridjax.learners.head import Output
from gridjax.learners.rollout import log_probs
from gridjax.learners.unroll import unroll

if TYPE_CHECKING:
    from gridjax.learners.mappo import MAPPO


def transformation(max_grad_norm: jax.Array | float) -> optax.GradientTransformation:
    """Clip and precondition. The step size is applied outside, so that it may be traced and swept over."""
    return optax.chain(optax.clip_by_global_norm(max_grad_norm), optax.scale_by_adam(eps=1e-5))


def loss(params: dict[str, Any], batch: Batch, learner: MAPPO) -> tuple[jax.Array, dict[str, jax.Array]]:
    """The objective on one minibatch, to be minimised, and its metrics: scalars."""
    heads, join, mask = learner.actor.heads, learner.layout.join, batch.mask
    memory = jax.tree.map(lambda x: x[0], batch.memory)

    def act(seen: Any, memory: Any) -> Any:
        outputs, memory = learner.actor_output(params, seen, memory)
        return {name: _alike(*output) for name, output in outputs.items()}, memory

    outputs = unroll(act, batch.observation, memory["actor"], batch.done)
    log_ratio = join(log_probs(learner, batch.drawn, outputs, mask)) - batch.log_prob
    value = values_of(learner, params, batch.observation, batch.global_state, memory["critic"], batch.done)
    policy = losses.policy_loss(log_ratio, batch.advantage, learner.clip)
    critic = losses.value_loss(
        value, batch.value, batch.target, learner.value_loss, learner.value_clip, learner.huber_delta
    )
    entropies = {name: heads[name].entropy(out, mask.get(name)) for name, out in outputs.items()}
    entropy = jnp.mean(join(entropies))
    metrics = {"policy_loss": policy, "value_loss": critic, "entropy": entropy}
    total = policy + learner.value_coefficient * critic - learner.entropy_coefficient * entropy
    if learner.prior_coefficient is not None:
        away = join({name: heads[name].from_zero(out) for name, out in outputs.items()})
        metrics["prior_divergence"] = jnp.mean(away)
        total = total + jnp.mean(learner.layout.per_agent(learner.prior_coefficient) * away)
    metrics |= losses.policy_diagnostics(log_ratio, learner.clip)
    if len(entropies) > 1:
        metrics |= _by_group(entropies, learner.layout.split(log_ratio), learner.clip)
    return total, metrics


def _by_group(
    entropies: dict[str, jax.Array], log_ratios: dict[str, jax.Array], clip: jax.Array | float
) -> dict[str, jax.Array]:
    """Entropy, divergence and clipping of every group of agents, whose policies may learn at a pace each."""
    metrics = {f"entropy/{group}": jnp.mean(x) for group, x in entropies.items()}
    for group, log_ratio in log_ratios.items():
        found = losses.policy_diagnostics(log_ratio, clip)
        del found["ratio_deviation"]
        metrics |= {f"{name}/{group}": number for name, number in found.items()}
    return metrics


def _alike(output: jax.Array, log_std: jax.Array | None) -> Output:
    """With the deviations of every sample, so that steps can be stacked."""
    if log_std is not None:
        log_std = jnp.broadcast_to(log_std, (*output.shape[:-1], log_std.shape[-1]))
    return output, log_std


def within_bounds(params: dict[str, Any]) -> dict[str, Any]:
    """`params` with deviations where they still have a gradient: beyond its bounds a policy has none."""

    def one(path: Any, x: jax.Array) -> jax.Array:
        deviation = str(getattr(path[-1], "key", "")).startswith("log_std")
        return jnp.clip(x, *LOG_STD_BOUNDS) if deviation else x

    return jax.tree_util.tree_map_with_path(one, params)


def run_epochs(
    learner: MAPPO,
    params: dict[str, Any],
    optimiser: Any,
    batch: Batch,
    step_size: jax.Array,
    key: jax.Array,
) -> tuple[dict[str, Any], Any, dict[str, jax.Array]]:
    """Parameters and optimiser state after all epochs; metrics of each minibatch, `[epochs, minibatches]`."""
    chain = transformation(learner.max_grad_norm)
    samples = batch.log_prob.shape[1]

    def minibatch(carry: tuple[Any, Any], rows: jax.Array) -> Any:
        params, optimiser = carry
        chosen = jax.tree.map(lambda x: x[:, rows], batch)
        gradient, metrics = jax.grad(loss, has_aux=True)(params, chosen, learner)
        metrics["gradient_norm"] = optax.tree.norm(gradient)
        updates, optimiser = chain.update(gradient, optimiser)
        params = within_bounds(jax.tree.map(lambda p, u: p - step_size * u, params, updates))
        return (params, optimiser), metrics

    def epoch(carry: tuple[Any, Any], key: jax.Array) -> Any:
        order = jax.random.permutation(key, samples).reshape(learner.num_minibatches, -1)
        return jax.lax.scan(minibatch, carry, order)

    keys = jax.random.split(key, learner.num_epochs)
    (params, optimiser), metrics = jax.lax.scan(epoch, (params, optimiser), keys)
    return params, optimiser, metrics
