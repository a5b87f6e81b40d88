"""An officer's day in a real browser: an alert arrives, becomes a case, is done with a photo and checked by another."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from browsing import Served, axe, serve, shot, sideways
from desk_town import Desk, cover, open_desk, picture
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
LOOKS = [(narrow, lang, dark) for narrow in (False, True) for lang, dark in (("zh_CN", False), ("en", True))]


def away(do: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Done in another thread: the browser's own loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(do, *args, **named).result()


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("desk"), many=60) as made:
        yield made


@pytest.fixture(scope="session")
def served(desk: Desk) -> Iterator[Served]:
    """The town's pages instead of the empty house."""
    yield from serve(desk.hub)


@pytest.fixture
def at(desk: Desk) -> int:
    """A cover in the east that nothing has happened to."""
    desk.used += 2
    return desk.used


@pytest.fixture
def number(desk: Desk, at: int) -> str:
    """Its case, just opened."""
    away(desk.tips, at)
    return desk.number(at)


def unfold(page: Page, name: str) -> None:
    """Open the form of one act that is folded away."""
    page.locator("summary").filter(has_text=name).click()


def with_keys(page: Page, path: str) -> None:
    """Go there and wait until the page listens to keys."""
    with page.expect_response(lambda answer: "keys.js" in answer.url):
        page.goto(path)
    page.evaluate("() => new Promise((done) => setTimeout(done))")


def test_from_the_alert_to_the_close(open_page: Open, desk: Desk, at: int) -> None:
    page = open_page("/account", role="li", lang="en")
    with page.expect_response(lambda answer: "/live" in answer.url):
        with_keys(page, "/desk?tab=department")
    for _ in range(2):
        away(desk.town.reports, cover(at), tilt=30.0, water=0.4, battery=80)
        desk.town.clock.advance(60_000_000)
    away(desk.town.reports, cover(at), tilt=30.0, water=0.4, battery=80)
    toast = page.locator(".toast").filter(has_text=cover(at))
    expect(toast).to_be_visible()
    expect(page.locator(".row-link").filter(has_text=cover(at))).to_be_visible()

    toast.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(cover(at))
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".notice-done")).to_contain_text("The alert is acknowledged.")
    page.get_by_role("link", name="To the case").click()
    expect(page.get_by_role("heading", name="What to do next")).to_be_visible()
    number = desk.number(at)

    page.get_by_role("button", name="Take it on").click()
    expect(page.locator(".notice-done")).to_contain_text("The case is with you now.")
    page.get_by_label("Note").first.fill("Two of us are on the way.")
    page.locator(".act-form").get_by_role("button", name="Done").click()
    expect(page.locator(".flow-now")).to_contain_text("Handle")
    unfold(page, "Done")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "lid.png", "mimeType": "image/png", "buffer": picture(320, 240)}
    )
    expect(page.locator(".previews img").first).to_be_visible()
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".flow-now")).to_contain_text("Check")
    expect(page.locator("img.photo").first).to_be_visible()
    expect(page.locator(".why-not")).to_contain_text("You did an earlier step of this case")

    away(desk.lies_flat, at)
    other = open_page(f"/desk/cases/{number}", role="wu", lang="en")
    unfold(other, "Done")
    other.get_by_role("button", name="Done").click()
    expect(other.locator(".case-lead")).to_contain_text("closed in time")
    assert [act.actor for act in desk.hub.cases.acts(number)][-1] == "wu"


