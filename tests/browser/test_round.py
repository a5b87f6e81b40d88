"""A collector's round in a real browser: near and far, with and without a network, and nothing is sent twice."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browsing import NARROW, Served, Watch, axe, serve, shot, sideways, sign_in
from desk_town import Desk, picture
from house import PASSWORD, open_house
from playwright.sync_api import Browser, BrowserContext, Page, expect
from street_town import PHOTO, at, open_street, reported, verbs, worked
from test_desk import away

from cheng.infrastructure.clock import Clock
from cheng.security.actors import HOUSE

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
FOUND = "/desk/round/found"
LOSING = """
const real = window.fetch;
window.fetch = async (address, options = {}) => {
  const answer = await real(address, options);
  if (options.method === "POST" && sessionStorage.getItem("lose")) throw new TypeError("lost");
  return answer;
};
"""
"""Every change is made, and no answer to one arrives."""
HOLDING = """
() => new Promise((held) => navigator.locks.request("cheng-round", () => {
  held();
  return new Promise(() => {});
}))
"""
"""Nothing is sent from here on, until this page is left."""
READY, KEPT = "[data-round][data-ready]", "[data-round][data-kept]"
FILE = {"name": "heap.png", "mimeType": "image/png", "buffer": picture(320, 240)}
LOOKS = [(narrow, lang, dark) for narrow in (False, True) for lang, dark in (("zh_CN", False), ("en", True))]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_street(tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture(scope="module")
def served(desk: Desk) -> Iterator[Served]:
    yield from serve(desk.hub)


@pytest.fixture(scope="module")
def signed_in_as() -> dict[str, Any]:
    return {}


@pytest.fixture
def number(desk: Desk) -> str:
    return str(away(reported, desk))


def task(number: str) -> str:
    return f"/desk/round/{number}"


def ready(page: Page, path: str = "") -> Page:
    """Go there and wait until the page's scripts have their hands on it."""
    if path:
        page.goto(path)
    page.locator(READY).wait_for(state="attached")
    return page


def put_aside(page: Page) -> BrowserContext:
    """Wait until everything for being off line is on the phone."""
    page.goto("/desk/round")
    page.locator(KEPT).wait_for(state="attached")
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    return page.context


def looked(page: Page, number: str, note: str = "it lies there") -> None:
    """The task is opened, answered and done."""
    ready(page, task(number))
    page.get_by_label("It is so", exact=True).check()
    page.get_by_label("Note").fill(note)
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_url(re.compile("/desk/round$"))


def outbox(page: Page) -> Any:
    return page.locator("[data-outbox]")


def test_from_the_list_to_the_next_task(open_page: Open, desk: Desk, number: str) -> None:
    page = ready(open_page("/desk/round", role="cai", lang="en", narrow=True))
    page.locator(f"[data-number='{number}'] a").click()
    ready(page)
    page.get_by_role("button", name="Hand in").click()
    expect(page.locator("[data-round-wrong]")).to_be_visible()
    looked(page, number)
    expect(page.locator(".toast")).to_contain_text("your part is done")
    expect(outbox(page)).to_be_hidden()
    assert at(desk, number) == "file"


def test_works_without_scripts(open_page: Open, desk: Desk, number: str) -> None:
    page = open_page(task(number), role="cai", lang="en", narrow=True, javascript=False)
    page.get_by_label("There is nothing", exact=True).check()
    page.locator("input[type=file]").first.set_input_files(FILE)
    page.get_by_role("button", name="Hand in").click()
    expect(page.locator(".notice-done")).to_contain_text("your part is done")
    page.goto(FOUND)
    page.locator("#f-proof-photo").set_input_files(FILE)
    page.get_by_label("What is it?").select_option("E0102")
    page.get_by_label("Where is it?").fill("29.561, 106.551")
    page.get_by_role("button", name="Report it").click()
    page.get_by_role("button", name="None of these: report mine").click()
    expect(page.locator(".notice-done")).to_contain_text("Reported under the number")


