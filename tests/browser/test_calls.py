"""An agent at the telephone in a real browser: caller, what is known, case and call back; also by keys alone."""

from collections.abc import Callable, Iterator

import pytest
from browsing import Served, axe, serve, shot, sideways
from desk_town import PASSWORD
from playwright.sync_api import Page, expect
from test_desk import with_keys

from cheng.apps.city import urban_management
from cheng.infrastructure.article_book import Article
from cheng.infrastructure.report_book import NewReport
from cheng.kernel.house import Area
from cheng.security.actors import HOUSE
from cheng.testing import Town, city

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
CENTRE, COMMAND = "Urban Management Supervision Centre", "Urban Management Command Centre"
FLOW = "urban_management.handle_report"
PHONE, OTHER = "13800000001", "13900000002"
LOOKS = [(narrow, lang) for narrow in (False, True) for lang in ("zh_CN", "en")]


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    corners = [[120.6, 31.3], [120.65, 31.3], [120.65, 31.35], [120.6, 31.35], [120.6, 31.3]]
    with city(tmp_path_factory.mktemp("calls"), urban_management) as made:
        square = {"type": "Polygon", "coordinates": [corners]}
        made.register(Area, "d1", name="老城区", at=square, level="district")
        made.register(Area, "s1", name="东街街道", at=square, level="street", parent="d1")
        made.hub.accounts.create(HOUSE, "ada", "何敏", ["officer", "agent", "acceptor"], CENTRE, PASSWORD)
        with made.hub.store.write() as conn:
            answer = "请先预约，由小区物业上门收运，不要堆放在人行道上。"
            asked = Article(question_zh="大件垃圾怎么处理？", answer_zh=answer, department=CENTRE, class_code="E0102")
            made.hub.articles.put(conn, asked, "house")
        finish(made)
        yield made


def finish(town: Town) -> None:
    """A caller's case goes all its way."""
    text, place = "东街12号门口有一堆垃圾", (120.605, 31.305)
    made = NewReport(FLOW, "hotline", text, class_code="E0102", phone=OTHER, name="李女士", place=place)
    filed = town.hub.reports.file(made).filed
    one, two = (town.officer(name, CENTRE, "shift-leader") for name in ("Ban", "Zhang"))
    cai, ji = (town.officer(name, "东街街道 collector team", "collector") for name in ("Cai", "Ji"))
    filed = one.completes(cai.completes(town.officer("Shou", CENTRE, "acceptor").completes(filed)), condition="main")
    filed = town.officer("Pai", COMMAND, "dispatcher").completes(filed, departments=["Cleaning Company"])
    handler = town.officer("Chu", "Cleaning Company", "handler")
    two.completes(ji.completes(handler.completes(handler.completes(filed, photo=True)), photo=True))


@pytest.fixture(scope="session")
def served(town: Town) -> Iterator[Served]:
    """The town's pages instead of the empty house."""
    yield from serve(town.hub)


def test_a_call_by_keys_alone(open_page: Open, town: Town) -> None:
    page = open_page("/account", role="ada", lang="en")
    with_keys(page, "/desk")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/desk/call")
    expect(page.locator("#f-phone")).to_be_focused()
    page.keyboard.type(PHONE)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("王先生")
    page.locator("#f-text").focus()
    page.keyboard.type("东街有一堆暴露垃圾，是大件垃圾")
    expect(page.locator(".call-article")).to_contain_text("大件垃圾怎么处理？")
    offer = page.locator("#fitting button[value=E0102]")
    offer.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#f-class")).to_have_value("E0102")
    page.locator("#f-at_words").focus()
    page.keyboard.type("东街")
    street = page.locator("#areas button").first
    street.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#f-address")).to_have_value("东街街道")
    expect(page.locator("#f-place")).not_to_have_value("")
    page.locator("#beside summary").first.focus()
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="Tell the caller")).to_be_visible()
    assert not axe(page)
    (case,) = town.cases()
    expect(page.locator("#receipt")).to_contain_text(case.entry.number)
    assert case.entry.class_code == "E0102"
    page.locator("#receipt a").click()
    expect(page.locator("main")).to_contain_text(case.entry.number)


def test_without_javascript(open_page: Open, town: Town) -> None:
    page = open_page(f"/desk/call?phone={PHONE}", role="ada", lang="en", javascript=False)
    page.locator("#f-text").fill("旧沙发是大件垃圾，怎么处理")
    page.locator("#f-text").press("Tab")
    page.get_by_role("button", name="Look up").last.click()
    page.get_by_role("button", name="Answered with this").click()
    expect(page.locator(".notice-done")).to_contain_text("The call is noted as answered.")


def test_the_place_is_chosen_on_the_map(open_page: Open) -> None:
    page = open_page("/desk/call", role="ada", lang="en")
    page.get_by_role("button", name="Choose on the map").click()
    expect(page.locator("#call-map canvas").first).to_be_visible()
    page.locator("#call-map canvas").first.click(position={"x": 120, "y": 100})
    expect(page.locator("#f-place")).not_to_have_value("")


@pytest.mark.slow
@pytest.mark.parametrize(("narrow", "lang"), LOOKS)
def test_looks(open_page: Open, town: Town, narrow: bool, lang: str) -> None:
    (number,) = [each.entry.number for each in town.hub.calls.waiting()] or ["-"]
    name = f"{lang}-{'narrow' if narrow else 'wide'}"
    for path, called in (
        (f"/desk/call?phone={OTHER}&q=大件垃圾", "call"),
        ("/desk/call-backs", "call-backs"),
        (f"/desk/call-backs/{number}", "call-back"),
        ("/desk/articles", "articles"),
        ("/desk/articles/1", "article"),
        ("/desk/articles/new", "article-new"),
    ):
        page = open_page(path, role="ada", narrow=narrow, lang=lang)
        expect(page.locator("h1")).to_be_visible()
        shot(page, f"hotline-{called}-{name}")
        assert not axe(page), path
        assert sideways(page) <= 0, path
    page = open_page("/desk/call", role="ada", narrow=narrow, lang=lang)
    for field, text in (("phone", OTHER), ("text", "东街12号门口有一堆暴露垃圾"), ("place", "31.30500, 120.60500")):
        page.locator(f"#f-{field}").fill(text)
    page.locator("#f-class").select_option("E0102")
    page.locator("button[name=do][value=file]").click()
    if page.locator("#f-same").count():
        shot(page, f"hotline-same-{name}")
        assert not axe(page)
        page.locator("input[name=same]").last.check()
        page.locator("button[name=do][value=file]").click()
    expect(page.locator("#receipt")).to_be_visible()
    shot(page, f"hotline-receipt-{name}")
    assert not axe(page)
    assert sideways(page) <= 0


def test_calling_back(open_page: Open, town: Town) -> None:
    page = open_page("/desk/call-backs", role="ada", lang="en")
    page.locator(".row-link").first.click()
    for question, answer in (("reached", "yes"), ("solved", "yes"), ("satisfied", "mostly")):
        page.locator(f"input[name={question}][value={answer}]").check()
    page.get_by_role("button", name="Write the answers down").click()
    expect(page.locator(".notice-done")).to_contain_text("The answers are written down.")
    expect(page.locator(".tile").filter(has_text="Composite")).to_contain_text("96%")
    expect(page.get_by_text("Nobody is waiting for a call")).to_be_visible()
