"""Open311 GeoReport v2: what programs report is taken once, what everybody may know is told, and nothing else."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_town import HERE, NOISE, Town, hear, open_town, refused

FIELDS = {
    *("service_request_id", "status", "status_notes", "service_name", "service_code", "description"),
    *("agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime"),
    *("address", "address_id", "zipcode", "lat", "long", "media_url"),
}
DAY = 86_400_000_000


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town that tests only look at, or whose refusals they count."""
    with open_town(tmp_path_factory.mktemp("town")) as town:
        town.files(description="The lamp at the corner is out.", address_string="1 River Street")
        town.files(service_code="E0301", description="Loud.", first_name="Min", last_name="Zhou", phone="13800001111")
        yield town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path) as opened:
        yield opened


# -- what is told


def test_services_are_the_public_classes(shared: Town) -> None:
    told = shared.get("/open311/v2/services.json").json()
    assert [each["service_code"] for each in told] == ["C0201", "E0301"]
    assert told[0] == {
        "service_code": "C0201",
        "service_name": "Street lamp",
        "description": "It is broken. It is dirty & <bad>.",
        "metadata": True,
        "type": "realtime",
        "keywords": "Lighting, 路灯",
        "group": "Lighting",
    }
    chinese = shared.client.get(f"{shared.url}/open311/v2/services.json", headers={"accept-language": "zh"}).json()
    assert chinese[0]["service_name"] == "路灯"


def test_a_definition_asks_which_condition_fits(shared: Town) -> None:
    told = shared.get("/open311/v2/services/C0201.json").json()
    first, *others = told["attributes"]
    assert told["service_code"] == "C0201"
    assert (first["code"], first["datatype"], first["required"], first["order"]) == (
        "condition",
        "singlevaluelist",
        False,
        1,
    )
    assert first["values"][0] == {"key": "broken", "name": "It is broken."}
    assert [each["variable"] for each in others] == [False, False]
    assert "2 hours" in others[0]["description"]
    assert refused(shared.get("/open311/v2/services/E0901.json"), 404) == "There is no service_code E0901."


def test_the_endpoint_is_discovered(shared: Town) -> None:
    told = shared.get("/open311/v2/discovery.json").json()
    assert set(told) == {"changeset", "contact", "key_service", "endpoints"}
    assert told["endpoints"][0]["url"] == f"{shared.url}/open311/v2"
    root = ElementTree.fromstring(shared.get("/open311/discovery.xml").content)
    assert [each.text for each in root.iter("format")] == ["text/xml", "application/json"]


def test_a_request_is_told_without_a_word_of_who_reported_it(shared: Town) -> None:
    told = shared.requests()
    assert [set(each) for each in told] == [FIELDS, FIELDS]
    noise, lamp = told
    assert lamp["service_name"] == "Street lamp"
    assert lamp["status"] == "open"
    assert lamp["status_notes"] == "It is under way with Hearing office; present step: Accept."
    assert lamp["agency_responsible"] == "Hearing office"
    assert (lamp["requested_datetime"], lamp["expected_datetime"]) == (
        "2026-11-20T08:00:00+08:00",
        "2026-11-20T09:00:00+08:00",
    )
    assert (lamp["long"], lamp["lat"]) == HERE
    assert lamp["address"] == "1 River Street"
    assert noise["address"] == "River Street"
    text = shared.get("/open311/v2/requests.json").text + shared.get("/open311/v2/requests.xml").text
    assert "Zhou" not in text
    assert "13800001111" not in text


def test_numbers_links_and_addresses_in_words_are_left_out(town: Town) -> None:
    town.files(
        description="Ring 138 0000 2222 or a.b@c.org, see https://evil.example/x", media_url="https://pic.example/1.jpg"
    )
    (told,) = town.requests()
    assert told["description"] == "Ring … or …, see …\n…"
    assert told["media_url"] is None


def test_only_open311s_own_words_are_told(town: Town) -> None:
    number = town.sends(text="路灯不亮", address="滨江路 12 号 3 单元 402").json()["number"]
    (told,) = town.requests()
    assert told["service_request_id"] == number
    assert (told["description"], told["address"]) == (None, "River Street")


def test_what_is_not_public_is_not_there(town: Town) -> None:
    hidden = town.sends(**{"class": ""}).json()["number"]
    private = town.hub.cases.open_case(hear, values={"class": "E0901", "street": "River Street"}, source="hotline")
    put_aside = town.sends().json()["number"]
    town.act(put_aside, "void", reason="A joke.")
    for number in (hidden, private.entry.number, put_aside, "20261120-999999", "x" * 300, "%00"):
        assert refused(town.get(f"/open311/v2/requests/{number}.json"), 404)
    assert town.requests() == []
    assert town.requests(service_request_id=f"{hidden},{put_aside}") == []