def test_the_nearest_first_after_a_tap(open_page: Open, desk: Desk) -> None:
    far = away(reported, desk, "Far away", place=(106.51, 29.51))
    close = away(reported, desk, "Close by", place=(106.5905, 29.59))
    page = ready(open_page("/desk/round", role="cai", lang="en", narrow=True))
    expect(page.locator("[data-away]").first).to_be_hidden()
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 106.59, "latitude": 29.59})
    page.get_by_role("button", name="Nearest first").click()
    first = page.locator("[data-tasks] > li").first
    expect(first).to_have_attribute("data-number", close)
    expect(first.locator("[data-away]")).to_have_text("50 m away")
    expect(page.locator(f"[data-number='{far}'] [data-away]")).to_contain_text("km away")


def test_a_phone_that_does_not_tell_its_place(open_page: Open, number: str) -> None:
    page = ready(open_page("/desk/round", role="cai", lang="en", narrow=True))
    page.get_by_role("button", name="Nearest first").click()
    expect(page.locator("[data-near-said]")).to_contain_text("does not tell where it is")


def test_off_line_and_back_it_is_done_once(open_page: Open, desk: Desk, number: str) -> None:
    page = open_page("/desk/round", role="cai", lang="en", narrow=True)
    context = put_aside(page)
    before = len(verbs(desk, number))
    context.set_offline(True)
    looked(page, number, "seen without a network")
    expect(outbox(page)).to_contain_text("Waiting to be sent: 1")
    expect(page.locator("[data-round-off]")).to_contain_text("Off line.")
    expect(page.locator(f"[data-number='{number}'] [data-told]")).to_contain_text("Waits on this phone")
    shot(page, "round-offline-narrow-en")
    assert not axe(page)
    assert at(desk, number) == "verify"
    context.set_offline(False)
    expect(outbox(page)).to_be_hidden()
    assert at(desk, number) == "file"
    assert len(verbs(desk, number)) == before + 1
    assert desk.hub.cases.acts(number)[-1].data["text"] == "seen without a network"


def test_closed_and_opened_again_while_off_line(open_page: Open, desk: Desk, number: str) -> None:
    page = open_page("/desk/round", role="cai", lang="en", narrow=True)
    context = put_aside(page)
    before, cases = len(verbs(desk, number)), len(desk.town.cases())
    context.set_offline(True)
    looked(page, number)
    ready(page, FOUND)
    page.locator("#f-proof-photo").set_input_files(FILE)
    page.get_by_label("What is it?").select_option("E0102")
    page.get_by_label("Where is it?").fill("29.561, 106.551")
    page.get_by_role("button", name="Report it").click()
    page.wait_for_url(re.compile("/desk/round$"))
    expect(outbox(page)).to_contain_text("Waiting to be sent: 2")
    page.close()
    page = context.new_page()
    ready(page, "/desk/round")
    expect(outbox(page)).to_contain_text("Waiting to be sent: 2")
    expect(outbox(page)).to_contain_text("Photos: 1")
    page.close()
    context.set_offline(False)
    page = context.new_page()
    ready(page, "/desk/round")
    expect(outbox(page)).to_be_hidden()
    assert len(verbs(desk, number)) == before + 1
    assert len(desk.town.cases()) == cases + 1
    report = desk.town.cases()[-1]
    assert (report.entry.source, report.case.step) == ("collector", "file")
    assert len(desk.hub.cases.acts(report.entry.id)[0].data["proof"]) == 1


def test_an_answer_that_was_lost_does_nothing_twice(open_page: Open, desk: Desk, number: str) -> None:
    page = open_page("/desk/round", role="cai", lang="en", narrow=True)
    put_aside(page)
    before = len(verbs(desk, number))

    page.add_init_script(LOSING)
    page.reload()
    page.evaluate("sessionStorage.setItem('lose', '1')")
    looked(page, number)
    expect(outbox(page)).to_contain_text("Waiting to be sent: 1")
    assert at(desk, number) == "file", "it was done, and the phone does not know"
    page.evaluate("sessionStorage.removeItem('lose')")
    page.reload()
    expect(outbox(page)).to_be_hidden()
    assert len(verbs(desk, number)) == before + 1


