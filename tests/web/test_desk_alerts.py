"""The alerts of the desk: who sees which, what is said about each, and quiet that ends by itself."""

import asyncio
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from desk_town import EAST, WEST, Desk, cover, open_desk

from cheng.security.actors import Actor
from cheng.standards.durations import hours, minutes
from cheng.web.ask import Ask
from cheng.web.house import live
from cheng.web.house.crier import Crier
from cheng.web.local import Local
from cheng.web.shared import Shared
from cheng.web.texts import Language


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("desk"), many=120) as made:
        yield made


@pytest.fixture
def at(desk: Desk) -> int:
    """A cover in the east that has just been tipped. The one after it lies west."""
    desk.visitors.clear()
    desk.used += 2
    desk.tips(desk.used)
    return desk.used


@pytest.fixture
def number(desk: Desk, at: int) -> str:
    """The number of its alert."""
    return number_of(desk, at)


def number_of(desk: Desk, at: int) -> str:
    rows = desk.json("lena", f"/desk/alerts.json?view=all&thing={cover(at)}")["alerts"]
    return str(rows[0]["number"])


def things(desk: Desk, name: str, query: str = "") -> list[str]:
    return [row["thing"] for row in desk.json(name, f"/desk/alerts.json?{query}")["alerts"]]


def send(desk: Desk, name: str, path: str, page: str = "", **fields: str) -> Any:
    return desk[name].send(path, page, **fields)


class TestWhose:
    def test_the_owner_sees_it_and_the_crew_that_is_asked(self, desk: Desk, at: int) -> None:
        for name in ("li", "wang", "lena", "dora", "opal"):
            assert cover(at) in things(desk, name, "limit=200"), name

    def test_other_departments_do_not(self, desk: Desk, at: int, number: str) -> None:
        for name in ("he", "nobody"):
            for ending in ("", ".json", ".csv", ".geojson"):
                assert cover(at) not in desk[name].get(f"/desk/alerts{ending}?view=all&limit=200").text
            answer = desk[name].get(f"/desk/alerts/{number}")
            assert answer.status_code == 404
            assert (name, "see", "refused", "not-yours") in desk.audit(f"alert:{number}")

    def test_citizens_and_strangers_do_not(self, desk: Desk, number: str) -> None:
        assert desk["citi"].get("/desk/alerts").status_code == 403
        assert desk["citi"].get(f"/desk/alerts/{number}").status_code == 403
        answer = desk[""].get("/desk/alerts.json")
        assert answer.status_code in (401, 403)
        assert cover(0) not in answer.text

    def test_the_case_is_linked_for_those_who_see_it(self, desk: Desk, at: int, number: str) -> None:
        assert desk.json("li", f"/desk/alerts/{number}.json")["case"]["number"] == desk.number(at)
        assert desk.json("wang", f"/desk/alerts/{number}.json")["case"] is None
        assert desk.json("opal", f"/desk/alerts/{number}.json")["case"] is None


