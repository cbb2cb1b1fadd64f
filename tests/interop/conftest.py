import jax
import pytest

from gridjax.interop import episode
from tests.interop.tasks import quick

_COMPILED = (
    "begin_one",
    "advance_one",
    "begin_many",
    "advance_many",
    "begin_some",
    "advance_then_begin",
    "begin_or_advance",
)


@pytest.fixture(autouse=True, scope="package")
def compiled_without_optimisation():
    kept = {name: getattr(episode, name) for name in _COMPILED}
    for name, function in kept.items():
        setattr(episode, name, jax.jit(function.__wrapped__, static_argnums=(0, 1), compiler_options=quick()))
    yield
    for name, function in kept.items():
        setattr(episode, name, function)
