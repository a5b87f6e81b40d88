"""Passing on: never lost, never twice, and what the other city says is believed as far as it goes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from stub_city import PATIENCE, Stub, stub_city

from cheng.apps.city import urban_management
from cheng.apps.city.urban_management import handle_report
from cheng.chores import CHORES
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.neighbours import Neighbour
from cheng.infrastructure.passing_book import MOST_NEWS, NewPassing, Passing
from cheng.protocols.open311_client import Client
from cheng.protocols.open311_passing import OpenCities
from cheng.standards.durations import hours, minutes
from cheng.standards.problems import Refused
from cheng.testing import Officer, Town, city
from cheng.worker import Worker

CENTRE, KEY = "Urban Management Supervision Centre", "s3cret-key"


@dataclass
class Passes:
    """A town with one neighbour."""

    town: Town
    stub: Stub
    acceptor: Officer

    def passes(self, text: str = "Rubbish", **more: Any) -> str:
        """The number of a case that is passed on, and not sent yet."""
        report = self.town.hears(handle_report, text, class_code="E0102", phone="13800000000")
        new = NewPassing("Far", "rubbish", "Rubbish", text, "Theirs.", **more)
        new = NewPassing("Far", "rubbish", "Rubbish", f"{text} {new.marker}", "Theirs.", **more, marker=new.marker)
        self.town.hub.passings.pass_on(report.case.entry.id, self.acceptor.person, new)
        return report.number

    def works(self, after: float = 0) -> None:
        """Time passes, and the worker does what is due."""
        self.town.passes(minutes(after))
        assert self.town.hub.cities is not None
        self.town.hub.cities.send()
        self.town.hub.cities.follow()

    def case(self, number: str) -> Filed:
        return self.town.hub.cases.get(number)

    def row(self, number: str) -> Passing:
        return self.town.hub.passings.of_case(self.case(number).entry.id)[0]

    def verbs(self, number: str) -> list[str]:
        return [act.verb for act in self.town.hub.cases.acts(number)]

    def opens_cities(self) -> None:
        self.town.hub.cities = OpenCities(self.town.hub, PATIENCE)


@contextmanager
def passing(folder: Path, stub: Stub, **settings: Any) -> Iterator[Passes]:
    far = Neighbour("Far", stub.url, key=KEY)
    with city(folder, urban_management, **({"neighbours": (far,)} | settings)) as town:
        found = Passes(town, stub, town.officer("Shou", CENTRE, "acceptor"))
        found.opens_cities()
        yield found


@pytest.fixture
def far() -> Iterator[Stub]:
    with stub_city() as stub:
        yield stub


@pytest.fixture
def it(tmp_path: Path, far: Stub) -> Iterator[Passes]:
    with passing(tmp_path, far) as found:
        yield found


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("tokens", [False, True])
def test_a_case_goes_out_and_comes_to_its_end(tmp_path: Path, form: str, tokens: bool) -> None:
    with stub_city(form=form, tokens=tokens) as stub, passing(tmp_path, stub) as it:
        number = it.passes()
        it.works()
        if tokens:
            assert (it.row(number).state, it.row(number).number) == ("token", "")
            it.works(3)
            assert it.row(number).state == "token"
            stub.tokens = False
            it.works(10)
        assert (it.row(number).state, it.row(number).number) == ("sent", "R-1")
        stub.says("R-1", "open", "A crew is on its way")
        it.works(20)
        passed = it.case(number).case.passed
        assert passed is not None
        assert (passed.number, passed.says) == ("R-1", "A crew is on its way")
        it.works(300)
        it.works(300)
        assert it.verbs(number) == ["open", "pass_on", "answered", "answered"], "nothing new is no act"
        stub.says("R-1", "closed", "It is gone")
        it.works(300)
        case = it.case(number).case
        assert (case.step, it.row(number).state) == ("close", "over")
        assert case.passed is not None
        assert case.passed.says == "It is gone"
        asked = len(stub.asked)
        it.works(3000)
        assert len(stub.asked) == asked, "what is over is asked about no more"
        assert len(stub.reports) == 1


def test_an_answer_that_is_lost_is_looked_for_and_nothing_is_sent_twice(it: Passes, far: Stub) -> None:
    far.loses = 1
    number = it.passes()
    it.works()
    assert it.row(number).state == "unsure"
    assert len(far.posted) == 1
    it.works(2)
    assert (it.row(number).state, it.row(number).number) == ("sent", "R-1")
    assert (len(far.posted), len(far.reports)) == (1, 1)


def test_a_report_that_got_lost_is_sent_again_after_it_was_looked_for_in_vain(it: Passes, far: Stub) -> None:
    far.drops = 1
    number = it.passes()
    it.works()
    it.works(2)
    assert (it.row(number).state, len(far.posted)) == ("unsure", 1), "once is not enough: they may be slow"
    it.works(5)
    it.works(1)
    assert (it.row(number).state, len(far.posted), len(far.reports)) == ("sent", 2, 1)


def test_while_it_cannot_be_looked_for_it_is_not_sent_again(it: Passes, far: Stub) -> None:
    far.loses = 1
    number = it.passes()
    it.works()
    far.reply = lambda method, path: (500, b"", {}) if path == "requests" and method == "GET" else None
    for _ in range(6):
        it.works(61)
    assert (it.row(number).state, len(far.posted)) == ("unsure", 1)
    far.reply = lambda method, path: (404, b"", {}) if path == "requests" and method == "GET" else None
    it.works(61)
    problem = it.row(number).problem
    assert problem is not None
    assert "cannot be looked up" in problem[0]
    far.reply = lambda method, path: None
    it.works(61)
    assert (it.row(number).state, len(far.posted)) == ("sent", 1)


@pytest.mark.parametrize("lost", [True, False])
def test_a_house_that_falls_while_it_sends_looks_before_it_sends_again(it: Passes, far: Stub, lost: bool) -> None:
    number = it.passes()
    assert it.town.hub.passings.claim(it.row(number))
    if not lost:  # it arrived, and the house fell before it wrote that down
        Client(Neighbour("Far", far.url)).file(dict(it.row(number).form), it.row(number).marker)
    it.town.restarts()
    it.opens_cities()
    it.works()
    assert len(far.posted) == (0 if lost else 1)
    for _ in range(5):
        it.works(11)
    assert (it.row(number).state, len(far.reports)) == ("sent", 1)


def test_nobody_sends_what_somebody_else_is_sending(it: Passes, far: Stub) -> None:
    number = it.passes()
    row = it.row(number)
    assert it.town.hub.passings.claim(row)
    assert not it.town.hub.passings.claim(row)
    it.works()
    assert far.posted == []


def test_who_cannot_be_reached_is_asked_again_ever_less_often(it: Passes, far: Stub) -> None:
    gone = OpenCities(it.town.hub, PATIENCE)
    gone.clients = {"Far": Client(Neighbour("Far", "http://127.0.0.1:9/v2"), patience=PATIENCE)}
    it.town.hub.cities = gone
    number = it.passes()
    waits = []
    for _ in range(9):
        it.works()
        due = it.row(number).next_at
        assert due is not None
        waits.append(round((due - it.town.clock.now()) / 60e6))
        it.town.passes(minutes(waits[-1]))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    problem = it.row(number).problem
    assert problem is not None
    assert "cannot be reached" in problem[0]
    it.opens_cities()
    it.works()
    assert it.row(number).state == "sent"


def test_a_refusal_brings_the_case_back_with_its_sentence(it: Passes, far: Stub) -> None:
    said = b'[{"code":400,"description":"This lies in Near."}]'
    far.reply = lambda method, path: (400, said, {}) if method == "POST" else None
    number = it.passes()
    it.works()
    case = it.case(number)
    assert (case.case.step, case.case.passed, case.case.departments) == ("accept", None, (CENTRE,))
    last = it.town.hub.cases.acts(number)[-1]
    assert (last.verb, last.data["text"], last.by_house) == ("turned_down", "This lies in Near.", True)
    far.reply = lambda method, path: None
    it.works(60)
    assert len(far.posted) == 1
    assert it.acceptor.completes(case).case.step == "verify"


def test_a_redirection_is_a_refusal_and_leads_nowhere(it: Passes, far: Stub) -> None:
    far.reply = lambda method, path: (307, b"", {"Location": "http://127.0.0.1:9/"}) if method == "POST" else None
    number = it.passes()
    it.works()
    assert it.case(number).case.step == "accept"
    assert it.town.hub.cases.acts(number)[-1].data["text"] == "HTTP 307"


def test_a_case_that_is_taken_back_before_it_went_out_does_not_go_out(it: Passes, far: Stub) -> None:
    number = it.passes()
    leader = it.town.officer("Ban", CENTRE, "shift-leader")
    leader.returns(it.case(number), "accept", "Ours.")
    it.works()
    assert far.posted == []
    assert it.row(number).state == "withdrawn"


def test_a_case_that_is_suspended_is_not_sent_meanwhile(it: Passes, far: Stub) -> None:
    number = it.passes()
    dispatcher = it.town.officer("Pai", CENTRE, "dispatcher")
    until = it.town.clock.now() + hours(5).us
    dispatcher.does("suspend", it.case(number), until=until, reason="Wait.")
    it.works(120)
    assert far.posted == []
    it.town.passes(hours(4))
    it.town.hub.cases.resume_due()
    it.works()
    assert it.row(number).state == "sent"


def test_a_case_passed_on_a_second_time_is_followed_by_its_second_number(it: Passes, far: Stub) -> None:
    number = it.passes()
    it.works()
    leader = it.town.officer("Ban", CENTRE, "shift-leader")
    case = leader.returns(it.case(number), "accept", "Ours.")
    new = NewPassing("Far", "rubbish", "Rubbish", "again", "Theirs after all.")
    it.town.hub.passings.pass_on(case.entry.id, it.acceptor.person, new)
    far.says("R-1", "closed", "the first")
    it.works(20)
    it.works(300)
    assert [each.state for each in it.town.hub.passings.of_case(case.entry.id)] == ["sent", "withdrawn"]
    assert it.case(number).case.step == "elsewhere"
    far.says("R-2", "closed", "the second")
    it.works(300)
    assert it.case(number).case.step == "close"


def test_many_are_followed_by_few_questions(it: Passes, far: Stub) -> None:
    numbers = [it.passes(f"heap {n}") for n in range(60)]
    it.works()
    far.asked.clear()
    for n in range(60):
        far.says(f"R-{n + 1}", "closed", "done")
    it.works(20)
    assert all(it.case(number).case.step == "close" for number in numbers)
    assert len(far.asked) == 2


def test_a_city_that_tells_of_one_at_a_time_is_asked_about_one_at_a_time(it: Passes, far: Stub) -> None:
    far.batched = False
    numbers = [it.passes("one"), it.passes("two")]
    it.works()
    far.says("R-2", "closed", "done")
    it.works(20)
    assert [it.case(number).case.step for number in numbers] == ["elsewhere", "close"]


def test_a_city_that_fails_is_left_in_peace(it: Passes, far: Stub) -> None:
    number = it.passes()
    it.works()
    far.asked.clear()
    far.reply = lambda method, path: (500, b"", {})
    for _ in range(20):
        it.works(15)
    assert len(far.asked) < 8
    far.reply = lambda method, path: None
    far.says("R-1", "closed", "done")
    it.works(250)
    assert it.case(number).case.step == "close"


def test_a_city_that_talks_without_end_does_not_fill_the_case(it: Passes, far: Stub) -> None:
    number = it.passes()
    it.works()
    for n in range(MOST_NEWS + 10):
        far.says("R-1", "open", f"<script>alert({n})</script>")
        it.works(15)
    assert it.verbs(number).count("answered") == MOST_NEWS + 1
    assert it.row(number).notes == f"<script>alert({MOST_NEWS + 9})</script>"
    far.says("R-1", "closed", "x" * 100_000)
    it.works(15)
    passed = it.case(number).case.passed
    assert passed is not None
    assert passed.says == "x" * 1000


def test_the_key_is_in_no_log_no_sentence_and_no_row(it: Passes, far: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    told = f'[{{"code":403,"description":"{KEY} is no key."}}]'.encode()
    far.reply = lambda method, path: (403, told, {}) if method == "POST" else None
    number = it.passes()
    it.works()
    assert far.posted[0]["api_key"] == KEY
    acts = it.town.hub.cases.acts(number)
    assert acts[-1].data["text"] == "… is no key."
    assert KEY not in f"{caplog.text}{it.row(number)}{acts}{it.town.hub.settings}"


def test_a_city_that_left_the_settings_is_asked_nothing(tmp_path: Path, far: Stub) -> None:
    with passing(tmp_path, far) as it:
        sent, waiting = it.passes(), ""
        it.works()
        waiting = it.passes()
        it.town.hub.cities = None
        gone = OpenCities(it.town.hub)
        gone.clients = {}
        it.town.hub.cities = gone
        far.asked.clear()
        it.works(20)
        assert far.asked == []
        for number in (sent, waiting):
            problem = it.row(number).problem
            assert problem is not None
            assert "not in the settings" in problem[0]
        with pytest.raises(Refused, match="not among those"):
            gone.services("Far")


def test_the_worker_does_it_by_itself(it: Passes, far: Stub) -> None:
    number = it.passes()
    chores = [chore for chore in CHORES if chore.name in ("pass_on", "follow_passed_on")]
    worker = Worker(it.town.hub, chores)
    worker.run_due(it.town.clock.now())
    far.says("R-1", "closed", "done")
    it.town.passes(minutes(20))
    worker.run_due(it.town.clock.now())
    worker.stop()
    assert it.case(number).case.step == "close"


def test_open_pages_hear_of_it(it: Passes, far: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[tuple[str, str, str]]()
    number = it.passes()
    publish = lambda topic, body: told.append((topic, body["number"], body["step"]))  # noqa: E731
    monkeypatch.setattr(it.town.hub.bus, "publish", publish)
    it.works()
    far.says("R-1", "closed", "done")
    it.works(20)
    it.works(20)
    assert told == [("cases/changed", number, "elsewhere"), ("cases/changed", number, "close")]


def test_who_reported_it_is_read_when_it_is_sent_and_only_if_it_was_said(it: Passes, far: Stub) -> None:
    it.passes()
    it.passes(personal=True)
    it.works()
    assert ["13800000000" in str(told) for told in far.posted] == [False, True]
    assert all("media_url" not in told for told in far.posted)
