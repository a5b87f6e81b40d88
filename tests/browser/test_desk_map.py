"""The list of the desk and the map beside it, in a real browser."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from browsing import Served, axe, serve, shot, sideways
from desk_town import Desk, open_desk
from playwright.sync_api import Page, expect

from photographs import photograph

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Three covers in the east are open cases; one has a place of its own, two lie close together."""
    with open_desk(tmp_path_factory.mktemp("places")) as made:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(made.tips, 0, 2, 4).result()
        yield made


@pytest.fixture(scope="session")
def served(desk: Desk) -> Iterator[Served]:
    yield from serve(desk.hub)


@pytest.fixture(scope="session")
def signed_in_as(served: Served) -> dict[str, Any]:
    """Sessions of this house alone."""
    return {}


def test_list_and_map_point_at_each_other(open_page: Open, desk: Desk) -> None:
    page = open_page("/desk?tab=department", role="li", lang="en")
    number = desk.number(2)
    places = page.locator(".place")
    expect(places).to_have_count(3)
    row = page.locator("tr").filter(has=page.locator(f"#case-{number}"))
    place = page.locator(f".place[href$='{number}']")
    expect(place).to_have_class(re.compile("place-(green|yellow|red)"))
    expect(place).to_have_attribute("aria-label", re.compile("cover-02.*(left|overdue)"))
    row.hover()
    expect(place).to_have_class(re.compile("is-pointed"))
    page.locator("h1").hover()
    expect(page.locator(".is-pointed")).to_have_count(0)
    page.locator(f"#case-{number}").focus()
    expect(place).to_have_class(re.compile("is-pointed"))
    page.locator("h1").hover()
    place.hover()
    expect(row).to_have_class(re.compile("is-pointed"))
    shot(page, "desk-list-and-map")
    assert not axe(page)
    place.click()
    expect(page).to_have_url(re.compile(f"/desk/cases/{number}$"))


def test_a_picture_comes_first_and_the_map_when_somebody_wants_to_move_it(open_page: Open) -> None:
    asked: list[str] = []
    page = open_page("/desk?tab=department", role="li", lang="en")
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.locator(".place")).to_have_count(3)
    page.wait_for_function("document.querySelector('.map-still img').naturalWidth > 100")
    assert not [url for url in asked if "maplibre" in url or "/map.js" in url or ".mvt" in url]
    before = [page.locator(".place").nth(n).bounding_box() for n in range(3)]
    page.get_by_role("button", name="Move and zoom the map").press("Enter")
    expect(page.locator(".map-still")).to_have_count(0)
    expect(page.locator(".place")).to_have_count(3)
    assert page.evaluate("document.activeElement.className").startswith("maplibregl-canvas"), (
        "one goes on where one was"
    )
    after = [page.locator(".place").nth(n).bounding_box() for n in range(3)]
    for one, other in zip(before, after, strict=True):
        assert one is not None
        assert other is not None
        assert abs(one["x"] - other["x"]) < 2, "every place stays where it was"
        assert abs(one["y"] - other["y"]) < 2


def test_the_picture_follows_the_filters(open_page: Open, desk: Desk) -> None:
    page = open_page("/desk?tab=department", role="li", lang="en")
    expect(page.locator(".place")).to_have_count(3)
    first = page.locator(".map-still img").get_attribute("src")
    page.locator("[name=q]").fill(desk.number(4))
    expect(page.locator(".place")).to_have_count(1)
    expect(page.locator(".map-still img")).not_to_have_attribute("src", str(first))
    page.locator("[name=q]").fill("nothing like that")
    expect(page.get_by_text("None of these cases has a place.")).to_be_visible()


def test_the_map_follows_the_filters_and_stays_the_same_map(open_page: Open, desk: Desk) -> None:
    page = open_page("/desk?tab=department", role="li", lang="en")
    expect(page.locator(".place")).to_have_count(3)
    page.get_by_role("button", name="Move and zoom the map").click()
    expect(page.locator(".map-still")).to_have_count(0)
    page.evaluate("document.querySelector('.map-canvas').mine = true")
    page.locator("[name=q]").fill(desk.number(4))
    expect(page.locator(".place")).to_have_count(1)
    expect(page.locator(".place")).to_have_attribute("href", re.compile(desk.number(4)))
    page.locator("[name=q]").fill("nothing like that")
    expect(page.get_by_text("None of these cases has a place.")).to_be_visible()
    assert page.evaluate("document.querySelector('.map-canvas').mine"), "the map was loaded anew"
    assert "#" not in page.url


def test_folded_away_it_stays_away(open_page: Open) -> None:
    page = open_page("/desk?tab=department", role="li", lang="en")
    switch = page.get_by_role("button", name="Map", exact=True)
    expect(switch).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".place")).to_have_count(3)
    page.keyboard.press("m")
    expect(page.get_by_role("region", name="Map of these cases")).to_be_hidden()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(switch).to_have_attribute("aria-expanded", "false")
    assert not [url for url in asked if "maplibre" in url or "/map.js" in url]
    switch.click()
    expect(page.locator(".place")).to_have_count(3)


def test_on_a_phone_the_list_comes_first_and_the_map_when_asked_for(open_page: Open) -> None:
    page = open_page("/account", role="li", lang="zh_CN", narrow=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/desk?tab=department")
    switch = page.get_by_role("button", name="地图", exact=True)
    expect(switch).to_have_attribute("aria-expanded", "false")
    expect(page.locator(".row-link")).to_have_count(3)
    assert not [url for url in asked if "maplibre" in url or "/map.js" in url]
    switch.click()
    expect(page.locator(".place")).to_have_count(3)
    assert sideways(page) <= 0
    shot(page, "desk-map-narrow")
    assert not axe(page)


@pytest.mark.parametrize("narrow", [False, True])
def test_a_case_has_a_map_with_its_place_and_its_photos(open_page: Open, desk: Desk, narrow: bool) -> None:
    number = desk.number(0)
    entry = desk.hub.cases.get(number).entry
    near = (entry.longitude + 0.0003, entry.latitude)
    page = open_page(f"/desk/cases/{number}", role="li", lang="en", narrow=narrow)
    expect(page.locator("#places")).to_be_visible(visible=not narrow)
    page.locator("summary").filter(has_text="Write a note").click()
    page.locator("#note-text").fill("The lid lies beside the hole.")
    file = {"name": "lid.jpg", "mimeType": "image/jpeg", "buffer": photograph(near, turned=6)}
    page.locator("#note-proof").set_input_files(file)
    page.get_by_role("button", name="Write a note").click()
    expect(page.locator(".file").first).to_contain_text("taken 29 m away")
    if narrow:
        expect(page.locator(".sketch")).to_be_visible()
        page.get_by_role("button", name="Map", exact=True).click()
    expect(page.locator(".sketch")).to_be_hidden()
    expect(page.locator(".place-photo")).to_have_count(1)
    expect(page.locator(".place:not(.place-photo)")).to_have_count(1)
    page.locator(".file a").first.focus()
    expect(page.locator(".place-photo")).to_have_class(re.compile("is-pointed"))
    shot(page, f"desk-case-map-{'narrow' if narrow else 'wide'}")
    assert not axe(page)
    assert sideways(page) <= 0


def test_without_javascript_the_list_alone(open_page: Open) -> None:
    page = open_page("/desk?tab=department", role="li", lang="en", javascript=False)
    expect(page.locator(".row-link")).to_have_count(3)
    expect(page.locator("#places")).to_be_hidden()
    expect(page.get_by_role("button", name="Map", exact=True)).to_be_hidden()
