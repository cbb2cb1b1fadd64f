"""The page in one file: a recording that opens without a server, and text that stays text."""

from __future__ import annotations

import pytest

from benchmarks.live_page import page_of, recording
from tests.live.browser import Watched, chromium

HOSTILE = '<img src=x onerror="document.title=1"></script><script>document.title=1</script><!--'


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def replay(browser, tmp_path):
    """Opens a recording from a file; at the end nothing may have gone wrong, and nothing been fetched."""
    opened = []

    def open_replay(recorded, **options):
        path = tmp_path / "replay.html"
        path.write_text(page_of(recorded))
        context = browser.new_context(**options)
        watched = Watched(context.new_page())
        opened.append((context, watched))
        watched.page.goto(path.as_uri())
        watched.page.wait_for_selector(".card")
        watched.drawn()
        return watched

    yield open_replay
    for context, watched in opened:
        context.close()
        assert watched.troubles == []
        assert all(url.startswith(("file:", "data:")) for url in watched.requests)


@pytest.fixture(scope="module")
def recorded():
    return recording(6, 96)


def test_a_recording_plays_without_a_server(replay, recorded):
    one = replay(recorded)
    assert not one.page.is_visible("#control")
    assert one.page.get_attribute("#scrub", "max") == "95"
    one.until("() => document.getElementById('scrub').valueAsNumber > 5")
    one.page.keyboard.press("Space")
    one.page.wait_for_selector("#play[aria-label='Play history']")
    one.rewind()
    frame = recorded["frames"][0]
    assert one.shown() == frame["sequence"]
    reward = one.page.locator(".card [data-field=reward]").first.get_attribute("value")
    assert float(reward) == frame["agents"][0]["reward"]
    one.page.click("#play")
    one.until("() => document.getElementById('scrub').valueAsNumber > 3")


def test_an_island_is_not_missed(replay, recorded):
    one = replay(recorded)
    one.page.click("#play")
    one.rewind()
    assert not one.page.is_visible("#banner")
    one.page.keyboard.press("n")
    one.page.wait_for_selector("#banner:not([hidden])")
    assert "Islanded since 14:00" in one.page.inner_text("#banner")
    assert one.page.get_attribute(".lane", "data-supply") == "islanded"
    entry = one.page.locator(".event-list button[aria-current=true]")
    assert "the connection to the grid is lost" in entry.inner_text()
    assert "alarm" in entry.get_attribute("class")
    one.page.keyboard.press("n")
    one.page.wait_for_selector(".lane[data-supply=connected]")
    assert "over by now" in one.page.inner_text("#banner")


def test_a_dead_part_is_told_from_the_rest(replay):
    recorded = recording(6, 4)
    for frame in recorded["frames"]:
        half = len(frame["buses"]["voltage"]) // 2
        frame["buses"] = {
            "voltage": [1.0 if i < half else 0.0 for i in range(2 * half)],
            "energised": [i < half for i in range(2 * half)],
        }
        frame["grid"] = {"connected": True, "islanded": False, "energised_share": 0.5}
        frame["agents"][-1] |= {"status": "dark", "voltage": 0.0, "unserved_kw": 1.5}
    one = replay(recorded)
    assert "dead" in one.page.inner_text("#banner")
    assert "50 % supplied" in one.page.inner_text(".lane-supply")
    last = one.page.locator(".card").last
    assert "without power" in last.inner_text()
    assert last.locator("tr.bad").count() == 1


def test_text_never_becomes_markup(replay):
    recorded = recording(3, 5)
    hello = recorded["hello"]
    for name in ("env", "network", "policies"):
        hello[name] = [HOSTILE] if name == "policies" else HOSTILE
    for agent in hello["agents"]:
        agent["name"] = HOSTILE
    for frame in recorded["frames"]:
        frame["policy"] = HOSTILE
        frame["metrics"][HOSTILE] = 1.0
        frame["events"] = [{"kind": "outage", "severity": "alarm", "text": HOSTILE}]
    one = replay(recorded)
    assert one.page.inner_text(".card h3") == HOSTILE
    assert HOSTILE in one.page.locator(".event-list button").first.inner_text()
    assert one.page.locator("img").count() == 0
    one.page.wait_for_timeout(300)
    assert one.page.title() == "gridjax live"


def test_the_grid_zooms_pans_and_tells_details(replay, recorded):
    one = replay(recorded, viewport={"width": 1440, "height": 900})
    one.page.click("#play")
    one.rewind()
    ground = "canvas => canvas.toDataURL()"
    before = one.page.eval_on_selector(".view canvas", ground)
    one.page.focus(".view")
    one.page.keyboard.press("+")
    one.page.wait_for_timeout(500)
    zoomed = one.page.eval_on_selector(".view canvas", ground)
    one.page.keyboard.press("ArrowLeft")
    one.page.wait_for_timeout(300)
    panned = one.page.eval_on_selector(".view canvas", ground)
    assert len({before, zoomed, panned}) == 3
    one.page.keyboard.press("0")
    one.page.wait_for_timeout(500)
    assert one.page.eval_on_selector(".view canvas", ground) == before
    box = one.page.locator(".view").first.bounding_box()
    found = set()
    for i in range(1, 40):
        one.page.mouse.move(box["x"] + box["width"] * i / 40, box["y"] + box["height"] / 2)
        if one.page.is_visible("#tooltip"):
            found.add(one.page.inner_text("#tooltip strong"))
    assert found


def test_motion_stops_for_those_who_ask_for_that(replay, recorded):
    one = replay(recorded, reduced_motion="reduce")
    one.page.select_option("#rate", "5")
    one.until("() => document.getElementById('scrub').valueAsNumber > 3")
    one.page.click("#play")
    one.page.wait_for_timeout(200)
    still = one.arrows()
    one.page.wait_for_timeout(400)
    assert one.arrows() == still
