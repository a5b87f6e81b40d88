"""The dry run in a browser: the slider moves the number, and without scripts the form does the same."""

from collections.abc import Callable

import pytest
from browsing import Served, axe, shot, sideways
from filled_city import fill
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
RULE = "/rules/manhole_covers/displaced"


@pytest.fixture(scope="module", autouse=True)
def cover(served: Served) -> str:
    return fill(served)


def count(page: Page) -> int:
    return int(page.locator("[data-trial-count]").inner_text().replace(",", ""))


def test_the_slider_moves_the_number_of_alerts(open_page: Open) -> None:
    page = open_page(RULE, "officer", lang="en")
    expect(page.locator("[data-trial-count]")).to_be_visible()
    before = count(page)
    slider = page.locator('[data-trial-slider="k-n0"]')
    slider.evaluate("(s) => { s.value = 10; s.dispatchEvent(new Event('input', { bubbles: true })); }")
    expect(page.locator("#k-n0")).to_have_value("10")
    expect(page.locator(".trial-said")).to_contain_text("tilt > 10 °")
    assert count(page) > before
    expect(page.locator('.bar-tried:not([height="0.0"])').first).to_be_visible()  # a day without alerts has none
    expect(page.locator("[data-trial-result] canvas")).to_be_visible()
    assert axe(page) == []
    shot(page, "rule-slider")


def test_the_number_can_be_typed_and_taken_back(open_page: Open) -> None:
    page = open_page(RULE, "officer", lang="en")
    expect(page.locator("[data-trial-count]")).to_be_visible()
    before = count(page)
    page.locator("#k-n0").fill("10")
    expect(page.locator(".trial-said")).to_contain_text("tilt > 10 °")
    page.locator('[data-trial-reset="k-n0"]').click()
    expect(page.locator(".trial-said")).to_contain_text("tilt > 15 °")
    assert count(page) == before


def test_what_is_no_number_is_said_so(open_page: Open) -> None:
    page = open_page(RULE, "officer", lang="en")
    expect(page.locator("[data-trial-count]")).to_be_visible()
    page.locator("#k-n0").fill("many")
    expect(page.locator("[data-trial-result]")).to_contain_text("n0 has to be a number.")


def test_without_scripts_the_form_is_sent(open_page: Open) -> None:
    page = open_page(RULE, "officer", lang="en", javascript=False)
    page.locator("#k-n0").fill("10")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".trial-said")).to_contain_text("tilt > 10 °")
    expect(page.locator("svg.bars")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("path", ["/rules", RULE, f"{RULE}/try?n0=10", "/indicators", "/apps", "/135"])
def test_pages_fit_and_can_be_read(open_page: Open, path: str, narrow: bool) -> None:
    page = open_page(path, "leader", narrow=narrow)
    page.wait_for_load_state("networkidle")
    assert sideways(page) <= 0
    assert axe(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/indicators/manhole_covers/covers_heard", "/apps/city/manhole_covers"])
def test_single_pages_fit_and_can_be_read(open_page: Open, path: str) -> None:
    page = open_page(path, "leader", narrow=True)
    page.wait_for_load_state("networkidle")
    assert sideways(page) <= 0
    assert axe(page) == []
