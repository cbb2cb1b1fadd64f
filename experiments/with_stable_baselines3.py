"""Stable-Baselines3's PPO holds the voltage of a feeder: `python -m experiments.with_stable_baselines3`.

It sees the task through Gymnasium, as one agent that decides for all inverters. Prints the mean reward per
step on days that it never trained on, with and without it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import gymnasium
import numpy as np
import torch
import tyro
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import gridjax

Act = Callable[[np.ndarray], np.ndarray]


def build(split: str, network: str, episode_length: int) -> gymnasium.Env:
    """Voltage control on the days of `split`; the constructor can be sent to other processes."""
    return gridjax.interop.gymnasium.make(
        "VoltageControl-v0", network=network, split=split, episode_length=episode_length
    )


def train(steps: int, seed: int, network: str = "case33bw", episode_length: int = 8, copies: int = 8) -> Act:
    """PPO for `steps` steps in all: its deterministic joint action, `[n_agents]`, of an observation."""
    torch.set_num_threads(1)
    envs = VecNormalize(DummyVecEnv([partial(build, "train", network, episode_length)] * copies))
    model = PPO(
        "MlpPolicy",
        envs,
        n_steps=32,
        batch_size=64,
        n_epochs=5,
        learning_rate=1e-3,
        gamma=0.3,  # a step tells nearly all about its action
        policy_kwargs={"log_std_init": -1.5},
        seed=seed,
        device="cpu",
    )
    model.learn(steps)
    return lambda observation: model.predict(envs.normalize_obs(observation), deterministic=True)[0]


def mean_reward(act: Act, network: str = "case33bw", episode_length: int = 8, episodes: int = 32) -> float:
    """Mean reward per step over episodes on test days, which their numbers determine."""
    env = build("test", network, episode_length)
    rewards = []
    for seed in range(episodes):
        observation, _ = env.reset(seed=seed)
        over = False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(act(observation))
            over = terminated or truncated
            rewards.append(float(reward))
    return float(np.mean(rewards))


def main(steps: int = 16_384, seed: int = 0, network: str = "case33bw") -> None:
    """Train and compare.

    Args:
        steps: of the environment, in all.
        seed: of the learner and its episodes.
        network: a shipped name.
    """
    rest = np.zeros_like(build("train", network, 1).action_space.sample())
    before = mean_reward(lambda _: rest, network)
    after = mean_reward(train(steps, seed, network), network)
    print(f"mean reward per step on test days: no control {before:.5f}, PPO after {steps} steps {after:.5f}")


if __name__ == "__main__":
    tyro.cli(main)
