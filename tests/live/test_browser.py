"""The page in a browser, at a server of its own process."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.live.browser import Server, Watched, chromium, equal_numbers

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
RULE = "idle batteries"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server") / "log.txt")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def watch(browser, server):
    """Opens a page; at the end nothing may have gone wrong in any."""
    server.post("policy", policy=None, lane="comparison")
    server.post("scenario", scenario="any day")
    server.post("speed", speed=10.0)
    server.post("stop")
    opened = []

    def open_page(viewport=DESKTOP, before=None, **options):
        context = browser.new_context(viewport=viewport, **options)
        watched = Watched(context.new_page())
        opened.append((context, watched))
        if before is not None:
            before(watched)
        return watched.open(server)

    yield open_page
    for context, watched in opened:
        context.close()
        assert watched.troubles == []


def test_the_page_loads_from_its_own_server_alone(watch, server):
    one = watch()
    assert "SmartGrid-v0" in one.page.inner_text("#subject")
    assert one.page.locator(".card").count() == 5
    assert one.page.is_enabled("#start")
    assert not one.page.is_enabled("#pause")
    assert all(url.startswith((server.address, "data:")) for url in one.requests)


def test_flows_move_from_start_to_stop(watch, server):
    one = watch()
    # slow enough that between two looks only the arrows move
    server.post("speed", speed=0.25)
    one.page.click("#start")
    one.mode("running")
    one.wait_for_frames(1)
    one.page.wait_for_timeout(300)
    first, sequence = one.arrows(), one.shown()
    moved = 0
    for _ in range(5):
        one.page.wait_for_timeout(200)
        moved += one.shown() == sequence and one.arrows() != first
    assert moved > 0
    one.page.click("#stop")
    one.mode("stopped")
    one.page.wait_for_timeout(300)
    still = one.arrows()
    one.page.wait_for_timeout(600)
    assert one.arrows() == still


def test_each_card_holds_the_numbers_that_the_socket_brought(watch):
    one = watch()
    one.page.click("#start")
    one.wait_for_frames(10)
    one.page.click("#pause")
    one.mode("paused")
    one.page.wait_for_timeout(500)
    frame = one.settled()
    cards = one.cards()
    assert [card["id"] for card in cards] == [agent["id"] for agent in frame["agents"]]
    for card, agent in zip(cards, frame["agents"]):
        assert equal_numbers(card, agent), (card, agent)
    stability = one.page.get_attribute(".tile[data-metric=stability] data.value", "value")
    assert float(stability) == frame["metrics"]["stability"]


def test_history_scrubs_and_goes_back_to_live(watch):
    one = watch()
    one.page.click("#start")
    one.wait_for_frames(30)
    one.page.focus("#scrub")
    for _ in range(7):
        one.page.keyboard.press("ArrowLeft")
    one.mode("history")
    back = one.shown()
    one.page.wait_for_timeout(700)
    assert one.shown() == back, "what is chosen stays while frames come"
    frame = next(frame for frame in one.frames if frame["sequence"] == back)
    assert all(equal_numbers(card, agent) for card, agent in zip(one.cards(), frame["agents"]))
    one.rewind()
    assert one.shown() < back
    one.page.click("#live")
    one.mode("running")
    one.until("n => document.querySelector('.card').dataset.sequence > n", one.frames[-1]["sequence"])


def test_who_comes_late_sees_what_was_before(watch):
    one = watch()
    one.page.click("#start")
    one.wait_for_frames(20)
    one.page.click("#pause")
    one.mode("paused")
    late = watch()
    late.wait_for_frames(20)
    late.rewind()
    # the server may keep frames of before either page
    assert late.shown() <= one.frames[0]["sequence"]


def test_events_are_listed_and_jumped_to(watch, server):
    one = watch()
    server.post("seed", seed=5)
    one.page.click("#start")
    one.wait_for_frames(10)
    one.page.click("#pause")
    one.mode("paused")
    entry = one.page.locator(".event-list button[data-kind=seed]").first
    assert "5" in entry.inner_text()
    entry.click()
    one.mode("history")
    at = int(entry.get_attribute("data-sequence"))
    assert one.shown() == at
    one.page.click("#live")
    one.mode("paused")
    one.page.focus("#stage")
    one.page.keyboard.press("p")
    one.mode("history")
    listed = one.page.eval_on_selector_all(".event-list button", "all => all.map((e) => +e.dataset.sequence)")
    # from the newest frame, which may have an event itself
    assert one.shown() == max(sequence for sequence in listed if sequence < one.frames[-1]["sequence"])


def test_two_policies_stand_side_by_side(watch):
    one = watch()
    one.page.select_option("#compare", RULE)
    one.page.click("#start")
    lane = one.page.locator(".lane[data-lane=comparison]")
    lane.wait_for()
    one.wait_for_frames(12)
    one.page.click("#pause")
    one.mode("paused")
    one.page.wait_for_timeout(500)
    frame = one.settled()
    assert frame["comparison"]["policy"] == RULE
    assert lane.locator(".lane-policy").inner_text() == RULE
    assert one.page.locator(".lane[data-lane=main] .lane-policy").inner_text() == frame["policy"] != RULE
    for card, agent in zip(one.cards("td.other data"), frame["comparison"]["agents"]):
        numbers = {name: agent[name] for name in ("battery_kw", "exchange_kw", "reward", "voltage")}
        assert equal_numbers(card, numbers), (card, agent)
    assert one.arrows("comparison") != one.arrows("main")
    one.page.select_option("#compare", "")
    one.page.click("#step")
    lane.wait_for(state="hidden")


def test_weights_go_to_the_server_and_back(watch, server):
    one, other = watch(), watch()
    name, before = next(iter(server.status()["weights"].items()))
    slider = one.page.locator(f"[data-weight={name}]")
    slider.focus()
    for _ in range(3):
        one.page.keyboard.press("ArrowRight")
    other.until(
        "([name, before]) => document.querySelector(`[data-weight=${name}]`).valueAsNumber > before",
        [name, before],
    )
    assert server.status()["weights"][name] > before
    server.post("weights", weights={name: before})


def test_keys_run_everything(watch):
    one = watch()
    page = one.page
    page.keyboard.press("Space")
    one.mode("running")
    page.keyboard.press("Space")
    one.mode("paused")
    page.keyboard.press("s")
    one.mode("stopped")
    theme = page.get_attribute("html", "data-theme")
    page.keyboard.press("t")
    assert page.get_attribute("html", "data-theme") != theme
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")
    # every control is reached by the tab key, and the focus is seen
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
                       return [e.id, s.outlineStyle, parseFloat(s.outlineWidth)]; }"""
        )
        assert found[0] == "" or (found[1] != "none" and found[2] >= 2), found
        reached.add(found[0])
    controls = {"start", "reset", "speed", "policy", "compare", "scenario", "seed", "scrub", "play", "theme"}
    assert controls <= reached


