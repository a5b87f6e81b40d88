"""The desk's list: whose cases, in which order, in which light, and nothing of anybody else's."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_town import Desk, open_desk

from cheng.kernel.house import Area
from cheng.standards.durations import minutes


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Covers 0, 2 and 4 in the east and 1 in the west are open cases; 0 is with Li, 4 came later, 6 is closed."""
    with open_desk(tmp_path_factory.mktemp("desk")) as made:
        made.tips(0, 1, 2, 6)
        made.acts("li", made.number(0), "take")
        for name, photo in (("li", None), ("li", b"\xff\xd8\xff\xe0 photo")):
            made.acts(name, made.number(6), "complete", photo)
        made.lies_flat(6)
        made.acts("wu", made.number(6), "complete")
        made.town.passes(minutes(9))
        made.tips(4)
        yield made


def things(desk: Desk, name: str, query: str = "") -> list[str]:
    return [row["thing"] for row in desk.json(name, f"/desk.json?{query}")["cases"]]


class TestTabs:
    def test_mine_is_what_is_with_me(self, desk: Desk) -> None:
        assert things(desk, "li") == ["cover-00"]
        assert things(desk, "wu") == []

    def test_my_departments_are_the_most_urgent_first(self, desk: Desk) -> None:
        assert things(desk, "wu", "tab=department")[-1] == "cover-04"
        assert sorted(things(desk, "wu", "tab=department")) == ["cover-00", "cover-02", "cover-04"]

    def test_another_departments_are_nowhere(self, desk: Desk) -> None:
        for tab in ("mine", "department", "waiting", "closed"):
            for ending in ("", ".json", ".csv", ".geojson"):
                text = desk["he"].get(f"/desk{ending}?tab={tab}").text
                assert "cover-00" not in text
                assert "cover-06" not in text
        assert things(desk, "he", "tab=department") == ["cover-01"]

    def test_who_has_no_department_of_any_case_sees_none(self, desk: Desk) -> None:
        assert things(desk, "nobody", "tab=department") == []
        assert things(desk, "nobody", "tab=closed") == []

    def test_a_leader_sees_all(self, desk: Desk) -> None:
        assert sorted(things(desk, "lena")) == ["cover-00", "cover-01", "cover-02", "cover-04"]
        assert things(desk, "lena", "tab=closed") == ["cover-06"]

    def test_what_is_over_stays_with_those_who_had_it(self, desk: Desk) -> None:
        assert things(desk, "wu", "tab=closed") == ["cover-06"]
        assert things(desk, "he", "tab=closed") == []

    def test_a_tab_of_others_is_none(self, desk: Desk) -> None:
        assert desk["li"].get("/desk?tab=all").status_code == 400

    def test_an_empty_tab_says_where_to_look(self, desk: Desk) -> None:
        text = desk["wu"].get("/desk").text
        assert "Nothing is with you just now" in text
        assert "See the 3 cases of your department" in text

    def test_waiting_for_a_decision(self, desk: Desk) -> None:
        assert things(desk, "dora", "tab=waiting") == []
        desk.acts("li", desk.number(4), "extend", reason="The crew is at another cover.")
        assert things(desk, "dora", "tab=waiting") == ["cover-04"]
        assert things(desk, "he", "tab=waiting") == []
        desk.acts("dora", desk.number(4), "deny", reason="Ten minutes are enough.")
        assert things(desk, "dora", "tab=waiting") == []


