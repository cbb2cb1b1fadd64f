"""The bundle in the wheel is that of the sources, and keeps to the page's security policy. Needs no Node."""

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

import gridjax.live

LIVE = Path(gridjax.live.__file__).parent
WEB, STATIC = LIVE / "web", LIVE / "static"
SLOT = '<script type="application/json" id="gridjax-replay">null</script>'


def sources() -> list[Path]:
    """What `vite.config.ts` hashes."""
    single = ["index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"]
    return [WEB / name for name in single] + [path for path in (WEB / "src").rglob("*") if path.is_file()]


def test_the_bundle_was_built_from_these_sources():
    digest = hashlib.sha256()
    for path in sorted(sources(), key=lambda path: path.relative_to(WEB).as_posix()):
        digest.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    kept = (STATIC / "sources.sha256").read_text().strip()
    assert kept == digest.hexdigest(), "run `npm ci && npm run build` in gridjax/live/web"


def test_the_page_has_no_inline_code_and_asks_for_its_own_files_only():
    page = (STATIC / "index.html").read_text()
    assert re.findall(r'<script[^>]*src="([^"]+)"', page) == ["./app.js"]
    assert re.findall(r'<link rel="stylesheet"[^>]*href="([^"]+)"', page) == ["./app.css"]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert not re.search(r"<script(?![^>]*src=)", page)


@pytest.mark.parametrize("name", ["index.html", "app.css", "replay.html"])
def test_nothing_is_fetched_from_elsewhere(name):
    text = (STATIC / name).read_text()
    found = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"')]*", text))
    assert {address for address in found if "www.w3.org" not in address} == set()


def test_the_replay_is_one_file_that_allows_its_own_code_and_nothing_else():
    page = (STATIC / "replay.html").read_text()
    assert page.count(SLOT) == 1
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    directives = dict(part.strip().split(" ", 1) for part in policy[1].split(";"))
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)
    assert script is not None
    assert style is not None
    assert directives == {
        "default-src": "'none'",
        "script-src": hashed(script[1]),
        "style-src": hashed(style[1]),
        "img-src": "data:",
    }
    assert "src=" not in page.replace(script[1], "").replace(policy[0], "")


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_lock_file_names_no_registry():
    lock = json.loads((WEB / "package-lock.json").read_text())
    assert len(lock["packages"]) > 50
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
