"""A duty log: what comes in by day and night, over a weekend and a holiday, and what becomes of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cheng.apps.city import urban_management
from cheng.apps.city.urban_management import handle_report, handled_in_time
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.report_book import NewReport
from cheng.kernel.standing import HOUSE
from cheng.standards.durations import days, hours, minutes
from cheng.standards.problems import Refused
from cheng.testing import Officer, Reported, Town, city

CENTRE, COMMAND = "Urban Management Supervision Centre", "Urban Management Command Centre"
BEFORE_THE_HOLIDAY = round(datetime(2026, 9, 30, 8, 30, tzinfo=UTC).timestamp() * 1e6)
"""2026-09-30 16:30 in Shanghai, the last working hours before eight days off."""
RIVER = {
    "type": "Polygon",
    "coordinates": [[[106.5, 29.5], [106.6, 29.5], [106.6, 29.6], [106.5, 29.6], [106.5, 29.5]]],
}
HERE = (106.55, 29.56)


class Duty:
    """The people of one day, each at their post."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.acceptor = town.officer("Shou", CENTRE, "acceptor")
        self.leader = town.officer("Ban", CENTRE, "shift-leader")
        self.second_leader = town.officer("Zhang", CENTRE, "shift-leader")
        self.collector = town.officer("Cai", "River Street collector team", "collector")
        self.second_collector = town.officer("Ji", "River Street collector team", "collector")
        self.dispatcher = town.officer("Pai", COMMAND, "dispatcher")
        self.cleaner = town.officer("Chu", "Cleaning Company", "handler")
        self.clerk = town.officer("Wen", "Cleaning Company")
        self.gardener = town.officer("Yuan", "Parks Office", "handler")
        self.reviewers = [town.officer(name, "Review Office", "reviewer") for name in ("Shen", "Cha")]

    def by(self, officer: Officer, case: Filed, **more: Any) -> Filed:
        return officer.completes(case, **more)

    def filed(self, case: Filed, condition: str = "main", **more: Any) -> Filed:
        """As far as the dispatcher's desk."""
        if case.case.step == "accept":
            case = self.acceptor.completes(case)
        if case.case.step == "verify":
            case = self.collector.completes(case)
        return self.leader.completes(case, condition=condition, **more)

    def sent(self, case: Filed, *departments: str, condition: str = "main", **more: Any) -> Filed:
        names = list(departments) or ["Cleaning Company"]
        return self.dispatcher.completes(self.filed(case, condition, **more), departments=names)

    def done(self, case: Filed) -> Filed:
        return self.clerk.completes(self.cleaner.completes(case, photo=True))

    def closed(self, case: Filed) -> Filed:
        return self.second_leader.completes(self.second_collector.completes(self.done(case), photo=True))


@pytest.fixture
def duty(tmp_path: Path) -> Iterator[Duty]:
    with city(tmp_path, urban_management) as town:
        yield settled(town)


@pytest.fixture
def last_day(tmp_path: Path) -> Iterator[Duty]:
    with city(tmp_path, urban_management, start=BEFORE_THE_HOLIDAY) as town:
        yield settled(town)


def settled(town: Town) -> Duty:
    for level, name, parent in (("district", "North District", ""), ("street", "River Street", "area:north-district")):
        above = {"parent": parent} if parent else {}
        area = f"area:{name.lower().replace(' ', '-')}"
        town.hub.things.put([area_of(area, name, level, above)], "tester")
    return Duty(town)


def area_of(area: str, name: str, level: str, above: dict[str, str]) -> NewThing:
    return NewThing(area, "Area", name, properties={"level": level, **above}, geometry=RIVER)


def rubbish(duty: Duty, **more: Any) -> Reported:
    told = {"class_code": "E0102", "place": HERE, "phone": "138 0000 0000"} | more
    return duty.town.hears(handle_report, "Rubbish lies before the school", **told)


def steps(case: Filed) -> list[str]:
    return [run.step for run in case.case.runs]


# -- the way through


def test_0800_a_citizen_reports_rubbish_and_reads_in_the_evening_that_it_is_gone(duty: Duty) -> None:
    report = rubbish(duty)
    case = report.case
    assert case.case.values["street"] == "River Street"
    assert case.case.departments == (CENTRE,)
    duty.town.passes(minutes(5))
    case = duty.closed(duty.sent(case))
    assert steps(case) == ["accept", "verify", "file", "dispatch", "handle", "feedback", "check", "close"]
    assert report.case.entry.state == "closed"
    assert duty.town.indicator(handled_in_time) == 1.0
    report.does("rate", answer={"reached": "yes", "solved": "yes", "satisfied": "mostly"})
    assert report.case.case.rating["satisfied"] == "mostly"


