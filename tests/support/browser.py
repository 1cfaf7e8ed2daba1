"""A real browser for tests of pages: Debian's Chromium, steered by Playwright.

In CI a missing Chromium is a failure; elsewhere the tests are skipped, and say why.
"""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from workbench_kit import wait_until

ARGUMENTS = [
    "--no-sandbox",  # of root, as in containers
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other machine is ever reached
]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
_PATIENCE = 60_000  # milliseconds; only failures take so long


def chromium_path() -> str:
    """The browser of the system; skips or fails the test where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        said = "no Chromium: apt-get install chromium"
        if os.environ.get("FORGE_CI"):
            pytest.fail(said)
        pytest.skip(said)
    return found


@contextmanager
def chromium():
    """A browser without a window."""
    path = chromium_path()
    api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install -r requirements-dev.txt")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class _Forgiven(list):
    def append(self, text: str) -> None:
        if not text.startswith("Failed to load resource"):
            super().append(text)


class Watch:
    """What a page asked for and complained of. foreign: addresses that are not of its server. said: its errors.

    It only listens: a request that waited for Python to look at it would wait while a test sleeps.
    """

    def __init__(self, context, port: int):
        self.foreign: list[str] = []
        self.said: list[str] = []
        self._port = port
        context.on("request", self._look)
        context.on("page", self._follow)

    def forgive(self) -> None:
        """What was said is right, and so is what the browser still notes of answers that refuse something."""
        self.said = _Forgiven()

    def _follow(self, page) -> None:
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.said.append(message.text))

    def _look(self, request) -> None:
        address = urlsplit(request.url)
        ours = address.hostname == "127.0.0.1" and address.port == self._port
        if not ours and address.scheme not in ("data", "blob"):
            self.foreign.append(request.url)


@contextmanager
def opened(browser, keys, **options):
    """A page that has entered, with an empty browser around it; nothing of it may ask elsewhere or fail."""
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
    context.set_default_timeout(_PATIENCE)
    watch = Watch(context, keys.port)
    try:
        page = context.new_page()
        page.watch = watch
        page.goto(keys.link)
        page.wait_for_selector("nav")
        until(page, "window.forge?.state().server")
        yield page
        page.evaluate("0")  # what it did before has been told when this is answered
        assert not watch.foreign
        assert not watch.said, watch.said
    finally:
        context.close()


def until(page, expression: str, seconds: float = 60.0):
    """What a JavaScript expression gives once it is true. (Playwright's own way needs eval, which the page forbids.)"""
    return wait_until(lambda: page.evaluate(expression), seconds)


def violations(page) -> list[str]:
    """What axe-core finds wrong with a page for people who cannot see it well or use no mouse."""
    # Nothing but what is wrong comes back: all that is right is megabytes on a page with many parts.
    page.evaluate(AXE.read_text(encoding="utf-8") + "; 0")
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found]


def show(page, port: int, screen: str) -> None:
    """Go to a screen of the workbench."""
    page.goto(f"http://127.0.0.1:{port}/#/{screen}")
    page.wait_for_selector("h1")
