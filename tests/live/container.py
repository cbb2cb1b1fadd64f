"""Executes the steps of `gridjax/live/Containerfile` without an engine: `python -m tests.live.container`.

Every COPY, ENV, RUN, USER, HEALTHCHECK and ENTRYPOINT is carried out in a new folder with an empty
environment, commands as they stand but for the folder `ROOT`. Run as root, it serves as the user of the file,
who must not be able to write to what was installed; else as whoever runs it. Then: the page is there, a token
is asked for, a started grid sends frames, SIGTERM ends it. Prints what it does; exit status 0 if all of it
worked.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.ports import free_port

SOURCE = Path(__file__).parents[2]
FILE = SOURCE / "gridjax" / "live" / "Containerfile"
TOKEN = "of-the.container_alone"
LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", "*.pyc")


def instructions() -> list[tuple[str, str]]:
    """Names and arguments, in order."""
    lines = (line.strip() for line in FILE.read_text().splitlines())
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines if line and line[0] != "#"]


def main() -> int:
    import httpx

    with tempfile.TemporaryDirectory(prefix="container-") as folder:
        top = Path(folder)
        top.chmod(0o755)
        environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "TMPDIR": str(top / "tmp")}
        # what pip needs to reach its index, which an engine has of its own
        environment |= {
            name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))
        }
        (top / "tmp").mkdir(mode=0o1777)
        (top / "tmp").chmod(0o1777)
        environment |= _base(top)
        here, user, health, entry, declared = top, None, "", [], ""
        for name, rest in instructions():
            print(name, rest, flush=True)
            if name == "ENV":
                environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
                declared = environment.get("ROOT", "")
                environment["ROOT"] = str(top / declared.lstrip("/"))
            elif name == "WORKDIR":
                here = top / rest.lstrip("/")
                here.mkdir(parents=True, exist_ok=True)
            elif name == "COPY":
                *given, target = rest.split()
                for one in given:
                    _copy(SOURCE / one, here / target if target != "./" else here / one)
            elif name == "RUN":
                subprocess.run(["sh", "-ec", rest], cwd=here, env=environment, check=True)
            elif name == "USER":
                user = tuple(int(number) for number in rest.split(":"))
            elif name == "HEALTHCHECK":
                health = rest.partition("CMD ")[2]
            elif name == "ENTRYPOINT":
                entry = [part.replace(declared, environment["ROOT"]) for part in json.loads(rest)]
            elif name not in ("FROM", "EXPOSE"):
                raise ValueError(f"{FILE.name} has {name}, which this does not know")
        assert user is not None
        assert user[0] != 0
        port = free_port()
        served = environment | {"GRIDJAX_LIVE_TOKEN": TOKEN}
        given: dict[str, Any] = {"cwd": here, "env": served}
        if os.getuid() == 0:
            given |= {"user": user[0], "group": user[1], "extra_groups": []}
            for path in (Path(environment["ROOT"]), here):
                wrote = subprocess.run(["touch", str(path / "written")], **given, capture_output=True)
                assert wrote.returncode != 0, f"user {user[0]} can write to {path}"
        refused = subprocess.run(entry, **{**given, "env": environment}, capture_output=True, text=True)
        assert refused.returncode == 2, refused.stderr
        assert "expected a token" in refused.stderr
        child = subprocess.Popen([*entry, "--port", str(port)], **given)
        try:
            address = f"http://127.0.0.1:{port}"
            check = ["sh", "-ec", f"{health} {address}"]
            assert subprocess.run(check, **given).returncode in (0, 1)
            with httpx.Client(base_url=address, timeout=60) as client:
                _until(lambda: _answers(client), child)
                assert subprocess.run(check, **given).returncode == 0
                assert "gridjax" in client.get("/").text
                assert client.get("/api/status").status_code == 401
                client.headers["authorization"] = f"Bearer {TOKEN}"
                assert client.post("/api/simulation/start").json()["running"]
                _until(lambda: client.get("/api/history").json()["last"], child)
                print(client.get("/api/status").json(), flush=True)
            child.send_signal(signal.SIGTERM)
            assert child.wait(30) == 0
            assert subprocess.run(check, **given).returncode == 1
        finally:
            child.kill()
            child.wait()
    print("all steps worked")
    return 0


def _base(top: Path) -> dict[str, str]:
    """In place of FROM, this Python without its packages: a copy, where only its owner may read it."""
    base = Path(sys.base_prefix)
    if all(path.stat().st_mode & 0o001 for path in (base, *base.parents)):
        return {"PATH": f"{base / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    ignored = shutil.ignore_patterns("site-packages", "test", "__pycache__", "share", "*.a")
    shutil.copytree(base, top / "python", symlinks=True, ignore=ignored)
    (top / "python" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages").mkdir()
    path = f"{top / 'python' / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return {"PATH": path, "LD_LIBRARY_PATH": str(top / "python" / "lib")}


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=LEFT_OUT)
    else:
        shutil.copy(source, target)


def _answers(client: Any) -> bool:
    import httpx

    try:
        return client.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def _until(condition: Any, child: subprocess.Popen) -> None:
    end = time.monotonic() + 300.0
    while not condition():
        assert child.poll() is None, "the server ended"
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
