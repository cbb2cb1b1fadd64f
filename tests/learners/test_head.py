import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gridjax.learners.distributions import beta, categorical, gaussian
from gridjax.learners.head import Head
from gridjax.learners.layout import Group

REALS = Group("a", 3, 5, 2)
CHOICES = Group("a", 3, 5, 0, 2, 4)
SCALAR = Group("a", 3, 5, 0, 1, 4, True)
BOTH = Group("a", 3, 5, 2, 2, 4)
MASK = jnp.ones((7, 3, 2, 4), bool).at[..., 0].set(False)


def output_of(head):
    numbers = jax.random.normal(jax.random.key(0), (7, 3, head.outputs))
    return numbers, jnp.full(2, -1.0) if head.group.action else None


@pytest.mark.parametrize("kind", ["gaussian", "beta"])
@pytest.mark.parametrize("group", [REALS, CHOICES, SCALAR, BOTH])
def test_actions_have_the_shapes_of_their_space(kind, group):
    head = Head(kind, group)
    output = output_of(head)
    for drawn in (head.sample(jax.random.key(1), output), head.mode(output)):
        action = head.action(drawn)
        reals = action["continuous"] if group is BOTH else action if group is REALS else None
        chosen = action["discrete"] if group is BOTH else action if group is not REALS else None
        if reals is not None:
            assert reals.shape == (7, 3, 2)
            assert np.abs(reals).max() < 1.0
        if chosen is not None:
            assert chosen.shape == ((7, 3) if group is SCALAR else (7, 3, 2))
            assert chosen.dtype == jnp.int32
        assert head.log_prob(drawn, output).shape == (7, 3)
    assert head.entropy(output).shape == (7, 3)


@pytest.mark.parametrize(("kind", "law"), [("gaussian", gaussian), ("beta", beta)])
def test_the_parts_of_a_hybrid_are_independent(kind, law):
    head = Head(kind, BOTH)
    numbers, log_std = output_of(head)
    drawn = head.sample(jax.random.key(1), (numbers, log_std), MASK)
    first = 2 * law.OUTPUTS
    logits = numbers[..., first:].reshape(7, 3, 2, 4)
    apart = law.log_prob(drawn.continuous, numbers[..., :first], log_std)
    apart += categorical.log_prob(drawn.discrete, logits, MASK)
    np.testing.assert_allclose(head.log_prob(drawn, (numbers, log_std), MASK), apart, rtol=1e-5)
    entropy = law.entropy(numbers[..., :first], log_std) + categorical.entropy(logits, MASK)
    np.testing.assert_allclose(head.entropy((numbers, log_std), MASK), entropy, rtol=1e-5)
    assert np.all(drawn.discrete > 0)


def test_a_scalar_choice_is_masked_without_its_axis():
    head = Head("gaussian", SCALAR)
    mask = jnp.zeros((7, 3, 4), bool).at[..., 2].set(True)
    drawn = head.sample(jax.random.key(1), output_of(head), mask)
    assert np.all(head.action(drawn) == 2)
    np.testing.assert_allclose(head.entropy(output_of(head), mask), 0.0, atol=1e-6)
