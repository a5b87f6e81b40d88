import csv
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.standards.codes import (
    CREDIT_ALPHABET,
    Division,
    class_digits,
    class_of,
    credit_check_digit,
    credit_code_problem,
    join,
    layouts,
    split,
)
from shared_data import shared


@pytest.mark.parametrize(
    ("code", "short", "level", "parents"),
    [
        ("500112001001", "500112001001", "community", ["500112001", "500112", "500100", "500000"]),
        ("500112001000", "500112001", "street", ["500112", "500100", "500000"]),
        ("500112000000", "500112", "county", ["500100", "500000"]),
        (500112, "500112", "county", ["500100", "500000"]),
        ("4403", "440300", "prefecture", ["440000"]),
        ("50", "500000", "province", []),
        ("441900003", "441900003", "street", ["441900", "440000"]),  # Dongguan has no counties
        ("469001", "469001", "county", ["469000", "460000"]),
    ],
)
def test_divisions_and_what_lies_above(code: str, short: str, level: str, parents: list[str]) -> None:
    division = Division.parse(code)
    assert (division.code, division.level) == (short, level)
    above, here = [], division
    while (parent := here.parent) is not None:
        assert parent.contains(division)
        assert not (here.contains(parent))
        above.append(parent.code)
        here = parent
    assert above == parents


@pytest.mark.parametrize(
    "code", ["", "5", "50011", "99", "500012", "50011200100a", "500000001", "500112000001", "５０"]
)
def test_what_is_no_division(code: str) -> None:
    with pytest.raises(ValueError, match=r"digits|province|zeros"):
        Division.parse(code)


def test_a_component_code_in_both_layouts() -> None:
    assert split("3205080101000001", "component-A") == {
        "county": "320508",
        "big": "01",
        "small": "01",
        "serial": "000001",
    }
    assert split("3205080108100001", "component-B")["small"] == "081"
    assert join("component-A", county="320508", big=1, small=1, serial=1) == "3205080101000001"


def test_a_grid_code() -> None:
    assert split("500112001002003", "grid") == {
        "county": "500112",
        "street": "001",
        "community": "002",
        "serial": "003",
    }
    with pytest.raises(ValueError, match="serial is 000"):
        split("500112001002000", "grid")
    with pytest.raises(ValueError, match="15 digits"):
        split("50011200100200", "grid")


def test_serials_that_overflow_are_refused() -> None:
    with pytest.raises(ValueError, match="15 digits"):
        join("grid", county="500112", street="001", community="002", serial=1000)


def test_the_lengths_of_all_layouts() -> None:
    lengths = {name: sum(part.digits for part in parts) for name, parts in layouts().items()}
    assert lengths == {"component-A": 16, "component-B": 16, "event": 18, "grid": 15}


def test_a_credit_code_and_its_faults() -> None:
    assert credit_code_problem("91500112MA607QEM6A") == ""
    assert "check digit is B, must be A" in credit_code_problem("91500112MA607QEM6B")
    assert "17" in credit_code_problem("91500112MA607QEM6")
    assert "'O'" in credit_code_problem("91500112MA607QEO6A")


@given(st.text(CREDIT_ALPHABET, min_size=17, max_size=17), st.integers(0, 16), st.sampled_from(CREDIT_ALPHABET))
def test_one_wrong_character_is_always_found(body: str, place: int, other: str) -> None:
    code = body + credit_check_digit(body)
    assert credit_code_problem(code) == ""
    wrong = code[:place] + other + code[place + 1 :]
    assert (credit_code_problem(wrong) == "") == (wrong == code)


def test_real_codes_of_enterprises_pass() -> None:
    with gzip.open(shared("enterprise_cn/chongqing_2019.csv.gz"), "rt", encoding="utf-8") as text:
        codes = [row["统一社会信用代码"] for row in csv.DictReader(text)]
    assert codes
    assert [code for code in codes if code and credit_code_problem(code)] == []


def test_real_divisions_have_their_parents() -> None:
    with shared("admin_cn/codes/streets.csv").open(encoding="utf-8") as text:
        for row in csv.DictReader(text):
            division = Division.parse(row["code"])
            if division.level == "street":  # Kinmen and its like are entered as 000
                assert division.parent is not None
                assert division.parent.code == row["areaCode"]


@pytest.mark.parametrize(
    ("code", "layout", "class_code"),
    [
        ("3205080101000001", "component-A", "C0101"),
        ("3205080100100001", "component-B", "C0101"),
        ("3205080108000001", "component-B", "C01080"),
        ("320508010020000001", "event", "E0102"),
    ],
)
def test_the_class_of_a_component_or_event_is_in_its_code(code: str, layout: str, class_code: str) -> None:
    assert class_of(code, layout) == class_code
    assert class_digits(class_code, layout) == code[6 : 6 + len(class_digits(class_code, layout))]


def test_a_layout_without_room_for_a_class_says_so() -> None:
    assert class_digits("C01080", "component-A") == ""