def test_0815_a_collector_files_without_anybody_looking_first(duty: Duty) -> None:
    report = rubbish(duty, source="collector")
    assert steps(duty.closed(duty.sent(report.case))) == ["file", "dispatch", "handle", "feedback", "check", "close"]


def test_0820_a_collector_picks_it_up_and_the_case_is_filed_and_closed(duty: Duty) -> None:
    report = rubbish(duty, source="collector", simple=True)
    case = duty.filed(report.case, "bit")
    assert case.case.step == "close"
    with pytest.raises(Refused, match="somebody else"):
        duty.leader.completes(case)
    assert steps(duty.second_leader.completes(case)) == ["file", "close"]


def test_0830_there_is_nothing_and_the_shift_leader_declares_it_void(duty: Duty) -> None:
    case = duty.collector.completes(duty.acceptor.completes(rubbish(duty).case), reason="nothing there")
    case = duty.leader.does("void", case, reason="nothing there")
    assert case.entry.state == "void"


def test_0840_a_second_caller_reports_the_same_and_follows_the_first(duty: Duty) -> None:
    first, second = rubbish(duty), rubbish(duty, source="hotline", phone="139 0000 0000")
    duty.acceptor.does("merge", second.case, into=first.case.entry.id, reason="the same heap")
    assert second.case.entry.number == first.number
    assert first.case.entry.weight == 2
    third = duty.town.hub.reports.follow(first.number, report_of(duty))
    assert third.filed.entry.weight == 3
    merged = duty.town.hub.cases.get(second.number)
    duty.acceptor.does("unmerge", merged, reason="it is another heap")
    assert first.case.entry.weight == 2
    assert second.case.entry.number == second.number


def report_of(duty: Duty) -> NewReport:
    return NewReport(handle_report.key(), "portal", "I see it too", phone="137 0000 0000")


def test_0850_the_department_says_it_is_not_theirs_and_the_clock_runs_on(duty: Duty) -> None:
    case = duty.sent(rubbish(duty).case)
    due = case.case.next_due
    case = duty.cleaner.does("dispute", case, reason="this is a park")
    duty.town.passes(minutes(20))
    assert case.case.next_due == due
    case = duty.dispatcher.does("move", case, department="Parks Office", reason="so it is")
    assert case.case.departments == ("Parks Office",)
    assert case.case.dispute is None


def test_0900_two_departments_share_the_work_and_the_first_waits_for_the_second(duty: Duty) -> None:
    case = duty.sent(rubbish(duty).case, "Cleaning Company", "Parks Office")
    (part,) = [each for each in duty.town.cases(handle_report) if each.entry.parent == case.entry.id]
    assert (part.case.step, part.case.departments) == ("handle", ("Parks Office",))
    assert part.case.next_due == case.case.next_due
    case = duty.cleaner.completes(case, photo=True)
    with pytest.raises(Refused, match="still at work"):
        duty.clerk.completes(case)
    part = duty.gardener.completes(duty.gardener.completes(part, photo=True))
    assert part.entry.state == "closed"
    case = duty.clerk.completes(duty.town.hub.cases.get(case.entry.id))
    assert case.case.step == "check"


def test_0910_the_checker_sends_it_back_and_all_that_was_done_stays(duty: Duty) -> None:
    case = duty.done(duty.sent(rubbish(duty).case))
    case = duty.second_collector.returns(case, "handle", "half of it is still there")
    assert case.case.departments == ("Cleaning Company",)
    proofs = [act.data["proof"] for act in duty.town.hub.cases.acts(case.entry.id) if act.data.get("proof")]
    assert len(proofs) == 1
    assert duty.closed(case).entry.state == "closed"


def test_0920_who_verified_it_does_not_check_it(duty: Duty) -> None:
    case = duty.done(duty.sent(rubbish(duty).case))
    with pytest.raises(Refused, match="somebody else"):
        duty.collector.completes(case, photo=True)


def test_0930_more_time_is_asked_for_before_it_is_late_and_twice_at_most(duty: Duty) -> None:
    case = duty.sent(rubbish(duty).case)
    due = case.case.next_due
    assert due is not None
    for _ in range(2):
        case = duty.dispatcher.does("allow", duty.cleaner.does("extend", case, reason="the truck broke down"))
    run = case.case.run
    assert run is not None
    assert run.due is not None
    assert run.due > due
    with pytest.raises(Refused, match="cannot be again"):
        duty.cleaner.does("extend", case, reason="again")


