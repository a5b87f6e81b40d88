"""The people of urban management in a real browser: one heap of rubbish from the citizen's phone to the close, and back."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browsing import Served, serve
from playwright.sync_api import Page, expect
from street_office import CREW, HERE, NAME, PHONE, PHOTO, WATER, Walk, act, attach, done, number_of, open_office

from cheng.testing import Town

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
WAYS = [(False, "en"), (True, "zh_CN")]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_office(tmp_path_factory.mktemp("office")) as opened:
        yield opened


@pytest.fixture(scope="module")
def served(town: Town) -> Iterator[Served]:
    yield from serve(town.hub)


@pytest.fixture(scope="module")
def signed_in_as(served: Served) -> dict[str, Any]:
    return {}


@pytest.fixture(params=WAYS, ids=lambda way: f"{'narrow' if way[0] else 'wide'}-{way[1]}")
def walk(request: pytest.FixtureRequest, open_page: Open, town: Town) -> Walk:
    return Walk(town, open_page, *request.param)


@pytest.fixture
def wide_walk(open_page: Open, town: Town) -> Walk:
    return Walk(town, open_page)


class Citizen:
    """Somebody without an account who keeps the link."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.page = page = walk.at("/report")
        page.locator("#f-text").fill("校门口有一大堆垃圾，已经两天了")
        page.locator("#f-photos").set_input_files([PHOTO])  # type: ignore[list-item]
        page.context.grant_permissions(["geolocation"])
        page.context.set_geolocation({"longitude": HERE[0], "latitude": HERE[1]})
        page.locator("[data-locate]").click()
        expect(page.locator("#f-place")).to_have_value("29.56000, 106.55000")
        page.locator("#f-name").fill(NAME)
        page.locator("#f-phone").fill(PHONE)
        walk.fit(page, "report")
        page.locator(".report-send").click()
        expect(page.locator(".report-link a")).to_be_visible()
        self.link = str(page.locator(".report-link a").get_attribute("href"))
        self.number = number_of(page)
        walk.fit(page, "follow")

    def reads(self, sentence: str) -> None:
        """The page behind the link says this first of what was done."""
        self.page.goto(self.link)
        expect(self.page.locator("#told")).to_contain_text(self.walk.say(sentence))


def test_from_the_report_to_the_close_and_back(walk: Walk) -> None:
    walk.name = "story"
    citizen = Citizen(walk)
    number, say = citizen.number, walk.say

    walk.passes()
    page = walk.at("/desk", "shou")
    expect(page.locator(".tabs [aria-current]")).to_contain_text(say("At my post"))
    expect(page.locator(".row-link").first).to_contain_text("校门口")
    walk.fit(page, "acceptor-desk")
    page.locator(f"#case-{number}").click()
    walk.fit(page, "acceptor-case")
    act(page, "complete").locator("select[name=class]").select_option("E0104")
    done(page, "complete")
    expect(page.locator("h1")).to_contain_text("江滨街道")
    citizen.reads("Your report was accepted.")

    walk.passes()
    page = walk.at("/desk", "cai")
    page.locator(f"#case-{number}").click()
    walk.fit(page, "collector-case")
    done(page, "complete", photo=True, text="三车垃圾，占了半条人行道")
    expect(page.locator("img.photo").first).to_be_visible()
    citizen.reads("Somebody was there and has seen it.")

    walk.passes()
    page = walk.at("/desk", "ban")
    page.locator(f"#case-{number}").click()
    form = act(page, "complete")
    expect(form.locator("[name=condition]")).to_have_count(3)
    walk.fit(page, "shift-leader-case")
    form.locator("select[name=class]").select_option("E0102")
    expect(form.locator("[name=condition][value=bit]")).to_be_visible()
    form.locator("[name=condition][value=main]").check()
    done(page, "complete")
    expect(page.locator("#standard")).to_contain_text("E0102")
    walk.fit(page, "shift-leader-filed")
    citizen.reads("It was decided what is to be done.")

    walk.passes()
    page = walk.at("/desk", "pai")
    page.locator(f"#case-{number}").click()
    form = act(page, "complete")
    first = form.locator("[name=departments]").first
    expect(first).to_be_checked()
    expect(first).to_have_value(CREW)
    expect(form.locator(".choice").first).to_contain_text(say("by the table of responsibilities"))
    form.locator("summary").nth(1).click()
    form.locator(f"[name=also][value='{WATER}']").check()
    walk.fit(page, "dispatcher-case")
    form.locator("button[type=submit]").click()
    expect(page.locator("#related .rows li")).to_have_count(1)
    walk.fit(page, "dispatcher-sent")
    citizen.reads("It was given to the department in charge.")

    walk.passes()
    page = walk.at("/desk", "shui")
    page.locator(".row-link").first.click()
    part = number_of(page)
    walk.fit(page, "part")
    done(page, "complete", photo=True)
    done(page, "complete", text="水管没有漏")
    assert walk.step(part) == ""

    page = walk.at("/desk", "chu")
    page.locator(f"#case-{number}").click()
    done(page, "take")
    walk.fit(page, "handler-case")
    done(page, "complete", photo=True, text="已清运")
    done(page, "complete", text="已完成，请核查")
    citizen.reads("The department has reported back.")
    expect(citizen.page.locator("#work img")).not_to_have_count(0)

    walk.passes()
    page = walk.at("/desk", "ji")
    page.locator(f"#case-{number}").click()
    walk.fit(page, "checker-case")
    form = act(page, "return")
    if form.locator("select[name=step]").count():
        form.locator("select[name=step]").select_option("handle")
    form.locator("button[type=submit]").click()
    expect(page.locator("#return-reason-error")).to_be_visible()
    walk.fit(page, "checker-no-reason")
    done(page, "return", reason="树后面还有两袋")
    citizen.reads("It was sent back: it is not in order yet.")
    expect(citizen.page.locator("#told")).not_to_contain_text("树后面")

    walk.passes()
    page = walk.case("chu", number)
    expect(page.locator("#story")).to_contain_text("树后面还有两袋")
    walk.fit(page, "handler-again")
    done(page, "complete", photo=True)
    done(page, "complete")
    page = walk.case("ji", number)
    done(page, "complete", photo=True)
    citizen.reads("Somebody else was there and found it in order.")

    walk.passes()
    page = walk.case("zhang", number)
    walk.fit(page, "closer-case")
    done(page, "complete")
    expect(page.locator(".case-lead")).to_contain_text(say("closed in time"))
    walk.fit(page, "closed")
    citizen.reads("The case was closed.")

    page = citizen.page
    walk.fit(page, "citizen-closed")
    for name, value in (("reached", "yes"), ("solved", "no"), ("satisfied", "no")):
        page.locator(f"input[name={name}][value={value}]").check()
    page.locator("#do form:has([value=rate]) button[type=submit]").click()
    expect(page.locator("#told")).to_contain_text(say("You said how it went."))
    page.locator(".report-act:has([value=reopen]) > summary").click()
    page.locator("#f-reason").fill("今天早上又堆满了")
    page.locator(".report-act:has([value=reopen]) button[type=submit]").click()
    expect(page.locator("#told")).to_contain_text(say("It was opened again."))
    walk.fit(page, "citizen-reopened")
    assert walk.step(number) == "dispatch"
    page = walk.case("pai", number)
    expect(page.locator("#story")).to_contain_text("今天早上又堆满了")
    walk.fit(page, "dispatcher-reopened")
