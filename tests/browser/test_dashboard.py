"""The dashboard and the areas in a browser: what a leader sees, looks into, plays again and shows to visitors."""

from collections.abc import Callable

import pytest
from browsing import Served, axe, shot, sideways
from filled_city import fill
from playwright.sync_api import Page, expect

from cheng.infrastructure.registration import NewThing

pytestmark = pytest.mark.browser
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def town(served: Served) -> Served:
    """A district of two streets, with covers of which one was tipped now and then."""
    fill(served)
    districts = [area("501", "东山区", "district", 106.4, 106.6)]
    streets = [area(f"50100{n}", f"第{n}街道", "street", 106.4 + n / 10 - 0.1, 106.4 + n / 10) for n in (1, 2)]
    place = {"type": "Point", "coordinates": [106.45, 29.55]}
    cover = NewThing("browsed-1", "Cover", name="井盖 1", owner="Drainage Bureau", geometry=place)
    assert not served.hub.things.put([*districts, *streets, cover], "test").refused
    return served


def area(code: str, name: str, level: str, west: float, east: float) -> NewThing:
    corners = [[west, 29.5], [east, 29.5], [east, 29.6], [west, 29.6], [west, 29.5]]
    properties = {"level": level, "code": code} | ({"parent": "area:501"} if level == "street" else {})
    geometry = {"type": "Polygon", "coordinates": [corners]}
    return NewThing(f"area:{code}", "Area", name, properties=properties, geometry=geometry)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/reports", "/areas", "/areas/area:501"])
@pytest.mark.parametrize("lang", ["zh_CN", "en"])
def test_pages_fit_and_can_be_read(open_page: Open, town: Served, path: str, narrow: bool, lang: str) -> None:
    page = open_page(path, "leader", narrow=narrow, lang=lang)
    assert sideways(page) <= 0
    assert axe(page) == []
    shot(page, f"{path.strip('/').replace('/', '-').replace(':', '-')}-{lang}-{'narrow' if narrow else 'wide'}")


def test_the_wall_goes_down_to_a_street_and_back(open_page: Open, town: Served) -> None:
    page = open_page("/dashboard", "leader", lang="en")
    place = page.locator("[data-place]")
    place.get_by_role("link", name="东山区").click()
    expect(place.locator("[data-inside]")).to_contain_text("第1街道")
    place.get_by_role("link", name="第2街道").click()
    expect(place.locator("[data-way] li")).to_have_count(3)
    expect(place.get_by_role("link", name="Everything about it")).to_have_attribute("href", "/areas/area%3A501002")
    place.locator("[data-way]").get_by_role("link", name="The whole city").click()
    expect(place.locator("[data-way] li")).to_have_count(1)


def test_an_hour_is_played_and_left_again(open_page: Open, town: Served) -> None:
    page = open_page("/dashboard", "leader", lang="en")
    page.get_by_role("button", name="Replay").click()
    moment = page.get_by_role("slider", name="Moment of the hour")
    expect(moment).to_be_visible()
    expect(moment).not_to_have_value("0")
    page.get_by_role("button", name="Pause").click()
    moment.fill("1800")
    stands = page.locator("[data-clock]").inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-clock]")).not_to_have_text(stands)
    page.get_by_role("button", name="Back to now").click()
    expect(moment).to_be_hidden()


def test_an_hour_of_the_future_is_refused_in_words(open_page: Open, town: Served) -> None:
    page = open_page("/dashboard", "leader", lang="en")
    page.locator("[data-replay]").evaluate("form => { form.at.max = ''; form.at.value = '2040-01-01T00:00'; }")
    page.get_by_role("button", name="Replay").click()
    expect(page.locator("#toasts")).to_contain_text("not come yet")


def test_show_mode_says_where_it_is_and_ends_by_a_key(open_page: Open, town: Served) -> None:
    page = open_page("/dashboard", "leader", lang="en")
    page.get_by_role("button", name="Show mode").click()
    expect(page.locator("[data-caption]")).to_contain_text("The whole city")
    expect(page.locator(".top")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("[data-caption]")).to_be_hidden()
    expect(page.locator(".top")).to_be_visible()


def test_without_javascript_an_hour_is_a_list_and_places_are_links(open_page: Open, town: Served) -> None:
    page = open_page("/dashboard", "leader", lang="en", javascript=False)
    page.get_by_role("button", name="Replay").click()
    expect(page.locator("h1")).to_contain_text("The hour from")
    page.goto("/dashboard")
    page.locator("[data-inside]").get_by_role("link", name="东山区").click()
    expect(page.locator("h1")).to_have_text("东山区")


def test_two_covers_share_a_chart(open_page: Open, town: Served) -> None:
    page = open_page("/things/Cover/browsed-1/history/tilt?range=7d", "leader", lang="en")
    page.get_by_label("Beside it").fill("browsed-2")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("[data-chart-legend]")).to_contain_text("井盖 2")
    assert axe(page) == []
    shot(page, "compare-wide")
