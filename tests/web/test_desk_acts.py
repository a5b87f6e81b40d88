"""A case's page: what it tells, what it offers, and that each form does one thing once, or loses nothing."""

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from desk_town import EAST, WEST, Desk, cover, open_desk, picture
from jinja2 import ChoiceLoader, DictLoader

from cheng.kernel.standing import Person
from cheng.standards.durations import hours, minutes
from photographs import photograph

PHOTO = picture()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(tmp_path_factory.mktemp("desk"), many=160) as made:
        yield made


@pytest.fixture
def at(desk: Desk) -> int:
    """A cover in the east that has just been tipped; nobody has done anything about it. The one after it lies west."""
    desk.visitors.clear()
    desk.used += 2
    desk.tips(desk.used)
    return desk.used


@pytest.fixture
def number(desk: Desk, at: int) -> str:
    return desk.number(at)


def minutes_between(first: str, then: str) -> float:
    return (datetime.fromisoformat(then) - datetime.fromisoformat(first)).total_seconds() / 60


def offered(desk: Desk, name: str, number: str) -> list[str]:
    return [each["verb"] for each in desk.json(name, f"/desk/cases/{number}.json")["next"]]


def verbs(desk: Desk, number: str) -> list[str]:
    return [act.verb for act in desk.hub.cases.acts(number)]


