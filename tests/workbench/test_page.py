"""The page in a real browser: entering, screens, keys, forms, jobs."""

import pytest
from browser import opened, show, violations

SCREENS = ("overview", "jobs", "training")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_screens_can_be_used_by_everybody(browser, server, screen, scheme):
    with opened(browser, server[0], color_scheme=scheme) as page:
        show(page, server[0].port, screen)
        page.wait_for_timeout(200)
        assert violations(page) == []
        assert page.title().endswith("DFM Forge workbench")


def test_the_token_leaves_the_address(page, server):
    assert server[0].token not in page.url and page.evaluate("document.cookie") == ""
