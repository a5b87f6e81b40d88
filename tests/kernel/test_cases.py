"""Cases: what each verb does, and every sentence with which one is refused."""

from typing import Any

import pytest

from cheng.kernel.cases import HOUSE, VERBS, Act, Case, Flow, Step, act, fold, lights, remaining
from cheng.kernel.needs import clean
from cheng.standards.problems import Refused
from small_flow import (
    CALENDAR,
    CITIZEN,
    DAY,
    DISPATCHER,
    FIRST,
    HE,
    HOUR,
    LEADER,
    LI,
    MINUTE,
    PHOTO,
    SECOND,
    START,
    STRANGER,
    WU,
    Cover,
    Desk,
    at_check,
    closed,
    make_safe,
    officer,
    together,
)

# -- the way through


def test_from_the_alert_to_the_close() -> None:
    desk = Desk()
    assert (desk.case.state, desk.case.step, desk.case.departments) == ("open", "dispatch", ("East drainage crew",))
    assert desk.case.alert == "standing"
    desk.do("take", LI)
    assert desk.case.assignee == "li"
    desk.do("complete", LI)
    assert (desk.case.step, desk.case.assignee) == ("handle", "")
    desk.do("assign", LI, target=WU)
    desk.do("complete", WU, **PHOTO)
    desk.do("complete", HE, holds=True)
    assert (desk.case.state, desk.case.step, desk.case.closed) == ("closed", "", desk.now)
    assert [run.outcome for run in desk.case.runs] == ["completed"] * 3
    assert [run.by for run in desk.case.runs] == ["li", "wu", "he"]
    assert not desk.case.late(desk.now)
    assert desk.case.version == len(desk.acts) == 6
    assert desk.acts[-1].facts["holds"] is True
    assert desk.acts[3].facts["target"] == "East drainage crew"


def test_without_a_department_the_step_goes_to_the_owner_or_waits_for_a_dispatcher() -> None:
    class plain(Flow):
        """Do it."""

        steps = (Step("handle"),)

    assert Desk(plain).case.departments == ("Drainage Bureau",)
    unknown = Desk(make_safe)
    opened = act(make_safe, Case(), "open", HOUSE, START, {"values": {"id": "c2"}}, CALENDAR)
    unknown.case = fold(make_safe, [opened], CALENDAR)
    assert unknown.case.departments == ()
    assert "move" in unknown.verbs(DISPATCHER)
    assert unknown.verbs(LI) == set()


def test_several_departments_get_it_and_one_acts() -> None:
    roads, drainage = officer("ro", "Roads"), officer("dr", "Drainage")
    desk = Desk(together, DISPATCHER)
    assert desk.case.departments == ("Roads", "Drainage")
    desk.do("take", drainage)
    assert desk.case.departments == ("Drainage",)
    assert desk.verbs(roads) == set()
    desk.do("complete", drainage)
    assert desk.case.departments == ("Drainage",), "the next step stays with whoever acted"
    other = Desk(together, DISPATCHER)
    other.do("complete", drainage)
    assert other.case.departments == ("Drainage",)
    assert other.case.runs[0].department == "Drainage"


def test_a_return_keeps_evidence_and_department_and_the_receiver_corrects() -> None:
    desk = at_check()
    desk.do("return", WU, step="handle", reason="The fence is missing")
    assert (desk.case.state, desk.case.step) == ("open", "handle")
    assert desk.case.departments == ("East drainage crew",)
    assert [run.outcome for run in desk.case.runs] == ["completed", "completed", "returned", ""]
    assert any("proof" in done.data for done in desk.acts), "the first photo is still there"
    desk.do("complete", HE, **PHOTO)
    assert desk.case.step == "check"
    with pytest.raises(Refused, match="somebody else"):
        desk.do("complete", LI, holds=True)
    with pytest.raises(Refused, match="somebody else"):
        desk.do("complete", HE, holds=True)
    assert desk.do("complete", WU, holds=True).state == "closed"


def test_an_unknown_condition_takes_a_written_reason() -> None:
    desk = at_check()
    with pytest.raises(Refused, match="reason"):
        desk.do("complete", WU)
    assert desk.do("complete", WU, reason="The sensor is broken; I looked myself").state == "closed"