# -- what becomes of it


def test_a_request_goes_its_way(town: Town) -> None:
    number = town.files()
    town.clock.advance(60_000_000)
    town.act(number, "complete")
    (told,) = town.requests()
    assert told["status_notes"] == "It is under way with River Street crew; present step: Handle."
    assert told["updated_datetime"] == "2026-11-20T08:01:00+08:00"
    town.clock.advance(60_000_000)
    finish(town, number)
    (told,) = town.get(f"/open311/v2/requests/{number}.json").json()
    assert (told["status"], told["updated_datetime"]) == ("closed", "2026-11-20T08:02:00+08:00")
    assert told["status_notes"] == "It was put right and closed on 2026-11-20."
    assert told["expected_datetime"] is None


def finish(town: Town, number: str) -> None:
    town.act(number, "move", department="Hearing office", reason="nearer")
    town.act(number, "complete")


def test_a_request_that_was_put_aside_or_joined_says_so(town: Town) -> None:
    aside, joined, main = town.files(), town.files(description="Again."), town.files(description="Third.")
    town.act(aside, "void", reason="Nothing to see.")
    town.act(joined, "merge", into=town.hub.cases.get(main).entry.id, reason="The same.")
    told = {each["service_request_id"]: each for each in town.requests()}
    assert told[aside]["status"] == "closed"
    assert "not followed" in told[aside]["status_notes"]
    assert "Nothing to see" not in str(told)
    assert told[joined]["status"] == "open"
    assert told[joined]["status_notes"].startswith(f"It is handled together with {main}")
    town.act(main, "complete")
    finish(town, main)
    assert {each["service_request_id"] for each in town.requests(status="closed")} == {aside, joined, main}
    assert town.requests(status="open") == []


# -- which are told


def test_filters(town: Town) -> None:
    numbers = [
        town.files(description=f"No. {n}", service_code=code) for n, code in enumerate(("C0201", "E0301", "C0201"))
    ]
    town.clock.advance(10 * DAY)
    late = town.files(description="Later.", long=HERE[0] + 0.02)

    def found(**query: Any) -> list[str]:
        return [each["service_request_id"] for each in town.requests(**query)]

    assert found() == [late, *reversed(numbers)]
    assert found(service_code="E0301") == [numbers[1]]
    assert found(service_code="E0301,C0201", end_date="2026-11-21T00:00:00Z") == numbers[::-1]
    assert found(start_date="2026-11-25T00:00:00+08:00") == [late]
    assert found(start_date="2026-11-20", end_date="2026-11-21") == numbers[::-1]
    assert found(bbox="106.54,29.5,106.56,29.6") == numbers[::-1]
    assert found(updated_after="2026-11-29T00:00:00Z") == [late]
    assert found(service_request_id=f"{numbers[0]},{late},nothing", status="closed") == [late, numbers[0]]
    town.act(numbers[0], "note", text="Looked at.")
    assert found(updated_after="2026-11-29T00:00:00Z") == [late, numbers[0]]
    town.clock.advance(85 * DAY)
    assert found() == [late]


def test_pages_are_linked(town: Town) -> None:
    numbers = [town.files(description=f"No. {n}") for n in range(5)]
    url, seen = f"{town.url}/open311/v2/requests.json?per_page=2&status=open", []
    for _ in range(3):
        answer = town.client.get(url)
        seen += [each["service_request_id"] for each in answer.json()]
        url = answer.links["next"]["url"] if "next" in answer.links else ""
    assert url == ""
    assert seen == numbers[::-1]
    assert set(answer.links) == {"first", "prev"}
    assert len(town.requests(page_size=4)) == 4


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "yesterday"},
        {"start_date": "2026-11-20T08:00:00"},
        {"start_date": "2026-02-30T08:00:00Z"},
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"},
        {"start_date": "2026-06-01T00:00:00Z", "end_date": "2026-01-01T00:00:00Z"},
        {"status": "half"},
        {"page": "0"},
        {"page": "-1"},
        {"per_page": "5000"},
        {"bbox": "1,2,3"},
        {"bbox": "nan,0,1,1"},
        {"bbox": "10,0,1,1"},
        {"updated_after": "2020-01-01T00:00:00Z"},
        {"service_request_id": ",".join(map(str, range(1001)))},
    ],
)
def test_what_cannot_be_asked_is_said(shared: Town, query: dict[str, str]) -> None:
    refused(shared.get("/open311/v2/requests.json", **query), 400)


