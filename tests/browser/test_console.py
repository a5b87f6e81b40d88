"""The console in a browser: every page fits and can be read, and the numbers follow the house."""

from collections.abc import Callable

import pytest
from browsing import Served, axe, shot, sideways
from filled_city import fill
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
PAGES = ("/console", "/console/refused", "/console/silent", "/console/tokens", "/console/accounts", "/console/audit")


@pytest.mark.parametrize("narrow", [False, True])
def test_pages_fit_and_can_be_read(open_page: Open, narrow: bool) -> None:
    page = open_page("/console", "operator", narrow=narrow)
    for path in PAGES:
        page.goto(path)
        assert sideways(page) <= 0, path
        assert axe(page) == [], path
        shot(page, f"{path.strip('/').replace('/', '-')}-{'narrow' if narrow else 'wide'}")


def test_the_tiles_follow_the_house(open_page: Open, served: Served) -> None:
    page = open_page("/console", "operator")
    before = page.locator('[data-flow="accepted"]').inner_text()
    fill(served)
    expect(page.locator('[data-flow="accepted"]')).not_to_have_text(before, timeout=10_000)


def test_a_token_is_issued_and_shown_once(open_page: Open) -> None:
    page = open_page("/console/tokens", "operator", lang="en")
    page.locator("#f-name").fill("browser gateway")
    page.locator("#f-ids").fill("browsed-1")
    page.get_by_role("button", name="Issue", exact=True).click()
    expect(page.locator(".notice-done code")).to_contain_text("cheng_")
    assert axe(page) == []
    page.goto("/console/tokens")
    expect(page.locator(".notice-done")).to_have_count(0)
    expect(page.locator("table")).to_contain_text("browser gateway")