class TestList:
    def test_standing_ones_first(self, desk: Desk, at: int) -> None:
        desk.used += 2
        desk.tips(desk.used)
        desk.lies_flat(at)
        assert cover(at) not in things(desk, "li", "limit=200")
        listed = desk.json("li", "/desk/alerts.json?view=all&limit=200")["alerts"]
        over = [row["over"] is not None and row["over"] != "" for row in listed]
        assert over == sorted(over)
        assert cover(at) in [row["thing"] for row in listed]

    @pytest.mark.parametrize("query", ["level=danger", "rule=manhole_covers.displaced", "area=area-east", "seen=no"])
    def test_filters_that_fit(self, desk: Desk, at: int, query: str) -> None:
        assert cover(at) in things(desk, "li", f"limit=200&{query}")

    @pytest.mark.parametrize("query", ["level=notice", "rule=x", "area=area-west", "seen=yes", "q=nothing", "thing=x"])
    def test_filters_that_do_not(self, desk: Desk, at: int, query: str) -> None:
        assert cover(at) not in things(desk, "li", f"limit=200&{query}")

    def test_every_alert_once_page_by_page(self, desk: Desk, at: int) -> None:
        seen, after = [], ""
        while True:
            page = desk.json("lena", f"/desk/alerts.json?view=all&limit=3&after={after}")
            seen += [row["number"] for row in page["alerts"]]
            after = page["next"]
            if not after:
                break
        whole = desk.json("lena", "/desk/alerts.json?view=all&limit=1000")["alerts"]
        assert seen == [row["number"] for row in whole]
        assert len(seen) == len(set(seen))

    def test_counts(self, desk: Desk, at: int) -> None:
        counts = desk.json("li", "/desk/alerts.json?limit=1000")["counts"]
        assert counts["danger"] == len(things(desk, "li", "limit=1000&level=danger"))
        assert desk.json("nobody", "/desk/alerts.json")["counts"]["danger"] == 0

    def test_a_cursor_of_nobody_is_refused(self, desk: Desk) -> None:
        assert desk["lena"].get("/desk/alerts?after=abc").status_code == 422


class TestPage:
    def test_what_was_read_then_and_now(self, desk: Desk, at: int, number: str) -> None:
        desk.town.reports(cover(at), tilt=55.0, water=0.4, battery=80)
        page = desk.json("li", f"/desk/alerts/{number}.json")
        assert [(row["then"], row["now"]) for row in page["readings"]] == [("30 °", "55 °")]
        assert page["rule"]["when"] == "tilt > 15 °"

    def test_its_story(self, desk: Desk, at: int, number: str) -> None:
        send(desk, "li", f"/desk/alerts/{number}/acknowledge", f"/desk/alerts/{number}", note="Crew 3 is near.")
        desk.lies_flat(at)
        story = desk.json("li", f"/desk/alerts/{number}.json")["notices"]
        assert [line["kind"] for line in story] == ["cleared", "acknowledged", "raised"]
        assert (story[1]["who"], story[1]["text"]) == ("Li Ming", "Crew 3 is near.")

    def test_with_a_chart_around_it(self, desk: Desk, at: int, number: str) -> None:
        text = desk["li"].get(f"/desk/alerts/{number}").text
        assert f"/things/Cover/{cover(at)}/history/tilt.json?from=2026-11-20T" in text


class TestAcknowledge:
    def test_says_who_and_is_audited(self, desk: Desk, number: str) -> None:
        page = f"/desk/alerts/{number}"
        assert send(desk, "li", f"{page}/acknowledge", page).status_code == 303
        assert desk.json("wang", f"{page}.json")["alert"]["acknowledged_by"] == "Li Ming"
        assert ("li", "acknowledge", "allowed", "") in desk.audit(f"alert:{number}")

    def test_twice_by_the_same_person_is_once(self, desk: Desk, number: str) -> None:
        page = f"/desk/alerts/{number}"
        csrf = desk["li"].form(page)
        for _ in range(2):
            assert send(desk, "li", f"{page}/acknowledge", page, csrf=csrf).status_code == 303
        kinds = [line["kind"] for line in desk.json("li", f"{page}.json")["notices"]]
        assert kinds.count("acknowledged") == 1

    def test_somebody_was_quicker(self, desk: Desk, number: str) -> None:
        page = f"/desk/alerts/{number}"
        csrf = desk["wang"].form(page)
        send(desk, "li", f"{page}/acknowledge", page)
        answer = send(desk, "wang", f"{page}/acknowledge", page, csrf=csrf)
        assert answer.status_code == 409
        assert "Li Ming has acknowledged this alert already." in answer.text

    def test_not_by_those_who_may_not(self, desk: Desk, number: str) -> None:
        page = f"/desk/alerts/{number}"
        csrf = desk["he"].form("/account/password")
        assert send(desk, "he", f"{page}/acknowledge", page, csrf=csrf).status_code == 404
        csrf = desk["opal"].form("/account/password")
        assert send(desk, "opal", f"{page}/acknowledge", page, csrf=csrf).status_code == 403
        assert desk.json("li", f"{page}.json")["alert"]["acknowledged_by"] == ""


