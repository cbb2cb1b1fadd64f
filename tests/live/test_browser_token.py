"""A server with a token: the page takes it from its address, or asks."""

from __future__ import annotations

import pytest

from tests.live.browser import Watched, chromium
from tests.live.running import running

TOKEN = "a-token-of-a-test-0123456789"


@pytest.fixture(scope="module")
def server(world, params):
    with running(world, params, token=TOKEN) as server:
        yield server


@pytest.fixture
def page():
    with chromium() as browser:
        yield Watched(browser.new_page())


def test_the_token_of_the_address_opens_the_page_and_leaves_no_trace(page, server):
    page.page.goto(f"http://{server.address}/#token={TOKEN}")
    page.connected()
    assert page.page.url == f"http://{server.address}/"
    page.page.click("#start")
    page.wait_for_frames(3)
    assert page.troubles == []
    assert not any(TOKEN in url for url in page.requests)
    page.page.reload()
    page.connected()


def test_without_the_token_the_page_asks_until_it_is_right(page, server):
    page.page.goto(f"http://{server.address}/")
    for token in ("a-wrong-token-0123456789", TOKEN):
        page.page.wait_for_selector("#unlock[open]")
        page.page.fill("#token", token)
        page.page.keyboard.press("Enter")
        page.page.wait_for_selector("#unlock:not([open])", state="hidden")
    page.connected()
    assert page.page.locator(".card").count() == 6
