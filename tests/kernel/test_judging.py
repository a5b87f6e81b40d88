"""The judging against a plain oracle: any rule, any readings, cut, delayed, repeated and shuffled in any way."""

import hashlib
import itertools
import json
import random
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from city import SECOND, Alerts, Town, judge_of, readings
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from judging_cases import (
    THINGS,
    Box,
    Report,
    columns,
    expected,
    judge,
    lateness,
    reports,
    rule_of,
    rules,
    told,
    town,
)
from judging_oracle import Thing, alerts

from cheng.kernel.checkpoints import freeze, thaw
from cheng.kernel.entities import Choice, Entity, Quantity, silence
from cheng.kernel.expressions import count
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.observations import Quality
from cheng.kernel.rules import Rule
from cheng.kernel.stretches import Readings
from cheng.standards.durations import hours, minutes, seconds
from needs import need

NOT_YET = -(10**15)
END = 45 * SECOND
WORKLOADS = Path(__file__).parents[2] / ".." / "shared" / "workloads"


def marked(rows: Iterable[Report]) -> tuple[list[Quality], list[Report]]:
    """The marks of readings in order of arrival, and those of them that count."""
    newest: dict[int, int] = {}
    seen: set[tuple[int, int, int]] = set()
    marks, good = [], []
    for row in rows:
        top = newest.get(row.slot, NOT_YET)
        if row.time + lateness(row) < top:
            marks.append(Quality.LATE)
            continue
        marks.append(Quality.OUT_OF_ORDER if row.time < top else Quality(0))
        newest[row.slot] = max(row.time, top)
        if row.key in seen:
            marks[-1] |= Quality.DUPLICATE
        else:
            good.append(row)
        seen.add(row.key)
    return marks, good


def run(
    some: Sequence[type[Rule]], rows: Sequence[Report], here: Town, data: st.DataObject
) -> tuple[Alerts, list[Quality]]:
    """Delivers readings in batches of any size, between ticks, settling and restarts at any time."""
    judging, found, marks = judge(*some, here=here), Alerts(), list[Quality]()
    at = 0
    while at < len(rows):
        what = data.draw(st.integers(0, 14), "batch")
        if what == 0:
            found.take(judging.tick(data.draw(st.integers(-6, 45), "tick") * SECOND))
        elif what == 1:
            judging.settle(np.arange(THINGS), np.full(THINGS, data.draw(st.integers(-6, 45), "settle") * SECOND))
        elif what == 2:
            again = judge(*some, here=here)
            assert thaw(again, freeze(judging, np.arange(THINGS)), {n: n for n in range(THINGS)})
            judging = again
        else:
            more, changes = judging.take(columns(rows[at : at + what - 2]))
            marks += map(Quality, more.tolist())
            found.take(changes)
            at += what - 2
    found.take(judging.tick(END))
    assert [judged.broken for judged in judging.rules] == [""] * len(some)
    return found, marks


def named(some: Sequence[type[Rule]]) -> list[type[Rule]]:
    for number, rule in enumerate(some):
        rule.__name__ = f"rule_{number}"
    return list(some)


@settings(max_examples=300)
@given(st.lists(rules(), min_size=1, max_size=2).map(named), reports(), st.data())
def test_any_rule_over_any_delivery_finds_what_the_oracle_finds(
    some: list[type[Rule]], rows: list[Report], data: st.DataObject
) -> None:
    if rows:
        rows = rows + data.draw(st.lists(st.sampled_from(rows), max_size=4), "twice")
    shuffled = data.draw(st.booleans(), "shuffled")
    rows = data.draw(st.permutations(rows)) if shuffled else sorted(rows, key=lambda r: r.time + r.delay)
    here = town()
    here.since = data.draw(st.dictionaries(st.integers(0, THINGS - 1), st.integers(-3, 30).map(lambda s: s * SECOND)))
    found, marks = run(some, rows, here, data)
    want, good = marked(rows)
    for rule in some:
        right = expected(rule, good, END, here)
        event(f"alerts: {min(2, sum(map(len, right)))}")
        assert told(found, rule) == right
    assert marks == want


@settings(max_examples=150)
@given(rules(), reports(), st.data())
def test_arrival_order_within_the_lateness_does_not_matter(
    rule: type[Rule], rows: list[Report], data: st.DataObject
) -> None:
    arriving = sorted(rows, key=lambda r: r.time + min(r.delay, lateness(r)))
    found, marks = run([rule], arriving, town(), data)
    straight, _ = run([rule], rows, town(), data)
    assert found.standing == straight.standing
    assert told(found) == expected(rule, rows, END)
    assert not any(mark & (Quality.LATE | Quality.DUPLICATE) for mark in marks)


