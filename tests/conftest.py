import gc
import os
from importlib.metadata import version
from pathlib import Path

# XLA spreads batched LAPACK over its own threads: those of OpenBLAS on top only wait for one another
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# most of the suite's time is compilation: programs are kept between runs, and for processes that tests start
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".jax_cache"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.3")
os.environ.setdefault("MPLBACKEND", "Agg")
# and by a compiler that optimises less, in half the time, for what tests run is small. At level 0 results are
# no longer bit for bit those of another batch size. JAX 0.12 aborts on the second flag.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=1"
    + " --xla_cpu_use_fusion_emitters=false" * version("jaxlib").startswith("0.10."),
)

import jax
import pytest

_MOST_MAPS = 30_000  # Linux allows a process 65,530 memory maps, and every compiled program takes some


@pytest.fixture(autouse=True, scope="module")
def programs_do_not_pile_up():
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and len(maps.read_text().splitlines()) > _MOST_MAPS:
        jax.clear_caches()
        gc.collect()
