"""The desk of urban management: each post finds its work, files, sends, shares, checks and closes; many at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_town import Desk, picture
from house import PASSWORD

from cheng.apps.city import urban_management
from cheng.apps.city.urban_management import handle_report
from cheng.kernel.house import Area, Department
from cheng.security.actors import HOUSE
from cheng.testing import city
from cheng.web.app import create_app

CENTRE, COMMAND, STREET = "Urban Management Supervision Centre", "Urban Management Command Centre", "River Street"
CORNERS = [[106.5, 29.5], [106.6, 29.5], [106.6, 29.6], [106.5, 29.6], [106.5, 29.5]]
PEOPLE = {
    "shou": ("officer acceptor", CENTRE),
    "ban": ("officer shift-leader", CENTRE),
    "zhang": ("officer shift-leader", CENTRE),
    "cai": ("officer collector", f"{STREET} collector team"),
    "ji": ("officer collector", f"{STREET} collector team"),
    "pai": ("officer dispatcher", COMMAND),
    "chu": ("officer handler", "Cleaning Company"),
    "hua": ("officer handler", "Parks Office"),
    "lena": ("leader", ""),
}
PHOTO = picture()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with city(tmp_path, urban_management) as town:
        for level, name in (("district", "North"), ("street", STREET)):
            shape = {"type": "Polygon", "coordinates": [CORNERS]}
            town.register(Area, f"area:{level}", name=name, level=level, at=shape)
        for n, name in enumerate(("Cleaning Company", "Parks Office")):
            town.register(Department, f"dept:{n}", name=name)
        for name, (roles, department) in PEOPLE.items():
            town.hub.accounts.create(HOUSE, name, name.title(), roles.split(), department, PASSWORD)
        yield Desk(town, create_app(town.hub))


def reported(desk: Desk, **more: Any) -> str:
    told = {"class_code": "E0102", "place": (106.55, 29.56), "phone": "13800000000", "name": "Mrs Chen"} | more
    return desk.town.hears(handle_report, "Rubbish before the school", **told).number


def listed(desk: Desk, name: str, tab: str = "") -> list[str]:
    found = desk.json(name, f"/desk.json?tab={tab}" if tab else "/desk.json")
    return [row["number"] for row in found["cases"]]


def at(desk: Desk, number: str) -> str:
    return str(desk.hub.cases.get(number).case.step)


def test_each_post_finds_its_work_first_and_does_it(desk: Desk) -> None:
    number = reported(desk)
    assert listed(desk, "shou") == [number]
    assert listed(desk, "ban") == []
    desk.acts("shou", number, "complete")
    assert listed(desk, "shou") == []
    desk.acts("cai", number, "complete", text="it lies there")
    page = desk["ban"].get(f"/desk/cases/{number}").text
    assert "Refuse lies in a heap on a main road." in page
    assert "4 working hours" in page
    desk.acts("ban", number, "complete", condition="main")
    assert desk.json("pai", f"/desk/cases/{number}.json")["case"]["standard"]["limit"] == "4 working hours"
    desk.acts("pai", number, "complete", departments="Cleaning Company")
    assert listed(desk, "chu", "department") == [number]
    desk.acts("chu", number, "complete", PHOTO)
    desk.acts("chu", number, "complete")
    assert at(desk, number) == "check"
    desk.acts("ji", number, "complete", PHOTO)
    desk.acts("zhang", number, "complete")
    assert desk.hub.cases.get(number).entry.state == "closed"


def filed(desk: Desk, number: str) -> str:
    desk.acts("shou", number, "complete")
    desk.acts("cai", number, "complete")
    desk.acts("ban", number, "complete", condition="main")
    return number


def test_without_a_condition_the_form_comes_back_with_a_sentence(desk: Desk) -> None:
    number = reported(desk)
    desk.acts("shou", number, "complete")
    desk.acts("cai", number, "complete")
    answer = desk.acts("ban", number, "complete", text="written at length")
    assert answer.status_code == 422
    assert "Choose the class and the filing condition" in answer.text
    assert "written at length" in answer.text
    assert at(desk, number) == "file"


def test_another_class_has_other_conditions(desk: Desk) -> None:
    number = reported(desk)
    desk.acts("shou", number, "complete")
    desk.acts("cai", number, "complete")
    found = desk.json("ban", f"/desk/cases/{number}/conditions.json?class=E0401")["conditions"]
    assert [each["id"] for each in found] == ["collapse", "repair"]
    desk.acts("ban", number, "complete", **{"class": "E0401", "condition": "collapse"})
    assert desk.hub.cases.get(number).entry.class_code == "E0401"


def test_the_acceptor_gives_a_class_to_what_had_none(desk: Desk) -> None:
    number = reported(desk, class_code="")
    desk.acts("shou", number, "complete", **{"class": "E0104"})
    assert desk.hub.cases.get(number).entry.class_code == "E0104"
    assert "E0104" not in desk.json("shou", f"/desk/cases/{number}.json")["case"]["title"]


def test_two_departments_share_the_work(desk: Desk) -> None:
    number = filed(desk, reported(desk))
    fields = desk.form("pai", number, "complete") | {"departments": "Cleaning Company", "also": "Parks Office"}
    assert desk.sends("pai", number, fields).status_code == 303
    (part,) = [row for row in listed(desk, "hua", "department") if row != number]
    related = desk.json("pai", f"/desk/cases/{number}.json")["related"]
    assert [(one["how"], one["number"]) for one in related] == [("part", part)]
    desk.acts("hua", part, "complete", PHOTO)
    desk.acts("hua", part, "complete")
    assert desk.hub.cases.get(part).entry.state == "closed"


def test_a_department_says_it_is_not_theirs_and_the_dispatcher_decides(desk: Desk) -> None:
    number = filed(desk, reported(desk))
    desk.acts("pai", number, "complete", departments="Cleaning Company")
    desk.acts("chu", number, "dispute", reason="it is a park")
    assert listed(desk, "pai", "waiting") == [number]
    desk.acts("pai", number, "move", department="Parks Office", reason="so it is")
    assert listed(desk, "hua", "department") == [number]


def test_many_are_accepted_at_once_and_what_cannot_be_says_why(desk: Desk) -> None:
    numbers = [reported(desk) for _ in range(3)]
    desk.acts("shou", numbers[0], "complete")
    told = {"verb": "complete", "number": numbers}
    answer = desk["shou"].send("/desk/bulk", page="/desk", **told)
    assert answer.status_code == 200, answer.text
    assert "Done for 2 cases." in answer.text
    assert "One case was left as it is." in answer.text
    assert [at(desk, number) for number in numbers] == ["verify"] * 3


def test_many_are_sent_to_one_department_at_once(desk: Desk) -> None:
    numbers = [filed(desk, reported(desk)) for _ in range(2)]
    told = {"verb": "complete", "number": numbers, "departments": "Cleaning Company"}
    assert "Done for 2 cases." in desk["pai"].send("/desk/bulk", page="/desk", **told).text
    assert listed(desk, "chu", "department") == numbers


@pytest.mark.parametrize(
    "told", [{"verb": "complete"}, {"number": "20261120-000001"}, {"verb": "reopen", "number": "1"}]
)
def test_nothing_ticked_or_nothing_chosen_is_a_sentence(desk: Desk, told: dict[str, str]) -> None:
    reported(desk)
    assert desk["shou"].send("/desk/bulk", page="/desk", **told).status_code == 422


def test_who_reported_it_is_for_those_who_call_back_and_every_look_is_written_down(desk: Desk) -> None:
    number = filed(desk, reported(desk))
    desk.acts("pai", number, "complete", departments="Cleaning Company")
    page = desk["shou"].get(f"/desk/cases/{number}/reporters").text
    assert "13800000000" in page
    assert ("shou", "see-contact", "allowed", "any") in desk.audit(f"case:{number}")
    assert desk["chu"].get(f"/desk/cases/{number}/reporters").status_code == 403
    for path in (f"/desk/cases/{number}", f"/desk/cases/{number}.json", "/desk.json", "/desk.csv"):
        told = desk["chu"].get(path).text
        assert "13800000000" not in told
        assert "Mrs Chen" not in told


def test_a_step_of_another_post_is_not_offered_and_says_why(desk: Desk) -> None:
    number = reported(desk)
    page = desk["ban"].get(f"/desk/cases/{number}").text
    assert "This step is for the post: Acceptor / Agent." in page