def test_what_is_refused_is_said_beside_the_task_and_kept(open_page: Open, desk: Desk) -> None:
    number = str(away(reported, desk))
    desk_acts = [(desk.acts, ("cai", number, "complete")), (worked, (desk, number))]
    for do, given in desk_acts:
        away(do, *given)
    page = open_page("/desk/round", role="ji", lang="en", narrow=True)
    context = put_aside(page)
    context.set_offline(True)
    ready(page, task(number))
    page.get_by_label("It is done", exact=True).check()
    page.locator("#f-proof-photo").set_input_files(FILE)
    page.get_by_label("Note").fill("all swept")
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_url(re.compile("/desk/round$"))
    away(desk.acts, "pai", number, "note", text="Look at the gutter too.")
    context.set_offline(False)
    beside = page.locator(f"[data-number='{number}'] [data-told]")
    expect(beside).to_contain_text("Pai has done something about this case meanwhile")
    expect(outbox(page)).to_contain_text("Not taken: 1")
    shot(page, "round-refused-narrow-en")
    assert not axe(page)
    outbox(page).get_by_role("link", name="Look at it").click()
    ready(page)
    expect(page.locator("[data-round-back]")).to_contain_text("Pai has done something")
    expect(page.get_by_label("Note")).to_have_value("all swept")
    expect(page.locator(".previews img")).to_have_count(1)
    page.get_by_role("button", name="Hand in").click()
    page.wait_for_url(re.compile("/desk/round$"))
    expect(outbox(page)).to_be_hidden()
    assert at(desk, number) == "close"


def test_what_was_put_aside_goes_with_whoever_signs_out(open_page: Open, desk: Desk, number: str) -> None:
    page = open_page("/desk/round", role="", lang="en", narrow=True)
    sign_in(page, "ji")
    context = put_aside(page)
    names = "caches.keys().then((all) => all.join())"
    assert page.evaluate(names) == "cheng-round:ji"
    context.set_offline(True)
    looked(page, number)
    page.evaluate(HOLDING)
    context.set_offline(False)
    page.locator("details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in**")
    page.wait_for_function("caches.keys().then((all) => all.length === 0)")
    sign_in(page, "cai")
    ready(page, "/desk/round")
    expect(outbox(page)).to_be_hidden()
    assert at(desk, number) == "verify", "what Ji did is not sent as Cai"
    page.context.clear_cookies(name="cheng_session")
    sign_in(page, "ji")
    ready(page, "/desk/round")
    expect(outbox(page)).to_be_hidden()
    assert at(desk, number) == "file"
    assert desk.hub.cases.acts(number)[-1].actor == "ji"


@pytest.mark.slow
@pytest.mark.parametrize(("narrow", "lang", "dark"), LOOKS)
def test_how_it_looks(open_page: Open, desk: Desk, narrow: bool, lang: str, dark: bool) -> None:
    text = "学校门口有一堆垃圾，占了半边路。" if lang == "zh_CN" else "A heap of rubbish before the school"
    number = str(away(reported, desk, text))
    away(desk.acts, "cai", number, "complete", PHOTO)
    away(worked, desk, number)
    name = f"{'narrow' if narrow else 'wide'}-{lang}"
    page = open_page("/desk/round", role="ji", narrow=narrow, lang=lang, dark=dark)
    for path, what in (("/desk/round", "round"), (task(number), "round-task"), (FOUND, "round-found")):
        ready(page, path)
        assert sideways(page) <= 0, path
        assert not axe(page), path
        shot(page, f"{what}-{name}")