def test_a_dispatcher_moves_a_case_and_the_clock_begins_anew() -> None:
    desk = Desk()
    desk.do("move", DISPATCHER, department="Parks", reason="It lies in a park")
    assert desk.case.departments == ("Parks",)
    assert desk.case.run
    assert desk.case.run.started == desk.now
    assert desk.case.runs[0].outcome == "moved"
    assert desk.do("complete", STRANGER).step == "handle"
    assert desk.case.departments == ("Parks",)


# -- clocks


def test_lights_and_what_remains() -> None:
    desk = Desk()
    assert lights(desk.case, START) == "green"
    assert lights(desk.case, START + 7 * MINUTE + MINUTE // 2) == "green", "a quarter is still left"
    assert lights(desk.case, START + 8 * MINUTE) == "yellow"
    assert lights(desk.case, START + 10 * MINUTE) == "yellow"
    assert lights(desk.case, START + 10 * MINUTE + 1) == "red"
    assert remaining(desk.case, START + 8 * MINUTE) == 2 * MINUTE
    assert remaining(desk.case, START + 12 * MINUTE) == -2 * MINUTE
    late = closed(late=True)
    assert lights(late.case, late.now + DAY) == "red"
    assert remaining(late.case, late.now) is None
    assert lights(closed().case, START + 90 * DAY) == "green"
    unhurried = Desk(together, DISPATCHER)
    unhurried.do("complete", officer("ro", "Roads"))
    assert lights(unhurried.case, START + 900 * DAY) == "green"
    assert remaining(unhurried.case, START) is None


def test_the_limit_of_the_whole_case_turns_the_light_red() -> None:
    desk = at_check()
    desk.now = START + 2 * DAY - 2 * MINUTE
    desk.do("return", WU, step="handle", reason="again")
    assert lights(desk.case, START + 2 * DAY) == "green"
    assert lights(desk.case, START + 2 * DAY + 1) == "red"


def test_working_days_are_counted_on_their_clock() -> None:
    desk = Desk(together, DISPATCHER)
    run = desk.case.run
    assert run is not None
    assert run.due == START + 4 * DAY + 10 * HOUR, "Friday morning and two working days: Tuesday at 18:00"


def test_an_extension_adds_the_original_limit_and_two_are_enough() -> None:
    desk = Desk()
    desk.do("extend", LI, reason="The crane is on its way")
    with pytest.raises(Refused, match="asked for already"):
        desk.do("extend", LI, reason="Really")
    desk.do("deny", DISPATCHER, reason="Go by hand")
    assert desk.case.extended == 0
    assert desk.case.run
    assert desk.case.run.due == START + 10 * MINUTE
    for times in (1, 2):
        desk.do("extend", LI, reason="The crane is on its way")
        desk.do("allow", DISPATCHER)
        assert desk.case.extended == times
        assert desk.case.run
        assert desk.case.run.due == START + (1 + times) * 10 * MINUTE
    assert lights(desk.case, START + 22 * MINUTE + MINUTE // 2) == "green", "a quarter of thirty minutes is left"
    assert lights(desk.case, START + 23 * MINUTE) == "yellow"
    assert desk.case.due == START + 2 * DAY + 20 * MINUTE
    with pytest.raises(Refused, match="2 times"):
        desk.do("extend", LI, reason="Still not")


def test_an_extension_asked_in_time_may_be_allowed_later() -> None:
    desk = Desk()
    desk.do("extend", LI, reason="The crane is on its way")
    desk.now = START + 12 * MINUTE
    assert lights(desk.case, desk.now) == "red"
    desk.do("allow", FIRST)
    assert lights(desk.case, desk.now) == "yellow" or lights(desk.case, desk.now) == "green"
    desk.do("complete", LI)
    assert not desk.case.runs[0].late(desk.now)


def test_an_undecided_extension_lapses_with_the_step() -> None:
    desk = Desk()
    desk.do("extend", LI, reason="The crane is on its way")
    desk.do("complete", LI)
    assert desk.case.extension is None


def test_a_suspension_stops_the_clock() -> None:
    desk = Desk()
    desk.do("suspend", DISPATCHER, until=START + 10 * DAY, reason="Waits for the new lid")
    since = desk.now
    assert lights(desk.case, START + 9 * DAY) == "green"
    assert remaining(desk.case, START + 9 * DAY) == START + 10 * MINUTE - since
    desk.now = START + 5 * DAY - MINUTE
    desk.do("resume", DISPATCHER)
    paused = desk.now - since
    assert desk.case.run
    assert desk.case.run.due == START + 10 * MINUTE + paused
    assert desk.case.due == START + 2 * DAY + paused
    with pytest.raises(Refused, match="suspended once"):
        desk.do("suspend", DISPATCHER, until=desk.now + DAY, reason="Again")


def test_a_suspension_ends_by_itself_on_its_day_however_late_the_house_says_so() -> None:
    desk = Desk()
    desk.do("suspend", DISPATCHER, until=START + DAY, reason="Waits for the new lid")
    left = remaining(desk.case, desk.now)
    desk.now = START + 3 * DAY
    desk.do("resume", HOUSE)
    assert remaining(desk.case, START + DAY) == left
    assert lights(desk.case, desk.now) == "red"


def test_a_case_that_is_late_stays_late_through_a_suspension() -> None:
    desk = Desk()
    desk.now = START + HOUR
    desk.do("suspend", DISPATCHER, until=desk.now + 10 * DAY, reason="Waits")
    assert lights(desk.case, desk.now + DAY) == "red"
    desk.do("resume", DISPATCHER)
    assert lights(desk.case, desk.now) == "red"


# -- appeals


def test_two_reviewers_in_turn_grant_an_appeal_and_the_fact_stays_visible() -> None:
    desk = closed(late=True)
    desk.do("appeal", LI, reason="The road was flooded")
    desk.do("uphold", FIRST)
    assert not any(run.excused for run in desk.case.runs)
    with pytest.raises(Refused, match="another reviewer"):
        desk.do("uphold", FIRST)
    desk.do("uphold", SECOND)
    assert [run.excused for run in desk.case.runs] == [False, True, False]
    assert desk.case.runs[1].late(desk.now)
    assert desk.case.late(desk.now)
    with pytest.raises(Refused, match="appealed once"):
        desk.do("appeal", WU, reason="Once more")
    with pytest.raises(Refused, match="no appeal"):
        desk.do("uphold", FIRST)


def test_a_dismissed_appeal_changes_nothing() -> None:
    desk = closed(late=True)
    desk.do("appeal", LI, reason="The road was flooded")
    desk.do("uphold", FIRST)
    desk.do("dismiss", SECOND, reason="It was dry that day")
    assert not any(run.excused for run in desk.case.runs)
    assert desk.case.appeals[0].outcome == "dismissed"


def test_departments_appeal_one_after_the_other() -> None:
    desk = Desk()
    desk.now += HOUR
    desk.do("complete", LI)
    desk.do("move", DISPATCHER, department="Parks", reason="In the park")
    desk.now += 2 * HOUR
    desk.do("complete", STRANGER, **PHOTO)
    desk.do("complete", officer("st2", "Parks"), holds=True)
    desk.do("appeal", LI, reason="Flooded")
    with pytest.raises(Refused, match="East drainage crew is still to be decided"):
        desk.do("appeal", STRANGER, reason="Flooded too")
    desk.do("dismiss", FIRST, reason="Dry")
    desk.do("appeal", STRANGER, reason="Flooded too")
    desk.do("uphold", FIRST)
    desk.do("uphold", SECOND)
    assert [run.excused for run in desk.case.runs] == [False, False, True, False]


# -- merging, voiding, reopening, pressing


def test_merge_and_separate() -> None:
    desk = Desk()
    desk.do("merge", DISPATCHER, into="case-2", reason="Same cover")
    assert (desk.case.state, desk.case.merged_into) == ("merged", "case-2")
    desk.do("unmerge", DISPATCHER, reason="It is another one")
    assert (desk.case.state, desk.case.merged_into, desk.case.step) == ("open", "", "dispatch")
    desk.do("absorb", HOUSE, case="case-3")
    assert desk.case.absorbed == ("case-3",)
    desk.do("release", HOUSE, case="case-3")
    assert desk.case.absorbed == ()


def test_reopened_cases_start_again_at_the_step_chosen() -> None:
    desk = closed()
    desk.do("reopen", DISPATCHER, step="handle", reason="It tipped again")
    assert (desk.case.state, desk.case.step, desk.case.closed, desk.case.reopened) == ("open", "handle", None, 1)
    assert desk.case.departments == ("East drainage crew",)


def test_pressing_leaves_a_mark() -> None:
    desk = Desk()
    desk.do("urge", DISPATCHER)
    desk.do("supervise", LEADER, reason="The school is next door")
    assert (desk.case.urged, desk.case.supervised) == (2, True)
    reported = Desk(make_safe, CITIZEN, reporter="citizen")
    reported.do("urge", CITIZEN, text="It is still open")
    reported.do("note", CITIZEN, text="Now it rattles too")
    assert reported.case.urged == 1


# -- notices about the alert


def test_notices_about_the_alert() -> None:
    desk = Desk()
    desk.do("alert_joined", HOUSE, detail={"alert": "k2"})
    desk.do("alert_moved", HOUSE, detail={"onset": START - 5})
    desk.do("alert_cleared", HOUSE)
    assert (desk.case.alerts, desk.case.alert, desk.case.state) == (2, "cleared", "open")
    assert not desk.case.touched


def test_a_withdrawn_alert_takes_an_untouched_case_along_and_no_other() -> None:
    untouched = Desk()
    untouched.do("alert_withdrawn", HOUSE, text="A late reading showed that nothing was wrong")
    assert (untouched.case.state, untouched.case.alert) == ("void", "withdrawn")
    untouched.do("alert_restored", HOUSE)
    assert (untouched.case.state, untouched.case.step, untouched.case.alert) == ("open", "dispatch", "standing")
    assert untouched.case.run
    assert untouched.case.run.started == untouched.now
    touched = Desk()
    touched.do("take", LI)
    touched.do("alert_withdrawn", HOUSE)
    assert (touched.case.state, touched.case.alert, touched.case.assignee) == ("open", "withdrawn", "li")
    done = closed()
    assert done.do("alert_withdrawn", HOUSE).state == "closed"


def test_what_has_not_been_opened() -> None:
    for verb in VERBS.keys() - {"open"}:
        with pytest.raises(Refused, match="has not been opened"):
            act(make_safe, Case(), verb, HOUSE, START, {}, CALENDAR)
    with pytest.raises(Refused, match="opened by officers and dispatchers"):
        act(make_safe, Case(), "open", LEADER, START, {}, CALENDAR)
    with pytest.raises(Refused, match="no form with named fields"):
        act(make_safe, Case(), "open", HOUSE, START, ["x"], CALENDAR)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="no form with named fields"):
        act(make_safe, Case(), "open", HOUSE, START, {"values": "x"}, CALENDAR)


def test_an_act_of_no_known_release_is_damage() -> None:
    with pytest.raises(ValueError, match="'teleport' that is not known"):
        fold(make_safe, [Act("teleport", "x", START)], CALENDAR)


def test_a_flow_that_changed_does_not_touch_what_is_under_way() -> None:
    class make_safe_later(Flow):
        """The same with shorter limits, and without the dispatch."""

        steps = (Step("handle", to="Somebody else"), Step("check", until=Cover.tilt < 5))

    desk = Desk()
    later = fold(make_safe_later, desk.acts, CALENDAR)
    assert later.run == desk.case.run
    options = {option.verb for option in Desk.options(replace_flow(desk, make_safe_later), LI)}
    assert "complete" in options


def replace_flow(desk: Desk, flow: type[Flow]) -> Desk:
    desk.flow = flow
    return desk


def test_hostile_json_is_made_harmless() -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    assert clean({"a\0b": "x\0\ud800y", "n": float("nan"), "o": object})["ab"] == "xy"
    assert clean({"n": float("inf")}) == {"n": None}
    assert "[" * 30 not in str(clean(deep))
    desk = Desk()
    desk.do("note", LI, text="x" * 10_000)
    assert len(desk.acts[-1].data["text"]) == 4000
