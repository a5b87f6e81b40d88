"""What judging means, one small story at a time; and numbers and times at the edge."""

import numpy as np
import pytest
from city import SECOND, Alerts, Town, judge_of, readings
from judging_cases import (
    THINGS,
    Air,
    Box,
    Report,
    ajar,
    columns,
    high,
    judge,
    named,
    quiet,
    rule_of,
    town,
)

from cheng.kernel.checkpoints import freeze, thaw
from cheng.kernel.entities import silence
from cheng.kernel.expressions import count
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.observations import Quality
from cheng.kernel.rules import Rule
from cheng.kernel.stretches import Readings
from cheng.standards.durations import hours, seconds

NOT_YET = -(10**15)
END = 45 * SECOND


def test_an_alert_has_the_onset_of_its_condition_and_the_values_of_its_moment() -> None:
    changes = judge_of(high).take(readings([(0, 0, 0, 90), (0, 0, 30, 95), (0, 0, 60, 99), (0, 0, 90, 70)]))[1]
    assert [(c.kind, c.onset, c.time, c.values) for c in changes] == [
        ("raised", 0, 60 * SECOND, {"pm10": 99.0}),
        ("cleared", 0, 90 * SECOND, {}),
    ]


def test_a_hold_one_microsecond_too_short_is_no_alert() -> None:
    assert judge_of(high).take(readings([(0, 0, 0, 90), (0, 0, 59.999999, 90)]))[1] == []


def test_silence_begins_on_the_microsecond_whatever_else_is_reported() -> None:
    judging = judge_of(quiet)
    found = Alerts().take(judging.take(readings([(0, 0, 10, 1), (0, 1, 40, 0), (0, 1, 200, 0)]))[1])
    assert found.of() == {(70 * SECOND, None)}
    found.take(judging.take(readings([(0, 0, 210, 1)]))[1])
    found.take(judging.tick(270 * SECOND - 1))
    assert found.of() == {(70 * SECOND, 210 * SECOND)}
    found.take(judging.tick(270 * SECOND))
    assert found.of() == {(70 * SECOND, 210 * SECOND), (270 * SECOND, None)}


def test_a_hold_over_what_is_reported_on_change_elapses_by_the_clock() -> None:
    judging = judge_of(ajar)
    found = Alerts().take(judging.take(readings([(0, 1, 0, 0), (0, 0, 100, 5), (0, 1, 119, 0)]))[1])
    found.take(judging.tick(110 * SECOND))
    assert found.of() == set()
    changes = judging.tick(1000 * SECOND)
    assert [(c.kind, c.onset, c.time, c.values) for c in changes] == [("raised", 0, 120 * SECOND, {"door": 0.0})]
    changes = judging.take(readings([(0, 1, 119.5, 1)]))[1]
    assert [(c.kind, c.onset) for c in changes] == [("withdrawn", 0)]


def test_a_reading_that_was_on_its_way_takes_a_silence_back() -> None:
    judging = judge_of(quiet)
    found = Alerts().take(judging.take(readings([(0, 0, 0, 1)]))[1]).take(judging.tick(61 * SECOND))
    assert found.of() == {(60 * SECOND, None)}
    found.take(judging.take(readings([(0, 0, 50, 1)]))[1])
    assert found.of() == set()
    found.take(judging.tick(110 * SECOND))
    assert found.of() == {(110 * SECOND, None)}
    assert found.seen == ["raised", "withdrawn", "raised"]


@pytest.mark.parametrize("phase", [0, 1, 7, 59, 61, 600])
def test_the_phase_of_the_clock_does_not_matter(phase: int) -> None:
    rows = [(0, 0, t, 1.0) for t in (0, 10, 80, 90, 300)]
    judging, found, at = judge_of(quiet), Alerts(), 0
    for now in range(phase, 700, 60):
        due = [row for row in rows[at:] if row[2] <= now]
        at += len(due)
        found.take(judging.take(readings(due))[1]).take(judging.tick(now * SECOND))
    found.take(judging.take(readings(rows[at:]))[1]).take(judging.tick(700 * SECOND))
    assert found.of() == {(70 * SECOND, 80 * SECOND), (150 * SECOND, 300 * SECOND), (360 * SECOND, None)}