class TestPage:
    def test_tells_what_where_and_how_long(self, desk: Desk, at: int, number: str) -> None:
        text = desk["li"].get(f"/desk/cases/{number}").text
        assert f"Cover {cover(at)} in East is tipped by 30 degrees" in text
        assert "East Street" in text
        assert "31.30300, 120.60" in text
        assert 'class="sketch"' in text
        assert "10 minutes, day and night" in text
        assert "Duty rules of the district for inspection covers, art. 7" in text

    def test_the_flow_with_what_is_to_come(self, desk: Desk, number: str) -> None:
        steps = desk.json("li", f"/desk/cases/{number}.json")["steps"]
        assert [(s["name"], s["state"]) for s in steps] == [
            ("dispatch", "now"),
            ("handle", "ahead"),
            ("check", "ahead"),
        ]
        assert minutes_between(steps[0]["started"], steps[0]["due"]) == 10
        assert steps[2]["until"] == "tilt < 5 °"

    def test_the_alert_with_its_reading_then_and_now(self, desk: Desk, at: int, number: str) -> None:
        desk.lies_flat(at)
        alert = desk.json("li", f"/desk/cases/{number}.json")["alert"]
        assert [(row["then"], row["now"]) for row in alert["readings"]] == [("30 °", "1 °")]

    def test_the_most_particular_template_wins(self, desk: Desk, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
        environment = desk.app.state.templates.environment
        own = {"desk/case-city-manhole_covers.html": '{% extends "desk/case.html" %}{% block where %}OWN{% endblock %}'}
        monkeypatch.setattr(environment, "loader", ChoiceLoader([DictLoader(own), environment.loader]))
        environment.cache.clear()
        assert "OWN" in desk["li"].get(f"/desk/cases/{number}").text

    def test_in_chinese(self, desk: Desk, number: str) -> None:
        text = desk["li"].get(f"/desk/cases/{number}?lang=zh_CN").text
        assert "办理进度" in text
        assert "接手办理" in text


class TestFlow:
    def test_from_the_alert_to_the_close(self, desk: Desk, at: int, number: str) -> None:
        assert desk.acts("li", number, "take").status_code == 303
        assert desk.acts("li", number, "complete", text="On our way.").status_code == 303
        assert desk.acts("li", number, "complete", PHOTO, text="Put back.").status_code == 303
        assert "complete" not in offered(desk, "wu", number), "the cover is still tipped"
        desk.lies_flat(at)
        assert desk.acts("wu", number, "complete").status_code == 303
        case = desk.json("li", f"/desk/cases/{number}.json")
        assert case["case"]["state"] == "closed"
        assert verbs(desk, number) == ["open", "take", "complete", "complete", "alert_cleared", "complete"]
        told = {act["verb"]: act for act in case["acts"]}
        assert told["take"]["who"] == "Li Ming"
        assert told["open"]["who"] == "the system"

    def test_who_did_it_does_not_check_it(self, desk: Desk, at: int, number: str) -> None:
        desk.acts("li", number, "complete")
        desk.acts("li", number, "complete", PHOTO)
        desk.lies_flat(at)
        assert "complete" not in offered(desk, "li", number)
        text = desk["li"].get(f"/desk/cases/{number}").text
        assert "You did an earlier step of this case; somebody else has to do this one." in text

    def test_why_it_cannot_be_finished_yet(self, desk: Desk, number: str) -> None:
        desk.acts("li", number, "complete")
        desk.acts("li", number, "complete", PHOTO)
        assert "while “tilt &lt; 5 °” does not hold" in desk["wu"].get(f"/desk/cases/{number}").text

    def test_sent_back_with_a_reason(self, desk: Desk, number: str) -> None:
        desk.acts("li", number, "complete")
        answer = desk.acts("li", number, "return", step="dispatch", text="kept words")
        assert answer.status_code == 422
        assert "Please write down the reason: it stays with the case." in answer.text
        assert "kept words" in answer.text
        assert desk.acts("li", number, "return", step="dispatch", reason="Wrong street.").status_code == 303
        assert "Wrong street." in desk["li"].get(f"/desk/cases/{number}").text

    def test_assigned_to_somebody_of_the_department(self, desk: Desk, number: str) -> None:
        assert 'value="wu"' in desk["li"].get(f"/desk/cases/{number}").text
        assert 'value="he"' not in desk["li"].get(f"/desk/cases/{number}").text
        assert desk.acts("li", number, "assign", person="wu").status_code == 303
        assert "Wu Fang" in desk["li"].get(f"/desk/cases/{number}").text
        assert "This case is with Wu Fang" in desk["li"].get(f"/desk/cases/{number}").text
        answer = desk.acts("li", number, "assign", person="he")
        assert answer.status_code == 422

    def test_suspended_and_going_on(self, desk: Desk, number: str) -> None:
        answer = desk.acts("dora", number, "suspend", until="2026-12-01T08:00", reason="The street is being dug up.")
        assert answer.status_code == 303
        assert "suspended until 1 Dec" in desk["li"].get(f"/desk/cases/{number}").text
        assert "a dispatcher has to resume it first" in desk["li"].get(f"/desk/cases/{number}").text
        assert desk.acts("dora", number, "resume").status_code == 303

    def test_moved_to_another_department_it_is_gone_for_nobody(self, desk: Desk, number: str) -> None:
        assert desk.acts("dora", number, "move", department=WEST, reason="It lies west.").status_code == 303
        assert "take" in offered(desk, "he", number)
        assert offered(desk, "li", number) == ["note"]

    def test_merged(self, desk: Desk, number: str) -> None:
        desk.used += 2
        desk.tips(desk.used)
        other = desk.number(desk.used)
        answer = desk.acts("dora", other, "merge", into="20260101-000001", reason="The same hole.")
        assert "There is no case 20260101-000001." in answer.text
        assert desk.acts("dora", other, "merge", into=number, reason="The same hole.").status_code == 303
        related = desk.json("dora", f"/desk/cases/{other}.json")["related"]
        assert [(row["how"], row["number"]) for row in related] == [("into", number)]
        assert desk.json("dora", f"/desk/cases/{number}.json")["related"][0]["how"] == "absorbed"

    def test_an_appeal_needs_two(self, desk: Desk, at: int, number: str) -> None:
        desk.town.passes(minutes(30))
        desk.acts("li", number, "complete")
        desk.acts("li", number, "complete", PHOTO)
        desk.lies_flat(at)
        desk.acts("wu", number, "complete")
        assert desk.acts("li", number, "appeal", reason="The alert came during the flood.").status_code == 303
        assert number in [row["number"] for row in desk.json("rui", "/desk.json?tab=waiting")["cases"]]
        assert desk.acts("rui", number, "uphold").status_code == 303
        assert "uphold" not in offered(desk, "rui", number)
        assert desk.acts("rong", number, "uphold").status_code == 303
        assert "late, excused" in desk["li"].get(f"/desk/cases/{number}").text

    def test_more_time(self, desk: Desk, number: str) -> None:
        desk.acts("li", number, "extend", reason="No barrier left.")
        assert desk.acts("dora", number, "allow").status_code == 303
        first = desk.json("li", f"/desk/cases/{number}.json")["steps"][0]
        assert minutes_between(first["started"], first["due"]) == 20


class TestOnce:
    def test_the_same_form_twice_is_one_act(self, desk: Desk, number: str) -> None:
        fields = desk.form("li", number, "note") | {"text": "Barrier is up."}
        assert [desk.sends("li", number, fields).status_code for _ in range(3)] == [303, 303, 303]
        assert verbs(desk, number).count("note") == 1

    def test_somebody_was_quicker(self, desk: Desk, number: str) -> None:
        mine = desk.form("li", number, "note") | {"text": "What I wrote for an hour."}
        desk.acts("wu", number, "note", text="First!")
        answer = desk.sends("li", number, mine)
        assert answer.status_code == 409
        assert "Somebody was quicker" in answer.text
        assert "Wu Fang has done something about this case meanwhile" in answer.text
        assert "What I wrote for an hour.</textarea>" in answer.text
        again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form_of(answer.text, "note")))
        assert desk.sends("li", number, again | {"text": mine["text"]}).status_code == 303

    def test_what_no_longer_fits_can_be_copied(self, desk: Desk, number: str) -> None:
        mine = desk.form("li", number, "complete") | {"text": "All of this was written."}
        desk.acts("wu", number, "take")
        answer = desk.sends("li", number, mine)
        assert answer.status_code == 409
        assert "All of this was written.</textarea>" in answer.text
        assert "It no longer fits the case" in answer.text

    def test_open_pages_hear_that_it_changed(self, desk: Desk, number: str) -> None:
        heard: list[Any] = []

        async def listen() -> None:
            subscription = desk.hub.bus.subscribe("cases/*")
            await asyncio.to_thread(desk.acts, "li", number, "take")
            heard.append(await anext(subscription))
            subscription.close()

        asyncio.run(listen())
        assert heard[0].topic == "cases/changed"
        assert heard[0].body["number"] == number


