"""Things in a browser: lists wide and narrow, and a chart that can be read with the keyboard."""

from collections.abc import Callable

import pytest
from browsing import Served, axe, shot, sideways
from filled_city import fill
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def cover(served: Served) -> str:
    return fill(served)


@pytest.mark.slow
@pytest.mark.parametrize("role", ["", "citizen", "officer", "operator"])
@pytest.mark.parametrize("narrow", [False, True])
def test_lists_and_things_fit_and_can_be_read(open_page: Open, cover: str, role: str, narrow: bool) -> None:
    page = open_page("/things", role, narrow=narrow)
    for path in ("/things", "/things/Cover", f"/things/Cover/{cover}"):
        page.goto(path)
        assert sideways(page) <= 0
        assert axe(page) == []
        shot(page, f"{path.strip('/').replace('/', '-')}-{role or 'stranger'}-{'narrow' if narrow else 'wide'}")


def test_a_chart_is_drawn_and_read_out_key_by_key(open_page: Open, cover: str) -> None:
    page = open_page(f"/things/Cover/{cover}?range=7d", "officer", lang="en")
    chart = page.locator("[data-chart]").first
    canvas = chart.locator(".chart-canvas")
    expect(canvas.locator("canvas")).to_be_visible()
    canvas.focus()
    page.keyboard.press("Home")
    first = chart.locator(".chart-readout").inner_text()
    assert "°" in first
    page.keyboard.press("End")
    expect(chart.locator(".chart-readout")).not_to_have_text(first)
    expect(chart.locator("[data-chart-legend]")).to_contain_text("Not to be trusted")
    expect(chart.locator("[data-chart-legend]")).to_contain_text("Threshold of a rule")


def test_a_chart_is_a_table_too(open_page: Open, cover: str) -> None:
    page = open_page(f"/things/Cover/{cover}?range=7d", "officer", lang="en")
    chart = page.locator("[data-chart]").first
    expect(chart.locator("canvas")).to_be_visible()
    chart.locator("summary").click()
    expect(chart.locator("[data-chart-table] tbody tr").first).to_be_visible()
    assert chart.locator("[data-chart-table] th").all_inner_texts() == ["Time", "Value (°)", "Quality"]
    assert axe(page) == []


def test_without_scripts_the_readings_are_a_list(open_page: Open, cover: str) -> None:
    page = open_page(f"/things/Cover/{cover}/history/tilt?range=7d", "officer", lang="en", javascript=False)
    expect(page.locator("table tbody tr")).to_have_count(100)
    expect(page.locator(".chart-canvas")).to_be_hidden()


def test_a_page_is_printed_with_the_charts_nobody_scrolled_to(open_page: Open, cover: str) -> None:
    page = open_page("/sign-in", "officer", lang="en")
    page.set_viewport_size({"width": 1280, "height": 200})
    with page.expect_response("**/history/water.json**"):  # brought while the page rests
        page.goto(f"/things/Cover/{cover}")
        expect(page.locator("[data-chart] canvas")).to_have_count(0)
    page.evaluate("() => new Promise((rested) => setTimeout(rested))")
    page.pdf()
    figures = page.locator("[data-chart]").count()
    assert figures > 1
    expect(page.locator("[data-chart] canvas")).to_have_count(figures)


def test_a_chart_in_the_dark(open_page: Open, cover: str) -> None:
    page = open_page(f"/things/Cover/{cover}?range=7d", "officer", dark=True)
    expect(page.locator("[data-chart] canvas").first).to_be_visible()
    assert axe(page) == []
    shot(page, "thing-dark")


def test_a_list_follows_what_is_typed(open_page: Open, cover: str) -> None:
    page = open_page("/things/Cover", "officer", lang="en")
    page.locator("input[type=search]").fill("browsed-2")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.locator("input[type=search]").fill("nothing like it")
    expect(page.locator("#list")).to_contain_text("Nothing fits these filters.")
