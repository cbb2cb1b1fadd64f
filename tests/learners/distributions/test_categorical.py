import jax
import jax.numpy as jnp
import numpy as np
from scipy import special

from gridjax.learners.distributions import categorical

LOGITS = jax.random.normal(jax.random.key(0), (6, 2, 4))
MASK = jnp.ones((6, 2, 4), bool).at[0, 0].set(jnp.array([False, True, True, False])).at[1, 1].set(False)


def test_equals_the_softmax_over_what_is_allowed():
    logits, mask = np.asarray(LOGITS, np.float64), np.asarray(MASK)
    # nothing allowed counts as everything
    mask = mask | ~mask.any(-1, keepdims=True)
    expected = special.log_softmax(np.where(mask, logits, -np.inf), axis=-1)
    for k in range(4):
        found = categorical.log_prob(jnp.full((6, 2), k), LOGITS, MASK)
        inside = mask[..., k].all(-1)
        np.testing.assert_allclose(found[inside], expected[..., k].sum(-1)[inside], rtol=1e-5)
        assert np.all(found[~inside] < -1e8)
    share = np.exp(expected)
    entropy = -np.sum(np.where(share > 0, share * np.where(share > 0, expected, 0.0), 0.0), (-1, -2))
    np.testing.assert_allclose(categorical.entropy(LOGITS, MASK), entropy, rtol=1e-5)
    best = np.argmax(np.where(mask, logits, -np.inf), axis=-1)
    np.testing.assert_array_equal(categorical.mode(LOGITS, MASK), best)


def test_what_is_forbidden_is_never_drawn_and_the_rest_as_often_as_its_share():
    keys = jax.random.split(jax.random.key(1), 20_000)
    drawn = np.asarray(jax.vmap(lambda key: categorical.sample(key, LOGITS, MASK))(keys))
    assert drawn.dtype == np.int32
    assert set(np.unique(drawn[:, 0, 0])) == {1, 2}
    share = jax.nn.softmax(LOGITS[3, 1])
    np.testing.assert_allclose(np.bincount(drawn[:, 3, 1], minlength=4) / 20_000, share, atol=0.015)


def test_gradients_are_finite_and_spare_what_is_forbidden():
    choice = categorical.mode(LOGITS, MASK)

    def total(logits):
        return (categorical.log_prob(choice, logits, MASK) + categorical.entropy(logits, MASK)).sum()

    gradient = np.asarray(jax.grad(total)(LOGITS))
    assert np.isfinite(gradient).all()
    assert not gradient[0, 0, [0, 3]].any()
    assert gradient[1, 1].any()
