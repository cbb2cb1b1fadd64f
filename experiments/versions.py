"""What a run was made with: versions, device and git revision."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGES = ("gridjax", "jax", "jaxlib", "flax", "optax", "distrax", "orbax-checkpoint", "numpy")


def versions() -> dict[str, Any]:
    """Versions of Python and packages, devices, and the revision of the source tree, if it is one."""
    import jax

    devices = jax.devices()
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "platform": devices[0].platform,
        "device": devices[0].device_kind,
        "device_count": len(devices),
        "cpu_cores": cpu_cores(),
        "machine": f"{platform.system()} {platform.machine()}",
        "git_revision": _git_revision(),
    }


def cpu_cores() -> int:
    """Cores that this process may use; where the system does not tell, all of the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    """Commit of the tree that this file lies in, with `+changes` where it is not clean; None outside one."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
        return done.stdout.strip()

    try:
        # an installed copy may lie in somebody else's repository, below an ignored folder
        if not git("ls-files", Path(__file__).name):
            return None
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None