class TestFiles:
    def test_handed_in_seen_and_served_safely(self, desk: Desk, number: str) -> None:
        desk.acts("li", number, "complete")
        desk.acts("li", number, "complete", PHOTO)
        file = next(act for act in desk.json("wu", f"/desk/cases/{number}.json")["acts"] if act["files"])["files"][0]
        answer = desk["wu"].get(file["url"])
        assert answer.content == PHOTO
        assert answer.headers["content-type"] == "image/png"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert desk["he"].get(file["url"]).status_code == 404
        assert desk["wu"].get(f"/desk/cases/{number}/files/{'0' * 64}").status_code == 404

    def test_without_the_photo_it_is_not_done(self, desk: Desk, number: str) -> None:
        desk.acts("li", number, "complete")
        answer = desk.acts("li", number, "complete", text="Trust me.")
        assert answer.status_code == 422
        assert "This step asks for evidence: Photo. Please attach it." in answer.text
        assert "Trust me.</textarea>" in answer.text

    @pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"%PDF-1.4", b"not a photo at all"])
    def test_what_is_no_photo_is_refused_with_a_sentence(self, desk: Desk, number: str, content: bytes) -> None:
        desk.acts("li", number, "complete")
        answer = desk.acts("li", number, "complete", content)
        assert answer.status_code == 422
        assert "This file is not a photo we can keep; send JPEG, PNG, WebP or HEIC." in answer.text

    def test_what_was_written_for_an_act_that_is_gone_is_handed_back(self, desk: Desk, number: str) -> None:
        mine = desk.form("li", number, "extend")
        desk.acts("wu", number, "extend", reason="The crew is at another cover.")
        answer = desk.sends("li", number, mine | {"reason": "The road is closed until noon."})
        assert answer.status_code == 409
        lost = re.search(r'<textarea class="lost"[^>]*>([^<]*)</textarea>', answer.text)
        assert lost
        assert lost[1] == "The road is closed until noon."

    def test_where_and_when_a_photo_was_taken_stands_beside_it(self, desk: Desk, number: str) -> None:
        entry = desk.hub.cases.get(number).entry
        place = (entry.longitude, entry.latitude + 35 / 111_195)
        photo = photograph(place, "2026:11:20 07:48:00")
        assert desk.acts("li", number, "note", photo, text="It lies beside the hole.").status_code == 303
        file = desk.json("li", f"/desk/cases/{number}.json")["acts"][0]["files"][0]
        assert file["place"] == pytest.approx(place, abs=1e-5)
        assert file["taken"] == "2026-11-20T07:48:00+08:00"
        assert file["away"] == pytest.approx(35, abs=0.3)
        assert re.match(r"taken 35 m away, ", file["taken_text"])
        assert "taken 35 m away, " in desk["wu"].get(f"/desk/cases/{number}").text
        sent = desk["wu"].get(file["url"]).content
        assert b"Anna" in photo
        assert b"Anna" not in sent
        assert b"Exif" not in sent
        assert desk["he"].get(file["url"]).status_code == 404

    def test_of_a_photo_whose_notes_cannot_be_nothing_is_said(self, desk: Desk, number: str) -> None:
        for photo in (photograph((0.0, 0.0), "1970:01:01 00:00:00"), photograph(time="2099:01:01 00:00:00"), PHOTO):
            assert desk.acts("li", number, "note", photo, text="A lid.").status_code == 303
            file = desk.json("li", f"/desk/cases/{number}.json")["acts"][0]["files"][0]
            assert (file["place"], file["taken"], file["away"], file["taken_text"]) == (None, None, None, "")

    def test_a_photo_need_not_be_chosen_twice(self, desk: Desk, number: str) -> None:
        desk.acts("li", number, "complete")
        answer = desk.acts("li", number, "return", PHOTO, step="dispatch")
        assert answer.status_code == 422
        kept = re.search(r'name="kept" value="([^"]+)"', answer.text)
        assert kept is not None
        assert desk.acts("li", number, "return", step="dispatch", reason="See.", kept=kept[1]).status_code == 303
        assert any(act["files"] for act in desk.json("li", f"/desk/cases/{number}.json")["acts"])

    def test_nobody_attaches_another_persons_file(self, desk: Desk, at: int, number: str) -> None:
        desk.acts("li", number, "complete")
        desk.acts("li", number, "complete", PHOTO)
        sha = next(act for act in desk.json("wu", f"/desk/cases/{number}.json")["acts"] if act["files"])["files"][0]
        kept = "photo:" + sha["url"].rsplit("/", 1)[1]
        desk.tips(at + 1)
        other = desk.number(at + 1)
        desk.acts("he", other, "note", text="Look", kept=kept)
        assert not any(act["files"] for act in desk.json("he", f"/desk/cases/{other}.json")["acts"])