@settings(max_examples=100)
@given(rules(timed=False), reports(), st.lists(st.integers(0, 40), max_size=6))
def test_without_a_clock_rules_need_readings_only(rule: type[Rule], rows: list[Report], cuts: list[int]) -> None:
    judging, found = judge(rule), Alerts()
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for begin, end in itertools.pairwise(edges):
        found.take(judging.take(columns(rows[begin:end]))[1])
    assert told(found) == expected(rule, rows, NOT_YET)


# -- by hand


class Air(Entity):
    """A station."""

    pm10 = Quantity("ug/m3", "dust")
    door = Choice("open", "shut", on_change=True)


class high(Rule):
    """{id} measures {pm10}."""

    when = Air.pm10 > 80
    hold = seconds(60)
    basis = "W1"


class quiet(Rule):
    """{id} is silent."""

    when = Air.pm10.silent(minutes(1))
    basis = "none"


class ajar(Rule):
    """{id} stands open."""

    when = Air.door.is_("open")
    hold = minutes(2)
    basis = "none"


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
    # What lies before 13 s is settled as it was reported; from there on today's register counts.
    assert found.of() == {(2 * SECOND, 14 * SECOND)}
    found.take(judging.take(columns(rows[12:]))[1])
    assert found.of() == {(2 * SECOND, 14 * SECOND)}


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


# -- many readings


class Tank(Entity):
    """One number, for which anything may come hours late."""

    level = Quantity("m", "water", lateness=hours(10))


@settings(max_examples=60)
@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), max_size=120), st.integers(1, 120), st.sampled_from([0, 1, 3]))
@example([1.0] * 40, 40, 3)
def test_a_crowd_of_readings_in_order_stays_right(values: list[float], batch: int, hold: int) -> None:
    rule = rule_of(Tank.level > 0, seconds(hold), Tank.level < 1)
    timed = rule_of(Tank.level.silent(seconds(2)) | (Tank.level > 1), seconds(hold))
    judging, found = judge_of(*named([rule, timed]), things=2), Alerts()
    judging.most = 16
    rows = [(n % 2, 0, n if n % 9 else n + 0.5, value) for n, value in enumerate(values)]
    for begin in range(0, len(rows), batch):
        marks, changes = judging.take(readings(rows[begin : begin + batch]))
        assert not marks.any()
        found.take(changes)
    assert judging.recents.room <= 16
    for one in (rule, timed):
        for slot in (0, 1):
            own = [(round(t * SECOND), "level", v, 0.0) for s, _, t, v in rows if s == slot]
            assert found.of(slot, one.key()) == alerts(one, Thing(own), max([NOT_YET, *(r[0] for r in own)]))


def test_what_a_crowd_pushed_out_is_late() -> None:
    rule = rule_of(Tank.level > 1)
    judging = judge_of(rule)
    judging.most = 16
    judging.take(readings([(0, 0, t, 0) for t in range(100)]))
    marks, changes = judging.take(readings([(0, 0, 50.5, 2), (0, 0, 98.5, 2)]))
    assert marks.tolist() == [int(Quality.LATE), int(Quality.OUT_OF_ORDER)]
    assert Alerts().take(changes).of() == {(98_500_000, 99 * SECOND)}
    assert judging.shortened > 0


def test_late_readings_of_a_crowd_in_one_batch() -> None:
    judging, found = judge_of(rule_of(Tank.level > 1)), Alerts()
    judging.most = 16
    found.take(judging.take(readings([(0, 0, t, 0) for t in range(16)]))[1])
    rows = [(0, 0, t + 0.5, 2) for t in range(16)]
    marks, changes = judging.take(readings(rows))
    found.take(changes)
    kept = [row for row, mark in zip(rows, marks.tolist(), strict=True) if not mark & Quality.LATE]
    assert {onset for onset, _ in found.of()} == {round(row[2] * SECOND) for row in kept}


# -- W1 and W2


def workload(things: int, each: int, seed: int) -> tuple[list[tuple[int, int, float, float]], set[tuple[int, int]]]:
    """W1 at a smaller scale: readings every 10 s, and the thing and time of every alert. No run has 6 or 7 readings."""
    random_ = random.Random(seed)
    rows, right = [], set()
    for thing in range(things):
        phase, values = random_.randrange(10_000) / 1000, list[float]()
        while len(values) < each:
            values += [random_.uniform(10, 79.9) for _ in range(random_.randint(3, 30))]
            run_ = random_.choice([1, 2, 3, 4, 5, 8, 11, 20])
            values += [random_.uniform(80.1, 120) for _ in range(run_)]
            values.append(20.0)
        above = 0
        for number, value in enumerate(values):
            rows.append((thing, 0, phase + 10 * number, value))
            above = above + 1 if value > 80 else 0
            if above == 7:
                right.add((thing, round((phase + 10 * (number - 6)) * SECOND)))
    return sorted(rows, key=lambda row: row[2]), right


