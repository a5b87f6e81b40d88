"""The pieces pages are put together from, in a real browser, with a page of our own that uses them all."""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from browsing import Served, axe, serve, shot, sideways
from house import open_house
from playwright.sync_api import Page as Browsed
from playwright.sync_api import expect

from cheng.infrastructure.clock import Clock
from cheng.web.pages import PUBLIC, Answer, Ask, Column, Form, Page, get, post, see_other

pytestmark = pytest.mark.browser

Open = Callable[..., Browsed]
MINUTE = 60_000_000
COLUMNS = (Column("number", "Number"), Column("level", "Level", "level"), Column("due", "Due", "left"))
COLUMNS += (Column("at", "At", "moment"), Column("tilt", "Tilt", "number", unit="deg"))
TEMPLATE = """{% extends "base.html" %}
{% block title %}窨井盖{% endblock %}
{% block crumbs %}{{ ui.crumbs([("城市", url("/parts")), ("窨井盖", "")]) }}{% endblock %}
{% block lead %}<p class="lead">最紧急的排在最前。</p>{% endblock %}
{% block actions %}{{ ui.button("新建", url("/parts?new=1"), "primary", "plus", key="n") }}{% endblock %}
{% block content %}
{{ ui.tabs([("在办", url("/parts"), true, 12), ("办结", url("/parts"), false, none)]) }}
{% call ui.tiles() %}{{ ui.tile("在办", "128", "件", "较昨日少 12 件", "", "warning", [3, 5, none, 4]) }}{% endcall %}
{% set levels = [("", "全部"), ("danger", "危险")] %}
{% call ui.filters("#list") %}{{ ui.search() }}{{ ui.choose("level", levels, "级别") }}{% endcall %}
<div id="list">{% block list %}
{% if rows %}{{ ui.table(rows, columns, "清单") }}{% else %}{{ ui.empty("没有") }}{% endif %}
{% endblock %}</div>
{{ ui.pager(after=url("/parts"), text="1–3") }}{{ ui.downloads(geojson=true) }}
<div class="columns"><div class="stack">
{{ forms.errors(form) }}
{% call forms.form("/parts", draft="note", upload=true) %}
{{ forms.text(form, "name", "负责人") }}{{ forms.area(form, "note", "说明", "做了什么。") }}
{{ forms.radios(form, "result", "结果", (("done", "复位"), ("fence", "围挡", "次日更换"))) }}
{{ forms.check(form, "sure", "已通行") }}{{ forms.number(form, "tilt", "倾角", unit="度") }}
{{ forms.select(form, "ward", "街道", (("n", "北街"),), blank="请选择") }}{{ forms.moment(form, "when", "时间") }}
{{ forms.files(form, "photos", "照片") }}
{% call forms.buttons() %}{{ ui.button("提交", kind="primary") }}{% endcall %}
{% endcall %}</div><div class="stack">
{% call ui.card("概况") %}
{{ ui.badge("danger") }} {{ ui.badge("emergency") }} {{ ui.light("yellow") }} {{ ui.tag("内部", "info") }}
{{ ui.facts([("编号", "7"), ("部件", "井盖")]) }}{{ ui.meter(0.62, "进度") }}{% endcall %}
{{ ui.timeline([{"at": now, "what": "发现", "who": "传感器", "text": "倾斜", "icon": "bell", "level": "danger"}]) }}
{% call ui.notice("error", "照片没有传上去") %}<p>请再试一次。</p>{% endcall %}
{{ ui.code("curl https://cheng.example/" * 9) }}
</div></div>
{% call ui.card() %}{% call ui.chart(url("/parts/history.json"), "倾角") %}{% endcall %}{% endcall %}
{% endblock %}"""


def page(ask: Ask, form: Form, status: int = 200) -> Page:
    levels = [each for each in ("danger", "warning", "notice") if ask.query("level") in ("", each)]
    rows = [
        {"number": f"2026-{i}", "level": level, "due": ask.now + (i - 1) * 90 * MINUTE, "at": ask.now, "tilt": 1234.5}
        for i, level in enumerate(levels)
    ]
    rows = [row | {"url": ask.url("/parts"), "geometry": (106.5, 29.5)} for row in rows]
    return Page(
        "parts.html", {"rows": rows}, rows="rows", columns=COLUMNS, extra={"form": form}, fragment="list", status=status
    )


@get("/parts", needs=PUBLIC)
def parts(ask: Ask) -> Page:
    """All parts."""
    return page(ask, Form(ask))


@post("/parts", needs=PUBLIC)
def sent(ask: Ask) -> Answer:
    """The form was sent."""
    form = Form(ask)
    form.text("name", required="请填写负责人。")
    return page(ask, form, 422) if form.errors else see_other(ask, "/parts", "已提交。")


@get("/parts/history", needs=PUBLIC)
def history(ask: Ask) -> Page:
    """A history with a gap and an alert."""
    first = ask.now // 1000 - 3_600_000
    points = [[first + i * 60_000, None if 20 < i < 30 else 5 + 3 * math.sin(i / 9)] for i in range(60)]
    told = {"series": [{"name": "倾角", "points": points}], "unit": "°", "limit": 7, "zone": "Asia/Shanghai"}
    return Page(
        "parts.html", told | {"spans": [{"from": first + 1_000_000, "to": first + 1_600_000, "level": "danger"}]}
    )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A house with the page above."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "parts.html").write_text(TEMPLATE, "utf-8")
    hub = open_house(folder / "house", Clock())
    yield from serve(hub, [parts, sent, history], [folder])
    hub.close()