class TestLights:
    def test_late_ones_are_red_in_words_too(self, desk: Desk) -> None:
        answer = desk.json("wu", "/desk.json?tab=department")
        assert answer["counts"] == {"red": 2, "yellow": 0, "green": 1, "suspended": 0}
        assert re.search(r"\d+ minutes[\w ]* overdue", desk["wu"].get("/desk?tab=department").text)

    def test_one_light_alone(self, desk: Desk) -> None:
        assert things(desk, "wu", "tab=department&light=green") == ["cover-04"]
        assert desk.json("wu", "/desk.json?tab=department&light=green")["counts"]["red"] == 2


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=cover-02", ["cover-02"]),
            ("q=EAST", ["cover-00", "cover-02", "cover-04"]),
            ("q=tipped", ["cover-00", "cover-01", "cover-02", "cover-04"]),
            ("q=nothing of that kind", []),
            ("q=%25", []),
            ("level=danger", ["cover-00", "cover-01", "cover-02", "cover-04"]),
            ("level=notice", []),
            ("flow=manhole_covers.make_safe", ["cover-00", "cover-01", "cover-02", "cover-04"]),
            ("area=area-west", ["cover-01"]),
            ("thing=cover-01", ["cover-01"]),
            ("area=nowhere", []),
        ],
    )
    def test_narrow_the_list(self, desk: Desk, query: str, found: list[str]) -> None:
        assert sorted(things(desk, "lena", query)) == found

    def test_by_the_beginning_of_the_number(self, desk: Desk) -> None:
        assert things(desk, "lena", f"q={desk.number(2)}") == ["cover-02"]

    def test_stay_in_the_address(self, desk: Desk) -> None:
        text = desk["lena"].get("/desk?q=East&level=danger").text
        assert 'value="East"' in text
        assert '<option value="danger" selected>' in text

    def test_areas_are_offered_with_what_they_lie_in(self, desk: Desk) -> None:
        desk.town.register(Area, "area-lane", name="Mill Lane", level="street", parent="area-east")
        desk.town.register(Area, "area-yard", name="Mill Yard", level="grid", parent="area-lane")
        text = desk["lena"].get("/desk").text
        assert '<option value="area-lane">East Street · Mill Lane</option>' in text
        assert "Mill Yard" not in text
        assert '<option value="area-yard" selected>Mill Yard</option>' in desk["lena"].get("/desk?area=area-yard").text

    def test_htmx_gets_the_list_alone(self, desk: Desk) -> None:
        text = desk["lena"].get("/desk", headers={"hx-request": "true"}).text
        assert "cover-00" in text
        assert "<html" not in text


class TestPages:
    def test_every_case_once_page_by_page(self, desk: Desk) -> None:
        seen, after = [], ""
        for _ in range(10):
            page = desk.json("lena", f"/desk.json?limit=1&after={after}")
            seen += [row["thing"] for row in page["cases"]]
            after = page["next"]
            if not after:
                break
        assert seen == things(desk, "lena")

    def test_a_cursor_of_nobody_is_refused(self, desk: Desk) -> None:
        assert desk["lena"].get("/desk?after=xyz").status_code == 422


class TestTwins:
    def test_csv(self, desk: Desk) -> None:
        rows = list(csv.DictReader(io.StringIO(desk["lena"].get("/desk.csv").text)))
        assert {row["Thing"] for row in rows} == {"cover-00", "cover-01", "cover-02", "cover-04"}
        assert rows[0]["Due"].startswith("2026-11-20T08:")

    def test_geojson_has_points(self, desk: Desk) -> None:
        features = desk["lena"].get("/desk.geojson").json()["features"]
        assert all(feature["geometry"]["type"] == "Point" for feature in features)

    def test_times_of_json_are_iso(self, desk: Desk) -> None:
        assert desk.json("lena", "/desk.json")["cases"][0]["opened"].startswith("2026-11-20T08:02")


class TestDoors:
    @pytest.mark.parametrize("name", ["citi", "opal"])
    def test_not_for_those_who_handle_no_cases(self, desk: Desk, name: str) -> None:
        assert desk[name].get("/desk").status_code == 403

    def test_strangers_sign_in_first(self, desk: Desk) -> None:
        assert desk[""].get("/desk").status_code == 303 or desk[""].get("/desk").headers["location"]

    def test_both_languages(self, desk: Desk) -> None:
        text = desk["lena"].get("/desk?lang=zh_CN").text
        assert "最紧急的在前" in text
        desk["lena"].get("/desk?lang=en")


def test_no_cases_at_all(tmp_path: Path) -> None:
    with open_desk(tmp_path) as empty:
        assert "No open cases" in empty["lena"].get("/desk").text
        assert "Nobody waits for a decision" in empty["dora"].get("/desk?tab=waiting").text
        assert "No case is over yet" in empty["lena"].get("/desk?tab=closed").text
