"""Multi-agent learners: one compiled program from scenario to update.

    from gridjax.learners import MAPPO, Checkpoints

    learner = MAPPO.create(env, params, num_envs=128, learning_rate=5e-4)   # ValueError on a bad setting
    state = learner.init(jax.random.key(0))
    with Checkpoints("runs/first/checkpoints", keep=3) as checkpoints:
        for step in range(1, 301):
            state, metrics = learner.update(state)          # metrics: dict of scalar arrays
            if step % 100 == 0:
                checkpoints.save(step, state, metrics)
        state = checkpoints.restore(checkpoints.latest_step(), like=state)

    policy = learner.policy(state)
    actions = policy(observation)            # deterministic, in [-1, 1], dict of [..., n_agents, n_action]
    actions = policy(observation, key)       # sampled

    # of choices that a task masks, and with a memory (architecture="gru")
    actions = policy(observation, mask=env.action_mask(state, params))
    actions, memory = policy.step(observation, memory)   # from policy.memory() on; zero again after an end

Seeds and numeric settings vmap: `jax.vmap(learner.init)(keys)`, `jax.vmap(learner.update)(states)`,
`jax.vmap(learner.policy)(states)`, and `dataclasses.replace(learner, learning_rate=rate)` inside a
mapped function. The settings are the fields of `MAPPO`.
"""

from gridjax.learners.checkpoint import Checkpoints, DamagedCheckpoint
from gridjax.learners.mappo import MAPPO
from gridjax.learners.policy import Policy, act
from gridjax.learners.train_state import TrainState

__all__ = ["MAPPO", "Checkpoints", "DamagedCheckpoint", "Policy", "TrainState", "act"]