def test_a_class_is_found_by_typing_and_the_place_on_the_map(open_page: Open, desk: Desk) -> None:
    page = ready(open_page(FOUND, role="cai", lang="en", narrow=True))
    expect(page.get_by_label("I have put it right on the spot")).to_be_hidden()
    page.get_by_role("searchbox", name="Search the classes").fill("tap water")
    expect(page.get_by_label("What is it?")).to_have_value("C0101")
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"longitude": 106.55, "latitude": 29.56})
    page.get_by_role("button", name="Where I stand").click()
    expect(page.get_by_label("Where is it?")).to_have_value("29.560000, 106.550000")
    page.get_by_role("button", name="Choose it on the map").click()
    canvas = page.locator("#pick-map canvas")
    expect(canvas).to_be_visible()
    marker = page.locator(".maplibregl-marker")
    expect(marker).to_be_visible()
    canvas.click(position={"x": 40, "y": 40})
    expect(page.get_by_label("Where is it?")).not_to_have_value("29.560000, 106.550000")


def fill_found(page: Page, place: str) -> None:
    ready(page, FOUND)
    page.locator("#f-proof-photo").set_input_files(FILE)
    page.get_by_label("What is it?").select_option("E0102")
    page.get_by_label("Where is it?").fill(place)
    page.get_by_role("button", name="Report it").click()


def test_it_is_asked_whether_it_is_known_already(open_page: Open, desk: Desk) -> None:
    number = str(away(reported, desk, place=(106.57, 29.571)))
    before = len(desk.town.cases())
    page = open_page("/desk/round", role="cai", lang="en", narrow=True)
    fill_found(page, "29.571, 106.5703")
    expect(page.get_by_role("heading", name="Is it one of these?")).to_be_focused()
    assert sideways(page) <= 0
    assert not axe(page)
    shot(page, "round-near-narrow-en")
    page.get_by_role("button", name="Back to my report").click()
    page.get_by_role("button", name="Report it").click()
    page.get_by_role("button", name=f"It is this one: add mine {number}").click()
    page.wait_for_url(re.compile("/desk/round$"))
    expect(page.locator(".toast")).to_contain_text(f"added to the case {number}")
    assert desk.hub.cases.get(number).entry.weight == 2
    assert len(desk.town.cases()) == before
    fill_found(page, "29.571, 106.5703")
    page.get_by_role("button", name="None of these: report mine").click()
    page.wait_for_url(re.compile("/desk/round$"))
    assert len(desk.town.cases()) == before + 1


def test_off_line_nothing_is_asked(open_page: Open, desk: Desk) -> None:
    away(reported, desk, place=(106.58, 29.581))
    before = len(desk.town.cases())
    page = open_page("/desk/round", role="cai", lang="en", narrow=True)
    context = put_aside(page)
    context.set_offline(True)
    fill_found(page, "29.581, 106.5803")
    page.wait_for_url(re.compile("/desk/round$"))
    expect(outbox(page)).to_contain_text("Waiting to be sent: 1")
    context.set_offline(False)
    expect(outbox(page)).to_be_hidden()
    assert len(desk.town.cases()) == before + 1
    twins = away(desk.hub.duplicates.like_case, desk.town.cases()[-1].entry)
    assert twins, "they are suggested on the desk"


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An empty street in a house that lies below a prefix."""
    hub = open_house(tmp_path_factory.mktemp("below"), Clock(), root_path="/city")
    hub.accounts.create(HOUSE, "cai", "Cai", ["officer", "collector"], "Team", PASSWORD)
    yield from serve(hub)
    hub.close()


def test_below_a_prefix_too(browser: Browser, below: Served) -> None:
    context = browser.new_context(viewport=NARROW, base_url=below.url, locale="en")  # type: ignore[arg-type]
    page, watch = context.new_page(), Watch(below.url)
    watch.over(page)
    sign_in(page, "cai", prefix="/city")
    page.goto("/city/desk/round")
    page.locator(KEPT).wait_for(state="attached")
    scopes = "navigator.serviceWorker.ready.then((one) => new URL(one.scope).pathname)"
    assert page.evaluate(scopes) == "/city/desk/round"
    context.set_offline(True)
    page.close()
    page = context.new_page()
    watch.over(page)
    ready(page, "/city/desk/round/found")
    expect(page.locator("[data-round-off]")).to_be_visible()
    expect(page.locator("#f-class")).to_be_visible()
    context.close()
    assert not watch.complaints, "\n".join(watch.complaints)
