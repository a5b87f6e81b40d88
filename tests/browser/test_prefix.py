"""Everything below a path prefix, as behind another server: map, wall, live stream and links stay inside it."""

from collections.abc import Iterator

import pytest
from browsing import CHROMIUM, WIDE, Served, Watch, serve, shot, sign_in
from filled_city import area
from house import open_house
from playwright.sync_api import Browser, Page, Response, expect

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.registration import NewThing
from needs import need

pytestmark = pytest.mark.browser
PREFIX = "/city"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A district with a cover, in a house that lies below the prefix."""
    need("browser", CHROMIUM is not None, "Chromium is not on this machine")
    hub = open_house(tmp_path_factory.mktemp("prefix"), Clock(), root_path=PREFIX)
    place = {"type": "Point", "coordinates": [106.45, 29.55]}
    cover = NewThing("prefixed-1", "Cover", name="井盖 1", geometry=place)
    assert not hub.things.put([area("501", "东山区", "district", 106.4, 106.6), cover], "test").refused
    yield from serve(hub)
    hub.close()


@pytest.fixture
def leader(browser: Browser, town: Served) -> Iterator[tuple[Page, list[str]]]:
    """A leader's page, and the addresses that were asked of it or failed outside of the prefix."""
    context = browser.new_context(viewport=WIDE, base_url=town.url, locale="en", reduced_motion="reduce")  # type: ignore[arg-type]
    context.add_cookies([{"name": "cheng_language", "value": "en", "url": f"{town.url}{PREFIX}"}])
    page, watch, strayed = context.new_page(), Watch(town.url), list[str]()

    def arrived(response: Response) -> None:
        if not response.url.startswith((f"{town.url}{PREFIX}/", "data:", "blob:")) or response.status >= 400:
            strayed.append(f"{response.status} {response.url}")

    watch.over(page)
    sign_in(page, "leader", prefix=PREFIX)
    page.on("response", arrived)
    yield page, strayed
    context.close()
    assert not watch.complaints, "\n".join(watch.complaints)


def links(page: Page) -> list[str]:
    """Where the links of the page lead, as far as not below the prefix."""
    told = page.eval_on_selector_all("a[href]", "all => all.map(one => one.getAttribute('href'))")
    return [href for href in told if not href.startswith((f"{PREFIX}/", "#"))]


def test_the_wall_works_below_a_prefix(leader: tuple[Page, list[str]], town: Served) -> None:
    page, strayed = leader
    cover = town.hub.things.find("prefixed-1").idx
    with page.expect_response(lambda answer: answer.url.endswith(".mvt")) as tile:
        page.goto(f"{PREFIX}/dashboard")
    assert tile.value.ok
    page.locator("[data-place]").get_by_role("link", name="东山区").click()
    expect(page.get_by_role("link", name="Everything about it")).to_have_attribute("href", f"{PREFIX}/areas/area:501")
    page.wait_for_url(f"**{PREFIX}/dashboard?area=area%3A501**")
    page.evaluate("document.body.addEventListener('cheng:things', () => (window.heard = true))")
    for _ in range(20):
        town.hub.bus.publish("things/changed", {})
        page.wait_for_timeout(300)
        if page.evaluate("window.heard"):
            break
    assert page.evaluate("window.heard"), "the live stream is not heard"
    page.goto(f"{PREFIX}/dashboard?thing={cover}")
    expect(page.locator("[data-thing] .chart canvas").first).to_be_visible()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("slider", name="Moment of the hour")).to_be_visible()
    assert (links(page), strayed) == ([], [])
    shot(page, "wall-prefix-wide")


def test_the_map_works_below_a_prefix(leader: tuple[Page, list[str]]) -> None:
    page, strayed = leader
    with page.expect_response(lambda answer: "/tiles/things/" in answer.url):
        page.goto(f"{PREFIX}/map#at=17/29.55/106.45")
    canvas = page.locator(".map-canvas canvas").first.bounding_box()
    assert canvas
    card = page.locator(".map-card")
    for _ in range(20):
        page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] / 2)
        page.wait_for_timeout(500)
        if card.count():
            break
    card.get_by_role("link").click()
    page.wait_for_url(f"**{PREFIX}/things/Cover/prefixed-1")
    assert (links(page), strayed) == ([], [])


def test_policy_and_cookies_hold_below_a_prefix(leader: tuple[Page, list[str]], town: Served) -> None:
    page, _ = leader
    answer = page.goto(f"{PREFIX}/dashboard")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy
    kept = [cookie for cookie in page.context.cookies(f"{town.url}{PREFIX}") if "session" in str(cookie.get("name"))]
    assert [cookie.get("path") for cookie in kept] == [PREFIX]
