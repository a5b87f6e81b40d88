"""A citizen's phone: reporting with a photo and a place, following, and looking around; with JavaScript and without."""

import re
from collections.abc import Callable, Iterator

import pytest
from browsing import Served, axe, serve, shot, sideways
from desk_town import picture
from playwright.sync_api import Browser, Page, expect
from portal_town import HERE, Reported, open_town, spelled

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
LOOKS = [(narrow, lang, dark) for narrow in (False, True) for lang, dark in (("zh_CN", False), ("en", True))]
PICTURE = {"name": "盖.png", "mimeType": "image/png", "buffer": picture()}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    with open_town(tmp_path_factory.mktemp("town")) as opened:
        yield opened


@pytest.fixture(scope="module")
def served(town: Reported) -> Iterator[Served]:
    yield from serve(town.hub)


@pytest.fixture(scope="module")
def signed_in_as(served: Served) -> dict[str, object]:
    return {}


@pytest.fixture(scope="module")
def done(town: Reported) -> tuple[str, str]:
    """A report whose case is closed: its number and its word."""
    number, word = town.reports(photos=[picture()], class_="E0102", place=spelled((120.609, 31.308)))
    town.works(number)
    return number, word


@pytest.fixture(scope="module")
def under_way(town: Reported) -> tuple[str, str]:
    number, word = town.reports(photos=[picture()], class_="C0106", place=spelled((120.608, 31.307)))
    town.works(number, "handle")
    return number, word


def looked_at(page: Page, name: str, narrow: bool, lang: str, dark: bool) -> None:
    """Fit to be seen, to be read aloud and to be held in one hand."""
    expect(page.locator("html")).to_have_attribute("lang", lang.replace("_", "-"))
    assert not axe(page)
    assert sideways(page) <= 0
    shot(page, "-".join([name, "narrow" if narrow else "wide", lang, "dark" if dark else "light"]))


@pytest.mark.slow
@pytest.mark.parametrize(("narrow", "lang", "dark"), LOOKS)
@pytest.mark.parametrize("path", ["/portal", "/report", "/report/classes", "/reports", "/report/20261120-009999"])
def test_every_page_is_fit_to_be_seen(
    open_page: Open, done: tuple[str, str], under_way: tuple[str, str], path: str, narrow: bool, lang: str, dark: bool
) -> None:
    page = open_page(path, narrow=narrow, lang=lang, dark=dark)
    looked_at(page, "portal" + path.replace("/", "-"), narrow, lang, dark)


@pytest.mark.slow
@pytest.mark.parametrize(("narrow", "lang", "dark"), LOOKS)
def test_the_page_of_a_report_is_fit_to_be_seen(
    open_page: Open, done: tuple[str, str], under_way: tuple[str, str], narrow: bool, lang: str, dark: bool
) -> None:
    for name, (number, word) in (("done", done), ("under-way", under_way)):
        page = open_page(f"/report/{number}?key={word}", narrow=narrow, lang=lang, dark=dark)
        for summary in page.locator(".report-act > summary").all():
            if summary.locator("xpath=..").get_attribute("open") is None:
                summary.click()
        looked_at(page, f"report-{name}", narrow, lang, dark)
        page.goto(f"/report/{number}")
        looked_at(page, f"report-{name}-public", narrow, lang, dark)


@pytest.mark.slow
@pytest.mark.parametrize(("narrow", "lang", "dark"), LOOKS)
def test_a_form_that_comes_back_is_fit_to_be_seen(open_page: Open, narrow: bool, lang: str, dark: bool) -> None:
    page = open_page("/report", narrow=narrow, lang=lang, dark=dark)
    page.locator("#f-photos").set_input_files([PICTURE, {**PICTURE, "buffer": b"<svg/>"}])  # type: ignore[list-item]
    page.locator("#f-phone").fill("?")
    page.locator(".report-send").click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(summary.locator("li")).to_have_count(4)
    expect(page.locator(".kept li")).to_have_count(1)
    expect(page.locator("#f-phone")).to_have_value("?")
    looked_at(page, "report-failed", narrow, lang, dark)


@pytest.mark.parametrize("javascript", [True, False])
def test_a_citizen_reports_follows_and_adds_something(open_page: Open, javascript: bool) -> None:
    page = open_page("/portal", narrow=True, javascript=javascript)
    page.get_by_role("link", name="我要上报").first.click()
    page.locator("#f-text").fill("三号门前的路灯不亮")
    page.locator("#f-photos").set_input_files([PICTURE])  # type: ignore[list-item]
    page.locator("#f-address").fill("东街 3 号")
    page.locator("#f-class").select_option("C0106")
    page.locator(".report-send").click()
    expect(page.get_by_role("status").first).to_contain_text("您的上报已收到")
    expect(page).to_have_url(re.compile(r"/report/\d{8}-\d{6}\?key=\w{24}$"))
    expect(page.locator(".stage-now")).to_contain_text("受理")
    expect(page.locator("#mine")).to_contain_text("三号门前的路灯不亮")
    page.locator(".report-act > summary", has_text="补充说明").click()
    page.locator("#f-text").fill("晚上很黑")
    page.locator(".report-act[open] button[type=submit]").click()
    expect(page.locator("#told")).to_contain_text("晚上很黑")
    page.get_by_role("button", name="催办").click()
    expect(page.locator("#told")).to_contain_text("您催办了一次")
    link = str(page.locator(".report-link code").text_content())
    assert link.startswith("http")
    page.goto(link)
    expect(page.locator("#mine")).to_contain_text("三号门前的路灯不亮")


