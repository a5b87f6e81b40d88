"""The front door in a real browser: wide and narrow, two languages, bright and dark, with and without JavaScript."""

import re
from collections.abc import Callable

import pytest
from browsing import Served, axe, shot, sideways, sign_in
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
LOOKS = [(narrow, lang, dark) for narrow in (False, True) for lang, dark in (("zh_CN", False), ("en", True))]


@pytest.mark.slow
@pytest.mark.parametrize(("narrow", "lang", "dark"), LOOKS)
@pytest.mark.parametrize(
    ("path", "role"),
    [("/portal", ""), ("/sign-in", ""), ("/not-there", ""), ("/account", "officer"), ("/account/password", "officer")],
)
def test_every_page_of_the_house_is_fit_to_be_seen(
    open_page: Open, path: str, role: str, narrow: bool, lang: str, dark: bool
) -> None:
    page = open_page(path, role=role, narrow=narrow, lang=lang, dark=dark)
    expect(page.locator("html")).to_have_attribute("lang", lang.replace("_", "-"))
    assert not axe(page)
    assert sideways(page) <= 0
    shot(page, "-".join(["narrow" if narrow else "wide", lang, "dark" if dark else "light", *path.split("/")]))


def test_signing_in_and_out(open_page: Open) -> None:
    page = open_page("/sign-in")
    page.locator("#f-name").fill("officer")
    page.locator("#f-password").fill("not the password")
    page.get_by_role("button", name="登录").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("请先更正以下内容")
    expect(summary).to_be_focused()
    expect(page.locator("#f-name")).to_have_value("officer")
    expect(page.locator("#f-password")).to_have_value("")
    sign_in(page, "officer")
    page.goto("/account")
    expect(page.get_by_role("heading", level=1)).to_have_text("我的账号")
    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("status").first).to_contain_text("您已退出登录")
    page.goto("/account")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_everything_works_without_javascript(open_page: Open) -> None:
    page = open_page("/sign-in", javascript=False)
    sign_in(page, "citizen")
    page.goto("/account")
    expect(page.get_by_role("heading", level=1)).to_have_text("我的账号")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My account")
    page.goto("/portal")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in"))


def test_the_keyboard_alone_is_enough(open_page: Open) -> None:
    page = open_page("/account", role="officer")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="快捷键")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_alert_comes_to_an_open_page(open_page: Open, served: Served) -> None:
    page = open_page("/account", role="leader")
    page.evaluate("document.body.addEventListener('cheng:things', () => document.body.dataset.told = 'yes')")
    body = {"id": "a1", "number": 7, "rule": "none", "thing_id": "cover-1", "level": "danger", "values": {}}
    body["departments"] = ["Drainage Bureau"]
    expect(page.locator("#toasts")).to_be_attached()
    for _ in range(100):
        served.hub.bus.publish("alerts/raised", body)
        served.hub.bus.publish("things/changed", {"id": "cover-1"})
        page.wait_for_timeout(100)
        if page.locator(".toast-danger").count():
            break
    expect(page.locator(".toast-danger").first).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-told", "yes")


def test_no_page_may_be_framed_and_no_script_runs_that_is_not_ours(open_page: Open) -> None:
    nasty = "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>\"'--"
    page = open_page(f"/sign-in?next={nasty}&done=1")
    page.locator("#f-name").fill(nasty)
    page.locator("#f-password").fill(nasty)
    page.get_by_role("button", name="登录").click()
    expect(page.locator("#f-name")).to_have_value(nasty)
    assert page.title() != "hit"
    framed = page.evaluate("""async () => { const f = document.createElement('iframe'); f.src = '/portal';
      document.body.append(f); await new Promise(r => f.onload = r); return !f.contentDocument; }""")
    assert framed