class TestQuiet:
    def test_shelved_it_calls_nobody_and_comes_back_by_itself(self, desk: Desk, at: int, number: str) -> None:
        page = f"/desk/alerts/{number}"
        answer = send(desk, "li", f"{page}/shelve", page, span="1h", reason="The lid is being replaced.")
        assert answer.status_code == 303
        assert cover(at) not in things(desk, "li", "limit=200")
        assert cover(at) in things(desk, "li", "view=quiet&limit=200")
        assert "The lid is being replaced." in desk["li"].get("/desk/quiet").text
        assert ("li", "shelve", "allowed", "") in desk.audit(f"alert:{number}")
        desk.town.passes(hours(1))
        desk.town.passes(minutes(1))
        desk.visitors.clear()
        assert cover(at) in things(desk, "li", "limit=200")
        assert "The lid is being replaced." not in desk["li"].get("/desk/quiet").text

    def test_a_reason_is_needed(self, desk: Desk, number: str) -> None:
        page = f"/desk/alerts/{number}"
        answer = send(desk, "li", f"{page}/shelve", page, span="1h")
        assert answer.status_code == 422
        assert desk.json("li", f"{page}.json")["alert"]["state"] == "standing"

    def test_not_longer_than_thirty_days(self, desk: Desk, number: str) -> None:
        page = f"/desk/alerts/{number}"
        answer = send(desk, "li", f"{page}/shelve", page, until="2027-06-01T08:00", reason="For ever")
        assert "Thirty days at most" in answer.text

    def test_for_all_things_only_by_the_operations_room(self, desk: Desk, at: int, number: str) -> None:
        page = f"/desk/alerts/{number}"
        answer = send(desk, "li", f"{page}/shelve", page, span="1h", reason="x", every="1")
        assert answer.status_code == 422
        answer = send(desk, "opal", f"{page}/shelve", page, span="1h", reason="A flood of alerts.", every="1")
        assert answer.status_code == 303
        assert things(desk, "lena", "limit=200&rule=manhole_covers.displaced") == []
        shelf = next(s for s in desk.json("opal", "/desk/quiet.json")["shelves"] if s["reason"] == "A flood of alerts.")
        csrf = desk["li"].form("/desk/quiet")
        assert send(desk, "li", f"/desk/quiet/shelves/{shelf['id']}/end", csrf=csrf).status_code == 403
        assert send(desk, "opal", f"/desk/quiet/shelves/{shelf['id']}/end", "/desk/quiet").status_code == 303
        assert cover(at) in things(desk, "lena", "limit=200")

    def test_under_maintenance_no_case_is_opened(self, desk: Desk) -> None:
        desk.visitors.clear()
        desk.used += 2
        thing = cover(desk.used)
        csrf = desk["li"].form("/desk/quiet")
        fields = {"thing": thing, "end": "2026-12-20T08:00", "reason": "New lid", "csrf": csrf}
        refused = desk["li"].client.post("/desk/quiet", data=fields)
        assert "that you look after" in refused.text, "the crew does not own the cover"
        csrf = desk["wang"].form("/desk/quiet")
        assert send(desk, "wang", "/desk/quiet", **(fields | {"csrf": csrf})).status_code == 303
        desk.tips(desk.used)
        assert thing not in things(desk, "wang", "limit=200")
        assert thing in things(desk, "wang", "view=quiet&limit=200")
        assert all(case.entry.thing_id != thing for case in desk.town.cases())
        window = desk.json("wang", "/desk/quiet.json")["windows"][0]
        assert (window["scope"], window["reason"]) == ({"thing": thing}, "New lid")
        assert "New lid" not in desk["he"].get("/desk/quiet").text
        assert send(desk, "wang", f"/desk/quiet/windows/{window['id']}/end", "/desk/quiet").status_code == 303
        assert desk.json("wang", "/desk/quiet.json")["windows"] == []

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({}, "Say what it is about"),
            ({"area": "nowhere"}, "Please choose"),
            ({"rule": "manhole_covers.displaced", "end": "2020-01-01T00:00"}, "still to come"),
            ({"rule": "manhole_covers.displaced", "end": "2028-01-01T00:00"}, "Ninety days at most"),
        ],
    )
    def test_a_window_that_is_none(self, desk: Desk, fields: dict[str, str], sentence: str) -> None:
        sent = {"end": "2026-12-01T08:00", "reason": "x", "csrf": desk["opal"].form("/desk/quiet")} | fields
        answer = desk["opal"].client.post("/desk/quiet", data=sent)
        assert answer.status_code == 422
        assert sentence in answer.text