def test_two_at_once_and_nothing_lost(open_page: Open, desk: Desk, number: str) -> None:
    mine = open_page(f"/desk/cases/{number}", role="li", lang="en")
    unfold(mine, "Write a note")
    mine.locator("#note-text").fill("What I have seen here took me a while to write.")
    other = open_page(f"/desk/cases/{number}", role="wu", lang="en")
    other.get_by_role("button", name="Take it on").click()
    expect(other.locator(".notice-done")).to_be_visible()
    mine.get_by_role("button", name="Write a note").click()
    expect(mine.get_by_text("Somebody was quicker")).to_be_visible()
    expect(mine.get_by_text("Wu Fang has done something about this case meanwhile")).to_be_visible()
    expect(mine.locator("#note-text")).to_have_value("What I have seen here took me a while to write.")
    assert not axe(mine)
    mine.get_by_role("button", name="Write a note").click()
    expect(mine.locator(".timeline-text").first).to_contain_text("What I have seen here")


def test_a_draft_outlives_the_tab(open_page: Open, number: str) -> None:
    page = open_page(f"/desk/cases/{number}", role="li", lang="en")
    unfold(page, "Write a note")
    page.locator("#note-text").press_sequentially("Half a sen", delay=60)
    kept = "() => Object.keys(localStorage).some((key) => key.endsWith('li-note'))"
    page.evaluate(
        f"() => new Promise((done) => {{ const look = () => ({kept})() ? done() : setTimeout(look, 50); look(); }})"
    )
    page.reload()
    unfold(page, "Write a note")
    expect(page.locator("#note-text")).to_have_value("Half a sen")
    page.locator("#note-text").fill("Half a sentence is enough.")
    page.get_by_role("button", name="Write a note").click()
    expect(page.locator(".notice-done")).to_be_visible()
    unfold(page, "Write a note")
    expect(page.locator("#note-text")).to_have_value("")


def test_without_javascript(open_page: Open, desk: Desk, number: str) -> None:
    page = open_page(f"/desk/cases/{number}", role="li", lang="en", javascript=False)
    page.get_by_role("button", name="Take it on").click()
    expect(page.locator(".notice-done")).to_contain_text("The case is with you now.")
    page.get_by_role("button", name="Done").click()
    unfold(page, "Done")
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".field-error").first).to_contain_text("This step asks for evidence: Photo.")
    file = {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": b"these are words"}
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".field-error").first).to_contain_text("This file is not a photo we can keep")
    page.locator("input[type=file]").first.set_input_files(file | {"buffer": picture()})
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".flow-now")).to_contain_text("Check")


def test_the_list_by_keyboard(open_page: Open, number: str) -> None:
    page = open_page("/account", role="li", lang="en")
    with_keys(page, "/desk?tab=department")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".row-link").first).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type(number)
    expect(page.locator(".row-link")).to_have_count(1)
    expect(page).to_have_url(re.compile(f"q={number}"))
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/desk/cases/{number}$"))


def test_what_is_late_is_one_key_away_and_the_address_says_so(open_page: Open, number: str) -> None:
    page = open_page("/account", role="li", lang="en")
    with_keys(page, "/desk?tab=department&q=" + number)
    page.keyboard.press("l")
    expect(page.get_by_text("No case fits these filters")).to_be_visible()
    expect(page).to_have_url(re.compile(f"q={number}.*light=red"))
    page.locator("[name=level]").select_option("danger")
    expect(page).to_have_url(re.compile("level=danger.*light=red"))
    page.locator("h1").click()
    page.keyboard.press("l")
    expect(page).not_to_have_url(re.compile("light="))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("What is late")


def test_a_list_changes_by_itself_when_somebody_acts(open_page: Open, desk: Desk, number: str) -> None:
    page = open_page("/desk?tab=department&q=" + number, role="wu", lang="en")
    expect(page.locator(".row-link")).to_have_count(1)
    other = open_page("/account", role="li", lang="en")
    with_keys(other, f"/desk/cases/{number}")
    other.keyboard.press("t")
    expect(page.locator("#cases")).to_contain_text("Li Ming", timeout=8000)