@pytest.fixture(scope="module")
def signed_in_as(served: Served) -> dict[str, object]:
    return {}


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("narrow", [False, True])
def test_all_parts_are_fit_to_be_seen(open_page: Open, narrow: bool, dark: bool) -> None:
    seen = open_page("/parts", role="officer", narrow=narrow, dark=dark)
    seen.locator(".chart").scroll_into_view_if_needed()
    expect(seen.locator(".chart canvas").first).to_be_visible()
    assert not axe(seen)
    assert sideways(seen) <= 0
    shot(seen, f"parts-{'narrow' if narrow else 'wide'}-{'dark' if dark else 'light'}")


def test_a_draft_outlives_everything_but_being_taken(open_page: Open) -> None:
    seen = open_page("/parts")
    seen.locator("#f-note").fill("只写了一半")
    seen.get_by_label("围挡").check()
    seen.wait_for_timeout(400)
    seen.reload()
    expect(seen.locator("#f-note")).to_have_value("只写了一半")
    expect(seen.get_by_label("围挡")).to_be_checked()
    seen.context.clear_cookies()
    seen.get_by_role("button", name="提交").click()
    expect(seen.get_by_role("heading", level=1)).to_have_text("您没有权限进行此操作")
    seen.goto("/parts")
    expect(seen.locator("#f-note")).to_have_value("只写了一半")
    seen.get_by_role("button", name="提交").click()
    expect(seen.get_by_role("alert").first).to_contain_text("请填写负责人。")
    expect(seen.locator("#f-note")).to_have_value("只写了一半")
    seen.locator("#f-name").fill("李伟")
    seen.get_by_role("button", name="提交").click()
    expect(seen.get_by_role("status").first).to_contain_text("已提交。")
    expect(seen.locator("#f-note")).to_have_value("")
    seen.reload()
    expect(seen.locator("#f-note")).to_have_value("")


def test_a_filter_stays_in_the_address(open_page: Open) -> None:
    seen = open_page("/parts")
    expect(seen.locator("tbody tr")).to_have_count(3)
    seen.get_by_label("级别").select_option("danger")
    expect(seen.locator("tbody tr")).to_have_count(1)
    expect(seen).to_have_url(re.compile("level=danger"))
    seen.reload()
    expect(seen.locator("tbody tr")).to_have_count(1)
    assert "level=danger" in str(seen.get_by_role("link", name="CSV").get_attribute("href"))


def test_filters_and_forms_work_without_javascript(open_page: Open) -> None:
    seen = open_page("/parts", javascript=False)
    seen.get_by_label("级别").select_option("danger")
    seen.get_by_role("button", name="查看").click()
    expect(seen.locator("tbody tr")).to_have_count(1)
    seen.locator("#f-name").fill("李伟")
    seen.get_by_role("button", name="提交").click()
    expect(seen.get_by_role("status").first).to_contain_text("已提交。")


def test_keys(open_page: Open) -> None:
    seen = open_page("/parts")
    expect(seen.locator("html.js")).to_be_attached()
    seen.wait_for_load_state("networkidle")
    seen.keyboard.press("/")
    expect(seen.get_by_role("searchbox")).to_be_focused()
    seen.keyboard.type("n?j")
    expect(seen.get_by_role("dialog")).to_be_hidden()
    seen.get_by_role("heading", level=1).click()
    seen.keyboard.press("j")
    first = seen.locator(".row-link").first
    for _ in range(8):  # what was typed is searched for a moment later, and the fresh list takes the focus away
        with suppress(AssertionError):
            expect(first).to_be_focused(timeout=600)
            break
        seen.keyboard.press("k")
    else:
        expect(first).to_be_focused()
    seen.keyboard.press("n")
    expect(seen).to_have_url(re.compile("new=1"))


def test_a_photo_is_shown_before_it_is_sent(open_page: Open) -> None:
    seen = open_page("/parts")
    seen.wait_for_load_state("networkidle")
    picture = {"name": "盖.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"}
    seen.locator("#f-photos").set_input_files([picture])  # type: ignore[list-item]
    expect(seen.locator(".previews figcaption")).to_have_text("盖.png")


def test_a_chart_is_read_with_the_keyboard_and_as_a_table(open_page: Open) -> None:
    seen = open_page("/parts")
    canvas = seen.locator(".chart-canvas")
    expect(canvas.locator("canvas")).to_have_count(0)  # it is drawn when one comes there
    canvas.scroll_into_view_if_needed()
    expect(canvas.locator("canvas").first).to_be_visible()
    canvas.focus()
    seen.keyboard.press("End")
    expect(seen.locator(".chart-readout")).to_contain_text("°")
    seen.locator(".chart-table summary").click()
    expect(seen.locator(".chart-table tbody tr").first).to_be_visible()
