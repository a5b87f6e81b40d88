"""Pages of the evaluation: who sees what, rankings and grades, numbers down to the cases, the report of a month."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from evaluated_town import DAY, OFFICES, Evaluated, live, open_evaluated

ROWS = "/evaluation.json?period=2026-11"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluated]:
    """Eleven days with sixty reports, and then one department late, excused, and one void case."""
    with open_evaluated(tmp_path_factory.mktemp("evaluated"), 1_795_132_800_000_000 - 12 * DAY) as opened:
        live(opened, 60, 11)
        yield opened


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Evaluated]:
    with open_evaluated(tmp_path) as opened:
        yield opened


def test_who_may_look(town: Evaluated) -> None:
    for name in ("eva", "dora", "lena", "rui", "chu"):
        assert town[name].get("/evaluation").status_code == 200, name
    for name in ("citi", "opal"):
        assert town[name].get("/evaluation").status_code == 403, name
        assert town[name].get("/evaluation/report").status_code == 403, name
    assert town[""].get("/evaluation").status_code in (302, 303, 401)


def test_a_ranking_has_points_grades_and_rates(town: Evaluated) -> None:
    told = town.json("eva", ROWS)
    rows = {row["name"]: row for row in told["rows"]}
    assert set(OFFICES) <= set(rows)
    scores = [row["score"] for row in told["rows"]]
    assert scores == sorted(scores, reverse=True)
    assert told["rows"][0]["rank"] == 1
    assert all(row["grade"] in "ABCDE" for row in told["rows"])
    assert rows["Cleaning Company"]["handled_in_time"] > rows["Road Repair"]["handled_in_time"]
    assert told["counts"]["report.all"] == 60


@pytest.mark.parametrize(
    "by",
    ["department", "district", "street", "community", "grid", "collector", "acceptor", "shift-leader", "dispatcher",
     "handler", "checker"],
)  # fmt: skip
def test_by_whatever_one_compares_there_is_a_page_and_a_file(town: Evaluated, by: str) -> None:
    page = town["eva"].get(f"/evaluation?period=2026-11&by={by}")
    assert page.status_code == 200
    told = town.json("eva", f"{ROWS}&by={by}")
    lines = town["eva"].get(f"/evaluation.csv?period=2026-11&by={by}").text.splitlines()
    assert len(lines) == 1 + len(told["rows"])
    for row in told["rows"]:
        subject = town.json("eva", row["url"].replace("/subject?", "/subject.json?"))
        assert subject["score"] == row["score"]
        assert subject["name"] == row["name"]


def test_a_number_opens_down_to_its_cases(town: Evaluated) -> None:
    subject = town.json("eva", "/evaluation/subject.json?by=city&period=2026-11")
    assert len(subject["rates"]) >= 12
    for rate in subject["rates"]:
        told = town.json("eva", rate["url"].replace("/cases?", "/cases.json?") + "&limit=1000")
        counted = [case for case in told["cases"] if not case["left_out"]]
        assert len(counted) == rate["below"], rate["rate"]
        assert sum(case["above"] == "yes" for case in counted) == rate["above"], rate["rate"]
        assert all(case["url"].startswith("/desk/cases/") for case in counted)
        assert town["eva"].get(rate["url"]).status_code == 200


def test_an_officer_sees_the_own_department(town: Evaluated) -> None:
    rows = town.json("chu", ROWS)["rows"]
    assert [row["name"] for row in rows] == ["Cleaning Company"]
    whole = town.json("chu", "/evaluation/subject.json?by=city&period=2026-11")
    own = town.json("eva", "/evaluation/subject.json?by=department&key=Cleaning+Company&period=2026-11")
    assert whole["counts"]["handle.due"] == own["counts"]["handle.due"]
    other = town["chu"].get("/evaluation/subject?by=department&key=Parks+Office&period=2026-11")
    assert other.status_code == 403
    page = town["chu"].get("/evaluation?period=2026-11&lang=en").text
    assert "Only what Cleaning Company has done is counted here." in page
    cases = town.json("chu", "/evaluation/cases.json?by=city&rate=handled&period=2026-11&limit=1000")["cases"]
    assert {case["department"] for case in cases} == {"Cleaning Company"}


def test_a_granted_appeal_stays_to_be_seen_and_leaves_the_rate(fresh: Evaluated) -> None:
    case = fresh.through(fresh.opens(), handling=30)
    path = "/evaluation/subject.json?by=department&key=Cleaning+Company&period=2026-11"
    before = {rate["rate"]: rate for rate in fresh.json("eva", path)["rates"]}
    assert (before["handled_in_time"]["above"], before["handled_in_time"]["below"]) == (0, 1)
    fresh.does(case, "appeal", "chu", reason="the road was flooded")
    fresh.does(case, "uphold", "rui")
    fresh.does(case, "uphold", "rong")
    after = {rate["rate"]: rate for rate in fresh.json("eva", path)["rates"]}
    assert "handled_in_time" not in after
    list_ = "/evaluation/cases.json?by=department&key=Cleaning+Company&rate=handled_in_time&period=2026-11"
    cases = fresh.json("eva", f"{list_}&lang=en")["cases"]
    assert [(one["number"], one["left_out"]) for one in cases] == [(case.entry.number, "appeal was granted")]


def test_where_and_when_most_is_reported(town: Evaluated) -> None:
    page = town["eva"].get("/evaluation?period=2026-11").text
    assert page.count('<path class="heat-') == 3
    assert 'class="heat-5"' in page
    told = town.json("eva", ROWS)
    assert sum(map(sum, told["hours"])) == 60
    assert town["eva"].get("/evaluation?period=2026-09").status_code == 200


def test_the_course_is_drawn_day_by_day(town: Evaluated) -> None:
    told = town.json("eva", "/evaluation/trend.json?period=2026-11&lang=en")
    assert [one["name"] for one in told["series"]] == [
        "Reported",
        "cases due for closing",
        "cases closed with every step in time",
    ]
    assert sum(n for _, n in told["series"][0]["points"]) == 60
    assert len(told["series"][0]["points"]) == 19


def test_what_people_said_is_weighed(town: Evaluated) -> None:
    line = town.json("eva", ROWS)["hotline"]
    assert line["valid"] > 0
    assert line["solution"] == line["solved"] / line["valid"]
    assert line["satisfaction"] == pytest.approx((line["satisfied"] + 0.9 * line["mostly"]) / line["valid"])
    assert line["points"]["satisfaction"] == pytest.approx(30 * line["satisfaction"], abs=0.01)


@pytest.mark.parametrize("period", ["2026-11", "2026-Q4", "2026", "2025"])
def test_periods_by_name(town: Evaluated, period: str) -> None:
    assert town["eva"].get(f"/evaluation?period={period}").status_code == 200
    assert town["eva"].get(f"/evaluation?period={period}&lang=zh_CN").status_code == 200


def test_periods_by_their_days(town: Evaluated) -> None:
    told = town.json("eva", "/evaluation.json?from=2026-11-08&to=2026-11-19")
    assert told["counts"]["report.all"] == 60
    assert town.json("eva", "/evaluation.json?from=2026-11-01&to=2026-11-07")["counts"]["report.all"] == 0


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("period=soon", "soon is no period; write 2026-11 for a month"),
        ("period=2026-13", "2026-13 is no period"),
        ("period=2027-01", "That period has not begun yet."),
        ("from=2026-11-31", "2026-11-31 is not a day"),
        ("from=2026-11-12&to=2026-11-01", "The first day has to lie before the last"),
        ("by=moon", "by has to be one of"),
        ("flow=nothing", "There are no cases here that could be evaluated."),
    ],
)
def test_what_is_no_period_or_subject_is_told_in_a_sentence(town: Evaluated, query: str, sentence: str) -> None:
    answer = town["eva"].get(f"/evaluation?{query}&lang=en")
    assert answer.status_code in (400, 404)
    assert sentence in answer.text


def test_a_subject_has_to_be_named(town: Evaluated) -> None:
    assert town["eva"].get("/evaluation/subject?by=department").status_code == 404
    nobody = town["eva"].get("/evaluation/subject?by=department&key=Nobody&period=2026-11&lang=en")
    assert nobody.status_code == 200
    assert "There was nothing to count in this period" in nobody.text


def test_the_report_of_a_month_is_a_page_and_a_pdf(town: Evaluated) -> None:
    told = town.json("eva", "/evaluation/report/2026-11.json")
    assert {one["by"] for one in told["rankings"]} >= {"department", "street", "collector", "dispatcher"}
    assert told["classes"]
    assert told["rates"]
    assert told["busiest"]
    page = town["eva"].get("/evaluation/report/2026-11")
    assert page.status_code == 200
    assert len(page.content) <= 100_000
    for language in ("en", "zh_CN"):
        paper = town["eva"].get(f"/evaluation/report/2026-11/report.pdf?lang={language}")
        assert paper.headers["content-type"] == "application/pdf"
        assert paper.content.startswith(b"%PDF")
        assert len(paper.content) <= 100_000
    assert town["eva"].get("/evaluation/report").status_code == 200
    assert town["eva"].get("/evaluation/report/soon").status_code == 404
    assert town["eva"].get("/evaluation/report/2031-01").status_code == 400


def test_pages_stay_small(town: Evaluated) -> None:
    for path in ("/evaluation?period=2026-11", "/evaluation/subject?by=city&period=2026-11"):
        assert len(town["eva"].get(path).content) <= 100_000


def test_the_chore_keeps_the_columns(town: Evaluated) -> None:
    assert town.town.hub.evaluation.keep() == 60