def test_an_unknown_service_or_jurisdiction_is_not_found(shared: Town, tmp_path: Path) -> None:
    refused(shared.get("/open311/v2/requests.json", service_code="X9"), 404)
    assert shared.get("/open311/v2/services.json", jurisdiction_id="any.org").status_code == 200
    with open_town(tmp_path, public_url="https://www.lichuan.example/hub") as town:
        for path in ("services", "services/C0201", "requests"):
            assert town.get(f"/open311/v2/{path}.json", jurisdiction_id="lichuan.example").status_code == 200
            assert "lichuan.example" in refused(town.get(f"/open311/v2/{path}.json", jurisdiction_id="sf.org"), 404)
        assert refused(town.post(jurisdiction_id="sf.org"), 404)
        told = town.get("/open311/v2/discovery.json").json()
        assert told["endpoints"][0]["url"] == "https://www.lichuan.example/hub/open311/v2"


WORDS = st.text(st.characters(codec="utf-8"), max_size=40)
NAMES = (
    "service_code",
    "start_date",
    "end_date",
    "status",
    "service_request_id",
    "page",
    "per_page",
    "bbox",
    "updated_after",
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.dictionaries(st.sampled_from(NAMES), WORDS), ending=st.sampled_from(("json", "xml")))
def test_whatever_is_asked_is_answered_or_refused(shared: Town, query: dict[str, str], ending: str) -> None:
    with_clock(shared)
    answer = shared.get(f"/open311/v2/requests.{ending}", **query)
    assert answer.status_code in (200, 400, 404), answer.text
    if ending == "xml":
        ElementTree.fromstring(answer.content)


def with_clock(town: Town) -> None:
    """A minute later, so that nobody comes too often."""
    town.clock.advance(1_000_000)


# -- two forms


def test_xml_says_what_json_says(town: Town) -> None:
    town.files(description="Out & <dark>.\nFor days.")
    town.files(service_code="E0301", lat=None, long=None, address_string="1 River Street")
    for path in ("services", "services/C0201", "requests", "services/nothing", "discovery"):
        told = town.get(f"/open311/v2/{path}.json")
        answer = town.get(f"/open311/v2/{path}.xml")
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert told.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.status_code == told.status_code
        assert answer.content.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
        assert plain(ElementTree.fromstring(answer.content)) == as_text(told.json())


def plain(element: ElementTree.Element) -> Any:
    """An element as the same data that JSON has, every value as text."""
    children = list(element)
    if not children:
        return [] if element.tag == "values" else element.text or ""
    if len({child.tag for child in children}) == 1 and children[0].tag in element.tag.replace("service_", ""):
        return [plain(child) for child in children]
    return {child.tag: plain(child) for child in children}


def as_text(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: as_text(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_text(value) for value in data]
    return "" if data is None else str(data).lower() if isinstance(data, bool) else str(data)


def test_signs_that_xml_cannot_hold_do_not_break_it(town: Town) -> None:
    town.files(description="a\x01b\x0bc\ufffed <&> \U0001f6a7 ]]>")
    root = ElementTree.fromstring(town.get("/open311/v2/requests.xml").content)
    assert "<&> \U0001f6a7 ]]>" in (root.findtext("request/description") or "")


def test_without_an_ending_the_header_says_which(shared: Town) -> None:
    path = f"{shared.url}/open311/v2/services"
    told = {
        accept: shared.client.get(path, headers={"accept": accept})
        for accept in ("*/*", "text/xml", "application/json")
    }
    assert [each.headers["content-type"].split(";")[0] for each in told.values()] == [
        "application/json",
        "text/xml",
        "application/json",
    ]


def test_a_token_is_the_number(shared: Town) -> None:
    number = shared.requests()[0]["service_request_id"]
    assert shared.get(f"/open311/v2/tokens/{number}.json").json() == [{"service_request_id": number, "token": number}]
    refused(shared.get("/open311/v2/tokens/nothing.json"), 404)


def test_a_retired_class_still_tells_its_cases(town: Town) -> None:
    town.files(service_code="E0301")
    town.clock.advance(DAY)
    with town.hub.store.write() as conn:
        gone = type(NOISE)(
            **{f: getattr(NOISE, f) for f in NOISE.__dataclass_fields__}
            | {"retired": True, "since": town.hub.classes.today()}
        )
        town.hub.classes.put(conn, hear.key(), gone, "test")
    assert [each["service_code"] for each in town.get("/open311/v2/services.json").json()] == ["C0201"]
    assert [each["service_code"] for each in town.requests()] == ["E0301"]
    refused(town.post(service_code="E0301"), 404)


def test_other_pages_may_read_what_is_public(shared: Town) -> None:
    for path, ending in itertools.product(("services", "requests"), ("json", "xml")):
        headers = shared.get(f"/open311/v2/{path}.{ending}").headers
        assert headers["access-control-allow-origin"] == "*"
        assert headers["x-content-type-options"] == "nosniff"
