"""The door for front ends: a report with its photos is taken once, and everything that cannot be gets a sentence."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_town import HERE, OUTSIDE, PHOTO, Town, open_town
from sqlalchemy import select

from cheng.infrastructure.report_tables import reports
from cheng.security.actors import HOUSE, ROLES

PHOTO_TEXT = base64.b64encode(PHOTO).decode()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path, public_url="https://city.example") as opened:
        yield opened


def refused(answer: Any, status: int, code: str = "") -> str:
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert code in ("", problem["code"])
    assert problem["detail"][0].isupper() or problem["code"] == "not-understood"
    assert "{" not in problem["detail"] or problem["code"] == "not-understood"
    return str(problem["detail"])


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_report_is_filed_and_followed(town: Town) -> None:
    answer = town.sends(
        name="周敏", phone="138 0000 1111", address="滨江路 12 号", external="wx-7", photos=[PHOTO_TEXT]
    )
    assert answer.status_code == 201
    told = answer.json()
    assert set(told) == {"number", "secret", "url"}
    assert told["url"] == f"https://city.example/report/{told['number']}?key={told['secret']}"
    filed = town.hub.cases.get(told["number"])
    assert (filed.entry.class_code, filed.entry.text) == ("C0201", "路灯不亮")
    with town.hub.store.read() as conn:
        (row,) = conn.execute(select(reports)).mappings()
    assert (row["source"], row["name"], row["phone"], row["external"]) == ("wechat", "周敏", "13800001111", "wx-7")
    path = f"/ingest/reports/{told['number']}"
    stands = town.get(path, secret=told["secret"]).json()
    assert stands["state"] == "open"
    assert stands["agency"] == "Hearing office"
    assert "周敏" not in json.dumps(stands, ensure_ascii=False)
    for number, secret in ((told["number"], "wrong"), (told["number"], ""), ("20261120-000099", told["secret"])):
        sentence = refused(town.get(f"/ingest/reports/{number}", secret=secret), 404, "no-such-case")
        assert sentence == f"There is no case {number}."


def test_the_same_report_is_one(town: Town) -> None:
    first = town.sends().json()
    assert town.sends().json() == first
    keyed = town.sends(text="Another.", key="wx-1").json()
    assert keyed["number"] != first["number"]
    town.clock.advance(86_400_000_000)
    assert town.sends(text="Another.", key="wx-1").json() == keyed
    refused(town.sends(text="A third.", key="wx-1"), 422, "key-used")


def test_a_photo_may_come_before_its_report(town: Town) -> None:
    def brings(data: bytes, token: str) -> Any:
        return town.client.post(f"{town.url}/ingest/photos", content=data, headers=town.bearer(token))

    sha256 = brings(PHOTO, town.key).json()["photo"]
    assert town.sends(photos=[sha256]).status_code == 201
    other = town.hub.tokens.issue(HOUSE, "other", "reporter")
    refused(town.sends(other, photos=[sha256], text="Not mine."), 404, "no-file")
    refused(town.sends(photos=["0" * 64], text="Not there."), 404, "no-file")
    before = town.counted()
    for data, status in ((b"", 422), (b"text", 422), (b"<svg><script/></svg>", 422), (PHOTO + b"\0" * 50_000_000, 413)):
        refused(brings(data, town.key), status)
    refused(brings(PHOTO, "forged"), 401)
    assert town.counted() == before


BAD: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (422, "no-text", {"text": " "}),
    (422, "too-long", {"text": "x" * 4001}),
    (422, "no-such-class", {"class": "E0901"}),
    (422, "no-such-class", {"class": "X"}),
    (422, "no-such-source", {"source": "sensor"}),
    (422, "no-such-source", {"source": ""}),
    (422, "outside-the-city", {"place": OUTSIDE}),
    (422, "no-such-place", {"place": [500, 0]}),
    (404, "no-such-flow", {"flow": "nobody.does"}),
    (422, "not-base64", {"photos": ["%%%"]}),
    (422, "not-base64", {"photos": [""]}),
    (422, "not-a-photo", {"photos": [encoded(b"no photo at all")]}),
    (422, "not-a-photo", {"photos": [encoded(b"%PDF-1.7")]}),
    (422, "not-a-photo", {"photos": [encoded(b"<svg xmlns='x'><script>alert(1)</script></svg>")]}),
    (422, "script-in-photo", {"photos": [encoded(PHOTO + b"<script>alert(1)</script>")]}),
    (413, "too-big", {"photos": [encoded(PHOTO + b"\0" * 11_000_000)]}),
    (413, "too-big", {"photos": [encoded(PHOTO + b"\0" * 50_000_000)] * 3}),
    (422, "too-many-photos", {"photos": [PHOTO_TEXT] * 10}),
    (422, "bad-key-of-request", {"key": "a\nb"}),
    (400, "not-understood", {"colour": "red"}),
    (400, "not-understood", {"place": "here"}),
    (400, "not-understood", {"text": 5}),
)


@pytest.mark.parametrize(("status", "code", "report"), BAD, ids=lambda each: str(each)[:40])
def test_what_cannot_be_gets_a_sentence_and_leaves_nothing(
    shared: Town, status: int, code: str, report: dict[str, Any]
) -> None:
    before = shared.counted()
    refused(shared.sends(**report), status, code)
    assert shared.counted() == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"source":"wechat"', b"[" * 100_000])
def test_what_is_no_report_is_said(shared: Town, body: bytes) -> None:
    answer = shared.client.post(f"{shared.url}/ingest/reports", content=body, headers=shared.bearer(shared.key))
    refused(answer, 400, "not-understood")


def test_who_may_send(shared: Town) -> None:
    taken = set()
    for role in ("reporter", "device", *ROLES):
        token = shared.hub.tokens.issue(HOUSE, f"of {role}", role, {"ids": ["pole-1"]})
        before = shared.counted()
        if (answer := shared.sends(token, text=f"As {role}.")).status_code == 201:
            taken.add(role)
        else:
            refused(answer, 403)
            assert shared.counted() == before
    assert taken == {"reporter", "citizen", "officer", "dispatcher"}
    shared.hub.tokens.revoke(HOUSE, "of reporter")
    before = shared.counted()
    for forged in ("", "wrong", "cheng_" + "x" * 43, shared.key + "x"):
        answer = shared.sends(forged)
        refused(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert shared.counted() == before


VALUES = st.none() | st.integers() | st.text(max_size=20) | st.lists(st.floats(-1e6, 1e6), max_size=3)
NAMES = ("source", "text", "class", "place", "address", "phone", "photos", "key", "external", "flow", "lang")


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_whatever_is_sent_is_taken_or_refused(shared: Town, report: dict[str, Any]) -> None:
    shared.clock.advance(1_000_000)
    told = {"text": "Fuzz.", "source": "portal", "place": list(HERE)} | report
    answer = shared.client.post(f"{shared.url}/ingest/reports", json=told, headers=shared.bearer(shared.key))
    assert answer.status_code in (201, 400, 404, 413, 422), answer.text


def test_the_document_for_programs_tells_of_it(shared: Town) -> None:
    paths = shared.get("/api/openapi.json").json()["paths"]
    assert {"/ingest/reports", "/ingest/photos", "/ingest/reports/{number}", "/open311/v2/requests.json"} <= set(paths)
