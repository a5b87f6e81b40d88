"""Rules: what they may say, what they need, and the state machine that makes alerts of truth over time."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.kernel.columns import NEVER
from cheng.kernel.conditions import Condition
from cheng.kernel.entities import Choice, Entity, Event, Place, Quantity, Ref, Track, happened, silence
from cheng.kernel.expressions import count, every
from cheng.kernel.rules import Latch, Rule, by, near
from cheng.standards.durations import Duration, hours, minutes, seconds, working_days, working_hours


class Pump(Entity):
    """A pump."""

    flow = Quantity("m3/h")
    heat = Quantity("Cel")
    state = Choice("on", "off", on_change=True)
    rated = Quantity("m3/h", fixed=True)


class Panic(Event):
    """Someone pressed the button of {pump}."""

    pump = Ref(Pump)
    force = Quantity("1")


class hot(Rule):
    """{id} in {area} runs at {heat} degrees, {name}."""

    when = Pump.heat > 80
    hold = minutes(2)
    release = Pump.heat < 70
    level = "danger"
    basis = "Duty rules, art. 7"
    group = near(within=minutes(5))


def rule(**filled: object) -> type[Rule]:
    return type("odd", (Rule,), {"__doc__": "{id} is odd.", "basis": "none", "when": Pump.heat > 80, **filled})


def problems(of: type[Rule]) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.message, problem.hint) for problem in of.problems]


def test_a_whole_rule() -> None:
    assert hot.problems == []
    assert (hot.subject, hot.entity(), hot.key(), hot.is_about_events()) == (Pump, Pump, "test_rules.hot", False)
    assert hot.needs() == frozenset({Pump.heat})
    assert hot.text_blanks() == ["id", "area", "heat", "name"]
    assert (hot.is_timed(), hot.silences(), hot.look_back()) == (False, frozenset(), 0)


def test_what_a_rule_needs() -> None:
    wide = rule(
        when=Pump.flow.rises(5, within=hours(1)) & (count(Pump.heat > 80, within=minutes(5)) > 3),
        release=Pump.flow.rate(per=minutes(1), within=hours(2)) < Pump.rated,
    )
    assert wide.needs() == frozenset({Pump.flow, Pump.heat})
    assert wide.look_back() == hours(2).us
    assert rule(when=count(Pump.flow.rises(5, within=hours(1)), within=hours(3)) > 1).look_back() == hours(4).us


def test_when_the_clock_matters() -> None:
    still = Pump.heat.silent(hours(1))
    assert rule(when=~(still | (Pump.flow > 1))).silences() == frozenset({still})
    assert rule(release=Pump.flow.silent(hours(1))).is_timed()
    assert rule(when=Pump.state.is_("on")).is_timed()
    assert not rule(when=Pump.state.is_("on") & (Pump.heat > 5)).is_timed()
    assert not rule(when=Pump.state.is_("on"), release=Pump.heat > 5).is_timed()


def test_a_rule_about_events() -> None:
    pressed = rule(when=happened(Panic) & (Panic.force > 2), group=by(Panic.pump, within=minutes(30)))
    assert (pressed.problems, pressed.subject, pressed.is_about_events(), pressed.entity()) == ([], Panic, True, None)


class Yard(Entity):
    """A yard."""

    fence = Place("its fence")
    limit = Quantity("1", fixed=True)


class Crossing(Event):
    """A truck crossed a line."""

    yard = Ref(Yard)
    spot = Track("where")
    weight = Quantity("t")
    lane = Choice("in", "out")


@pytest.mark.parametrize(
    "when",
    [
        count(Crossing.lane.is_("in"), within=hours(1)) >= 3,
        Crossing.weight.rises(1, within=hours(1)),
        ~Crossing.weight.falls(1, within=hours(1)) & (Crossing.weight > 2),
        Crossing.weight.rate(per=hours(1), within=hours(1)) > 1,
        Crossing.weight.jumps(4),
        Crossing.weight.silent(hours(1)),
        silence(Crossing, hours(1)),
        Crossing.spot.inside(every(Yard.fence)),
        Crossing.spot.outside(Crossing.yard.fence),
        Crossing.weight > Crossing.yard.limit,
        Crossing.weight > Yard.limit,
    ],
    ids=lambda when: when.words(),
)
def test_h014_an_event_has_neither_memory_nor_register(when: Condition) -> None:
    assert [(code, hint) for code, _, hint in problems(rule(when=when))] == [
        ("H014", "compare fields of the event itself, or make the rule about the entity")
    ]


def test_h015_an_event_does_not_last() -> None:
    odd = rule(when=Crossing.weight > 2, hold=seconds(5), release=Crossing.weight < 1)
    hint = "leave it out: an event does not last, its alert ends with its case"
    assert problems(odd) == [
        ("H015", "rule odd is about an event and has 'hold'", hint),
        ("H015", "rule odd is about an event and has 'release'", hint),
    ]
    assert rule(when=(Crossing.weight > 2) & Crossing.lane.is_("in") & happened(Crossing)).problems == []


class Lamp(Entity):
    """A lamp."""

    watts = Quantity("W")


@pytest.mark.parametrize(
    ("filled", "about"),
    [
        ({"when": (Pump.heat > 80) & (Lamp.watts > 5)}, "Lamp, Pump"),
        ({"release": Lamp.watts > 5}, "Lamp, Pump"),
        ({"when": (Pump.heat > 80) & (Panic.force > 2)}, "Panic, Pump"),
        ({"when": Pump.rated > 80}, "none"),
        ({"when": silence(type("Bare", (Entity,), {"__doc__": "Bare."}), hours(1))}, "none"),
    ],
)
def test_h010_a_rule_about_more_or_less_than_one(filled: dict[str, object], about: str) -> None:
    problem = ("H010", f"rule odd is about {about}", "a rule is about one entity or one event")
    assert problems(rule(**filled)) == [problem]


def test_h011_a_blank_in_the_text_that_nothing_fills() -> None:
    odd = rule(__doc__="{id} runs at {haet}.")
    assert problems(odd) == [("H011", "the text of rule odd has a blank '{haet}'", "did you mean 'heat'?")]
    broken = rule(__doc__="{id runs.")
    assert problems(broken) == [("H011", "the text of rule odd cannot be read", "expected '}' before end of string")]


@pytest.mark.parametrize(
    "filled",
    [
        {"hold": working_hours(1)},
        {"when": Pump.heat.silent(working_hours(1))},
        {"when": Pump.heat.rises(1, within=working_hours(1))},
        {"release": count(Pump.heat > 1, within=working_hours(1)) > 1},
    ],
)
def test_h012_readings_know_no_office_hours(filled: dict[str, object]) -> None:
    sentence = "rule odd waits 1 working hour has no fixed length; ask a calendar"
    assert problems(rule(**filled)) == [("H012", sentence, "use seconds, minutes, hours or days")]


@pytest.mark.parametrize(
    ("filled", "message", "hint"),
    [
        ({"when": True}, "'when' of odd is True", "it has to be Condition"),
        ({"when": Pump.heat == 5}, "'when' of odd is False", "it has to be Condition"),
        ({"release": Pump.heat}, "'release' of odd is Pump.heat", "it has to be Condition or NoneType"),
        ({"hold": 60}, "'hold' of odd is 60", "it has to be Duration"),
        ({"level": "bad"}, "'level' of odd is 'bad'", "it has to be 'notice' or 'warning' or 'danger' or 'emergency'"),
        ({"group": minutes(5)}, f"'group' of odd is {minutes(5)!r}", "it has to be Grouping or NoneType"),
        ({"basis": None}, "'basis' of odd is None", "it has to be str"),
    ],
)
def test_h004_wrong_values(filled: dict[str, object], message: str, hint: str) -> None:
    assert problems(rule(**filled)) == [("H004", message, hint)]


def test_all_problems_of_a_rule_at_once() -> None:
    class odd(Rule):
        """{id} at {het}."""

        when = Pump.heat > 80
        levl = "danger"
        hold = 5

    assert [p.code for p in odd.problems] == ["H002", "H004", "H003", "H011"]
    assert odd.problems[0].hint == "did you mean 'level'?"


# -- the latch

FACTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.sampled_from(["holds", "over", "neither"])))


def by_hand(facts: list[tuple[int, int, str]], hold: int) -> list[tuple[int, int, int | None]]:
    """Thing, onset and end of the alerts."""
    found = []
    for thing in range(3):
        since = onset = None
        for _, time, fact in (f for f in facts if f[0] == thing):
            since = None if fact != "holds" else time if since is None else since
            if onset is None and since is not None and time - since >= hold:
                onset = since
            if onset is not None and fact == "over":
                found.append((thing, onset, time))
                onset = None
        if onset is not None:
            found.append((thing, onset, None))
    return sorted(found, key=str)


@given(FACTS, st.sampled_from([0, 1, 5]), st.lists(st.integers(0, 30), max_size=4))
def test_the_latch_in_pieces_of_any_size(facts: list[tuple[int, int, str]], hold: int, cuts: list[int]) -> None:
    unique = sorted({(slot, time): (slot, time, fact) for slot, time, fact in facts}.values())
    latch, alerts = Latch(), dict[tuple[int, int], int | None]()
    edges = sorted({-1, *cuts, 30})
    for begin, end in itertools.pairwise(edges):
        rows = [f for f in unique if begin < f[1] <= end]
        slot, time = np.array([f[0] for f in rows], np.intp), np.array([f[1] for f in rows], np.int64)
        holds, over = (np.array([f[2] == word for f in rows], np.bool_) for word in ("holds", "over"))
        if not len(rows):
            continue
        spells = latch.step(slot, time, holds, over, hold)
        for thing, onset, raised, cleared in zip(*(column.tolist() for column in vars_of(spells)), strict=True):
            assert ((thing, onset) in alerts) == (raised < 0)
            alerts[thing, onset] = int(time[cleared]) if cleared >= 0 else None
    found = [(thing, onset, end) for (thing, onset), end in alerts.items()]
    assert sorted(found, key=str) == by_hand(unique, hold)


def vars_of(spells: object) -> list[np.ndarray]:
    return [getattr(spells, name) for name in ("slot", "onset", "raised", "cleared")]


def test_a_latch_keeps_what_there_is_something_to_say_about() -> None:
    latch, other = Latch(), Latch()
    nothing = np.full(2, NEVER)
    latch.put(np.array([3, 7]), np.array([5, NEVER]), np.array([NEVER, 6]))
    other.put(np.array([1]), np.array([4]), np.array([4]))
    other.copy(latch, np.array([1, 7]))
    assert (latch.slots.tolist(), other.slots.tolist()) == ([3, 7], [7])
    assert [column.tolist() for column in other.of(np.array([1, 7]))] == [[NEVER, NEVER], [NEVER, 6]]
    latch.put(np.array([3, 7]), nothing, nothing)
    assert not len(latch.slots)


def test_a_hold_of_no_time_is_the_default() -> None:
    assert rule().hold == Duration(0, "second") == seconds(0)
    assert working_days(1).clock == "working days"
