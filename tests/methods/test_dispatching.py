"""Where a case goes: learnt from closed ones, with the cases that speak for it; names made one, and nothing else."""

import itertools

import msgspec
import pytest

from bench import dispatching as bench
from cheng.methods.dispatching import FAMILY, NOTHING, Model, families_of, judge, merged, train
from shared_data import shared

STREETS = ("Heping Street", "Longtian Street")


def cases(*lots: tuple[int, str, str, str]) -> tuple[dict[str, list[str]], list[str]]:
    """(many, class, street, department) as columns and departments."""
    rows = list(itertools.chain.from_iterable([lot[1:]] * lot[0] for lot in lots))
    columns = {"class": [row[0] for row in rows], "street": [row[1] for row in rows]}
    return columns | {"group": [row[0][:3] for row in rows]}, [row[2] for row in rows]


HAWKERS = (12, "E0201", "Heping Street", "Heping Street squad")
SOME = (2, "E0201", "Heping Street", "Parks Office")
OTHERS = (9, "E0201", "Longtian Street", "Longtian Street squad")
COVERS = (20, "C0101", "Longtian Street", "Water Company")


@pytest.fixture(scope="module")
def model() -> Model:
    return train(*cases(HAWKERS, SOME, OTHERS, COVERS))


def values(code: str, street: str) -> dict[str, str]:
    return {"class": code, "group": code[:3], "street": street}


def test_the_reason_is_the_cases_that_are_most_alike(model: Model) -> None:
    first = model.suggest(values("E0201", "Heping Street"))[0]
    assert (first.department, first.count, first.of, first.level) == ("Heping Street squad", 12, 14, "class street")
    assert first.chance > 0.6


def test_chances_are_the_largest_first_and_never_more_than_one(model: Model) -> None:
    chances = [one.chance for one in model.suggest(values("C0101", "Longtian Street"), 10)]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1, abs=1e-5)


def test_few_alike_are_told_with_more_that_are_less_alike() -> None:
    model = train(*cases((2, "E0201", "Heping Street", "A"), (8, "E0201", "Longtian Street", "A"), OTHERS))
    first = next(one for one in model.suggest(values("E0201", "Heping Street")) if one.department == "A")
    assert (first.count, first.of, first.level) == (10, 19, "class")


def test_what_only_sisters_had_says_so(model: Model) -> None:
    """Covers in Heping Street had no squad; Longtian's squad never had one either, but for one case."""
    known = train(*cases(HAWKERS, OTHERS, (6, "E0909", "Longtian Street", "Longtian Street squad")))
    sister = known.suggest(values("E0909", "Heping Street"))
    told = next(one for one in sister if one.department == "Heping Street squad")
    assert (told.count, told.of, told.level) == (6, 6, FAMILY)
    assert sister[0].department == "Heping Street squad"


def test_of_a_case_nothing_is_known_of_only_the_shares_are_told(model: Model) -> None:
    first = model.suggest({})[0]
    assert (first.department, first.level) == ("Water Company", "")
    assert (first.count, first.of) == (20, 43)


def test_a_class_never_seen_is_answered_by_its_group(model: Model) -> None:
    first = model.suggest(values("C0199", "Longtian Street"))[0]
    assert (first.department, first.count, first.of) == ("Water Company", 20, 20)
    assert first.level == "group street"


def test_the_same_cases_teach_the_same_and_can_be_written_down(model: Model) -> None:
    again = train(*cases(HAWKERS, SOME, OTHERS, COVERS))
    assert again == model
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(model), type=Model) == model


def test_one_case_is_enough_to_learn_from() -> None:
    model = train({"class": ["E0201"]}, ["Parks Office"])
    assert model.suggest({"class": "E0201"})[0].chance == pytest.approx(1)


def test_cases_of_which_nothing_is_known_teach_the_shares() -> None:
    model = train({"class": ["", "", ""]}, ["A", "A", "B"])
    assert [one.department for one in model.suggest({"class": "E0201"})] == ["A", "B"]


def test_the_score_counts_what_came_later(model: Model) -> None:
    columns, departments = cases((3, *HAWKERS[1:]), (1, "C0101", "Longtian Street", "New Company"))
    found = judge(model, columns, departments)
    assert found["E0201"].cases == found["E0201"].first == found["E0201"].majority == 3
    assert (found["C0101"].first, found["C0101"].unseen) == (0, 1)
    assert sum(found.values(), NOTHING).cases == 4


class TestNames:
    def test_brackets_that_say_it_again_go(self) -> None:
        names = ["坪山街道综合执法队", "坪山街道综合执法队（坪山街道办事处）", "龙田社区 ", "龙田社区(龙田街道办事处)"]
        assert list(merged(names).values()) == ["坪山街道综合执法队"] * 2 + ["龙田社区"] * 2

    def test_brackets_that_tell_departments_apart_stay(self) -> None:
        names = [
            "城管办（坑梓街道办事处）",
            "城管办（碧岭街道办事处）",
            "城建办",
            "城建办（坑梓街道办事处）",
            "城建办（龙田街道办事处）",
        ]
        found = merged(names)
        assert len(set(found.values())) == 5
        assert found["城管办（坑梓街道办事处）"] == "城管办(坑梓街道办事处)"

    def test_a_name_alone_and_once_with_brackets_is_one(self) -> None:
        assert set(merged(["消防办公室", "消防办公室（坑梓街道办事处）"]).values()) == {"消防办公室"}

    def test_full_width_signs_and_blanks(self) -> None:
        assert merged(["Ａ  组 （一）"]) == {"Ａ  组 （一）": "A 组(一)"}

    def test_departments_of_areas_are_families(self) -> None:
        names = ["Heping Street squad", "Longtian Street squad", "Parks Office", "和平社区", "六联社区", "和平执法队"]
        numbers = families_of(names, [*STREETS, "和平社区", "六联社区"])
        assert numbers[0] == numbers[1]
        assert numbers[3] == numbers[4]
        assert len(set(numbers)) == 4


@pytest.mark.slow
def test_a_real_district_is_suggested_better_than_by_the_plain_rule() -> None:
    rows = bench.rows_of(shared("service_requests/shenzhen_pingshan/pingshan_livelihood_requests_2018.csv"))
    before, after = bench.parts(rows, bench.CUT)
    found = bench.score(before, after, merged({row["DISPOSE_UNIT_NAME"] for row in rows}))
    assert found.cases == 4584
    assert found.first > found.majority > 0.66 * found.cases
    assert found.three > 0.84 * found.cases
    assert abs(found.certain - found.first) < 0.03 * found.cases
