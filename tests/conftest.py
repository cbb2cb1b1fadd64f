import os
from pathlib import Path

import jax

# most of the suite's time is compilation: programs are kept between runs, unless told otherwise
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    cache = Path(__file__).parents[1] / ".jax_cache"
    jax.config.update("jax_compilation_cache_dir", str(cache))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
os.environ.setdefault("MPLBACKEND", "Agg")
