import jax
import pytest

from gridjax.interop import episode

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
    """Compiling is nearly all of the time that these tests take, and on the CPU this halves it."""
    if jax.default_backend() != "cpu":
        yield
        return
    kept = {name: getattr(episode, name) for name in _COMPILED}
    options = {"xla_backend_optimization_level": 0}
    for name, function in kept.items():
        setattr(episode, name, jax.jit(function.__wrapped__, static_argnums=(0, 1), compiler_options=options))
    yield
    for name, function in kept.items():
        setattr(episode, name, function)
