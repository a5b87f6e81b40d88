"""The map in a browser: it is drawn by day and by night, wide and narrow, with nothing asked of anybody else."""

import re
from collections.abc import Callable

import pytest
import shapely
from browsing import Served, axe, shot, sideways
from playwright.sync_api import Page, expect

from cheng.infrastructure.registration import NewThing
from cheng.standards.base_map import Features

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
HERE = (106.551, 29.561)


@pytest.fixture(scope="module")
def town(served: Served) -> Served:
    """Some covers on a street."""
    rows = [NewThing(f"mapped-{n}", "Cover", name=f"地图井盖 {n}", geometry=at(n / 4000)) for n in range(3)]
    assert not served.hub.things.put(rows, "test").refused
    way = shapely.LineString([(HERE[0] - 0.01, HERE[1] - 0.001), (HERE[0] + 0.01, HERE[1] - 0.001)])
    served.hub.base_map.put("demo", Features.of("street", "primary", [way], name="中山路", rank=8))
    return served


def at(east: float) -> dict[str, object]:
    return {"type": "Point", "coordinates": [HERE[0] + east, HERE[1]]}


def drawn(page: Page) -> None:
    expect(page.locator(".map-canvas canvas").first).to_be_visible()
    page.wait_for_function("document.querySelector('[data-map]').dataset.look !== undefined")


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize(("lang", "dark"), [("zh_CN", False), ("en", True)])
def test_the_map_is_drawn_and_can_be_read(open_page: Open, town: Served, narrow: bool, lang: str, dark: bool) -> None:
    page = open_page(f"/map#at=16/{HERE[1]}/{HERE[0]}", narrow=narrow, lang=lang, dark=dark)
    drawn(page)
    assert page.locator("[data-map]").get_attribute("data-look") == ("night" if dark else "day")
    assert sideways(page) <= 0
    assert axe(page) == []
    shot(page, f"map-{lang}-{'narrow' if narrow else 'wide'}")


def test_layers_are_switched_by_key_and_the_address_remembers(open_page: Open, town: Served) -> None:
    page = open_page("/map", lang="en")
    drawn(page)
    box = page.locator("input[value=Cover]")
    box.focus()
    page.keyboard.press("Space")
    expect(box).not_to_be_checked()
    page.wait_for_url("**hide=Cover**")
    page.reload()
    expect(page.locator("input[value=Cover]")).not_to_be_checked()


def test_pointing_at_a_thing_tells_what_it_is(open_page: Open, town: Served) -> None:
    page = open_page(f"/map#at=17/{HERE[1]}/{HERE[0]}", lang="en")
    drawn(page)
    canvas = page.locator(".map-canvas canvas").first.bounding_box()
    assert canvas
    middle = (canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
    card = page.locator(".map-card")
    for _ in range(20):
        page.mouse.click(*middle)
        page.wait_for_timeout(500)
        if card.count():
            break
    expect(card).to_contain_text("地图井盖 0")
    expect(card.locator("a")).to_have_attribute("href", "/things/Cover/mapped-0")
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)


def test_a_card_does_not_cover_what_it_is_about(open_page: Open, town: Served) -> None:
    page = open_page(f"/map#at=17/{HERE[1] + 0.0012}/{HERE[0] - 0.0008}", lang="en", narrow=True)
    drawn(page)
    canvas = page.locator(".map-canvas canvas").first.bounding_box()
    assert canvas
    scale = 512 * 2**17 / 360
    right, down = 0.0008 * scale, 0.0012 * scale * 1.15
    spot = canvas["x"] + canvas["width"] / 2 + right, canvas["y"] + canvas["height"] / 2 + down
    card = page.locator(".map-card")
    for _ in range(20):
        page.mouse.click(*spot)
        page.wait_for_timeout(500)
        if card.count():
            break
    expect(card).to_contain_text("地图井盖 0")
    over = card.bounding_box()
    assert over
    assert spot[1] > over["y"]
    expect(page).not_to_have_url(re.compile("#at=17/29.5622/"))  # the map has moved up


def test_without_webgl_there_is_a_sentence_and_a_list(open_page: Open, town: Served) -> None:
    page = open_page("/things", lang="en")
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto("/map")
    expect(page.locator(".map-said")).to_contain_text(
        "The map cannot be drawn here: this browser does not offer WebGL."
    )
    expect(page.locator(".map-said a")).to_have_attribute("href", "/things")
    assert axe(page) == []


def test_without_scripts_the_list_is_offered(open_page: Open, town: Served) -> None:
    page = open_page("/map", lang="en", javascript=False)
    expect(page.locator(".map-said")).to_contain_text("The map needs JavaScript.")


MOVING = 300
NAMED = """
const told = WebGL2RenderingContext.prototype.getParameter;
WebGL2RenderingContext.prototype.getParameter = function (name) {
  return name === 0x9246 ? "A graphics card" : told.call(this, name);
};
"""


@pytest.fixture(scope="module")
def traffic(town: Served) -> Served:
    """Vehicles in rows about the place, one of them in the middle of it."""
    rows = [NewThing(f"car-{n}", "Vehicle", name=f"公务车 {n}", geometry=at((n - 150) / 4000)) for n in range(MOVING)]
    assert not town.hub.things.put(rows, "test").refused
    return town


@pytest.mark.parametrize("card", [False, True])
def test_what_moves_is_drawn_and_can_be_pointed_at(open_page: Open, traffic: Served, card: bool) -> None:
    page = open_page("/sign-in", role="leader", lang="en")
    if card:
        page.add_init_script(NAMED)
    page.goto(f"/map?hide=Cover#at=17/{HERE[1]}/{HERE[0]}")
    drawn(page)
    sheet = page.locator(".map-sheet")
    expect(sheet).to_be_visible(timeout=30_000)
    assert page.evaluate("!document.querySelector('.map-sheet').getContext('2d')") is card
    canvas = page.locator(".map-canvas canvas").first.bounding_box()
    assert canvas
    page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
    expect(page.locator(".map-card")).to_contain_text("公务车 150")
    shot(page, f"map-moving-{'glass' if card else 'paper'}")
    page.locator("input[value=Vehicle]").uncheck()
    expect(sheet).to_be_hidden()
    page.locator("input[value=Vehicle]").check()
    expect(sheet).to_be_visible()
