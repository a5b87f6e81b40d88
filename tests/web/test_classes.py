"""The classes on the desk: who reads, who writes, what is refused, and what a version changes."""

import csv
import html
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from house import PASSWORD, Visitor
from sqlalchemy import select

from cheng.apps.city import manhole_covers, urban_management
from cheng.infrastructure.tables import audit
from cheng.kernel.class_rows import COLUMNS
from cheng.kernel.house import Area
from cheng.security.actors import HOUSE
from cheng.standards.durations import hours, working_hours
from cheng.testing import Town, city
from cheng.web.app import create_app

FLOW = urban_management.handle_report.key()
TOMORROW = "2026-11-21"
PEOPLE = {"dora": "dispatcher", "li": "officer", "lena": "leader", "citi": "citizen"}


class Hall:
    """A town with its pages, and people who sign in once."""

    def __init__(self, town: Town) -> None:
        self.town, self.app = town, create_app(town.hub)
        self.visitors: dict[tuple[str, str], Visitor] = {}

    def __call__(self, name: str, language: str = "en") -> Visitor:
        if (name, language) not in self.visitors:
            new = Visitor(self.app, **{"accept-language": language})
            self.visitors[name, language] = new.sign_in(name)
        return self.visitors[name, language]

    def deeds(self) -> list[Any]:
        with self.town.hub.store.read() as conn:
            return list(conn.execute(select(audit).where(audit.c.verb == "edit").order_by(audit.c.seq)))


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with city(tmp_path, urban_management) as town:
        for name, role in PEOPLE.items():
            town.hub.accounts.create(HOUSE, name, name.title(), [role], "Command centre", PASSWORD)
        town.register(Area, "s1", name="East Street", level="street")
        yield Hall(town)


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the last form on a page, nothing changed."""
    page = html.unescape(page)
    form = re.findall(r'<form class="form".*?</form>', page, re.S)[-1]
    told = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*? value="([^"]*)"', form))
    for name in re.findall(r'<input type="checkbox"[^>]*name="([^"]+)"(?![^>]*checked)', form):
        told.pop(name, None)
    told |= {name: text for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)</textarea>', form)}
    for name, inside in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        told[name] = re.findall(r'value="([^"]*)" selected', inside)[0]
    return told


def edited(hall: Hall, code: str = "E0102", **changed: str) -> Any:
    page = f"/desk/classes/{code}/edit"
    told = fields(hall("dora").get(page).text) | {key.replace("__", "-"): value for key, value in changed.items()}
    return hall("dora").send(page, **told)


def test_officers_read_and_only_dispatchers_write(hall: Hall) -> None:
    for name in ("dora", "li", "lena"):
        assert hall(name).get("/desk/classes").status_code == 200
        assert hall(name).get("/desk/responsibilities").status_code == 200
        assert ("New version" in hall(name).get("/desk/classes/E0102").text) == (name == "dora")
    for page in ("/desk/classes/new", "/desk/classes/E0102/edit"):
        assert hall("li").get(page).status_code == 403
    assert hall("citi").get("/desk/classes").status_code == 403
    assert hall("li").send("/desk/classes/E0102/retire", "/account", since=TOMORROW).status_code == 403


def test_the_list_is_searched_and_filtered(hall: Hall) -> None:
    def found(**asked: str) -> list[str]:
        query = "&".join(f"{key}={value}" for key, value in asked.items())
        return [row["code"] for row in hall("li").get(f"/desk/classes.json?{query}").json()["classes"]]

    assert len(found()) > 190
    assert found(q="路面塌陷") == ["E0401"]
    assert all(code.startswith("C02") for code in found(group="C02"))
    assert "E0102" not in found(clock="emergency")
    assert "E0401" in found(clock="emergency", kind="event")
    assert found(state="retired") == []
    assert hall("li").get("/desk/classes?clock=lunar").status_code == 400


def test_both_languages_say_names_and_limits(hall: Hall) -> None:
    english, chinese = hall("li").get("/desk/classes/E0102").text, hall("li", "zh-CN").get("/desk/classes/E0102").text
    assert "Uncollected refuse" in english
    assert "4 working hours" in english
    assert "暴露垃圾" in chinese
    assert "4个工作时" in chinese
    assert "《城市市容和环境卫生管理条例》（未注明具体条款）" in chinese
    assert hall("li").get("/desk/classes/E9999").status_code == 404


def test_the_table_is_written_out_as_it_is_taken_back_in_any_language(hall: Hall) -> None:
    for language in ("en", "zh-CN"):
        text = hall("li", language).get("/desk/classes/table.csv").content.decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert list(rows[0]) == list(COLUMNS)
        assert {row["code"] for row in rows} == set(hall.town.hub.classes.codes(FLOW))


def test_a_new_version_begins_on_its_day_and_is_in_the_audit(hall: Hall) -> None:
    answer = edited(hall, c0__amount="6", since=TOMORROW)
    assert answer.status_code == 303, answer.text
    book = hall.town.hub.classes
    assert book.standard(FLOW, "E0102", "main").limit == working_hours(4)
    assert book.standard(FLOW, "E0102", "main", date(2026, 11, 21)).limit == working_hours(6)
    page = hall("li").get("/desk/classes/E0102").text
    assert "Version 2" in page
    assert "<del>4 working hours</del>" in page
    (deed,) = hall.deeds()
    assert (deed.actor, deed.object) == ("dora", "class:E0102")
    assert deed.detail["changes"] == [
        {"field": "limit", "condition": "main", "before": "4 working hours", "after": "6 working hours"}
    ]


def test_what_does_not_hold_together_is_refused_beside_its_field(hall: Hall) -> None:
    for changed, sentence in (
        ({"since": "2026-11-19"}, "A start day in the past"),
        ({"since": "soon"}, "Please write a day"),
        ({"c0__amount": "0"}, "has to be more than 0"),
        ({"c0__amount": "many"}, "Please write a number"),
        ({"c0__text": ""}, "what is found"),
        ({"c1__id": "main"}, "two conditions named"),
        ({"responsible": "{streat} crew"}, "no case can fill"),
        ({"count": "0"}, "at least one filing condition"),
    ):
        answer = edited(hall, **changed)
        assert answer.status_code == 422, changed
        assert sentence in answer.text
    assert len(hall.town.hub.classes.versions(FLOW, "E0102")) == 1
    assert hall.deeds() == []


def test_two_officers_at_once_are_told(hall: Hall) -> None:
    page = "/desk/classes/E0102/edit"
    told = fields(hall("dora").get(page).text)
    assert edited(hall, c0__amount="6").status_code == 303
    answer = hall("dora").send(page, **(told | {"c0-amount": "9"}))
    assert answer.status_code == 409
    assert "changed by somebody else" in answer.text


def test_conditions_are_added_and_taken_away_without_scripts(hall: Hall) -> None:
    more = edited(hall, do="add", c0__text="As typed.")
    assert more.status_code == 200
    assert "As typed." in more.text
    told = fields(more.text)
    assert told["count"] == "4"
    told |= {
        "c3-id": "worse",
        "c3-text": "Worse.",
        "c3-text_zh": "更严重。",
        "c3-closes": "Good.",
        "c3-closes_zh": "好。",
    }
    told |= {"c3-amount": "2", "c3-unit": "hour"}
    page = "/desk/classes/E0102/edit"
    less = hall("dora").send(page, **(told | {"do": "remove-1"}))
    told = fields(less.text)
    assert (told["count"], told["c2-id"]) == ("3", "worse")
    assert hall("dora").send(page, **(told | {"do": "save"})).status_code == 303
    last = hall.town.hub.classes.versions(FLOW, "E0102")[-1]
    assert [condition.id for condition in last.conditions] == ["main", "bit", "worse"]
    assert last.conditions[2].limit == hours(2)


def test_a_new_class_is_made_and_retired(hall: Hall) -> None:
    page = "/desk/classes/new"
    told = fields(hall("dora").get(page).text)
    told |= {"code": "e0680", "name": "Kites", "name_zh": "风筝", "group": "Other events", "group_zh": "其他事件"}
    told |= {"c0-id": "stuck", "c0-text": "It hangs.", "c0-text_zh": "挂线。", "c0-amount": "1"}
    told |= {"c0-closes": "It is gone.", "c0-closes_zh": "已清除。"}
    assert hall("dora").send(page, **told).headers["location"] == "/desk/classes/E0680"
    assert "changed by somebody else" in hall("dora").send(page, **(told | {"name": "Other"})).text
    assert hall("dora").send("/desk/classes/E0680/retire", "/desk/classes/E0680", since="2026-01-01").status_code == 422
    assert hall("dora").send("/desk/classes/E0680/retire", "/desk/classes/E0680", since=TOMORROW).status_code == 303
    book = hall.town.hub.classes
    assert book.get(FLOW, "E0680") is not None
    assert book.get(FLOW, "E0680", date(2026, 11, 21)) is None
    coming = hall("li").get("/desk/classes.json?state=retired").json()["classes"]
    assert [row["code"] for row in coming] == ["E0680"]


def test_cases_under_way_keep_their_limit_and_the_page_says_so(hall: Hall) -> None:
    hub = hall.town.hub
    values = {"class": "E0102", "source": "collector", "street": "East Street", "street_id": "s1"}
    hub.cases.open_case(FLOW, values=values)
    for name in ("dora", "li"):
        assert "1 case under way keeps the limit" in hall(name).get("/desk/classes/E0102").text
    assert "1 case under way keeps the limit" in hall("dora").get("/desk/classes/E0102/edit").text


def test_who_answers_where_is_written_ended_and_read(hall: Hall) -> None:
    page = "/desk/responsibilities"
    told = {"prefix": "e01", "area": "East Street", "departments": "Crew A\nCrew B", "since": "2026-11-20"}
    assert hall("dora").send(page, **told).status_code == 303
    book = hall.town.hub.classes
    assert book.responsible(FLOW, "E0102", {"street_id": "s1"}) == ("Crew A", "Crew B")
    assert "East Street" in hall("li").get("/desk/classes/E0102").text
    csv_text = hall("li").get(f"{page}.csv").content.decode()
    assert csv_text.splitlines() == ["prefix,area,departments,since", "E01,s1,Crew A; Crew B,2026-11-20"]
    for changed in ({"area": "Nowhere"}, {"departments": " "}, {"prefix": "9"}, {"since": "2026-01-01"}):
        assert hall("dora").send(page, **(told | changed)).status_code == 422
    assert hall("dora").send(f"{page}/end", page, prefix="E01", area="s1").status_code == 303
    assert book.responsibilities(FLOW) == ()
    assert hall("dora").send(f"{page}/end", page, prefix="E01", area="s1").status_code == 404
    assert [deed.detail["departments"] for deed in hall.deeds()] == ["Crew A; Crew B", ""]


def test_a_file_of_responsibilities_says_which_lines_it_refused(hall: Hall) -> None:
    page = "/desk/responsibilities"
    text = "prefix,area,departments,since\nE01,s1,Crew,\nE02,West,Crew,\nE03,,{city},\nE04\n"
    visitor = hall("dora")
    told = {"csrf": visitor.form(page)}
    answer = visitor.client.post(f"{page}/file", data=told, files={"file": ("who.csv", text.encode(), "text/csv")})
    assert answer.status_code == 200
    assert "1 new, 0 changed, 0 as they were, 3 refused" in answer.text
    assert all(f"line {line}:" in answer.text for line in (3, 4, 5))
    answer = visitor.client.post(f"{page}/file", data=told, files={"file": ("who.csv", b"\xff\x00", "text/csv")})
    assert answer.status_code == 422


def test_a_house_whose_cases_are_not_filed_by_classes_says_so(tmp_path: Path) -> None:
    with city(tmp_path, manhole_covers) as town:
        town.hub.accounts.create(HOUSE, "dora", "Dora", ["dispatcher"], "Command centre", PASSWORD)
        hall = Hall(town)
        assert "No class is here" in hall("dora").get("/desk/classes").text
        assert "No row is here" in hall("dora").get("/desk/responsibilities").text
        assert hall("dora").get("/desk/classes/table.csv").content.decode().strip() == ",".join(COLUMNS)
        assert hall("dora").get("/desk/classes/E0102").status_code == 404
