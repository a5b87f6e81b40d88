"""Cases of another system before those who handle them here: where they begin, who closed them, and work still open."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_town import Desk, picture
from house import PASSWORD

from cheng.apps.city import urban_management
from cheng.loading import CaseTable, Taken, load_cases
from cheng.loading_targets import HereTarget
from cheng.protocols.files_cases import CaseReading
from cheng.security.actors import HOUSE
from cheng.testing import city
from cheng.web.app import create_app

ROWS = """id,opened,closed,due,class,group,department,text,note
7,2026-03-02 08:00:00,2026-03-04 17:00:00,2026-03-03 18:00:00,Lamp,Lights,Lighting Office,It is dark,It is lit again
8,2026-03-02 09:00:00,,2026-12-05 18:00:00,Lamp,Lights,Lighting Office,It flickers,
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with city(tmp_path / "data", urban_management) as town:
        town.hub.accounts.create(HOUSE, "chu", "Chu", ["officer", "handler"], "Lighting Office", PASSWORD)
        (tmp_path / "cases.csv").write_text(ROWS, "utf-8")
        table = CaseTable("", ("13", "working days"), "", [])
        load_cases(HereTarget(town.hub), table, tmp_path / "cases.csv", {}, quiet, CaseReading())
        yield Desk(town, create_app(town.hub))


def quiet(rows: int, total: int, taken: Taken) -> None:
    """Nobody watches."""


def test_the_page_begins_where_the_record_does_and_names_each_once(desk: Desk) -> None:
    page = desk.json("chu", "/desk/cases/20260302-000001.json")
    assert [step["name"] for step in page["steps"]] == ["handle", "feedback"]
    assert [step["late"] for step in page["steps"]] == [True, True]
    done = page["acts"][0]
    assert (done["who"], done["department"], done["text"]) == ("Lighting Office", "", "It is lit again")
    assert "closed late" in desk["chu"].get("/desk/cases/20260302-000001").text


def test_what_is_still_open_is_finished_here(desk: Desk) -> None:
    number = "20260302-000002"
    assert [row["number"] for row in desk.json("chu", "/desk.json?tab=department")["cases"]] == [number]
    for _ in ("handle", "feedback"):
        desk.acts("chu", number, "complete", picture())
    assert desk.hub.cases.get(number).entry.state == "closed"
