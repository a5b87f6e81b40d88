"""What another city asks about a report is asked on the desk, and sent as Open311 writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from street_town import open_street
from stub_city import ATTRIBUTES, Stub, stub_city

from cheng.apps.city.urban_management import handle_report
from cheng.infrastructure.neighbours import Neighbour
from cheng.protocols.open311_passing import OpenCities

FAR = "Far"
MORE: list[dict[str, Any]] = [
    *ATTRIBUTES,
    {"code": "kinds", "datatype": "multivaluelist", "description": "Of what?", "values": ATTRIBUTES[0]["values"]},
    {"code": "metres", "datatype": "number", "description": "How far?", "datatype_description": "in metres"},
    {"code": "seen at", "datatype": "datetime", "description": "Seen when?"},
    {"code": "more", "datatype": "text", "description": "Anything <else>?"},
    {"code": "colour", "datatype": "string", "description": "Which colour?"},
]
GIVEN = {"text": "Rubbish", "reason": "Theirs.", "about-size": "l"}


@pytest.fixture
def far() -> Iterator[Stub]:
    with stub_city() as stub:
        written = stub.written("service_definition", {"service_code": "rubbish", "attributes": MORE})
        stub.reply = lambda method, path: written if path == "services/rubbish" else None
        yield stub


@pytest.fixture
def desk(tmp_path: Path, far: Stub) -> Iterator[Any]:
    with open_street(tmp_path, language="en", neighbours=(Neighbour(FAR, far.url, "far.org", "key"),)) as found:
        found.hub.cities = OpenCities(found.hub, 2)
        yield found


def reported(desk: Any) -> str:
    told = {"class_code": "E0102", "place": (106.55, 29.56)}
    return str(desk.town.hears(handle_report, "Rubbish beyond the bridge", **told).number)


def sends(desk: Any, number: str, **fields: Any) -> Any:
    path = f"/desk/cases/{number}/pass-on"
    hidden = {"csrf": desk["shou"].form("/account"), "city": FAR, "service": "rubbish", "key": "k" * 20, "version": "1"}
    return desk["shou"].client.post(path, data=hidden | GIVEN | fields, follow_redirects=False)


def test_the_only_neighbour_is_chosen_and_its_services_are_offered(desk: Any) -> None:
    page = desk["shou"].get(f"/desk/cases/{reported(desk)}/pass-on").text
    assert '<optgroup label="Streets"><option value="rubbish">Rubbish</option></optgroup>' in page
    assert "Another city" not in page


def test_what_they_ask_is_asked_and_sent(desk: Any, far: Stub) -> None:
    number = reported(desk)
    page = desk["shou"].get(f"/desk/cases/{number}/pass-on", params={"service": "rubbish"}).text
    for text in ("How large?", "Of what?", "How far?", "in metres", "Seen when?", "Anything &lt;else&gt;?"):
        assert text in page
    assert "We come on Mondays." not in page
    more = {"about-kinds": ["s", "l"], "about-metres": "2.50", "about-seen-at": "2026-11-20T07:30", "about-more": "No"}
    assert sends(desk, number, **more).status_code == 303
    told = {name: value for name, value in far.posted[0].items() if name.startswith("attribute")}
    assert told == {
        "attribute[size]": "l",
        "attribute[kinds][]": "s,l",
        "attribute[metres]": "2.5",
        "attribute[seen at]": "2026-11-19T23:30:00Z",
        "attribute[more]": "No",
    }
    assert (far.posted[0]["lat"], far.posted[0]["long"]) == ("29.5600000", "106.5500000")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"about-size": ""}, "Please choose one of these."),
        ({"about-size": "huge"}, "Please choose one of these."),
        ({"about-kinds": ["s", "x"]}, "Please choose from these."),
        ({"about-metres": "far"}, "Please write a number."),
        ({"about-seen-at": "soon"}, "Please write a date and time"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_sent(
    desk: Any, far: Stub, fields: dict[str, Any], sentence: str
) -> None:
    number = reported(desk)
    answer = sends(desk, number, **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert far.posted == []
    assert desk.hub.cases.get(number).case.version == 1