def test_an_open_case_says_that_it_has_changed(open_page: Open, number: str) -> None:
    page = open_page(f"/desk/cases/{number}", role="wu", lang="en")
    unfold(page, "Write a note")
    page.locator("#note-text").fill("Half a sentence")
    other = open_page("/account", role="li", lang="en")
    with_keys(other, f"/desk/cases/{number}")
    other.keyboard.press("t")
    told = page.locator("[data-newer]")
    expect(told).to_contain_text("Li Ming has done something about this case: Taken on.", timeout=8000)
    expect(told).to_be_visible(timeout=8000)
    assert not axe(page)
    page.get_by_role("link", name="Show it as it is now").click()
    unfold(page, "Write a note")
    expect(page.locator("#note-text")).to_have_value("Half a sentence")
    expect(page.locator(".why-not")).to_contain_text("This case is with Li Ming")
    expect(page.locator("[data-newer]")).to_be_hidden()


def test_two_at_one_case_see_each_other(open_page: Open, number: str) -> None:
    mine = open_page(f"/desk/cases/{number}", role="li", lang="en")
    other = open_page(f"/desk/cases/{number}", role="wu", lang="zh_CN")
    expect(other.get_by_role("status").filter(has_text="Li Ming正在查看此案件")).to_be_visible()
    unfold(other, "留言")
    with other.expect_response(lambda answer: answer.url.endswith("/here")):
        other.locator("#note-text").press_sequentially("On")
    mine.reload()
    expect(mine.get_by_role("status").filter(has_text="Wu Fang is writing")).to_be_visible()
    shot(mine, "desk-presence")
    assert not axe(mine)
    other.goto("/desk")
    expect(other.locator("h1")).to_be_visible()
    with mine.expect_response(lambda answer: answer.url.endswith("/here") and answer.request.method == "POST") as told:
        mine.reload()
    assert told.value.json()["people"] == []
    expect(mine.locator(".presence")).to_be_hidden()


@pytest.fixture(scope="session")
def full(desk: Desk) -> dict[str, str]:
    """Pages worth looking at."""
    desk.used += 4
    late, photo = desk.used, desk.used - 2
    away(desk.tips, late, photo)
    number = desk.number(photo)
    away(desk.acts, "li", number, "complete", text="Crew 3 is on its way with a barrier.")
    desk.acts(
        "li", number, "complete", picture(320, 240), text="Put back.\nThe frame is cracked; a new one is ordered."
    )
    away(desk.acts, "wu", number, "extend", reason="The new frame comes tomorrow.")
    alert = away(desk.json, "li", f"/desk/alerts.json?thing={cover(photo)}")["alerts"][0]["number"]
    return {
        "list": "/desk?tab=department",
        "mine": "/desk",
        "none": "/desk?q=nothing-like-that",
        "case": f"/desk/cases/{number}",
        "new-case": f"/desk/cases/{desk.number(late)}",
        "alerts": "/desk/alerts",
        "alert": f"/desk/alerts/{alert}",
        "quiet": "/desk/quiet",
        "foreign": "/desk/cases/20250101-000001",
    }


@pytest.mark.slow
@pytest.mark.parametrize(("narrow", "lang", "dark"), LOOKS)
@pytest.mark.parametrize("name", ["list", "mine", "none", "case", "new-case", "alerts", "alert", "quiet", "foreign"])
def test_every_page_is_fit_to_be_seen(
    open_page: Open, full: dict[str, str], name: str, narrow: bool, lang: str, dark: bool
) -> None:
    page = open_page(full[name], role="li", narrow=narrow, lang=lang, dark=dark)
    shot(page, "-".join(["desk", name, "narrow" if narrow else "wide", lang]))
    assert not axe(page)
    assert sideways(page) <= 0


@pytest.mark.parametrize("role", ["lena", "dora", "rui", "opal"])
def test_every_role_sees_its_own(open_page: Open, full: dict[str, str], role: str) -> None:
    for name in ("alerts", "alert") if role == "opal" else ("list", "case", "alert"):
        path = full[name].replace("?tab=department", "")
        page = open_page(path, role=role, lang="en")
        shot(page, f"desk-{role}-{name}")
        assert not axe(page)