class TestLive:
    """The stream itself, without a server: what each reader is told, and when it ends."""

    def reader(self, desk: Desk, department: str, *roles: str) -> Ask:
        actor = Actor("li", "Li Ming", roles or ("officer",), department)
        local = Local(Language("en"), desk.hub.settings.zone, desk.town.clock.now())
        request = SimpleNamespace(cookies={})
        return Ask(cast(Any, request), desk.hub, actor, None, local)

    def heard(
        self, desk: Desk, ask: Ask, happens: Any, after: int | None = None, alerts: int = 0
    ) -> list[tuple[str, Any]]:
        """What comes out of the stream while something happens, and until the changes after it have been told; on a
        busy machine not before so many alerts have come."""

        async def listen() -> list[tuple[str, Any]]:
            left, sent = asyncio.Event(), list[bytes]()

            async def receive() -> Any:
                await left.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                sent.append(message.get("body", b""))

            stream = live.Stream(Crier(desk.hub, Shared()), ask, after)
            answered = asyncio.ensure_future(stream(cast(Any, {}), receive, send))
            while len(sent) < 2:
                await asyncio.sleep(0)
            await asyncio.to_thread(happens)
            for _ in range(200):
                if b"".join(sent).count(b"event: alert\n") >= alerts:
                    break
                await asyncio.sleep(0.05)
            await asyncio.sleep(1.5)
            left.set()
            await answered
            events = [each.split("\n")[-2:] for each in b"".join(sent).decode().split("\n\n") if "event: " in each]
            return [(kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for kind, data in events]

        return asyncio.run(listen())

    def test_an_alert_is_told_to_those_who_may_see_it(self, desk: Desk) -> None:
        desk.used += 2
        new = desk.used
        told = self.heard(desk, self.reader(desk, EAST), lambda: desk.tips(new), alerts=1)
        alerts = [body for kind, body in told if kind == "alert"]
        assert [body["text"] for body in alerts] == [f"Cover {cover(new)} in East is tipped by 30 degrees."]
        assert alerts[0]["url"] == f"/desk/alerts/{number_of(desk, new)}"
        assert ("changed", {"topic": "alerts"}) in told

    def test_and_to_nobody_else(self, desk: Desk) -> None:
        desk.used += 2
        new = desk.used
        told = self.heard(desk, self.reader(desk, WEST), lambda: desk.tips(new))
        assert not [body for kind, body in told if kind == "alert"]
        assert cover(new) not in str(told)

    def test_changes_are_told_while_readings_keep_coming(self, desk: Desk) -> None:
        def readings() -> None:
            for _ in range(50):
                desk.hub.bus.publish("readings", {})
                time.sleep(0.05)

        told = self.heard(desk, self.reader(desk, EAST), readings)
        assert told.count(("changed", {"topic": "readings"})) >= 2, "a steady stream must not hold the news up"

    def test_what_was_missed_is_told_again(self, desk: Desk, at: int, number: str) -> None:
        told = self.heard(desk, self.reader(desk, EAST), lambda: None, int(number) - 1, alerts=1)
        assert [body["number"] for kind, body in told if kind == "alert"] == [int(number)]
        told = self.heard(desk, self.reader(desk, WEST), lambda: None, int(number) - 1)
        assert not told
