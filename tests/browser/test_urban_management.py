"""The people of urban management in a real browser: a heap of rubbish from a citizen's phone to the close, and back."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browsing import Served, serve
from playwright.sync_api import Page, expect
from street_office import (
    CREW,
    HERE,
    NAME,
    PEOPLE,
    PHONE,
    PHOTO,
    WATER,
    Walk,
    act,
    away,
    done,
    number_of,
    open_office,
)

from cheng.kernel.standing import Person
from cheng.testing import Town

pytestmark = [pytest.mark.browser, pytest.mark.slow]
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


def test_from_the_report_to_the_close_and_back(open_page: Open, town: Town) -> None:
    story(open_page, town, narrow=False, lang="en")


def story(open_page: Open, town: Town, *, narrow: bool, lang: str) -> None:
    """From the citizen's phone through every hand, sent back once, to the close; and open again in the end."""
    walk = Walk(town, open_page, narrow, lang, "story")
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
    expect(page.locator("#report img")).to_have_count(1)
    expect(page.locator(".flow-step")).to_have_count(2)
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

    assert walk.step(number) == "check"
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


def accepted(town: Town, number: str, *steps: str) -> None:
    """Officers finish these steps of a case: (who, what it carries)."""
    told: dict[str, tuple[str, dict[str, Any]]] = {
        "accept": ("shou", {}),
        "verify": ("cai", {}),
        "file": ("ban", {"class": "E0102", "condition": "main"}),
        "dispatch": ("pai", {"departments": [CREW]}),
    }
    for step in steps:
        who, data = told[step]
        town.hub.cases.act(number, "complete", officer(who), data)


def officer(name: str) -> Person:
    shown, roles, department = PEOPLE[name]
    return Person(name, department, frozenset(roles.split()), shown)


def test_filed_without_javascript(open_page: Open, town: Town) -> None:
    walk = Walk(town, open_page, narrow=True, lang="zh_CN", name="bare")
    number = walk.hears(class_code="E0104")
    away(accepted, town, number, "accept", "verify")
    page = walk.case("ban", number, javascript=False)
    page.locator("#complete-class, #complete-condition-class").first.select_option("E0102")
    page.locator("#complete-text").fill("是垃圾，不是路面脏")
    page.get_by_role("button", name=walk.say("File the case")).click()
    expect(page.locator(".field-error").first).to_be_visible()
    expect(page.locator("[name=condition][value=bit]")).to_be_visible()
    expect(page.locator("#complete-text")).to_have_value("是垃圾，不是路面脏")
    page.locator("[name=condition][value=bit]").check()
    page.get_by_role("button", name=walk.say("File the case")).click()
    expect(page.locator("#standard")).to_contain_text("E0102")
    assert walk.step(number) == "dispatch"


def test_an_acceptor_needs_no_mouse(wide_walk: Walk) -> None:
    number = wide_walk.hears("路灯杆倒了", class_code="", place=(106.51, 29.51))
    page = wide_walk.at("/account", "shou")
    with page.expect_response(lambda answer: "keys.js" in answer.url):
        page.goto(f"/desk?q={number}")
    page.evaluate("() => new Promise((done) => setTimeout(done))")
    page.keyboard.press("j")
    expect(page.locator(f"#case-{number}")).to_be_focused()
    with page.expect_response(lambda answer: "keys.js" in answer.url):
        page.keyboard.press("Enter")
    expect(page.locator(".act-form").first).to_be_visible()
    page.locator(".crumbs a, nav a").last.focus()
    order: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = str(page.evaluate("document.activeElement.name || document.activeElement.type || ''"))
        order += [name] if page.evaluate("Boolean(document.activeElement.closest('.act-form'))") else []
        if name == "submit":
            break
        if name == "class":
            page.keyboard.type("Street light")
    assert [name for name in order if name in ("class", "text", "submit")] == ["class", "text", "submit"], order
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("d")
    expect(page.locator(".notice-done")).to_be_visible()
    assert wide_walk.step(number) == "verify"


def test_three_are_accepted_at_once(walk: Walk) -> None:
    walk.name = "bulk"
    at = [(106.52 + n * 0.01, 29.52 + walk.narrow * 0.01) for n in range(3)]
    numbers = [walk.hears(place=place) for place in at]
    page = walk.at("/desk", "fang")
    for number in numbers:
        page.locator(f"#tick-{number}").check()
    page.locator(".bulk > summary").click()
    page.locator("#bulk-verb").select_option("complete")
    walk.fit(page, "ticked")
    page.locator("#bulk button[type=submit]").click()
    expect(page.get_by_role("main")).to_contain_text("3")
    walk.fit(page, "done")
    assert [walk.step(number) for number in numbers] == ["verify"] * 3


