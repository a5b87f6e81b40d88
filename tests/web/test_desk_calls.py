"""An agent takes calls: who calls, what is known, one form that becomes a case or an answer; later the call back."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_town import PASSWORD, Desk
from house import Visitor

from cheng.apps.city import urban_management
from cheng.infrastructure.article_book import Article
from cheng.infrastructure.call_book import MOST_TRIES
from cheng.infrastructure.report_book import NewReport
from cheng.kernel.house import Area
from cheng.security.actors import HOUSE
from cheng.standards.durations import days, hours, minutes
from cheng.testing import city
from cheng.web.app import create_app

CENTRE, COMMAND = "Urban Management Supervision Centre", "Urban Management Command Centre"
CONDITION = "main"
FLOW = "urban_management.handle_report"
PEOPLE: dict[str, tuple[list[str], str]] = {
    "ada": (["officer", "agent", "acceptor"], CENTRE),
    "dora": (["officer", "dispatcher"], COMMAND),
    "dai": (["officer", "dispatcher", "agent"], COMMAND),
    "paul": (["officer"], "Parks"),
    "opal": (["operator"], "Information office"),
}
PHONE = "13800000001"
HEAP = "东街12号门口有一堆暴露垃圾，没有人清理"
FORM = {"phone": PHONE, "text": HEAP, "address": "东街12号", "place": "31.30500, 120.60500", "class": "E0102"}


def square(west: float, size: float) -> dict[str, Any]:
    corners = [[west, 31.3], [west + size, 31.3], [west + size, 31.3 + size], [west, 31.3 + size], [west, 31.3]]
    return {"type": "Polygon", "coordinates": [corners]}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with city(tmp_path, urban_management) as town:
        town.register(Area, "d1", name="Old Town", at=square(120.6, 0.05), level="district")
        town.register(Area, "s1", name="东街街道", at=square(120.6, 0.02), level="street", parent="d1")
        for name, (roles, department) in PEOPLE.items():
            town.hub.accounts.create(HOUSE, name, name.title(), roles, department, PASSWORD)
        yield Desk(town, create_app(town.hub))


def know(desk: Desk, **article: Any) -> Article:
    with desk.hub.store.write() as conn:
        written: Article = desk.hub.articles.put(conn, Article(**article), "dora")
    return written


def calls(desk: Desk, **fields: str) -> Any:
    """Ada sends the form of a call."""
    return desk["ada"].send("/desk/call", **{"do": "file", **FORM, **fields})


def filed(desk: Desk, **fields: str) -> str:
    """The number of the case that became of a call."""
    answer = calls(desk, **fields)
    assert answer.status_code == 200, answer.text
    found = re.search(r'href="/desk/cases/([\d-]+)"', answer.text)
    assert found, answer.text
    return found[1]


class TestCall:
    def test_becomes_a_case_at_its_place_with_who_called(self, desk: Desk) -> None:
        number = filed(desk, urgent="a child fell", call_back="1", key="one")
        case = desk.hub.cases.get(number)
        assert (case.entry.source, case.entry.class_code, case.entry.step) == ("hotline", "E0102", "accept")
        assert case.case.values["street"] == "东街街道"
        assert case.entry.text == f"{HEAP}\nUrgent: a child fell"
        (report,) = desk.hub.reports.of_case(case.entry.id)
        assert (report["phone"], report["call_back"]) == (PHONE, True)
        assert ("ada", "report", "allowed", "") in desk.audit(f"case:{number}")

    def test_number_word_and_address_are_shown_once(self, desk: Desk) -> None:
        text = calls(desk, key="one").text
        word = re.search(r'class="call-word">(\w+)<', text)
        assert word is not None
        (case,) = desk.town.cases()
        assert desk.hub.reports.find(case.entry.number, word[1]).entry.id == case.entry.id
        link = re.search(r'href="(http[^"]+/report/[^"]+)"', text)
        assert link is not None
        assert Visitor(desk.app).get(link[1].replace("&amp;", "&")).status_code == 200
        assert word[1] not in desk["ada"].get("/desk/call").text

    def test_sent_twice_it_is_one_case_and_one_call(self, desk: Desk) -> None:
        assert filed(desk, key="one") == filed(desk, key="one", same="none")
        assert desk.json("ada", "/desk/call.json")["today"]["filed"] == 1

    def test_opened_by_the_telephone_system_shows_what_the_caller_reported(self, desk: Desk) -> None:
        number = filed(desk, name="王女士")
        told = desk.json("ada", f"/desk/call.json?phone={PHONE}")
        (row,) = told["history"]
        assert (row["number"], row["state"], row["light"], row["last_text"]) == (number, "open", "green", "Case opened")
        assert 'value="王女士"' in desk["ada"].get(f"/desk/call?phone={PHONE}").text
        assert ("ada", "see-contact", "allowed", "any") in desk.audit("case:caller 138****0001")

    def test_says_what_is_missing_beside_the_field_and_keeps_the_rest(self, desk: Desk) -> None:
        answer = calls(desk, text="", place="", address="", name="Wang")
        assert answer.status_code == 422
        assert "Please write what the caller says." in answer.text
        assert "Please ask where it is" in answer.text
        assert 'value="Wang"' in answer.text
        assert desk.town.cases() == []

    def test_a_place_outside_the_city_is_refused(self, desk: Desk) -> None:
        answer = calls(desk, place="39.9, 116.4")
        assert answer.status_code == 422
        assert "lies outside the city" in answer.text

    def test_who_wants_no_call_back_may_keep_their_number_to_themselves(self, desk: Desk) -> None:
        assert calls(desk, phone="", call_back="1").status_code == 422
        assert calls(desk, phone="").status_code == 200

    def test_enter_in_a_field_opens_nothing(self, desk: Desk) -> None:
        assert calls(desk, do="look").status_code == 200
        assert desk.town.cases() == []

    def test_is_not_for_everybody(self, desk: Desk) -> None:
        assert desk["paul"].get("/desk/call").status_code == 403
        assert "Calls" not in desk["paul"].get("/desk").text
        assert 'data-go="c"' in desk["ada"].get("/desk").text

    def test_in_chinese(self, desk: Desk) -> None:
        text = Visitor(desk.app, **{"accept-language": "zh-CN"}).sign_in("ada").get("/desk/call").text
        assert "来电" in text
        assert "What is it about?" not in text


class TestSame:
    def test_asks_first_and_then_the_caller_joins(self, desk: Desk) -> None:
        number = filed(desk)
        again = FORM | {"phone": "13900000002", "key": "two"}
        asked = calls(desk, **again)
        assert "Perhaps there is a case already" in asked.text
        assert f'value="{number}"' in asked.text
        assert len(desk.town.cases()) == 1
        assert filed(desk, **again, same=number) == number
        assert desk.hub.cases.get(number).entry.weight == 2
        assert desk.json("ada", "/desk/call.json")["today"]["followed"] == 1

    def test_another_matter_opens_another_case(self, desk: Desk) -> None:
        assert filed(desk) != filed(desk, key="two", same="none")

    def test_one_that_was_closed_meanwhile_cannot_be_joined(self, desk: Desk) -> None:
        answer = calls(desk, same="20200101-000001")
        assert answer.status_code == 404
        assert "There is no case" in answer.text


class TestBeside:
    def test_answers_stand_beside_what_is_typed(self, desk: Desk) -> None:
        know(
            desk, question_zh="大件垃圾怎么扔？", answer_zh="请先预约上门收运。", department=CENTRE, class_code="E0102"
        )
        know(desk, question_zh="共享单车乱停找谁？", answer_zh="请联系运营企业。")
        told = desk.json("ada", "/desk/call.json?q=大件垃圾")
        assert [each["question"] for each in told["articles"]] == ["大件垃圾怎么扔？"]
        text = calls(desk, do="look", text="家里旧沙发是大件垃圾，怎么扔掉").text
        assert "请先预约上门收运。" in text
        assert 'name="do" value="answer-1"' in text

    def test_while_somebody_types_only_what_stands_beside_comes(self, desk: Desk) -> None:
        know(desk, question_zh="大件垃圾怎么扔？", answer_zh="请先预约上门收运。")
        fields = {"do": "look", "text": "大件垃圾", "phone": PHONE, "csrf": desk["ada"].form("/desk/call")}
        answer = desk["ada"].client.post("/desk/call", data=fields, headers={"hx-request": "true"})
        assert answer.status_code == 200
        assert "请先预约上门收运。" in answer.text
        assert "<html" not in answer.text
        assert desk.audit("case:caller 138****0001") == []

    def test_answered_at_once_is_a_call_and_no_case(self, desk: Desk) -> None:
        know(desk, question_zh="大件垃圾怎么扔？", answer_zh="请先预约上门收运。")
        answer = calls(desk, do="answer-1", key="one")
        assert answer.status_code == 303
        calls(desk, do="answer-1", key="one")
        assert desk.town.cases() == []
        told = desk.json("ada", f"/desk/call.json?phone={PHONE}")
        assert told["today"]["answered"] == 1
        assert [(each["text"], each["article"]) for each in told["answered"]] == [(HEAP, 1)]

    def test_classes_are_suggested_and_taken_without_a_script(self, desk: Desk) -> None:
        text = calls(desk, do="look", **{"class": ""}).text
        assert re.search(r'name="pick" value="E0102"', text)
        assert re.search(r'value="E0102" selected', calls(desk, do="", pick="E0102", **{"class": ""}).text)

    def test_a_street_is_found_by_its_name(self, desk: Desk) -> None:
        text = calls(desk, do="look", at_words="东街", place="").text
        assert 'name="at" value="s1"' in text
        text = calls(desk, do="", at="s1", place="", address="").text
        assert re.search(r'name="place"[^>]*value="31\.3\d+, 120\.6\d+"', text)
        assert re.search(r'name="address"[^>]*value="东街街道"', text)


def finished(desk: Desk, **report: Any) -> str:
    """A case that was closed with somebody waiting to hear of it: its number."""
    told = {"class_code": "E0102", "phone": PHONE, "name": "Wang", "place": (120.605, 31.305)} | report
    entry = desk.hub.reports.file(NewReport(FLOW, "hotline", HEAP, **told)).filed.entry
    close(desk, entry.id)
    return str(entry.number)


def close(desk: Desk, case: str) -> None:
    """The rest of the case's way, by other people."""
    town = desk.town
    town.passes(minutes(1))
    leaders = [town.officer(name, CENTRE, "shift-leader") for name in ("Ban", "Zhang")]
    collectors = [town.officer(name, "东街街道 collector team", "collector") for name in ("Cai", "Ji")]
    acceptor, dispatcher = town.officer("Shou", CENTRE, "acceptor"), town.officer("Pai", COMMAND, "dispatcher")
    handler = town.officer("Chu", "Cleaning Company", "handler")
    filed = desk.hub.cases.get(case)
    if filed.case.step == "accept":
        filed = leaders[0].completes(collectors[0].completes(acceptor.completes(filed)), condition=CONDITION)
    filed = dispatcher.completes(filed, departments=["Cleaning Company"])
    filed = handler.completes(handler.completes(filed, photo=True))
    leaders[1].completes(collectors[1].completes(filed, photo=True))


