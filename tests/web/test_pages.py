"""A page written as pages.py says, and its twins."""

import csv
import io
from pathlib import Path

import pytest
from house import START, Visitor

from cheng.hub import Hub
from cheng.standards.problems import InputError, Refused, SpecError
from cheng.web.app import create_app
from cheng.web.pages import PUBLIC, Answer, Ask, Column, Form, Page, get, post, see_other

COLUMNS = (
    Column("name", "Name"),
    Column("at", "At", "moment"),
    Column("plate", "Plate", level="internal", mask="tail 3"),
    Column("phone", "Phone", level="sensitive"),
)
ROWS = [{"name": "=cmd()", "at": START, "plate": "A12345", "phone": "138", "geometry": (106.5, 29.5), "inner": "no"}]
TEMPLATE = """{% extends "base.html" %}
{% block title %}{{ _("List") }}{% endblock %}
{% block content %}
{% block list %}<div id="list">{{ ui.table(things, columns) }}{{ ui.downloads() }}</div>{% endblock %}
{% call forms.form("/try/{}".format("a b"), draft="x") %}
{{ forms.errors(form) }}
{{ forms.text(form, "name", _("Name")) }}
{{ forms.number(form, "tilt", "Tilt", unit="deg") }}
{{ forms.area(form, "note", "Note") }}
{{ forms.select(form, "ward", "Ward", (("n", "North"), ("s", "South"))) }}
{{ forms.radios(form, "way", "Way", (("a", "A"),)) }}
{{ forms.checkboxes(form, "tags", "Tags", (("x", "X"), ("y", "Y", "hint"))) }}
{{ forms.check(form, "sure", "Sure") }}
{{ forms.moment(form, "when", "When") }}
{{ forms.files(form, "photos", "Photos") }}
{% call forms.buttons() %}{{ ui.button(_("Show")) }}{% endcall %}
{% endcall %}
{% endblock %}"""


def page(ask: Ask, status: int = 200, form: Form | None = None) -> Page:
    extra = {"form": form or Form(ask, {"name": "Cover 7", "tags": ["y"]})}
    data = {"things": ROWS, "count": 1}
    return Page("try.html", data, extra=extra, rows="things", columns=COLUMNS, keep=(), fragment="list", status=status)


@get("/try", needs=PUBLIC, entry="List")
def listed(ask: Ask) -> Page:
    """A list."""
    return page(ask)


@get("/try/{word:str}", needs=("see", "case"))
def one(ask: Ask, word: str) -> Page:
    """One thing of it."""
    if word == "gone":
        raise Refused("gone", "There is no {name} any more.", {"name": "<b>"}, status=404)
    if word == "bad":
        raise InputError("not-json", "This is no JSON.", 3)
    if word == "broken":
        raise ZeroDivisionError("a secret of the house")
    return Page("try.html", {"things": [], "word": word}, extra={"form": Form(ask)})


@post("/try/{word:str}", needs=PUBLIC)
def sent(ask: Ask, word: str) -> Answer:
    """The form was sent."""
    form = Form(ask)
    form.text("name", required=True, most=10)
    form.number("tilt", low=0, high=180)
    form.moment("when")
    form.choice("ward", ("n", "s"))
    form.choices("tags", ("x", "y"))
    form.files("photos", most=1)
    if form.errors:
        return page(ask, 422, form)
    return see_other(ask, "/try", "Your kite is in the air.", word=word)


@pytest.fixture
def anybody(hub: Hub, tmp_path: Path) -> Visitor:
    (tmp_path / "try.html").write_text(TEMPLATE, "utf-8")
    return Visitor(create_app(hub, [listed, one, sent], [tmp_path]))