def test_perhaps_the_same_becomes_one(walk: Walk) -> None:
    walk.name = "same"
    longitude = 106.58 + walk.narrow * 0.005
    older = walk.hears("桥头有一堆垃圾", place=(longitude, 29.58))
    walk.passes()
    newer = walk.hears("桥头一大堆垃圾没人管", place=(longitude, 29.5801), phone="13900139000", name="王先生")
    page = walk.case("fang", newer)
    card = page.locator("#alike")
    expect(card).to_contain_text(older)
    card.locator("summary").first.click()
    walk.fit(page, "card")
    card.locator("button[type=submit]").first.click()
    expect(page).to_have_url(re.compile(f"/desk/cases/{older}$"))
    expect(page.locator("#related")).to_contain_text(newer)
    expect(page.locator("#report")).to_contain_text("2")
    page.locator("#report a").last.click()
    expect(page.get_by_role("main")).to_contain_text("王先生")
    walk.fit(page, "reporters")


def test_two_accept_at_once_and_nothing_typed_is_lost(walk: Walk) -> None:
    walk.name = "two"
    number = walk.hears(place=(106.54, 29.54 + walk.narrow * 0.01))
    mine = walk.case("shou", number)
    form = act(mine, "complete")
    form.locator("textarea[name=text]").fill("已电话核对，位置在校门东侧")
    other = walk.case("fang", number)
    done(other, "complete")
    form.locator("button[type=submit]").click()
    expect(mine.get_by_text(walk.say("Somebody was quicker"))).to_be_visible()
    expect(mine.get_by_role("main")).to_contain_text(PEOPLE["fang"][0])
    expect(mine.get_by_role("main").locator("textarea.lost, #complete-text").first).to_have_value(
        "已电话核对，位置在校门东侧"
    )
    walk.fit(mine, "quicker")
    assert walk.step(number) == "verify"


def test_another_department_sees_neither_the_case_nor_who_reported_it(wide_walk: Walk) -> None:
    walk = wide_walk
    number = walk.hears("菜市场后门有垃圾", place=(106.53, 29.57))
    away(accepted, walk.town, number, "accept", "verify", "file", "dispatch")
    own, other = walk.at("/desk", "chu"), walk.at("/desk", "qi")
    case = f"/desk/cases/{number}"
    expect(own.locator(f"#case-{number}")).to_be_visible()
    lists = [f"/desk?tab={tab}" for tab in ("mine", "department", "waiting", "closed")]
    lists += ["/desk/duplicates", "/desk.json", "/desk.csv", "/desk.geojson"]
    pages = [
        case,
        f"{case}.json",
        f"{case}/reporters",
        f"{case}/conditions?class=E0102",
        f"/report/{number}",
        "/reports",
    ]
    for page, secrets in ((own, (PHONE, NAME)), (other, (PHONE, NAME, "菜市场"))):
        for path in (*lists, *pages):
            read = page.request.get(path).text()
            assert not [secret for secret in secrets if secret in read], path
    for path in lists:
        assert number not in other.request.get(path).text(), path
    assert [other.request.get(path).status for path in pages[:4]] == [404, 404, 403, 404]
    other.goto(case)
    expect(other.get_by_role("main")).not_to_contain_text("菜市场")
    walk.name = "foreign"
    walk.fit(other, "case")
    other.goto(f"/desk?q={number}&tab=department")
    expect(other.locator(".row-link")).to_have_count(0)


def test_a_call_is_seen_by_the_collector_and_by_the_next_agent(walk: Walk) -> None:
    walk.name = "call"
    phone = f"1370000000{int(walk.narrow)}"
    page = walk.at("/desk/call", "zuo")
    page.locator("#f-phone").fill(phone)
    page.locator("#f-name").fill(NAME)
    page.locator("#f-text").fill("公园北门有人乱倒垃圾")
    page.locator("#f-class").select_option("E0102")
    page.locator("#f-address").fill("公园北门")
    page.locator("#f-place").fill(f"{29.505 + walk.narrow * 0.02:.3f}, 106.505")
    walk.fit(page, "form")
    page.locator("#call button[value=file]").click()
    expect(page.locator("#receipt")).to_be_visible()
    walk.fit(page, "opened")
    number = str(away(walk.town.hub.reports.of_phone, phone, 1)[0].number)
    if walk.step(number) == "accept":
        done(walk.case("zuo", number), "complete")
    page = walk.at(f"/desk?q={number}", "cai")
    page.locator(f"#case-{number}").click()
    expect(page.locator("#report")).to_contain_text("公园北门有人乱倒垃圾")
    expect(page.locator("body")).not_to_contain_text(phone)
    done(page, "complete", photo=True)
    page = walk.at(f"/desk/call?phone={phone}", "zuo")
    expect(page.locator("#caller")).to_contain_text(number)
