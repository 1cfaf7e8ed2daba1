"""The live page in a real browser: it looks as the workbench does, in both themes, and everybody can use it."""

import re
import threading
from contextlib import contextmanager

import pytest
from browser import Watch, chromium, until, violations
from live_kit import new_player

from core.live.outlet import Outlet
from core.live.page.app import MOST_BYTES, live_app
from core.web.guard import Keys
from core.web.look import stylesheets
from core.web.server import bound, new_server


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Of a player that waits for the pictures of the page."""
    player, outlet = new_player(tmp_path_factory.mktemp("live")), Outlet()
    listening = bound(0)
    keys = Keys("forge_live", listening.getsockname()[1])
    server = new_server(live_app(player, outlet, keys, takes_camera=True), most_bytes=MOST_BYTES, connections=8)
    with player:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield keys
        server.should_exit = True
        thread.join(10)
    listening.close()


@contextmanager
def opened(browser, keys, **options):
    context = browser.new_context(**options)
    watch = Watch(context, keys.port)
    try:
        page = context.new_page()
        page.goto(keys.link)
        until(page, "document.getElementById('model').textContent.includes('tiny.dfm')")
        yield page
        assert not watch.foreign and not watch.said
    finally:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_everybody_can_use_it(browser, keys, scheme, width):
    with opened(browser, keys, color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_its_colours_are_those_of_the_theme(browser, keys):
    sheet = stylesheets()["theme.css"].decode()
    wanted = re.search(r"--bg: light-dark\(#(\w{6}), #(\w{6})\)", sheet).groups()
    for scheme, color in zip(("light", "dark"), wanted, strict=True):
        with opened(browser, keys, color_scheme=scheme) as page:
            red, green, blue = bytes.fromhex(color)
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == f"rgb({red}, {green}, {blue})"
            page.keyboard.press("Tab")  # where the keyboard is can be seen
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_whole_page_is_one_answer(browser, keys):
    asked = []
    with opened(browser, keys) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        until(page, "document.getElementById('model').textContent !== ''")
    assert len(asked) == 1
