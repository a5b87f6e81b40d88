"""Files of classes: our own table, a taxonomy of three levels, the categories of Signalen."""

import json
from pathlib import Path
from typing import Any

import pytest

from cheng.kernel.class_rows import Told, classes_in, numbered
from cheng.kernel.classes import faults
from cheng.protocols.files_classes import limit_told, read_classes, read_responsibilities, terms
from cheng.standards.durations import Duration
from cheng.standards.problems import InputError
from shared_data import shared


def split(rows: Any) -> tuple[list[Told], list[InputError]]:
    found = list(rows)
    return [row for row in found if not isinstance(row, InputError)], [e for e in found if isinstance(e, InputError)]


def put(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    (folder / name).write_text(text, encoding)
    return folder / name


def test_our_own_table_comes_with_lines(tmp_path: Path) -> None:
    path = put(tmp_path, "own.csv", "code,name,limit\nE0102,Refuse,4\n\nE0103,Rubble\nE0104,Dirt,2\n")
    rows, refused = split(read_classes(path))
    assert [line for line, _ in rows] == [2, 5]
    assert rows[0][1]["name"] == "Refuse"
    assert [(error.line, error.reason) for error in refused] == [(4, "it has 2 cells, the header has 3")]


def test_columns_are_renamed_and_text_may_be_gb18030(tmp_path: Path) -> None:
    path = put(tmp_path, "own.csv", "编号;小类\nE0102;暴露垃圾\n", "gb18030")
    (row,), _ = split(read_classes(path, {"code": "编号", "name_zh": "小类"}))
    assert (row[1]["code"], row[1]["name_zh"]) == ("E0102", "暴露垃圾")


def test_a_table_without_codes_or_with_unknown_fields_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "own.csv", "name,limit\nRefuse,4\n")
    with pytest.raises(InputError, match="no column 'code'"):
        list(read_classes(path))
    with pytest.raises(InputError, match="no field 'colour'"):
        list(read_classes(path, {"colour": "name"}))
    with pytest.raises(InputError, match="empty"):
        list(read_classes(put(tmp_path, "none.csv", "")))


def test_a_taxonomy_of_three_levels_gets_numbers_and_the_limit_of_the_load(tmp_path: Path) -> None:
    text = "一级分类,二级分类,三级分类\n甲,乙,丙\n甲,乙,丁\n戊,,己\n甲,乙,丙\n戊,己,其他\n"
    rows, refused = split(read_classes(put(tmp_path, "t.csv", text), limit=("5", "working days")))
    assert [(error.line, error.code) for error in refused] == [(4, "no-name"), (5, "twice")]
    found = list(classes_in(row for row in numbered(rows, []) if not isinstance(row, InputError)))
    versions = [each.version for each in found if not isinstance(each, InputError)]
    assert [version.code for version in versions] == ["S01999", "S01998", "S02999"]
    assert versions[1].name_zh == "乙 / 丁"
    assert versions[1].conditions[0].limit == Duration(5, "working day")
    again = list(numbered(reversed(rows), versions))
    assert [row[1]["code"] for row in again if not isinstance(row, InputError)] == ["S02999", "S01998", "S01999"]


def category(key: int, name: str, parent: int | None, handling: str = "A3DMC", **more: Any) -> dict[str, Any]:
    fields = {"name": name, "slug": name.lower(), "parent": parent, "handling": handling, "departments": [7, 9]}
    return {"model": "signals.category", "pk": key, "fields": fields | more}


SIGNALEN = [
    category(1, "Afval", None),
    category(2, "Bak vol", 1),
    category(3, "Lamp stuk", 1, "KLOKLICHTZC"),
    category(4, "Vreemd", 1, "NOBODY"),
    category(5, "Wees", 99),
    category(6, "", 1),
    category(7, "Oud", 1, "REST", is_active=False, departments=[]),
    {"model": "signals.department", "pk": 7, "fields": {"name": "Schoon"}},
]


def test_categories_of_signalen_come_with_limits_on_the_right_clock(tmp_path: Path) -> None:
    path = put(tmp_path, "categories.json", json.dumps(SIGNALEN))
    rows, refused = split(read_classes(path))
    assert [(error.line, error.code) for error in refused] == [(4, "handling"), (5, "no-parent"), (6, "no-name")]
    by_name = {(row["name"], row["condition"]): row for _, row in rows}
    assert (by_name["Bak vol", "reported"]["limit"], by_name["Bak vol", "reported"]["unit"]) == ("3", "working days")
    assert by_name["Bak vol", "reported"]["departments"] == "Schoon; Signalen department 9"
    assert by_name["Lamp stuk", "danger"]["unit"] == "hours"
    assert by_name["Lamp stuk", "reported"]["limit"] == "21"
    assert (by_name["Oud", "reported"]["limit"], by_name["Oud", "reported"]["retired"]) == ("13", "yes")


def test_what_is_no_file_of_signalen_is_refused(tmp_path: Path) -> None:
    for text in ("{", '[{"model": "other"}]', '{"a": 1}'):
        with pytest.raises(InputError):
            list(read_classes(put(tmp_path, "categories.json", text)))


def test_every_way_of_handling_has_sound_conditions() -> None:
    for handling, rows in terms().items():
        assert len({row["condition"] for row in rows}) == len(rows), handling
        assert all(row["text"] and row["text_zh"] and row["source"] for row in rows)
        assert all(limit_told(f"{row['limit']} {row['unit']}") for row in rows if row["limit"])


def test_responsibilities_are_read(tmp_path: Path) -> None:
    path = put(tmp_path, "who.csv", "prefix,area,departments,since\nE01,,Sweepers,\n")
    (row,), _ = split(read_responsibilities(path))
    assert row == (2, {"prefix": "E01", "area": "", "departments": "Sweepers", "since": ""})


def test_a_limit_is_told_in_words() -> None:
    assert limit_told("13 working days") == ("13", "working days")
    with pytest.raises(InputError, match="is no limit"):
        limit_told("soon")


@pytest.mark.parametrize(
    ("name", "classes", "refused"),
    [
        ("service_requests/tipdm2020_c/category_taxonomy_3level.csv", 517, 0),
        ("service_requests/signalen_categories.json", 77, 0),
    ],
)
def test_real_taxonomies_are_read_whole(name: str, classes: int, refused: int) -> None:
    rows, errors = split(read_classes(shared(name)))
    assert len(errors) == refused
    coded = [row for row in numbered(rows, []) if not isinstance(row, InputError)]
    found = [each.version for each in classes_in(coded) if not isinstance(each, InputError)]
    assert len(found) == classes
    assert len({version.code for version in found}) == classes
    assert [fault for version in found for fault in faults(version)] == []
