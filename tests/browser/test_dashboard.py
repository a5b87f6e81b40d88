"""The dashboard and the areas in a browser: what a leader sees, looks into, plays again and shows to visitors."""

import re
from collections.abc import Callable

import pytest
from browsing import Served, axe, shot, sideways
from filled_city import area, fill
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


@pytest.mark.slow
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
    expect(place.locator(".wall-inside")).to_contain_text("第1街道")
    place.get_by_role("link", name="第2街道").click()
    expect(place.locator(".wall-way li")).to_have_count(3)
    page.wait_for_url("**area=area%3A501002**")
    expect(place.get_by_role("link", name="Everything about it")).to_have_attribute("href", "/areas/area:501002")
    assert axe(page) == []
    page.go_back()
    expect(place.locator(".wall-way li")).to_have_count(2)
    page.reload()
    expect(place.locator(".wall-way li")).to_have_count(2)
    place.locator(".wall-way").get_by_role("link", name="The whole city").click()
    expect(place.locator(".wall-way li")).to_have_count(1)


def middle(page: Page) -> tuple[float, float]:
    """A point of the map that no box lies on."""
    canvas = page.locator(".map-canvas canvas").first.bounding_box()
    assert canvas
    return canvas["x"] + canvas["width"] * 0.75, canvas["y"] + canvas["height"] * 0.3


def test_a_click_on_an_area_looks_into_it(open_page: Open, town: Served) -> None:
    page = open_page("/dashboard?area=area:501#at=13/29.55/106.45", "leader", lang="en")
    way = page.locator(".wall-way li")
    for _ in range(40):
        page.mouse.click(*middle(page))
        page.wait_for_timeout(500)
        if way.count() == 3:
            break
    expect(way.last).to_have_text("第1街道")
    shade = page.get_by_label("Colour areas by standing alerts")
    shade.check()
    shot(page, "wall-street-wide")


def test_a_thing_is_shown_in_place_until_escape(open_page: Open, town: Served) -> None:
    cover = town.hub.things.find("browsed-1").idx
    for narrow in (False, True):
        page = open_page(f"/dashboard?thing={cover}", "leader", lang="en", narrow=narrow)
        panel = page.locator("[data-thing]")
        expect(panel.get_by_role("link", name="井盖 1", exact=True)).to_have_attribute(
            "href", "/things/Cover/browsed-1"
        )
        panel.locator(".chart").first.scroll_into_view_if_needed()
        expect(panel.locator(".chart canvas").first).to_be_visible()
        expect(panel).to_contain_text("Alerts")
        assert axe(page) == []
        assert sideways(page) <= 0
        shot(page, f"wall-thing-{'narrow' if narrow else 'wide'}")
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        assert "thing=" not in page.url
        page.go_back()
        expect(panel).to_be_visible()


@pytest.mark.parametrize("narrow", [False, True])
def test_a_thing_in_place_stays_visible_on_the_map(open_page: Open, town: Served, narrow: bool) -> None:
    cover = town.hub.things.find("browsed-1").idx
    page = open_page(f"/dashboard?thing={cover}", "leader", narrow=narrow)
    panel, pin = page.locator("[data-thing]"), page.locator(".wall-pin")
    expect(pin).to_be_visible(timeout=30_000)
    page.wait_for_url("**at=15/**")  # it has gone near
    over, ring, map_ = (each.bounding_box() for each in (panel, pin, page.locator(".map-canvas")))
    assert over is not None
    assert ring is not None
    assert map_ is not None
    assert map_["x"] < ring["x"] < map_["x"] + map_["width"] - ring["width"]
    beside = ring["x"] > over["x"] + over["width"] or ring["y"] + ring["height"] < over["y"]
    assert beside
    page.keyboard.press("Escape")
    expect(pin).to_have_count(0)


def test_a_thing_that_is_none_is_told_and_the_wall_stays(open_page: Open, town: Served) -> None:
    page = open_page("/dashboard?thing=987654", "leader", lang="en")
    expect(page.locator("#toasts")).to_contain_text("There is no thing")
    expect(page.locator("[data-thing]")).to_be_hidden()
    expect(page.locator(".wall-count").first).to_be_visible()