def test_every_control_has_a_name(watch):
    one = watch()
    unnamed = one.page.eval_on_selector_all(
        "button, input, select",
        """all => all.filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.length))
                     .map((e) => e.outerHTML)""",
    )
    assert unnamed == []


def test_a_phone_shows_all_without_scrolling_sideways(watch):
    one = watch(PHONE, is_mobile=True, has_touch=True, color_scheme="light")
    assert one.page.get_attribute("html", "data-theme") == "light"
    one.page.tap("#start")
    one.wait_for_frames(3)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    wide = one.page.eval_on_selector_all(
        ".panel *",
        """all => { const right = (e) => e.getBoundingClientRect().right;
                     return all.filter((e) => e.offsetParent && right(e) > right(e.closest(".panel")))
                               .map((e) => e.outerHTML); }""",
    )
    assert wide == []
    small = one.page.eval_on_selector_all(
        ".control button, .timeline button",
        "all => all.filter((e) => e.offsetParent && e.getBoundingClientRect().height < 36).map((e) => e.id)",
    )
    assert small == []


def test_what_the_server_refuses_is_said(watch, server):
    one = watch()
    one.page.eval_on_selector("#policy", "e => e.append(new Option('nobody', 'nobody'))")
    one.page.select_option("#policy", "nobody")
    one.page.wait_for_selector("#notice[data-severity=alarm]")
    assert "nobody" in one.page.inner_text("#notice")
    assert one.troubles.pop().startswith("Failed to load resource")
    one.until("name => document.getElementById('policy').value === name", server.status()["policy"])


def test_a_cut_line_resumes_where_it_was(watch):
    routes = []

    def before(watched):
        def route(socket):
            routes.append(socket)
            socket.connect_to_server()

        watched.page.route_web_socket("**/ws/grid*", route)

    one = watch(before=before)
    one.page.click("#start")
    one.wait_for_frames(10)
    routes[0].close()
    one.until("() => document.getElementById('connection').dataset.state !== 'connected'")
    one.connected()
    query = parse_qs(urlsplit(routes[1].url).query)
    assert set(query) == {"session", "since"}
    one.wait_for_frames(30)
    one.page.click("#pause")
    one.mode("paused")
    one.page.wait_for_timeout(500)
    newest, frames = one.shown(), one.page.evaluate("Number(document.getElementById('scrub').max) + 1")
    one.rewind()
    assert newest - one.shown() + 1 == frames, "no frame is missing"


def test_a_curve_and_a_button_per_checkpoint(watch, server):
    answer = {
        "run": "smartgrid",
        "finished": True,
        "checkpoints": [{"policy": RULE, "update": 20, "steps": 9000, "best": True}],
        "curves": {"reward": [[0, -1.0], [5000, -0.5], [9000, 0.25]], "empty": [[0, 1.0]]},
    }
    one = watch(before=lambda w: w.page.route("**/api/training", lambda route: route.fulfill(json=answer)))
    assert one.page.locator(".curve").count() == 1
    assert "0.250" in one.page.inner_text(".curve")
    one.page.click("#checkpoints button")
    one.page.wait_for_selector("#checkpoints button[aria-pressed=true]")
    assert server.status()["policy"] == RULE
    server.post("policy", policy="trained")


def test_a_server_that_was_killed_is_found_again(watch, server):
    one = watch()
    one.page.click("#start")
    one.wait_for_frames(5)
    server.kill()
    one.page.wait_for_selector("#connection[data-state=lost], #connection[data-state=connecting]")
    assert not one.page.is_enabled("#start")
    still = one.arrows()
    one.page.wait_for_timeout(500)
    assert one.arrows() == still
    server.start()
    one.connected()
    one.page.wait_for_selector("#start:enabled")
    one.page.click("#start")
    one.mode("running")
    one.wait_for_frames(3)
    assert one.shown() < 1000
    # the browser itself writes down every attempt that failed
    assert all("net::ERR_CONNECTION" in trouble or "WebSocket" in trouble for trouble in one.troubles)
    one.troubles.clear()
