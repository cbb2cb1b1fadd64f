"""A small network that foretells loads, generation and prices from their last day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from gridjax.learners.networks import MLP
from gridjax.scenarios.normalise import Statistics
from gridjax.scenarios.scenario_pack import ScenarioPack
from gridjax.scenarios.tables import Foretold
from gridjax.scenarios.windows import Windows


@dataclass(frozen=True)
class Forecaster:
    """One network for all columns, each normalised by its own statistics.

    It sees `n_history` values, the hour, and whether this day and the next are of the weekend, and foretells
    the next `n_horizon` at once, by least squares. steps_per_day, first_weekday (Monday is 0): of the pack.
    """

    n_history: int
    n_horizon: int
    steps_per_day: int
    first_weekday: int
    hidden: tuple[int, ...] = (128, 128)
    learning_rate: float = 1e-3
    batch_size: int = 256
    n_update: int = 3000

    @classmethod
    def create(cls, pack: ScenarioPack, **settings: Any) -> Forecaster:
        """From a day to the next of rows like those of `pack`, unless told otherwise.

        Raises `ValueError` naming the setting that is out of range.
        """
        day = pack.steps_per_day
        spans: dict[str, Any] = {"n_history": day, "n_horizon": day} | settings
        made = cls(**spans, steps_per_day=day, first_weekday=pack.start.weekday())
        for name in ("n_history", "n_horizon", "batch_size", "n_update"):
            if not isinstance(getattr(made, name), int) or getattr(made, name) < 1:
                raise ValueError(f"{name} is {getattr(made, name)!r}, expected a whole number of at least 1")
        if not (np.isfinite(made.learning_rate) and made.learning_rate > 0):
            raise ValueError(f"learning_rate is {made.learning_rate!r}, expected a positive number")
        return made

    @property
    def network(self) -> MLP:
        """Layers of the widths `hidden` beside a linear map: from what is seen to `[n_horizon]`."""
        return MLP(tuple(self.hidden), self.n_horizon, "silu", 0.01, skip=True)

    def init(self, key: jax.Array) -> Any:
        """Parameters of the network."""
        return self.network.init(key, jnp.zeros(self.n_history + 4))

    def predict(self, parameters: Any, history: jax.Array, row: jax.Array) -> jax.Array:
        """The next values, `[..., n_horizon]`, after `history` `[..., n_history]`; both normalised.

        row: `[...]`, int, row of the pack in which what is foretold begins.
        """
        angle = (2 * jnp.pi / self.steps_per_day) * (row % self.steps_per_day).astype(history.dtype)
        today = row // self.steps_per_day + self.first_weekday
        marks = [jnp.sin(angle), jnp.cos(angle), today % 7 >= 5, (today + 1) % 7 >= 5]
        seen = jnp.stack([jnp.asarray(mark, history.dtype) for mark in marks], axis=-1)
        told: Any = self.network.apply(parameters, jnp.concatenate([history, seen], axis=-1))
        return told

    def fit(self, train: Windows, key: jax.Array) -> tuple[Any, jax.Array]:
        """Parameters, and the mean square error of every update, `[n_update]`, from normalised windows.

        Each update draws windows and columns anew; a pure function of `key`, which vmaps over keys. Raises
        `ValueError` for windows of another length.
        """
        if (train.n_history, train.n_horizon) != (self.n_history, self.n_horizon):
            raise ValueError(
                f"windows are of {train.n_history} + {train.n_horizon} steps, expected "
                f"{self.n_history} + {self.n_horizon}"
            )
        values, rows = jnp.asarray(train.values), jnp.asarray(train.rows, jnp.int32)
        optimiser = optax.adamw(
            optax.cosine_decay_schedule(self.learning_rate, self.n_update), weight_decay=1e-4
        )

        def loss(parameters, row, column):
            steps = row[:, None] + jnp.arange(-self.n_history, self.n_horizon)
            both = values[steps, column[:, None]]
            history, target = jnp.split(both, [self.n_history], axis=1)
            return jnp.mean((self.predict(parameters, history, row) - target) ** 2)

        def update(carry, key):
            parameters, state = carry
            row_key, column_key = jax.random.split(key)
            row = jax.random.choice(row_key, rows, (self.batch_size,))
            column = jax.random.randint(column_key, (self.batch_size,), 0, values.shape[1])
            error, gradient = jax.value_and_grad(loss)(parameters, row, column)
            change, state = optimiser.update(gradient, state, parameters)
            return (optax.apply_updates(parameters, change), state), error

        init_key, update_key = jax.random.split(key)
        parameters = self.init(init_key)
        carry = parameters, optimiser.init(parameters)
        (parameters, _), errors = lax.scan(update, carry, jax.random.split(update_key, self.n_update))
        return parameters, errors


def foretell(
    forecaster: Forecaster,
    parameters: Any,
    pack: ScenarioPack,
    statistics: Statistics,
    hours: Sequence[float] = (1, 2, 4, 8),
) -> Foretold:
    """What is foretold in every row of `pack` of the rows `hours` later, in the pack's units, never negative.

    The row itself was seen. The data wrap around, as years of a task do. Training days are foretold by a
    network that has seen them: what a policy learns there to expect of a forecast is a little too good.

    Raises `ValueError` if the hours are no whole steps within the horizon.
    """
    ahead = np.asarray(hours, float) / pack.step_hours
    if not ((ahead == np.round(ahead)) & (ahead >= 1) & (ahead <= forecaster.n_horizon)).all():
        raise ValueError(
            f"hours is {tuple(hours)!r}, expected whole steps of {pack.step_hours:g} h, at most "
            f"{forecaster.n_horizon} of them"
        )
    kept = jnp.asarray(ahead.astype(int) - 1)
    n_row = pack.filled.shape[0]
    seen = jnp.asarray((np.arange(n_row)[:, None] + np.arange(1 - forecaster.n_history, 1)) % n_row)
    row = jnp.asarray((np.arange(n_row) + 1) % n_row)

    @jax.jit
    def of_columns(columns):
        # one column at a time: all horizons of all columns at once would not fit
        return lax.map(lambda column: forecaster.predict(parameters, column[seen], row)[:, kept], columns)

    normal = statistics.apply(pack.values)
    found = np.moveaxis(np.asarray(of_columns(jnp.asarray(normal.T))), 0, -1)
    found = np.maximum(statistics.invert(found), 0.0)
    n_load, n_made = len(pack.load_names), len(pack.generation_names)
    return Foretold(demand=found[..., :n_load], sun=found[..., n_load : n_load + n_made])
