"""Serve a grid that agents run: `python -m gridjax.live --help`.

python -m gridjax.live                                   # prosumers, a policy that ships with gridjax
python -m gridjax.live --env Resilience-v0 --start
python -m gridjax.live --run runs/smartgrid              # a run of experiments.mappo, also while it trains
GRIDJAX_LIVE_TOKEN=... python -m gridjax.live --host 0.0.0.0 --tls-certificate cert.pem --tls-key key.pem
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

TOKEN = "GRIDJAX_LIVE_TOKEN"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 for bad input."""
    options = _parser().parse_args(arguments)
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
        import websockets  # noqa: F401
    except ImportError as error:
        print(f"error: {error.name} is missing: pip install 'gridjax[live]'", file=sys.stderr)
        return 2
    from gridjax.live.settings import Settings

    try:
        settings = Settings(
            host=options.host,
            port=options.port,
            token=_token(options),
            origins=tuple(options.allow_origin),
            hosts=tuple(options.allow_host),
            tls_certificate=options.tls_certificate,
            tls_key=options.tls_key,
            hertz=options.hertz,
            most_viewers=options.viewers,
            history=None if options.no_history else options.history,
        )
        # found out before anything is compiled
        with socket.socket(socket.AF_INET6 if ":" in options.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((options.host, options.port))
        from gridjax.live.run import engine_of
        from gridjax.live.server import server

        engine = engine_of(settings, options.env, options.run, options.policy, options.scenario)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if options.start:
        engine.submit(engine.start)
    scheme = "https" if settings.tls else "http"
    print(f"{engine.world.env.name} under {engine.status['policy']!r}", file=sys.stderr)
    print(f"{scheme}://{settings.host}:{settings.port}/ (Ctrl-C ends it)", file=sys.stderr, flush=True)
    if settings.token is not None and not settings.tls:
        print("the token and all else travel unencrypted: consider --tls-certificate", file=sys.stderr)
    for end in (signal.SIGINT, signal.SIGTERM):
        # uvicorn ends cleanly, and then sends itself the signal again
        signal.signal(end, lambda *_: None)
    server(engine, settings, options.run).run()
    if engine.alive:
        # it compiles, which cannot be interrupted; to take down the interpreter around it would crash
        sys.stderr.flush()
        os._exit(0)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gridjax.live",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--env", help="SmartGrid-v0 (the default), VoltageControl-v0 or Resilience-v0")
    add("--run", type=Path, help="folder of a run, whose task and policies are shown")
    add("--policy", help="that begins; default the run's best, or the one that ships with gridjax")
    add("--scenario", help="that begins: a name or a day of the year; default 'any day'")
    add("--start", action="store_true", help="begin at once")
    add("--host", default="127.0.0.1", help="any but this machine itself needs a token")
    add("--port", type=int, default=8000)
    add("--token-file", type=Path, help=f"holds the token; default the variable {TOKEN}")
    add("--token", help="the same on the command line, where others on this machine can read it")
    add("--allow-origin", action="append", default=[], help="of pages elsewhere; may be repeated")
    add("--allow-host", action="append", default=[], help="another name of this server; may be repeated")
    add("--tls-certificate", type=Path)
    add("--tls-key", type=Path)
    add("--hertz", type=float, default=10.0, help="most frames per second")
    add("--viewers", type=int, default=500, help="at most")
    add("--history", type=Path, default=_state() / "gridjax" / "live", help="folder of sessions on disk")
    add("--no-history", action="store_true", help="keep frames in memory only")
    return parser


def _token(options: argparse.Namespace) -> str | None:
    if options.token is not None and options.token_file is not None:
        raise ValueError("--token and --token-file exclude each other")
    if options.token_file is not None:
        return options.token_file.read_text(encoding="utf-8").strip()
    return options.token or os.environ.get(TOKEN) or None


def _state() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")


if __name__ == "__main__":
    sys.exit(main())
