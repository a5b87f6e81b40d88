"""Open311 GeoReport v2: a report is taken once, from those who may, and one that cannot be leaves nothing behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_town import OUTSIDE, PHOTO, Town, open_town, refused
from sqlalchemy import select

from cheng.infrastructure.report_tables import reports
from cheng.infrastructure.tables import audit
from cheng.protocols.filing import FROM_KEY, WRONG
from cheng.security.actors import HOUSE, ROLES

MAY_FILE = {"reporter", "citizen", "officer", "dispatcher"}
DAY = 86_400_000_000
WORDS = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose refusals are counted."""
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with open_town(tmp_path) as opened:
        yield opened


# -- what is filed


def test_a_report_is_filed_once(town: Town) -> None:
    first, again = town.post(), town.post()
    assert first.json() == again.json()
    assert set(first.json()[0]) == {"service_request_id", "service_notice", "account_id"}
    assert first.json()[0]["service_notice"].startswith("Your report arrived under the number 20261120-000001.")
    assert town.files(description="Another.") != first.json()[0]["service_request_id"]
    town.clock.advance(11 * 60_000_000)
    assert town.files() != first.json()[0]["service_request_id"]
    assert town.counted()[0] == 3


def test_a_key_of_the_request_makes_it_one_for_good(town: Town) -> None:
    first = town.files(headers={"idempotency-key": "k1"})
    town.clock.advance(DAY)
    assert town.files(headers={"idempotency-key": "k1"}) == first
    assert refused(town.post(headers={"idempotency-key": "k1"}, description="Something else."), 400)
    other = town.hub.tokens.issue(HOUSE, "other", "reporter")
    assert town.files(headers={"idempotency-key": "k1"}, api_key=other) != first
    assert refused(town.post(headers={"idempotency-key": "k" * 201}), 400)


def test_who_reports_is_kept_for_those_who_need_it(town: Town) -> None:
    town.files(first_name="敏", last_name="周", phone="138-0000-1111", email="m@z.cn", device_id="d", account_id="a")
    with town.hub.store.read() as conn:
        (row,) = conn.execute(select(reports)).mappings()
        rows = conn.execute(select(audit.c.actor, audit.c.verb, audit.c.object)).all()
    assert (row["name"], row["phone"], row["email"], row["source"]) == ("周敏", "13800001111", "m@z.cn", "open311")
    assert ("token:city-app", "report", "case:20261120-000001") in [tuple(each) for each in rows]


def test_conditions_links_and_photos_come_along(town: Town) -> None:
    number = town.files(
        **{"attribute[condition]": "broken", "media_url": "https://pic.example/1.jpg"},
        files={"media": ("p.jpg", PHOTO, "image/jpeg")},
    )
    filed = town.hub.cases.get(number)
    assert filed.entry.text == "The lamp is out.\nIt is broken.\nhttps://pic.example/1.jpg"
    assert town.counted() == (1, 1, 1, 1, 1)
    assert filed.entry.class_code == "C0201"


def test_a_place_is_a_point_an_address_or_a_thing_of_the_register(town: Town) -> None:
    assert town.files(lat=None, long=None, address_string="1 River Street")
    number = town.files(lat=None, long=None, address_id="pole-1")
    assert town.hub.cases.get(number).entry.thing_id == "pole-1"
    for hidden in ("safe-1", "nothing"):
        assert "address_id" in refused(town.post(lat=None, long=None, address_id=hidden), 404)


BAD: tuple[tuple[int, dict[str, Any]], ...] = (
    (400, {"service_code": None}),
    (404, {"service_code": "E0901"}),
    (404, {"service_code": "<b>"}),
    (400, {"lat": None, "long": None}),
    (400, {"lat": None}),
    (400, {"lat": "north"}),
    (400, {"lat": "nan"}),
    (400, {"lat": "1e400"}),
    (400, {"lat": OUTSIDE[1], "long": OUTSIDE[0]}),
    (400, {"description": "x" * 4001}),
    (400, {"attribute[condition]": "unheard-of"}),
    (400, {"attribute[colour]": "red"}),
    (400, {"media_url": "javascript:alert(1)"}),
    (400, {"media_url": "file:///etc/passwd"}),
    (400, {"first_name": "x" * 200}),
)
PICTURES = {
    "text": b"no picture at all",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "script": PHOTO[:-2] + b"<SCRIPT>alert(1)</script>" + PHOTO[-2:],
    "pdf": b"%PDF-1.7",
    "eleven-megabytes": PHOTO + b"\0" * 11_000_000,
    "fifty-megabytes": PHOTO + b"\0" * 50_000_000,
}


@pytest.mark.parametrize(("status", "form"), BAD)
def test_a_report_that_cannot_be_is_refused_and_leaves_nothing(shared: Town, status: int, form: dict[str, Any]) -> None:
    before = shared.counted()
    refused(shared.post(**form), status)
    assert shared.counted() == before


@pytest.mark.parametrize("kind", PICTURES)
def test_a_photo_that_is_none_is_refused_and_leaves_nothing(shared: Town, kind: str) -> None:
    before = shared.counted()
    refused(shared.post(description=kind, files={"media": ("p.jpg", PICTURES[kind], "image/jpeg")}), 400)
    assert shared.counted() == before


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(
        st.sampled_from(
            ("service_code", "lat", "long", "address_string", "address_id", "description", "media_url", "email")
        )
        | WORDS.filter(lambda name: name not in ("api_key", "")),
        WORDS,
    )
)
def test_whatever_is_sent_is_taken_or_refused(shared: Town, form: dict[str, str]) -> None:
    shared.clock.advance(1_000_000)
    answer = shared.post(**form) if "ending" not in form else shared.get("/open311/v2/services.json")
    assert answer.status_code in (200, 400, 404), answer.text


# -- who may


def test_who_may_file(shared: Town) -> None:
    """Every role; a forged, a revoked and a missing key."""
    taken = set()
    for role in ("reporter", "device", *ROLES):
        scope = {"prefixes": ["pole"]} if role == "device" else None
        token = shared.hub.tokens.issue(HOUSE, f"of {role}", role, scope)
        before = shared.counted()
        answer = shared.post(api_key=token, description=f"As {role}.")
        if answer.status_code == 200:
            taken.add(role)
        else:
            refused(answer, 403)
            assert shared.counted() == before
    assert taken == MAY_FILE
    revoked = shared.hub.tokens.issue(HOUSE, "gone", "reporter")
    shared.hub.tokens.revoke(HOUSE, "gone")
    before = shared.counted()
    for key in (None, "", "wrong", "cheng_" + "x" * 43, revoked, shared.key[:-1], shared.key + "x"):
        refused(shared.post(api_key=key, description="Forged."), 403)
    assert shared.counted() == before


def test_a_key_may_come_as_a_bearer_token(shared: Town) -> None:
    headers = shared.bearer(shared.key)
    assert shared.post(api_key=None, description="By header.", headers=headers).status_code == 200


def test_who_comes_too_often_is_asked_to_wait(town: Town) -> None:
    answers = [town.post(api_key=f"guess-{n}") for n in range(WRONG + 1)]
    assert [answer.status_code for answer in answers] == [403] * WRONG + [429]
    assert answers[-1].headers["retry-after"] == "60"
    statuses = [town.post(lat="north").status_code for _ in range(FROM_KEY + 1)]
    assert statuses[-1] == 429
    town.clock.advance(60_000_000)
    assert town.post().status_code == 200