def badly(rows: list[tuple[int, int, float, float]], seed: int) -> list[tuple[int, int, float, float]]:
    """W2: 5 % of the readings up to 30 s late, 1 % twice, the copy up to 60 s later."""
    random_ = random.Random(seed)
    sent = []
    for row in rows:
        at = row[2] + (random_.uniform(0, 30) if random_.random() < 0.05 else 0)
        sent.append((at, row))
        if random_.random() < 0.01:
            sent.append((at + random_.uniform(0, 60), row))
    return [row for _, row in sorted(sent, key=lambda pair: pair[0])]


def found_in(rows: list[tuple[int, int, float, float]], things: int, batch: int) -> Alerts:
    judging, found = judge_of(high, things=things), Alerts()
    everything = readings(rows)
    for begin in range(0, len(rows), batch):
        found.take(judging.take(everything.take(np.arange(begin, min(begin + batch, len(rows)))))[1])
    return found


@pytest.mark.parametrize("batch", [1, 97, 1000, 100_000])
def test_w1_and_w2_at_a_small_scale(batch: int) -> None:
    rows, right = workload(things=40 if batch == 1 else 200, each=50, seed=1)
    for sent in (rows, badly(rows, 2), badly(rows, 3)):
        found = found_in(sent, 200, batch)
        assert {(slot, onset) for _, slot, onset in found.standing} == right


def shuffled_within_lateness(seeds: range) -> None:
    rows, right = workload(things=8, each=40, seed=4)
    straight = found_in(rows, 8, 1000).standing
    assert {(slot, onset) for _, slot, onset in straight} == right
    for seed in seeds:
        random_ = random.Random(seed)
        sent = [row for row in rows for _ in range(1 + (random_.random() < 0.05))]
        sent.sort(key=lambda row: row[2] + random_.uniform(0, 30))
        assert found_in(sent, 8, random_.choice([1, 10, 100, 1000])).standing == straight, f"seed {seed}"


def test_fifty_shuffles_within_the_lateness_give_one_set_of_alerts() -> None:
    shuffled_within_lateness(range(50))


@pytest.mark.slow
def test_a_thousand_shuffles_within_the_lateness_give_one_set_of_alerts() -> None:
    shuffled_within_lateness(range(1000))


def delivered(path: Path) -> Readings:
    """The readings of a workload's obs.csv, in their order."""
    cells = [line.split(",") for line in path.read_text().splitlines()]
    slot = np.array([int(cell[0].rsplit(":", 1)[1]) for cell in cells], np.intp)
    time = np.array([int(cell[1]) * 1000 for cell in cells], np.int64)
    value = np.array([float(cell[2]) for cell in cells])
    return Readings(slot, np.zeros(len(slot), np.int32), time, value, np.full(len(slot), np.nan))


@pytest.mark.slow
def test_the_real_workloads_give_exactly_14491_alerts(tmp_path: Path) -> None:
    need("workloads", WORKLOADS.exists(), "the scripts of W1 and W2 are not on this machine: ../shared/workloads")
    for script, args in (("w1.py", ["10000", "100", "w1"]), ("w2.py", ["w1", "w2"])):
        subprocess.run([sys.executable, str((WORKLOADS / script).resolve()), *args], cwd=tmp_path, check=True)
    for name in ("w1", "w2"):
        rows, found, judging = delivered(tmp_path / name / "obs.csv"), Alerts(), judge_of(high, things=10_000)
        for begin in range(0, len(rows), 1000):
            found.take(judging.take(rows.take(np.arange(begin, min(begin + 1000, len(rows)))))[1])
        ids = sorted(f"urn:ngsi-ld:AirQualityObserved:{slot:05d}" for _, slot, _ in found.standing)
        truth = json.loads((tmp_path / name / "expected.json").read_text())
        assert len(ids) == truth["alerts"] == 14_491
        assert hashlib.sha256("\n".join(ids).encode()).hexdigest() == truth["alerts_sha256_by_entity_sorted"]


def test_silence_of_everything_about_a_thing() -> None:
    rule = rule_of(silence(Air, seconds(30)))
    judging = judge_of(rule)
    found = Alerts().take(judging.take(readings([(0, 0, 0, 1), (0, 1, 20, 1)]))[1]).take(judging.tick(50 * SECOND))
    assert found.of() == {(50 * SECOND, None)}