def waits(desk: Desk, name: str = "ada") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.json(name, "/desk/call-backs.json")["waiting"]
    return found


def says(desk: Desk, number: str, name: str = "ada", **fields: str) -> Any:
    """Somebody calls back and sends the form."""
    told = {"do": "reached", "reached": "yes", "solved": "yes", "satisfied": "yes"} | fields
    return desk[name].send(f"/desk/call-backs/{number}", **told)


class TestCallBack:
    def test_the_longest_closed_comes_first_and_nobody_is_named_in_the_list(self, desk: Desk) -> None:
        first = finished(desk)
        desk.town.passes(hours(1))
        second = finished(desk, phone="13900000002", place=(120.61, 31.31))
        finished(desk, phone="")
        finished(desk, call_back=False)
        assert [row["number"] for row in waits(desk)] == [first, second]
        page = desk["ada"].get("/desk/call-backs").text
        assert PHONE not in page
        assert "Wang" not in page

    def test_who_is_called_is_in_the_audit(self, desk: Desk) -> None:
        number = finished(desk)
        assert PHONE in desk["ada"].get(f"/desk/call-backs/{number}").text
        assert ("ada", "see-contact", "allowed", "any") in desk.audit(f"case:{number}")

    def test_the_answers_stay_with_the_case_and_make_the_rates(self, desk: Desk) -> None:
        number = finished(desk)
        other = finished(desk, phone="13900000002", place=(120.61, 31.31))
        assert says(desk, number).status_code == 303
        assert says(desk, other, satisfied="mostly").status_code == 303
        assert desk.hub.cases.get(number).case.rating == {"reached": "yes", "solved": "yes", "satisfied": "yes"}
        assert waits(desk) == []
        said = desk.json("ada", "/desk/call-backs.json")["said"]
        assert (said["valid"], said["response"], said["solution"]) == (2, 1.0, 1.0)
        assert said["satisfaction"] == pytest.approx(0.95)
        assert said["composite"] == pytest.approx(0.1 + 0.5 + 0.4 * 0.95)
        assert said["texts"]["composite"] == "98%"

    def test_all_three_questions_are_asked(self, desk: Desk) -> None:
        number = finished(desk)
        assert says(desk, number, satisfied="").status_code == 422
        assert desk.hub.cases.get(number).case.rating == {}
        assert len(waits(desk)) == 1

    def test_who_does_not_answer_is_tried_again_later_and_not_for_ever(self, desk: Desk) -> None:
        number = finished(desk)
        for tries in range(1, MOST_TRIES):
            says(desk, number, do="missed")
            (row,) = waits(desk)
            assert (row["tries"], row["later"]) == (tries, True)
            desk.town.passes(hours(2))
            desk.visitors.clear()  # nobody stays signed in that long without doing anything
            assert waits(desk)[0]["later"] is False
        says(desk, number, do="missed")
        assert waits(desk) == []
        told = desk.json("ada", "/desk/call-backs.json")
        assert (told["calls"]["missed"], told["said"]["valid"], told["said"]["composite"]) == (MOST_TRIES, 0, None)

    def test_who_wants_to_say_nothing_is_left_alone(self, desk: Desk) -> None:
        says(desk, finished(desk), do="declined")
        assert waits(desk) == []

    def test_who_has_answered_on_the_website_is_not_called(self, desk: Desk) -> None:
        number = finished(desk)
        (row,) = desk.hub.reports.of_case(desk.hub.cases.get(number).entry.id)
        answer = {"reached": "yes", "solved": "yes", "satisfied": "no"}
        desk.hub.cases.act(
            desk.hub.cases.get(number).entry.id, "rate", desk.hub.reports.sender(row), {"answer": answer}
        )
        assert waits(desk) == []

    def test_not_solved_the_caller_has_it_opened_again(self, desk: Desk) -> None:
        number = finished(desk)
        answer = says(desk, number, solved="no", satisfied="no", reopen="1", reason="It is all there still.")
        assert answer.status_code == 303, answer.text
        case = desk.hub.cases.get(number)
        assert (case.entry.state, case.entry.step) == ("open", "dispatch")
        act = desk.hub.cases.acts(case.entry.id)[-1]
        assert act.data["reason"] == "By telephone, written down by Ada: It is all there still."
        assert act.actor.startswith("report:")
        close(desk, case.entry.id)
        assert [row["number"] for row in waits(desk)] == [number]

    def test_an_agent_who_dispatches_opens_it_again_as_themselves(self, desk: Desk) -> None:
        number = finished(desk)
        answer = says(desk, number, "dai", solved="no", satisfied="no", reopen="1", reason="It is all there still.")
        assert answer.status_code == 303, answer.text
        act = desk.hub.cases.acts(desk.hub.cases.get(number).entry.id)[-1]
        assert (act.verb, act.actor, act.data["reason"]) == ("reopen", "dai", "It is all there still.")

    def test_what_is_solved_is_not_opened_again(self, desk: Desk) -> None:
        number = finished(desk)
        assert says(desk, number, reopen="1", reason="So what").status_code == 422
        assert desk.hub.cases.get(number).entry.state == "closed"

    def test_after_the_window_of_the_reporter_only_a_dispatcher_can(self, desk: Desk) -> None:
        number = finished(desk)
        desk.town.passes(days(16))
        assert "cannot be opened again any more" in desk["ada"].get(f"/desk/call-backs/{number}").text
        assert 'name="reopen"' in desk["dai"].get(f"/desk/call-backs/{number}").text
        answer = says(desk, number, solved="no", satisfied="no", reopen="1", reason="Still there")
        assert answer.status_code == 422 or answer.status_code == 409
        assert desk.hub.cases.get(number).case.rating == {}

    def test_of_one_under_way_nobody_is_asked(self, desk: Desk) -> None:
        number = finished(desk)
        says(desk, number, solved="no", satisfied="no", reopen="1", reason="It is all there still.")
        assert desk["ada"].client.post(f"/desk/call-backs/{number}").status_code in (403, 409)

    def test_is_not_for_everybody(self, desk: Desk) -> None:
        for name in ("paul", "dora"):
            assert desk[name].get("/desk/call-backs").status_code == 403

    def test_no_month(self, desk: Desk) -> None:
        assert desk["ada"].get("/desk/call-backs?month=soon").status_code == 400
        assert desk.json("ada", "/desk/call-backs.json?month=2026-01")["said"]["valid"] == 0
