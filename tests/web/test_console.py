"""The console: for operators alone, every act in the audit, nothing secret shown twice."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import PASSWORD, Visitor, json_of
from sqlalchemy import select, text
from waterworks import MINUTE, open_waterworks, report

from cheng.hub import Hub
from cheng.infrastructure.tables import audit
from cheng.intake_retry import as_lines, retry_of
from cheng.protocols.intake import Intake
from cheng.security.actors import HOUSE
from cheng.worker import Worker

Come = Callable[..., Visitor]
PAGES = (
    "/console",
    "/console/flows",
    "/console/refused",
    "/console/silent",
    "/console/tokens",
    "/console/accounts",
    "/console/audit",
)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = open_waterworks(tmp_path)
    yield opened
    opened.close()


def deeds(hub: Hub, verb: str) -> list[dict[str, Any]]:
    with hub.store.read() as conn:
        return [dict(row) for row in conn.execute(select(audit).where(audit.c.verb == verb)).mappings()]


def send(hub: Hub, payload: bytes) -> None:
    asyncio.run(Intake(hub).take(payload, "application/x-ndjson", HOUSE, "http"))


@pytest.mark.parametrize("path", PAGES)
def test_operators_come_in_and_nobody_else(visitor: Come, path: str) -> None:
    for ending in ("", ".json"):
        assert visitor("operator").get(path + ending).status_code == 200
        others = ("citizen", "officer") if "audit" in path else ("citizen", "officer", "leader")
        for role in others:
            assert visitor(role).get(path + ending).status_code == 403
        assert visitor().get(path + ".json").status_code == 401


def test_the_numbers_of_now(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [20.0, 99_999.0])
    send(hub, b'{"id":"hydrant-1","attr":"pressure","time":"yesterday","value":3}')
    told = json_of(visitor("operator"), "/console/flows.json")
    assert (told["accepted"], told["marked"], told["refused"], told["commits"]) == (2, 1, 1, 1)
    assert told["devices"] is None


def test_what_is_kept_and_what_runs(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [20.0])
    told = json_of(visitor("operator"), "/console.json")
    assert told["storage"]["readings"] == 1
    assert told["storage"]["keep_readings"] == hub.settings.keep_readings
    assert {part["name"] for part in told["versions"]} >= {"Python", "cheng", "numba"}
    assert told["failing"] == []


def test_a_job_is_run_by_hand(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    assert operator.send("/console/jobs/house.tidy", "/account/password").status_code == 409
    hub.worker = Worker(hub)  # as `serve` does
    answer = operator.send("/console/jobs/house.tidy", "/console")
    hub.worker.stop()
    assert answer.status_code == 303
    assert deeds(hub, "run")[0]["object"] == "job:house.tidy"
    assert operator.get("/console/jobs/house.tidy").status_code == 200
    assert operator.send("/console/jobs/house.nothing", "/console").status_code == 404


# -- refused payloads


def test_a_refused_payload_is_shown_with_its_reason_and_does_no_harm(hub: Hub, visitor: Come) -> None:
    send(hub, b'{"id":"hydrant-1","attr":"pressure","time":"<script>alert(1)</script>","value":3}')
    operator = visitor("operator")
    (row,) = json_of(operator, "/console/refused.json")["refused"]
    assert row["code"] == "bad-time"
    for path in ("/console/refused", f"/console/refused/{row['id']}"):
        page = operator.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
    assert operator.get("/console/refused/99").status_code == 404


def test_a_mended_payload_is_taken(hub: Hub, visitor: Come) -> None:
    send(hub, b'{"id":"hydrant-1","attr":"pressure","time":"yesterday","value":3}')
    operator = visitor("operator")
    page = "/console/refused/1"
    mended = '{"id":"hydrant-1","attr":"pressure","time":"2026-11-20T07:59:00+08:00","value":3}'
    assert operator.send(f"{page}/retry", page, payload=mended).status_code == 409
    hub.retry = retry_of(hub)  # as `serve` does
    wrong = operator.send(f"{page}/retry", page, payload='{"id":"hydrant-1","attr":"pressure","time":"x","value":3}')
    assert wrong.status_code == 422
    assert hub.refused.get(1).state == "kept"
    assert operator.send(f"{page}/retry", page, payload=mended).status_code == 303
    assert hub.history.count() == 1
    assert hub.refused.get(1).state == "retried"
    assert deeds(hub, "retry-refused")[-1]["detail"] == {"accepted": 1, "refused": 0}
    assert operator.send(f"{page}/retry", "/account/password", payload=mended).status_code == 409


def test_a_payload_is_dropped_and_stays_findable(hub: Hub, visitor: Come) -> None:
    send(hub, b"{}")
    operator = visitor("operator")
    assert operator.send("/console/refused/1/drop", "/console/refused/1").status_code == 303
    assert json_of(operator, "/console/refused.json")["refused"] == []
    assert len(json_of(operator, "/console/refused.json?state=dropped")["refused"]) == 1
    assert deeds(hub, "retry-refused")[0]["detail"]["deed"] == "drop"


def test_what_came_by_mqtt_can_be_sent_again() -> None:
    line = as_lines(b"cheng/hydrant-1/pressure 12.5", 1_795_132_800_000_000)
    assert line == b'{"id":"hydrant-1","attr":"pressure","time":"2026-11-20T00:00:00+00:00","value":12.5}'
    two = as_lines(b'cheng/hydrant-1 {"pressure": 1, "valve": "open"}', 0)
    assert two.count(b"\n") == 1
    assert as_lines(b'{"id": "a"}', 0) == b'{"id": "a"}'


# -- silent devices


def test_devices_that_say_nothing_are_listed(hub: Hub, visitor: Come) -> None:
    report(hub, "hydrant-1", [20.0])
    hub.clock.advance(2 * MINUTE)  # type: ignore[attr-defined]  # a manual clock
    report(hub, "hydrant-2", [20.0])
    assert json_of(visitor("operator"), "/console/silent.json")["total"] == 0
    hub.clock.advance(2 * MINUTE)  # type: ignore[attr-defined]
    told = json_of(visitor("operator"), "/console/silent.json")
    silent = {row["id"]: row for row in told["silent"]}
    assert silent.keys() == {"hydrant-1", "hydrant-3", "hydrant-4"}
    assert silent["hydrant-3"]["last_heard"] is None
    assert told["by_type"] == {"Hydrant": 3}
    hub.clock.advance(24 * 60 * MINUTE)  # type: ignore[attr-defined]
    assert "ledger-1" in {row["id"] for row in json_of(visitor("operator"), "/console/silent.json")["silent"]}
    assert len(visitor("operator").get("/console/silent.csv?type=Hydrant").text.splitlines()) == 5


# -- tokens


def test_a_token_is_shown_once_and_works_until_it_is_revoked(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    page = operator.send("/console/tokens", name="gateway 7", role="device", ids="hydrant-1, hydrant-2")
    token = re.search(r"cheng_[\w-]+", page.text)
    assert token is not None
    assert page.headers["cache-control"] == "no-store"
    actor = hub.tokens.actor(token[0])
    assert actor is not None
    assert actor.scope.ids == {"hydrant-1", "hydrant-2"}
    for path in ("/console/tokens", "/console/tokens.json", "/console/tokens.csv", "/console/audit"):
        assert token[0] not in operator.get(path).text
    operator.send("/console/tokens/revoke", "/console/tokens", name="gateway 7")
    assert hub.tokens.actor(token[0]) is None
    assert [row["detail"]["deed"] for row in deeds(hub, "manage-tokens")] == ["issue", "revoke"]


def test_a_device_has_to_speak_for_something(visitor: Come) -> None:
    operator = visitor("operator")
    assert operator.send("/console/tokens", name="gateway", role="device").status_code == 422
    assert operator.send("/console/tokens", name="", role="operator").status_code == 422
    assert operator.send("/console/tokens", name="x", role="emperor").status_code == 422


# -- accounts


def test_a_new_account_gets_a_password_for_one_sign_in(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    page = operator.send(
        "/console/accounts", name="zhao.min", display_name="赵敏", roles="officer", department="Water office"
    )
    password = re.search(r"<code>([a-z0-9]{5}(?:-[a-z0-9]{5}){4})</code>", page.text)
    assert password is not None
    newcomer = visitor()
    assert newcomer.send("/sign-in", name="zhao.min", password=password[1]).status_code == 303
    assert newcomer.get("/").headers["location"].endswith("/account/password")
    assert password[1] not in operator.get("/console/accounts").text
    assert password[1] not in operator.get("/console/audit").text


def test_an_account_is_changed_disabled_and_let_in_again(hub: Hub, visitor: Come) -> None:
    operator, officer = visitor("operator"), visitor("officer")
    page = "/console/accounts/officer"
    fields = {"display_name": "Li Wei", "roles": "leader", "department": "Park office"}
    assert operator.send(page, **fields).status_code == 303
    assert hub.accounts.find("officer")["roles"] == ["leader"]
    operator.send(f"{page}/disable", page, disabled="1")
    assert officer.get("/things/Ledger.json").status_code == 403  # a stranger now
    operator.send(f"{page}/disable", page, disabled="0")
    assert visitor("officer").get("/things/Ledger.json").status_code == 200
    answer = operator.send(f"{page}/password", page)
    assert re.search(r"<code>[a-z0-9]{5}-", answer.text)
    assert len(deeds(hub, "manage-accounts")) >= 4


def test_nobody_changes_the_own_account(visitor: Come) -> None:
    operator = visitor("operator")
    page = "/console/accounts/operator"
    answer = operator.send(page, display_name="King", roles="operator")
    assert answer.status_code == 422
    assert operator.send(f"{page}/disable", page, disabled="1").status_code == 403
    assert operator.get("/console/accounts/nobody").status_code == 404


def test_an_account_needs_a_name_and_a_role(visitor: Come) -> None:
    operator = visitor("operator")
    assert operator.send("/console/accounts", name="zhao", display_name="赵敏").status_code == 422
    taken = operator.send("/console/accounts", name="officer", display_name="赵敏", roles="officer")
    assert taken.status_code == 422
    assert 'value="赵敏"' in taken.text


# -- audit


def test_the_audit_is_searched_and_read_page_by_page(visitor: Come) -> None:
    operator = visitor("operator")
    visitor("citizen").get("/console")
    everything = json_of(operator, "/console/audit.json")["audit"]
    refused = json_of(operator, "/console/audit.json?outcome=refused")["audit"]
    assert [row["actor"] for row in refused] == ["citizen"]
    assert {row["actor"] for row in json_of(operator, "/console/audit.json?actor=operator")["audit"]} == {"operator"}
    assert json_of(operator, "/console/audit.json?object=account:cit")["audit"]
    first = json_of(operator, "/console/audit.json?limit=2")
    assert first["next"] == first["audit"][-1]["seq"]
    assert (
        json_of(operator, f"/console/audit.json?limit=2&before={first['next']}")["audit"][0]["seq"] == first["next"] - 1
    )
    assert len(everything) > 4


def test_the_chain_is_checked_and_a_changed_row_is_found(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    page = operator.send("/console/audit/verify", "/console/audit")
    assert "审计链完整" in page.text
    with hub.store.write() as conn:
        conn.execute(text("DROP TRIGGER IF EXISTS audit_no_update"))
        for (name,) in conn.execute(
            text("SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='audit'")
        ).all():
            conn.execute(text(f'DROP TRIGGER "{name}"'))
        conn.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 2"))
    page = operator.send("/console/audit/verify", "/console/audit")
    assert "审计链已断裂" in page.text


def test_the_leader_may_read_it_too(visitor: Come) -> None:
    assert visitor("leader").get("/console/audit").status_code == 200


def test_a_session_ends_with_its_account(hub: Hub, visitor: Come) -> None:
    assert visitor("officer").sign_in is not None
    assert PASSWORD not in str(deeds(hub, "sign-in"))


def test_a_token_is_renewed_and_the_old_secret_is_worth_nothing(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    old = hub.tokens.issue(HOUSE, "gateway 7", "device", {"ids": ["hydrant-1"]})
    page = operator.send("/console/tokens/renew", "/console/tokens", name="gateway 7")
    new = re.search(r"cheng_[\w-]+", page.text)
    assert new is not None
    assert hub.tokens.actor(old) is None
    actor = hub.tokens.actor(new[0])
    assert actor is not None
    assert actor.scope.ids == {"hydrant-1"}
    assert [row["detail"]["deed"] for row in deeds(hub, "manage-tokens")] == ["issue", "renew"]
    assert operator.send("/console/tokens/renew", "/console/tokens", name="nobody").status_code == 404


def test_tokens_are_found(hub: Hub, visitor: Come) -> None:
    operator = visitor("operator")
    for name in ("gateway 7", "gateway 8"):
        hub.tokens.issue(HOUSE, name, "device", {"ids": ["hydrant-1"]})
    hub.tokens.revoke(HOUSE, "gateway 8")
    names = {
        state: [row["name"] for row in json_of(operator, f"/console/tokens.json?state={state}")["tokens"]]
        for state in ("in-force", "unused", "revoked", "all")
    }
    assert names["in-force"] == names["unused"] == ["gateway 7"]
    assert names["revoked"] == ["gateway 8"]
    assert names["all"] == ["gateway 7", "gateway 8"]
    assert len(json_of(operator, "/console/tokens.json?state=all&q=HYDRANT-1")["tokens"]) == 2
    assert operator.get("/console/tokens?q=nothing").status_code == 200