def test_the_page_and_its_twins_say_the_same_and_hide_the_same(anybody: Visitor) -> None:
    html = anybody.get("/try").text
    told = anybody.get("/try.json").json()
    rows = list(csv.reader(io.StringIO(anybody.get("/try.csv?lang=en&bom=1").content.decode("utf-8-sig"))))
    map_ = anybody.get("/try.geojson").json()
    assert told == {
        "things": [{"name": "=cmd()", "at": "2026-11-20T08:00:00+08:00", "plate": "***345", "geometry": [106.5, 29.5]}],
        "count": 1,
    }
    assert rows == [["Name", "At", "Plate"], ["'=cmd()", "2026-11-20T08:00:00+08:00", "***345"]]
    assert map_["features"][0]["properties"]["plate"] == "***345"
    assert "***345" in html
    for text in (html, str(told), str(rows), str(map_)):
        assert "138" not in text.replace("***345", "").replace("1795132800", "")
        assert "A12" not in text


def test_the_accept_header_chooses_too(anybody: Visitor) -> None:
    kinds = {"application/json": "json", "text/csv": "csv", "application/geo+json": "geo+json", "*/*": "html"}
    for accept, kind in kinds.items():
        answer = anybody.get("/try", headers={"accept": accept})
        assert kind in answer.headers["content-type"]
        assert "Accept" in answer.headers["vary"]


def test_an_officer_sees_internal_columns(anybody: Visitor) -> None:
    anybody.sign_in("officer")
    assert anybody.get("/try.json").json()["things"][0]["plate"] == "A12345"
    assert anybody.get("/try").headers["cache-control"] == "no-store"


def test_htmx_gets_only_the_part_it_asked_for(anybody: Visitor) -> None:
    part = anybody.get("/try", headers={"hx-request": "true"}).text
    assert part.startswith('<div id="list">')
    assert "<html" not in part


def test_a_page_that_is_no_list_has_no_csv(anybody: Visitor) -> None:
    anybody.sign_in("officer")
    assert anybody.get("/try/x.json").json() == {"things": [], "word": "x"}
    assert anybody.get("/try/x.csv").status_code == 406


def test_a_wrong_form_comes_back_with_everything_in_it(anybody: Visitor) -> None:
    wrong = {"name": "x" * 11, "tilt": "200", "when": "soon", "ward": "e", "tags": "z", "note": "<script>keep me"}
    answer = anybody.send("/try/a", "/try", **wrong)
    assert answer.status_code == 422
    for kept in ("x" * 11, 'value="200"', 'value="soon"', "&lt;script&gt;keep me"):
        assert kept in answer.text
    assert answer.text.count('class="field-error"') == 5
    assert 'href="#f-tilt"' in answer.text
    assert "请填写 0 到 180 之间的数字。" in answer.text


def test_a_form_that_was_taken_leads_on_with_one_sentence(anybody: Visitor) -> None:
    answer = anybody.send("/try/a", "/try", name="Li", tilt="3", ward="n", tags="x", when="2026-11-20T08:30")
    assert (answer.status_code, answer.headers["location"]) == (303, "/try?word=a")
    assert "Your kite is in the air." in anybody.get("/try").text
    assert "Your kite is in the air." not in anybody.get("/try").text, "it is said once"


def test_the_three_kinds_of_error_are_told_plainly(anybody: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    anybody.sign_in("officer")
    gone = anybody.get("/try/gone")
    assert (gone.status_code, "There is no &lt;b&gt; any more." in gone.text) == (404, True)
    problem = anybody.get("/try/gone.json")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "gone"
    bad = anybody.get("/try/bad", headers={"accept": "application/json"})
    assert (bad.status_code, bad.json()["line"]) == (400, 3)
    broken = anybody.get("/try/broken.json")
    assert (broken.status_code, "secret" in broken.text, "Traceback" in broken.text) == (500, False, False)
    assert broken.json()["incident"] in caplog.text
    assert "a secret of the house" in caplog.text, "the log knows"


def test_a_route_that_does_not_say_for_whom_keeps_the_house_from_starting(hub: Hub) -> None:
    @get("/open", needs="")
    def open_to_all(ask: Ask) -> Page:
        return Page("try.html")

    @get("/odd", needs=("enter", "moon"))
    def odd(ask: Ask) -> Page:
        return Page("try.html")

    with pytest.raises(SpecError) as error:
        create_app(hub, [open_to_all, odd])
    assert [problem.code for problem in error.value.problems] == ["W001", "W001"]
