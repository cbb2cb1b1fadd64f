import gc
import os
from importlib import metadata
from pathlib import Path

# XLA spreads batched LAPACK over its own threads: those of OpenBLAS on top only wait for one another
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import jax
import pytest

# most of the suite's time is compilation; XLA reads it when a device is first used
_QUICKLY = ["--xla_backend_optimization_level=0", "--xla_llvm_disable_expensive_passes=true"]
if metadata.version("jaxlib").startswith("0.10."):
    _QUICKLY += ["--xla_cpu_use_fusion_emitters=false"]  # newer ones abort at a flag that they do not know
os.environ.setdefault("XLA_FLAGS", " ".join(_QUICKLY))

_MOST_MAPS = 30_000  # Linux allows a process 65,530 memory maps, and every compiled program takes some

# programs are kept between runs, unless told otherwise
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    cache = Path(__file__).parents[1] / ".jax_cache"
    jax.config.update("jax_compilation_cache_dir", str(cache))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(autouse=True, scope="module")
def programs_do_not_pile_up():
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and len(maps.read_text().splitlines()) > _MOST_MAPS:
        jax.clear_caches()
        gc.collect()
