"""Whether a server answers: `python -m gridjax.live.health [ADDRESS]`, for a container's health check."""

from __future__ import annotations

import sys
from urllib.error import URLError
from urllib.request import urlopen


def main(arguments: list[str]) -> int:
    """Exit status: 0 where `/healthz` says so, else 1."""
    address = arguments[0] if arguments else "http://127.0.0.1:8000"
    try:
        with urlopen(f"{address}/healthz", timeout=5.0) as answer:
            return 0 if answer.status == 200 else 1
    except (URLError, OSError, ValueError):
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