def test_a_thing_never_heard_of_is_silent_from_its_registration_on() -> None:
    judging = judge_of(quiet, things=2)
    register = judging.register
    assert isinstance(register, Town)
    register.since = {1: 1000 * SECOND}
    found = Alerts().take(judging.tick(1059 * SECOND))
    assert (found.of(0), found.of(1)) == ({(60 * SECOND, None)}, set())
    found.take(judging.tick(1060 * SECOND))
    assert found.of(1) == {(1060 * SECOND, None)}


def test_a_thing_may_be_registered_while_the_clock_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    judging = judge_of(quiet, things=0)
    register = judging.register
    assert isinstance(register, Town)
    active = register.active

    def with_one_more() -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        register.things = 1
        return active()

    monkeypatch.setattr(register, "active", with_one_more)
    found = Alerts().take(judging.tick(59 * SECOND)).take(judging.tick(60 * SECOND))
    assert found.of(0) == {(60 * SECOND, None)}


def test_a_clock_that_fell_back_over_a_restart_raises_nothing_twice() -> None:
    rule = rule_of(Box.level.silent(seconds(0.5)), release=Box.level.silent(seconds(1)))
    judging, found = judge(rule), Alerts()
    for now in (SECOND, 0, END):
        found.take(judging.tick(now))
        again = judge(rule)
        assert thaw(again, freeze(judging, np.arange(THINGS)), {n: n for n in range(THINGS)})
        judging = again
    assert found.seen == ["raised", "cleared"] * THINGS
    assert found.of() == {(SECOND // 2, SECOND)}


def test_a_reading_older_than_the_registration_does_not_start_the_silence() -> None:
    judging = judge_of(quiet)
    register = judging.register
    assert isinstance(register, Town)
    register.since = {0: 500 * SECOND}
    found = Alerts().take(judging.take(readings([(0, 0, 0, 1), (0, 0, 400, 1)]))[1]).take(judging.tick(559 * SECOND))
    assert found.of() == set()
    assert found.take(judging.tick(2000 * SECOND)).of() == {(560 * SECOND, None)}


def test_a_thing_out_of_use_is_not_silent_until_it_is_in_use_again() -> None:
    judging = judge_of(quiet)
    register = judging.register
    assert isinstance(register, Town)
    register.retired = {0}
    found = Alerts().take(judging.take(readings([(0, 0, 0, 1)]))[1]).take(judging.tick(500 * SECOND))
    assert found.of() == set()
    register.retired = set()
    assert found.take(judging.tick(600 * SECOND)).of() == {(60 * SECOND, None)}
    register.retired, judging = {0}, judge_of(quiet)
    assert isinstance(judging.register, Town)
    judging.take(readings([(0, 0, 0, 1)]))
    judging.register.since = {0: 550 * SECOND}
    assert Alerts().take(judging.tick(700 * SECOND)).of() == {(610 * SECOND, None)}


def test_things_registered_later_are_judged_like_the_others() -> None:
    judging = judge_of(high, quiet, ajar)
    register = judging.register
    assert isinstance(register, Town)
    found = Alerts().take(judging.take(readings([(0, 0, 0, 90)]))[1])
    for things in (2, 40, 41, 500):
        register.things = things
        last = things - 1
        changes = judging.take(readings([(last, 0, 0, 90), (last, 0, 61, 90), (last, 1, 61, 0)]))[1]
        found.take(changes).take(judging.tick(181 * SECOND))
        assert found.of(last) == {(0, None), (60 * SECOND, 61 * SECOND), (121 * SECOND, None), (61 * SECOND, None)}
    found.take(judging.take(readings([(0, 0, 60, 90)]))[1])
    assert (0, None) in found.of(0)


def test_fields_of_one_time_are_judged_together_however_they_come() -> None:
    rule = rule_of((Box.level > 1) & (Box.load < 2))
    found, judging = Alerts(), judge(rule)
    for row in (Report(0, 1, 0, 1.0, 0), Report(0, 0, 5 * SECOND, 2.0, 0), Report(0, 1, 5 * SECOND, 3.0, 0)):
        found.take(judging.take(columns([row]))[1])
    assert found.of() == set()
    assert found.seen == ["raised", "withdrawn"]


def test_a_release_that_comes_and_goes_begins_a_new_alert() -> None:
    rule = rule_of(Box.level > 1, seconds(2), Box.load > 1)
    rows = [Report(0, 0, 0, 3, 0), Report(0, 0, 2, 3, 0), Report(0, 1, 3, 2, 0), Report(0, 1, 5, 0, 0)]
    rows += [Report(0, 0, 6, 3, 0), Report(0, 0, 7, 3, 0)]
    rows = [Report(r.slot, r.field, r.time * SECOND, r.value, 0) for r in rows]
    found = Alerts().take(judge(rule).take(columns(rows))[1])
    assert found.of() == {(0, 3 * SECOND), (5 * SECOND, None)}


def test_readings_later_than_the_lateness_change_nothing() -> None:
    judging, found = judge_of(high), Alerts()
    found.take(judging.take(readings([(0, 0, t, 90) for t in range(0, 200, 10)]))[1])
    marks, changes = judging.take(readings([(0, 0, 159.9, 10), (0, 0, 160, 90), (0, 0, 165, 10)]))
    assert [Quality(m) for m in marks.tolist()] == [
        Quality.LATE,
        Quality.DUPLICATE | Quality.OUT_OF_ORDER,
        Quality.OUT_OF_ORDER,
    ]
    assert found.take(changes).of() == {(0, 165 * SECOND)}


def test_the_first_of_two_readings_of_one_time_counts() -> None:
    judging = judge_of(high)
    marks, changes = judging.take(readings([(0, 0, 0, 90), (0, 0, 60, 90), (0, 0, 60, 10)]))
    assert [c.kind for c in changes] == ["raised"]
    assert marks.tolist() == [0, 0, int(Quality.DUPLICATE)]


def test_marks_do_not_need_rules() -> None:
    judging = Judge(Air, [], Town(Air, 1))
    judging.take(readings([(0, 0, 0, 1), (0, 0, 20, 1)]))
    marks, _ = judging.take(readings([(0, 0, 0, 1), (0, 0, 10, 1), (0, 0, 20, 1), (0, 0, 90, 1), (0, 0, 30, 1)]))
    duplicate, older, late = int(Quality.DUPLICATE), int(Quality.OUT_OF_ORDER), int(Quality.LATE)
    assert marks.tolist() == [duplicate | older, older, duplicate, 0, late]


def test_an_empty_batch_changes_nothing() -> None:
    for judging in (judge_of(high, quiet, ajar), Judge(Air, [], Town(Air, 0))):
        marks, changes = judging.take(readings([]))
        assert (marks.tolist(), changes, judging.tick(0) if not judging.rules else []) == ([], [], [])


def test_what_the_register_says_today_does_not_confuse_what_was_reported() -> None:
    rule = rule_of(Box.level > Box.most)
    here = town()
    judging, found = judge(rule, here=here), Alerts()
    rows = [Report(0, 0, t * SECOND, 2.0, 0) for t in range(0, 60, 2)]
    found.take(judging.take(columns(rows[:1]))[1])
    assert found.of() == {(0, None)}
    here.kept["most"][0] = 2.5
    judging.take(columns([Report(1, 0, 0, 0, 0)]))
    found.take(judging.take(columns([Report(0, 0, -SECOND, 2.0, 0)]))[1])
    assert found.of() == set()
    here.kept["most"][0] = 1.0
    found.take(judging.take(columns(rows[1:12]))[1])
    assert found.of() == {(2 * SECOND, None)}
    here.kept["most"][0] = 2.5
    judging.settle(np.array([0]), np.array([END]))
    found.take(judging.take(columns([Report(0, 0, 21 * SECOND, 2.0, 0)]))[1])
    # What lies before 18 s is settled as it was reported; from there on today's register counts.
    assert found.of() == {(2 * SECOND, 18 * SECOND)}
    found.take(judging.take(columns(rows[12:]))[1])
    assert found.of() == {(2 * SECOND, 18 * SECOND)}


def test_a_rule_that_cannot_be_judged_says_so_keeps_its_alerts_and_leaves_the_others_alone() -> None:
    odd, sound = named([rule_of(Box.level > Box.most), rule_of(Box.level > 1)])
    here = town()
    judging, found = judge(odd, sound, here=here), Alerts()
    found.take(judging.take(columns([Report(0, 0, 0, 3.0, 0)]))[1])
    limits = here.kept.pop("most")
    found.take(judging.take(columns([Report(0, 0, 2 * SECOND, 0.0, 0), Report(0, 0, SECOND, 3.0, 0)]))[1])
    found.take(judging.take(columns([Report(0, 0, SECOND, 3.0, 0), Report(0, 0, SECOND // 2, 3.0, 0)]))[1])
    assert "most" in judging.rules[0].broken
    assert judging.rules[1].broken == ""
    assert (found.of(0, odd.key()), found.of(0, sound.key())) == ({(0, None)}, {(0, 2 * SECOND)})
    here.kept["most"] = limits
    found.take(judging.take(columns([Report(0, 0, 3 * SECOND, 0.0, 0)]))[1])
    assert judging.rules[0].broken == ""
    assert found.of(0, odd.key()) == {(0, 3 * SECOND)}


def test_a_dry_run_may_have_another_condition_and_hold() -> None:
    judging = Judge(Air, [Judged.of(high, Air.pm10 > 95, seconds(20).us)], Town(Air, 1))
    found = Alerts().take(judging.take(readings([(0, 0, 0, 90), (0, 0, 30, 96), (0, 0, 50, 96)]))[1])
    assert found.of() == {(30 * SECOND, None)}
    judging = Judge(Air, [Judged.of(high, Air.pm10.silent(seconds(5)), 0)], Town(Air, 1))
    found = Alerts().take(judging.take(readings([(0, 0, 0, 90), (0, 0, 30, 96)]))[1])
    assert found.of() == {(5 * SECOND, 30 * SECOND)}


# -- where the settled state ends

LEVEL, LOAD = 0, 1


def box(field: int, time: float, value: float) -> Report:
    return Report(0, field, round(time * SECOND), value, 0)


def settled_after(rule: type[Rule], rows: list[Report], here: Town | None = None) -> tuple[Judge, Alerts]:
    """A judge that has settled all it may: everything before the newest reading less the longest lateness, 4 s."""
    judging, found = judge(rule, here=here), Alerts()
    found.take(judging.take(columns(rows))[1])
    judging.settle(np.array([0]), np.array([END]))
    return judging, found


def test_an_alert_at_the_edge_can_still_be_withdrawn() -> None:
    rule = rule_of((Box.level > 1) & (Box.load < 2))
    rows = [box(LOAD, 0, 0), box(LEVEL, 10, 3), box(LEVEL, 14, 3)]
    judging, found = settled_after(rule, rows)
    assert found.of() == {(10 * SECOND, None)}
    found.take(judging.take(columns([box(LOAD, 10, 3)]))[1])
    assert (found.of(), found.seen) == (set(), ["raised", "withdrawn"])


def test_what_held_before_the_edge_is_not_forgotten_there() -> None:
    rule = rule_of((Box.level > 1) | (Box.load > 1), seconds(3))
    judging, found = settled_after(rule, [box(LEVEL, 8, 3), box(LEVEL, 10, 0), box(LEVEL, 14, 0)])
    assert found.of() == set()
    found.take(judging.take(columns([box(LOAD, 10, 3)]))[1])
    assert found.of() == {(8 * SECOND, None)}


def test_an_alert_that_was_never_reported_is_not_settled() -> None:
    here = town()
    here.kept["most"][0] = 5.0
    judging, found = judge(rule_of(Box.level > Box.most), here=here), Alerts()
    found.take(judging.take(columns([box(LEVEL, t, 2) for t in range(20)]))[1])
    here.kept["most"][0] = 1.0
    judging.settle(np.array([0]), np.array([END]))
    found.take(judging.take(columns([box(LEVEL, 18.5, 2)]))[1])
    assert found.of() == {(0, None)}
    found.take(judging.take(columns([box(LEVEL, 20, 0)]))[1])
    assert found.of() == {(0, 20 * SECOND)}


def test_a_window_does_not_move_on_at_the_edge() -> None:
    lasting = (Box.level > 1) | Box.level.silent(hours(1))
    rule = rule_of(lasting, seconds(10), count(Box.level > 1, within=seconds(2.5)) < 1)
    judging, found = settled_after(rule, [box(LEVEL, t, v) for t, v in ((0, 3), (10, 3), (12, 1), (13, 3), (20, 3))])
    found.take(judging.take(columns([box(LEVEL, 21, 3)]))[1])
    assert (found.of(), found.seen) == ({(0, None)}, ["raised"])


def test_a_hold_that_began_before_the_edge_elapses_after_it() -> None:
    rule = rule_of(Box.load > 1, seconds(17))
    judging, found = judge(rule), Alerts()
    for row in (box(LOAD, 0, 2), box(LEVEL, 15, 0), box(LEVEL, 20, 0)):
        found.take(judging.take(columns([row]))[1])
        judging.settle(np.array([0]), np.array([END]))
    assert found.of() == {(0, None)}
    found.take(judging.take(columns([box(LOAD, 16.5, 0)]))[1])
    assert (found.of(), found.seen) == (set(), ["raised", "withdrawn"])


# -- edges of numbers and times


def test_numbers_at_the_edge() -> None:
    inf, nan = float("inf"), float("nan")
    rows = [(0, 0, t, v) for t, v in enumerate([inf, inf, -inf, -inf, nan, -0.0, 0.0, inf, 1e308, -1e308])]
    odd = named(
        [
            rule_of(Air.pm10.rises(1, within=seconds(3))),
            rule_of(Air.pm10.jumps(1)),
            rule_of(Air.pm10.rate(per=seconds(1), within=seconds(5)) > 0),
            rule_of(Air.pm10 * Air.pm10 > 1),
            rule_of(Air.pm10 / (Air.pm10 - Air.pm10) < 1),
            rule_of((Air.pm10 >= 0) & (Air.pm10 <= 0)),
            rule_of(~(Air.pm10 > 0)),
        ]
    )
    judging = judge_of(*odd)
    found = Alerts().take(judging.take(readings(rows))[1])
    assert [judged.broken for judged in judging.rules] == [""] * len(odd)
    assert found.of(0, odd[5].key()) == {(5 * SECOND, 7 * SECOND)}
    assert found.of(0, odd[6].key()) == {(2 * SECOND, 7 * SECOND), (9 * SECOND, None)}


@pytest.mark.parametrize("begin", [-(10**16), -61 * SECOND, 0, 10**16])
def test_times_far_from_1970(begin: int) -> None:
    some = named([rule_of(Air.pm10 > 80, seconds(60)), rule_of(count(Air.pm10 > 80, within=seconds(30)) > 2)])
    times = np.array([begin + t * SECOND for t in (0, 20, 40, 60, 80)], np.int64)
    nan = np.full(5, np.nan)
    rows = Readings(np.zeros(5, np.intp), np.zeros(5, np.int32), times, np.array([90, 90, 90, 90, 10.0]), nan)
    found = Alerts().take(judge_of(*some).take(rows)[1])
    assert found.of() == {(begin, begin + 80 * SECOND)}


def test_microseconds_decide() -> None:
    rule = rule_of(Air.pm10.rises(5, within=seconds(10)))
    for last, right in ((10.0, set()), (9.999999, {(9_999_999, None)})):
        assert Alerts().take(judge_of(rule).take(readings([(0, 0, 0, 0), (0, 0, last, 5)]))[1]).of() == right


def test_silence_of_everything_about_a_thing() -> None:
    rule = rule_of(silence(Air, seconds(30)))
    judging = judge_of(rule)
    found = Alerts().take(judging.take(readings([(0, 0, 0, 1), (0, 1, 20, 1)]))[1]).take(judging.tick(50 * SECOND))
    assert found.of() == {(50 * SECOND, None)}
