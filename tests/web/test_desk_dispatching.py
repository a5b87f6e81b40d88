"""The page of suggestions: how good they are, for those who decide; what a dispatcher is offered, with the reason."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from house import Visitor, open_house

from cheng.hub import Hub
from cheng.web.app import create_app
from cheng.web.desk import suggesting
from cheng.worker import Worker
from learnt_cases import FLOW, lay_in

PAGE = "/desk/dispatching"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = open_house(tmp_path)
    yield opened
    opened.close()


def visitor(hub: Hub, name: str, language: str = "en") -> Visitor:
    return Visitor(create_app(hub), **{"accept-language": language}).sign_in(name)


@pytest.mark.parametrize("name", ["dispatcher", "leader"])
def test_who_decides_comes_in(hub: Hub, name: str) -> None:
    assert "Nothing was learnt yet" in visitor(hub, name).get(PAGE).text


@pytest.mark.parametrize("name", ["officer", "citizen", "operator", "reviewer"])
def test_nobody_else_does(hub: Hub, name: str) -> None:
    assert visitor(hub, name).get(PAGE).status_code == 403


def test_learning_on_an_empty_city_says_what_is_missing(hub: Hub) -> None:
    dora = visitor(hub, "dispatcher")
    assert dora.send(f"{PAGE}/learn", PAGE).status_code == 303
    text = dora.get(PAGE).text
    assert "There are too few closed cases to learn from: 0; 60 are needed." in text
    assert "No departments are suggested beyond the table of responsibilities." in text


def test_how_good_they_are_by_month_and_class(hub: Hub) -> None:
    lay_in(hub, 400)
    lena = visitor(hub, "leader")
    lena.send(f"{PAGE}/learn", PAGE)
    flow = lena.get(f"{PAGE}.json").json()["flows"][0]
    assert flow["flow"] == FLOW
    assert flow["taken"]
    assert [month["month"] for month in flow["months"]] == ["2026-09", "2026-08", "2026-07"]
    assert {row["code"] for row in flow["classes"]} == {"E0102", "C0101", "E0104"}
    assert 0.8 < flow["first"] <= flow["three"] <= 1
    text = lena.get(PAGE).text
    assert "Learnt from 400 closed cases" in text
    assert "Tap water cover" in text
    chinese = visitor(hub, "leader", "zh-CN").get(PAGE).text
    assert "已从 400 件已结案件中学习" in chinese
    assert "上水井盖" in chinese


def test_learning_is_a_chore_with_a_log(hub: Hub) -> None:
    lay_in(hub, 100)
    hub.worker = worker = Worker(hub)
    try:
        visitor(hub, "dispatcher").send(f"{PAGE}/learn", PAGE)
    finally:
        worker.stop()
    run = worker.journal.recent("house.learn_dispatching", 1)[0]
    assert run.outcome == "done"
    assert str(run.said).startswith("Learnt from 100 closed cases")


class Asked(SimpleNamespace):
    """As much of a request as suggestions need."""

    def _(self, text: str, **values: Any) -> str:
        return text.format(**values)


def asked(hub: Hub) -> Any:
    return Asked(hub=hub, local=SimpleNamespace(percent=lambda share, digits: f"{share:.0%}"))


def case(code: str, street: str) -> Any:
    entry = SimpleNamespace(flow=FLOW, class_code=code, source="collector")
    return SimpleNamespace(entry=entry, case=SimpleNamespace(values={"class": code, "street": street}))


def test_the_table_comes_first_and_what_was_learnt_second(hub: Hub) -> None:
    lay_in(hub, 400)
    filed = case("C0101", "River Street")
    before = suggesting.in_charge(asked(hub), filed)
    assert [(row["department"], row["learnt"]) for row in before] == [("Water Supply Company", False)]
    assert before[0]["why"] == "by the table of responsibilities"
    hub.dispatching.train_all()
    first = suggesting.in_charge(asked(hub), filed)[0]
    assert first["department"] == "Water Supply Company"
    assert "such cases in this street went there." in first["why"]
    learnt = [row for row in suggesting.in_charge(asked(hub), case("E0102", "River Street")) if row["learnt"]]
    assert learnt[0]["department"] == "River Street squad"
    assert " likely: " in learnt[0]["why"]
    assert 0.5 < learnt[0]["chance"] <= 1


def test_classes_of_a_text(hub: Hub) -> None:
    found = suggesting.classes(asked(hub), FLOW, "上水井盖不见了")
    assert (found[0]["code"], found[0]["name_zh"]) == ("C0101", "上水井盖")
