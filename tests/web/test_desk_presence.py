"""Who is at a case: seen by those who may see the case, and soon forgotten."""

from collections.abc import Iterator
from typing import Any

import pytest
from desk_town import Desk, open_desk

from cheng.standards.durations import seconds
from cheng.web.desk.presence import FORGOTTEN, Presence, Seen


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("presence")) as made:
        made.tips(0, 1)
        yield made


def says(desk: Desk, name: str, doing: str, number: str = "") -> Any:
    path = f"/desk/cases/{number or desk.number(0)}/here"
    secret = desk[name].form(f"/desk/cases/{desk.number(0)}")
    return desk[name].client.post(path, data={"doing": doing, "csrf": secret}, headers={"accept": "application/json"})


def test_two_see_each_other_and_are_forgotten(desk: Desk) -> None:
    assert says(desk, "li", "reading").json() == {"people": [], "text": ""}
    assert says(desk, "wu", "writing").json()["text"] == "Li Ming is looking at this case"
    assert says(desk, "li", "reading").json()["text"] == "Wu Fang is writing"
    assert says(desk, "dora", "reading").json()["text"] == "Li Ming is looking at this case; Wu Fang is writing"
    assert says(desk, "dora", "gone").json()["people"][1] == {"name": "Wu Fang", "writing": True}
    desk.town.passes(seconds(30))
    assert says(desk, "li", "reading").json()["text"] == "Wu Fang is writing"
    desk.town.passes(seconds(15))
    assert says(desk, "li", "reading").json() == {"people": [], "text": ""}
    assert says(desk, "wu", "gone").json()["text"] == "Li Ming is looking at this case"


def test_who_may_not_see_the_case_is_told_nothing_and_is_not_seen(desk: Desk) -> None:
    number = desk.number(0)
    answers = [desk["li"].client.post(f"/desk/cases/{number}/here", data={"doing": "reading"})]
    assert answers[0].status_code == 403, "without the secret of our own page"
    secret = desk["he"].form(f"/desk/cases/{desk.number(1)}")
    answer = desk["he"].client.post(f"/desk/cases/{number}/here", data={"doing": "reading", "csrf": secret})
    assert answer.status_code == 404
    assert "He Jun" not in says(desk, "li", "reading").text


@pytest.mark.parametrize("doing", ["", "dancing"])
def test_what_nobody_does_is_reading(desk: Desk, doing: str) -> None:
    says(desk, "wu", doing)
    assert says(desk, "li", "gone").json()["people"] == [{"name": "Wu Fang", "writing": False}]


def test_nothing_is_left_of_those_who_went_without_a_word() -> None:
    presence = Presence()
    for case in range(100):
        presence.tell(f"case {case}", "li", Seen("Li Ming", False, case), case)
    presence.tell("another", "wu", Seen("Wu Fang", False, 2 * FORGOTTEN), 2 * FORGOTTEN)
    assert list(presence._cases) == ["another"]
