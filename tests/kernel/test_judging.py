"""The judging against a plain oracle: any rule, any readings, cut, delayed, repeated and shuffled in any way."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from city import SECOND, Alerts, Town, judge_of, readings
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from judging_cases import (
    THINGS,
    Report,
    columns,
    expected,
    judge,
    lateness,
    named,
    reports,
    rule_of,
    rules,
    told,
    town,
)
from judging_oracle import Thing, alerts

from cheng.kernel.checkpoints import as_bytes, freeze, from_bytes, thaw
from cheng.kernel.entities import Entity, Quantity
from cheng.kernel.observations import Quality
from cheng.kernel.rules import Rule
from cheng.standards.durations import hours, seconds

NOT_YET = -(10**15)
END = 45 * SECOND


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
        what = data.draw(st.integers(0, 9), "batch")
        if what == 0:
            found.take(judging.tick(data.draw(st.integers(-6, 45), "tick") * SECOND))
        elif what <= 2:
            cut = data.draw(st.sampled_from([END, END, 5 * SECOND, 15 * SECOND + 1]), "settle")
            judging.settle(np.arange(THINGS), np.full(THINGS, cut))
        elif what == 3:
            again = judge(*some, here=here)
            for begin in (0, 2):
                part = from_bytes(as_bytes(freeze(judging, np.arange(THINGS), begin, begin + 2)))
                assert thaw(again, part, {n: n for n in range(THINGS)})
            judging = again
        else:
            more, changes = judging.take(columns(rows[at : at + what - 3]))
            marks += map(Quality, more.tolist())
            found.take(changes)
            at += what - 3
    found.take(judging.tick(END))
    assert [judged.broken for judged in judging.rules] == [""] * len(some)
    return found, marks


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
    assert judging.things["count"].max() <= 16
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