def test_0940_a_case_is_put_off_until_spring_and_its_clock_stands_still(duty: Duty) -> None:
    case = duty.sent(rubbish(duty).case)
    left = case.case.next_due
    assert left is not None
    case = duty.dispatcher.does("suspend", case, until=duty.town.clock.now() + days(30).us, reason="works next door")
    duty.town.passes(days(31))
    duty.town.hub.cases.resume_due()
    case = duty.town.hub.cases.get(case.entry.id)
    assert case.entry.state == "open"
    assert case.entry.light(duty.town.clock.now()) != "red"
    with pytest.raises(Refused, match="suspended once"):
        duty.dispatcher.does("suspend", case, until=duty.town.clock.now() + days(1).us, reason="again")


def test_0950_late_feedback_is_appealed_against_and_leaves_the_statistics_but_not_the_page(duty: Duty) -> None:
    case = duty.sent(rubbish(duty).case)
    case = duty.cleaner.completes(case, photo=True)
    duty.town.passes(days(3))
    case = duty.clerk.completes(case)
    case = duty.second_leader.completes(duty.second_collector.completes(case, photo=True))
    assert duty.town.indicator(handled_in_time, days(5)) == 0.0
    case = duty.clerk.does("appeal", case, reason="the network was down")
    for reviewer in duty.reviewers:
        case = reviewer.does("uphold", case)
    assert duty.town.indicator(handled_in_time, days(5)) is None
    assert case.case.late(duty.town.clock.now())


def test_1000_the_reporter_opens_it_again_within_fifteen_days_and_not_later(duty: Duty) -> None:
    report = rubbish(duty)
    duty.closed(duty.sent(report.case))
    duty.town.passes(days(14))
    report.does("reopen", reason="it is there again")
    assert report.case.case.step == "dispatch"
    late = rubbish(duty)
    duty.closed(duty.sent(late.case))
    duty.town.passes(days(16))
    with pytest.raises(Refused, match="too long ago"):
        late.does("reopen", reason="it is there again")


def test_1010_the_reporter_and_the_leader_press_for_it(duty: Duty) -> None:
    report = rubbish(duty)
    report.does("urge")
    mayor = duty.town.officer("Shi", "City hall", "leader")
    case = mayor.does("supervise", report.case, reason="the school opens tomorrow")
    assert (case.case.urged, case.case.supervised) == (2, True)


# -- what is for another city

BEYOND = {"city": "River City", "service": "Rubbish", "reason": "it lies beyond the bridge"}


def test_1020_it_lies_beyond_the_bridge_and_the_other_city_clears_it_away_once(duty: Duty) -> None:
    report = rubbish(duty)
    case = duty.acceptor.does("pass_on", report.case, **BEYOND)
    assert (case.case.step, case.case.departments) == ("elsewhere", (CENTRE,))
    case = by_the_house(duty, case, "answered", number="293944", text="A truck comes at noon")
    assert case.entry.marks["passed"] == {
        "to": "River City",
        "number": "293944",
        "says": "A truck comes at noon",
        "away": True,
    }
    duty.town.passes(days(40))
    case = by_the_house(duty, case, "complete", text="It is gone")
    assert steps(case) == ["accept", "elsewhere", "close"]
    case = duty.leader.completes(case)
    assert case.entry.state == "closed"
    assert case.entry.light(duty.town.clock.now()) == "green", "forty days of another city are not our lateness"
    assert duty.town.indicator(handled_in_time, days(50)) is None
    report.does("reopen", reason="it is there again")
    assert (report.case.case.step, report.case.case.passed) == ("dispatch", None), "it is ours then"


def test_1030_the_shift_leader_and_the_dispatcher_see_it_later_and_pass_it_on_too(duty: Duty) -> None:
    first, second = (duty.acceptor.completes(rubbish(duty).case) for _ in range(2))
    case = duty.leader.does("pass_on", duty.collector.completes(first), **BEYOND)
    assert steps(case) == ["accept", "verify", "file", "elsewhere"]
    with pytest.raises(Refused, match="somebody else"):
        duty.leader.completes(by_the_house(duty, case, "complete"))
    with pytest.raises(Refused, match="At this step"):
        duty.collector.does("pass_on", second, **BEYOND)
    case = duty.dispatcher.does("pass_on", duty.filed(second), **BEYOND)
    assert steps(case) == ["accept", "verify", "file", "dispatch", "elsewhere"]
    case = by_the_house(duty, case, "turned_down", text="not ours either")
    assert duty.closed(duty.dispatcher.completes(case, departments=["Cleaning Company"])).entry.state == "closed"


