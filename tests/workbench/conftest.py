"""One browser, one workspace and one server for a file of tests."""

import pytest
from browser import chromium, opened
from masks_page import show_masks
from workbench_kit import served, small_workspace


@pytest.fixture(scope="module")
def browser():
    # Not for longer: while it is open, tests of other rooms cannot run a loop of asyncio.
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return small_workspace(tmp_path_factory.mktemp("bench") / "work")


@pytest.fixture(scope="module")
def server(workspace):
    """(keys, bench)."""
    with served(workspace) as running:
        yield running


@pytest.fixture
def page(browser, server):
    """A page that has entered, at the overview."""
    with opened(browser, server[0]) as found:
        yield found


@pytest.fixture
def bench(tmp_path):
    """(keys, workspace) of a server of its own."""
    with served(small_workspace(tmp_path / "work", trained=False)) as (keys, found):
        yield keys, found.workspace


@pytest.fixture
def masks(browser, bench):
    """Its Masks screen."""
    with opened(browser, bench[0]) as page:
        show_masks(page, bench[0])
        yield page