def test_the_place_comes_from_the_map_or_from_the_device(open_page: Open) -> None:
    page = open_page("/report", narrow=True)
    place = page.locator("#f-place")
    page.get_by_role("button", name="我就在现场").click()
    expect(page.locator("[data-said]")).to_contain_text("没有获取到手机位置")
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": HERE[0], "latitude": HERE[1]})
    page.get_by_role("button", name="我就在现场").click()
    expect(place).to_have_value("31.30300, 120.60300")
    page.get_by_role("button", name="在地图上选择").click()
    canvas = page.locator("#report-map canvas")
    expect(canvas).to_be_visible()
    expect(page.locator(".report-pin")).to_be_visible()
    canvas.click(position={"x": 60, "y": 60})
    expect(place).not_to_have_value("31.30300, 120.60300")
    shot(page, "report-map-narrow")
    page.get_by_role("button", name="清除位置").click()
    expect(place).to_have_value("")
    expect(page.locator(".report-pin")).to_have_count(0)


def test_a_phone_takes_the_photo_itself(browser: Browser, served: Served) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = context.new_page()
    page.goto(served.url + "/report?lang=en")
    expect(page.get_by_text("Take a photo now")).to_be_visible()
    camera = page.locator('input[name="camera"]')
    expect(camera).to_have_attribute("capture", "environment")
    page.wait_for_load_state("networkidle")
    camera.set_input_files([PICTURE])  # type: ignore[list-item]
    expect(page.locator(".with-camera figcaption")).to_have_text("盖.png")
    context.close()


def test_kinds_are_suggested_while_one_types(open_page: Open) -> None:
    page = open_page("/report")
    page.locator("#f-text").press_sequentially("门口的垃圾没人收")
    page.locator(".report-found").get_by_role("button", name="暴露垃圾").click()
    expect(page.locator("#f-class")).to_have_value("E0102")
    expect(page.locator(".report-found li")).to_have_count(0)
    page.locator("#find").press_sequentially("没有这种东西")
    expect(page.locator("#find-said")).to_contain_text("没有找到相符的类别")


def test_what_was_typed_outlives_a_closed_page(open_page: Open) -> None:
    page = open_page("/report", narrow=True)
    page.locator("#f-text").fill("只写了一半")
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": HERE[0], "latitude": HERE[1]})
    page.get_by_role("button", name="我就在现场").click()
    expect(page.locator("#f-place")).to_have_value("31.30300, 120.60300")
    page.wait_for_timeout(400)
    page.reload()
    expect(page.locator("#f-text")).to_have_value("只写了一半")
    expect(page.locator("#f-place")).to_have_value("31.30300, 120.60300")


@pytest.mark.parametrize(("narrow", "lang", "dark"), LOOKS)
def test_is_it_one_of_these(open_page: Open, town: Reported, narrow: bool, lang: str, dark: bool) -> None:
    number, _ = town.reports(place=spelled(HERE))
    page = open_page("/report", narrow=narrow, lang=lang, dark=dark)
    page.locator("#f-text").fill("井盖破了")
    page.locator("#f-photos").set_input_files([PICTURE])  # type: ignore[list-item]
    page.locator("#f-class").select_option("C0101")
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": HERE[0], "latitude": HERE[1]})
    page.locator("[data-locate]").click()
    expect(page.locator("#f-place")).to_have_value("31.30300, 120.60300")
    page.locator(".report-send").click()
    expect(page.locator(".near .card").first).to_be_visible()
    looked_at(page, "report-near", narrow, lang, dark)
    page.locator(f'button[value="{number}"]').click()
    expect(page).to_have_url(re.compile(f"/report/{number}"))
    page.goto("/report")
    expect(page.locator("#f-text")).to_have_value("")


def test_how_it_went_is_said_with_the_keyboard_alone(open_page: Open, done: tuple[str, str]) -> None:
    page = open_page(f"/report/{done[0]}?key={done[1]}")
    for name, value in (("reached", "yes"), ("solved", "yes"), ("satisfied", "mostly")):
        page.locator(f'input[name="{name}"][value="{value}"]').focus()
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("#told")).to_contain_text("基本满意")
