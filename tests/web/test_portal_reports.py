"""What anybody may see of all reports: what, about where, and how far."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from portal_town import HERE, Reported, open_town

from cheng.standards.durations import days


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Reported]:
    with open_town(tmp_path) as opened:
        yield opened


def test_the_list_tells_what_and_about_where_and_no_word_of_anybody(town: Reported) -> None:
    first, _ = town.reports(name="Zhou Min", phone="13800000000", address="East Street 12", text="My neighbour did it")
    town.reports(class_="")
    town.works(first)
    data = town[""].get("/reports.json").json()
    (row,) = data["rows"]
    assert (row["number"], row["name"], row["street"], row["state"]) == (first, "Water cover", "East Street", "closed")
    assert row["geometry"] == [round(HERE[0], 3), round(HERE[1], 3)]
    for ending in ("", ".json", ".csv", ".geojson"):
        answer = town[""].get(f"/reports{ending}")
        assert answer.status_code == 200
        for secret in ("Zhou", "13800000000", "East Street 12", "neighbour", str(HERE[0] + 1e-9)[:9]):
            assert secret not in answer.text.replace(str(round(HERE[0], 3)), "")
    assert "Water cover" in town[""].get("/reports").text


def test_it_is_filtered_paged_and_ends_after_some_weeks(town: Reported) -> None:
    numbers = [town.reports(class_=code)[0] for code in ("C0101", "C0106", "E0102")]
    town.works(numbers[0])

    def listed(query: str) -> list[str]:
        return [row["number"] for row in town[""].get(f"/reports.json?{query}").json()["rows"]]

    assert listed("") == numbers[::-1]
    assert listed("state=done") == numbers[:1]
    assert listed("state=open") == numbers[:0:-1]
    assert listed("class=C0106") == [numbers[1]]
    assert listed("class=E0401") == []
    assert listed("limit=2") == numbers[:0:-1]
    assert listed(f"limit=2&after={numbers[1]}") == [numbers[0]]
    assert town[""].get("/reports?state=nonsense").status_code == 400
    town.town.passes(days(29))
    assert listed("") == []
    assert "Nothing was reported in the last weeks" in town[""].get("/reports").text


def test_as_geojson_each_report_is_a_point(town: Reported) -> None:
    town.reports()
    (feature,) = town[""].get("/reports.geojson").json()["features"]
    assert feature["geometry"]["type"] == "Point"
    assert feature["properties"]["days"] == 0
