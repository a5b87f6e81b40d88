"""Codes of grids: fifteen digits, used once."""

import pytest

from cheng.standards.grid_codes import fresh_codes, grid_code_problem

COMMUNITY = "500112001002"


def test_codes_are_counted_through_a_community() -> None:
    assert fresh_codes(COMMUNITY, (), 2) == [f"{COMMUNITY}001", f"{COMMUNITY}002"]
    assert fresh_codes(COMMUNITY, {f"{COMMUNITY}001", f"{COMMUNITY}003"}, 2) == [f"{COMMUNITY}002", f"{COMMUNITY}004"]


def test_a_thousandth_grid_is_an_error() -> None:
    assert len(fresh_codes(COMMUNITY, (), 999)) == 999
    with pytest.raises(ValueError, match="999 numbers left"):
        fresh_codes(COMMUNITY, (), 1000)
    with pytest.raises(ValueError, match="998 numbers left"):
        fresh_codes(COMMUNITY, {f"{COMMUNITY}500"}, 999)


def test_a_street_is_no_community() -> None:
    with pytest.raises(ValueError, match="12 digits"):
        fresh_codes("500112001", (), 1)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (f"{COMMUNITY}001", ""),
        (f"{COMMUNITY}000", "must be 001 to 999"),
        (f"{COMMUNITY}01", "15 digits"),
        ("990112001002001", "no province"),
        ("50011200100200a", "15 digits"),
    ],
)
def test_a_code_says_what_is_wrong_with_it(code: str, problem: str) -> None:
    assert problem in grid_code_problem(code) if problem else grid_code_problem(code) == ""