def by_the_house(duty: Duty, case: Filed, verb: str, **data: Any) -> Filed:
    return duty.town.hub.cases.act(case.entry.id, verb, HOUSE, data)


# -- clocks


def test_emergencies_run_through_the_night_and_the_holiday(last_day: Duty) -> None:
    report = rubbish(last_day, class_code="E0401")
    case = last_day.sent(report.case, "Road Company", condition="collapse")
    run = case.case.run
    assert run is not None
    assert run.due == run.started + hours(1).us


def test_working_hours_wait_for_the_first_working_day_after_the_holiday(last_day: Duty) -> None:
    case = last_day.sent(rubbish(last_day).case)
    run = case.case.run
    assert run is not None
    assert run.due is not None
    # 16:30 to 18:00 are one hour and a half of four; the rest is of 8 October, from 08:00
    assert datetime.fromtimestamp(run.due / 1e6, UTC) == datetime(2026, 10, 8, 2, 30, tzinfo=UTC)


def test_working_days_begin_after_the_holiday(last_day: Duty) -> None:
    case = last_day.sent(rubbish(last_day, class_code="C0101").case, "Water Company", condition="loose")
    run = case.case.run
    assert run is not None
    assert run.due is not None
    # 8 and 9 October are the first two working days
    assert datetime.fromtimestamp(run.due / 1e6, UTC) == datetime(2026, 10, 9, 10, 0, tzinfo=UTC)


# -- what is refused, and changes nothing


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"place": (120.0, 30.0)}, "outside the city"),
        ({"place": (500.0, 30.0)}, "nowhere on the earth"),
        ({"class_code": "X99"}, "no class X99"),
        ({"source": "rumour"}, "no channel"),
        ({"photos": ("0" * 64,)}, "not there or is damaged"),
        ({"name": "x" * 61}, "at most 60"),
    ],
)
def test_a_report_that_cannot_be_is_refused_in_a_sentence(duty: Duty, told: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        rubbish(duty, **told)
    assert duty.town.cases(handle_report) == []


def test_a_case_cannot_be_filed_by_a_condition_that_is_not_of_its_class(duty: Duty) -> None:
    case = duty.collector.completes(duty.acceptor.completes(rubbish(duty).case))
    with pytest.raises(Refused, match="filing condition"):
        duty.leader.completes(case, condition="collapse")
    assert duty.town.hub.cases.get(case.entry.id).case.version == case.case.version


def test_the_same_report_sent_twice_is_one_report(duty: Duty) -> None:
    first, again = rubbish(duty, key="once"), rubbish(duty, key="once")
    assert (first.number, first.secret) == (again.number, again.secret)
    assert len(duty.town.hub.reports.of_case(first.case.entry.id)) == 1


def test_nobody_finds_a_report_without_its_word(duty: Duty) -> None:
    report = rubbish(duty)
    for number, secret in ((report.number, "guess"), ("20260101-000009", report.secret)):
        with pytest.raises(Refused, match=f"There is no case {number}"):
            duty.town.hub.reports.find(number, secret)


def test_a_caller_is_known_by_the_number(duty: Duty) -> None:
    rubbish(duty, source="hotline")
    assert [entry.source for entry in duty.town.hub.reports.of_phone("138-0000-0000")] == ["hotline"]
    assert duty.town.hub.reports.of_phone("") == []


def test_everything_is_there_after_a_restart(duty: Duty) -> None:
    report = rubbish(duty)
    case = duty.sent(report.case)
    duty.town.restarts()
    again = report.case
    assert again.case == case.case
    assert again.case.standard["condition"] == "main"


def test_a_collapsed_road_is_looked_at_in_half_an_hour_also_in_the_night(last_day: Duty) -> None:
    last_day.town.passes(hours(8))
    case = last_day.acceptor.completes(rubbish(last_day, class_code="E0401").case)
    run = case.case.run
    assert run is not None
    assert (run.step, run.due) == ("verify", run.started + minutes(30).us)


def test_an_acceptor_marks_as_urgent_what_cannot_wait(last_day: Duty) -> None:
    case = last_day.acceptor.completes(rubbish(last_day, class_code="C0101").case, urgent="yes")
    run = case.case.run
    assert run is not None
    assert run.due == run.started + minutes(30).us
