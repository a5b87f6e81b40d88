"""The classes that come with urban management: whole, with sources, and on the right clocks."""

import csv
from collections import Counter
from pathlib import Path

import pytest

import cheng.apps.city
from cheng.kernel.class_rows import classes_in
from cheng.kernel.classes import CaseClass
from cheng.standards.durations import Duration, hours, working_days, working_hours
from cheng.standards.problems import InputError

FILE = Path(str(cheng.apps.city.__file__)).with_name("urban_management_classes.csv")


def default_classes() -> dict[str, CaseClass]:
    with FILE.open(encoding="utf-8", newline="") as stream:
        found = list(classes_in(enumerate(csv.DictReader(stream), 2)))
    assert [error for error in found if isinstance(error, InputError)] == []
    return {each.version.code: each.version for each in found if not isinstance(each, InputError)}


CLASSES = default_classes()


def test_there_are_two_hundred_in_order() -> None:
    assert 195 <= len(CLASSES) <= 210
    assert list(CLASSES) == sorted(CLASSES)
    assert Counter(version.kind for version in CLASSES.values()).keys() == {"component", "event", "service"}
    names = Counter((version.kind, version.name_zh) for version in CLASSES.values())
    assert [name for name, count in names.items() if count > 1] == []


def test_every_row_says_where_it_is_from() -> None:
    for version in CLASSES.values():
        assert version.source
        assert version.responsible
        assert version.supervising
        assert all(condition.source for condition in version.conditions)


def test_all_four_clocks_are_used() -> None:
    clocks = Counter(condition.limit.clock for version in CLASSES.values() for condition in version.conditions)
    assert clocks.keys() == {"emergency", "calendar", "working hours", "working days"}


@pytest.mark.parametrize(
    ("code", "name", "condition", "limit"),
    [
        ("C0101", "上水井盖", "missing", hours(2)),
        ("C0114", "园林井盖", "missing", hours(2)),
        ("C0114", "园林井盖", "broken", working_hours(4)),
        ("C0114", "园林井盖", "loose", working_days(2)),
        ("C0114", "园林井盖", "sunk", working_days(5)),
        ("E0101", "私搭乱建", "stop", working_hours(4)),
        ("E0101", "私搭乱建", "fine", working_days(7)),
        ("E0101", "私搭乱建", "demolish", working_days(20)),
        ("E0102", "暴露垃圾", "main", working_hours(4)),
        ("E0103", "积存垃圾渣土", "earth", working_days(2)),
        ("E0104", "道路不洁", "main", working_hours(2)),
        ("E0105", "水域不洁", "floating", working_days(15)),
        ("E0106", "绿地脏乱", "care", working_days(5)),
    ],
)
def test_limits_that_cities_publish(code: str, name: str, condition: str, limit: Duration) -> None:
    version = CLASSES[code]
    found = version.condition(condition)
    assert version.name_zh == name
    assert found is not None
    assert found.limit == limit


@pytest.mark.parametrize("name", ["路面塌陷", "燃气管道破裂", "自来水管破裂", "架空线缆脱落"])
def test_emergencies_run_at_night(name: str) -> None:
    version = next(version for version in CLASSES.values() if version.name_zh == name)
    assert version.conditions[0].limit.clock == "emergency"
    assert version.conditions[0].limit.amount <= 2