@pytest.mark.slow
def test_sound_is_off_until_somebody_wants_it_and_grave_alerts_can_be_read(open_page: Open, town: Served) -> None:
    page = open_page("/dashboard", "leader", lang="en")
    page.evaluate(
        "() => { window.rung = 0; const Real = AudioContext;"
        " window.AudioContext = class extends Real { constructor() { super(); window.rung++; } }; }"
    )

    def alert(level: str) -> int:
        detail = {"level": level, "text": f"It is {level}."}
        page.evaluate("detail => document.body.dispatchEvent(new CustomEvent('cheng:alert', { detail }))", detail)
        return int(page.evaluate("window.rung"))

    switch = page.locator("[data-sound]")
    expect(switch).to_have_text("Sound is off")
    assert alert("emergency") == 0
    expect(page.locator("[data-heard]")).to_have_text("It is emergency.")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    begun = int(page.evaluate("window.rung"))
    assert alert("warning") == begun
    assert alert("danger") == begun + 1
    assert alert("danger") == begun + 1  # one tone for many
    page.reload()
    expect(switch).to_have_text("Sound is on")


@pytest.mark.parametrize("answer", ["no style at all", "{}", '{"version": 8, "sources": {}, "layers": [{"id": 1}]}'])
def test_a_broken_style_is_told_and_the_rest_of_the_wall_goes_on(open_page: Open, town: Served, answer: str) -> None:
    page = open_page("/areas", "leader", lang="en")
    page.route("**/map/style/*", lambda route: route.fulfill(body=answer, content_type="application/json"))
    page.goto("/dashboard")
    expect(page.locator(".map-said")).to_contain_text("The map cannot be drawn here: its style cannot be read.")
    page.locator("[data-place]").get_by_role("link", name="东山区").click()
    expect(page.locator(".wall-inside")).to_contain_text("第1街道")
    expect(page.locator(".wall-alerts")).to_be_visible()


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


def test_what_moves_now_is_hidden_while_an_hour_is_played(open_page: Open, town: Served) -> None:
    place = {"type": "Point", "coordinates": [106.45, 29.55]}
    rows = [NewThing(f"played-{n}", "Vehicle", name=f"公务车 {n}", geometry=place) for n in range(3)]
    assert not town.hub.things.put(rows, "test").refused
    page = open_page("/dashboard#at=14/29.55/106.45", "leader", lang="en")
    sheet = page.locator(".map-sheet")
    expect(sheet).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Replay").click()
    expect(sheet).to_be_hidden()
    page.get_by_role("button", name="Pause").click()
    if not (vehicles := page.locator("input[value=Vehicle]")).is_visible():
        page.locator("[data-legend] summary").click()
    vehicles.uncheck()
    vehicles.check()
    expect(sheet).to_be_hidden()
    page.emulate_media(color_scheme="dark")  # the style is loaded anew where the hour of the day changes it
    expect(sheet).to_be_hidden()
    page.get_by_role("button", name="Back to now").click()
    expect(sheet).to_be_visible()


def test_a_burst_of_changes_is_asked_for_at_once_and_once_more(open_page: Open, town: Served) -> None:
    page = open_page("/areas", "leader", lang="en")
    page.route(
        re.compile("/live(\\?|$)"), lambda route: route.abort("aborted")
    )  # nothing changes but what the test says
    page.clock.install()
    page.goto("/dashboard")
    part, asked = page.locator("#wall-happening"), []
    page.on("request", lambda request: asked.append(request.url) if "/dashboard/happening" in request.url else None)

    def burst(changes: int) -> None:
        page.evaluate("n => { while (n--) document.body.dispatchEvent(new CustomEvent('cheng:alerts')); }", changes)

    def answered(count: int) -> None:
        expect(part).not_to_have_class(re.compile("htmx-request"))
        assert len(asked) == count

    expect(page.locator(".map-canvas")).to_be_visible()
    burst(5)
    answered(1)
    page.clock.fast_forward(3_000)
    answered(2)
    page.clock.fast_forward(3_000)
    answered(2)
    burst(1)
    answered(3)


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
    page.locator(".wall-inside").get_by_role("link", name="东山区").click()
    expect(page.locator(".wall-inside")).to_contain_text("第1街道")


def test_two_covers_share_a_chart(open_page: Open, town: Served) -> None:
    page = open_page("/things/Cover/browsed-1/history/tilt?range=7d", "leader", lang="en")
    page.get_by_label("Beside it").fill("browsed-2")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("[data-chart-legend]")).to_contain_text("井盖 2")
    assert axe(page) == []
    shot(page, "compare-wide")