class TestDoors:
    def test_a_foreign_case_is_not_there(self, desk: Desk, number: str) -> None:
        for path in (f"/desk/cases/{number}", f"/desk/cases/{number}.json"):
            answer = desk["he"].get(path, headers={"accept": "application/json"})
            assert answer.status_code == 404
            unknown = desk["he"].get(path.replace(number, "20260101-000009"), headers={"accept": "application/json"})
            assert answer.json()["code"] == unknown.json()["code"]
        assert ("he", "see", "refused", "This is in someone else's hands.") in desk.audit(f"case:{number}")

    def test_nor_can_anything_be_done_about_it(self, desk: Desk, number: str) -> None:
        fields = desk.form("li", number, "note") | {"text": "x"}
        csrf = desk["he"].form("/account/password")
        assert desk.sends("he", number, fields | {"csrf": csrf}).status_code == 404
        assert verbs(desk, number) == ["open"]

    def test_a_form_of_another_site_is_refused(self, desk: Desk, number: str) -> None:
        fields = desk.form("li", number, "note") | {"text": "x", "csrf": "made up"}
        assert desk.sends("li", number, fields).status_code == 403

    def test_what_is_not_offered_is_refused_and_written_down(self, desk: Desk, number: str) -> None:
        fields = desk.form("li", number, "note") | {"verb": "void", "reason": "I say so."}
        answer = desk.sends("li", number, fields)
        assert answer.status_code == 403
        assert "Only a dispatcher may do this." in answer.text
        assert ("li", "act", "refused", "not-dispatcher") in desk.audit(f"case:{number}")

    @pytest.mark.parametrize("verb", ["open", "absorb", "alert_cleared", "", "nonsense"])
    def test_what_only_the_house_does(self, desk: Desk, number: str, verb: str) -> None:
        fields = desk.form("li", number, "note") | {"verb": verb}
        assert desk.sends("li", number, fields).status_code in (403, 409, 422)
        assert verbs(desk, number) == ["open"]

    def test_every_act_is_in_the_audit(self, desk: Desk, number: str) -> None:
        desk.acts("li", number, "take")
        assert ("li", "act", "allowed", "") in desk.audit(f"case:{number}")

    def test_a_leader_urges_and_handles_nothing(self, desk: Desk, number: str) -> None:
        assert {"note", "supervise", "urge"} <= set(offered(desk, "lena", number))
        assert not {"take", "complete", "move", "void"} & set(offered(desk, "lena", number))
        assert desk.acts("lena", number, "supervise", reason="In front of the school.").status_code == 303
        assert "under supervision" in desk["li"].get("/desk?tab=department").text

    @pytest.mark.parametrize("name", ["citi", "opal", ""])
    def test_not_for_those_who_handle_no_cases(self, desk: Desk, number: str, name: str) -> None:
        assert desk[name].get(f"/desk/cases/{number}").status_code in (303, 307, 302, 403)

    def test_who_reported_it_stays_unnamed(self, desk: Desk) -> None:
        citizen = Person("citi", "", frozenset({"citizen"}), "Citi Zen")
        values, text = {"id": "cover-02", "ward": "East"}, "A hole by the school."
        line = "manhole_covers.make_safe"
        filed = desk.hub.cases.open_case(line, values=values, text=text, reporter="citi", actor=citizen)
        desk.hub.cases.act(filed.entry.id, "note", citizen, {"text": "Still there."})
        for path in (f"/desk/cases/{filed.entry.number}", f"/desk/cases/{filed.entry.number}.json"):
            text = desk["li"].get(path).text
            assert "Citi Zen" not in text
            assert "citi" not in text.replace("citizen", "").replace("city", "")
            assert "the person who reported it" in text
            assert "A hole by the school" in text

    def test_long_and_odd_words_do_no_harm(self, desk: Desk, number: str) -> None:
        odd = "<script>alert('x')</script> {id} %s \u202e 🚧\n" * 5
        assert desk.acts("li", number, "note", text=odd).status_code == 303
        text = desk["li"].get(f"/desk/cases/{number}").text
        assert "<script>alert" not in text
        assert desk.acts("li", number, "note", text="x" * 5000).status_code == 422


def form_of(text: str, verb: str) -> str:
    """The form for one act on a page."""
    forms = re.findall(r"<form[^>]*act-form.*?</form>", text, re.S)
    return next(form for form in forms if f'name="verb" value="{verb}"' in form)


def test_departments_are_named(desk: Desk, number: str) -> None:
    desk.town.passes(hours(2))
    assert EAST in desk["dora"].get(f"/desk/cases/{number}").text
