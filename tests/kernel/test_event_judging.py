"""Events: each record is judged by itself, and what it may not say is refused with a sentence."""

from typing import Any

import numpy as np
import pytest

from cheng.kernel.entities import Choice, Entity, Event, Quantity, Ref, Text, Track, happened
from cheng.kernel.event_judging import event_record, judge_events
from cheng.kernel.rules import Rule


class Gate(Entity):
    """A gate."""

    width = Quantity("m", "how wide", fixed=True)


class Scan(Event):
    """A card was shown at {gate}."""

    gate = Ref(Gate)
    way = Choice("in", "out")
    score = Quantity("1", "how sure")
    spot = Track("where")
    note = Text("what else")


class unsure(Rule):
    """The scan at {gate} is unsure: {score}."""

    when = (Scan.score < 0.5) & Scan.way.is_("in")
    basis = "test"


class every_scan(Rule):
    """A scan at {gate}."""

    when = happened(Scan)
    basis = "test"


def test_each_event_is_judged_by_itself() -> None:
    records = [
        {"gate": "g1", "way": "in", "score": 0.2},
        {"gate": "g2", "way": "out", "score": 0.2},
        {"gate": "g3", "way": "in"},
    ]
    changes, broken = judge_events(Scan, [unsure, every_scan], records, np.array([5, 6, 7]))
    assert not broken
    assert [(c.rule.split(".")[1], c.slot, c.onset, c.kind) for c in changes] == [
        ("unsure", 0, 5, "raised"),
        ("every_scan", 0, 5, "raised"),
        ("every_scan", 1, 6, "raised"),
        ("every_scan", 2, 7, "raised"),
    ]
    assert changes[0].values == {"gate": "g1", "way": "in", "score": 0.2}


def test_a_rule_that_cannot_be_judged_leaves_the_others_alone() -> None:
    class lost(Rule):
        """A scan outside."""

        when = Scan.gate.width > 2
        basis = "test"

    lost.subject = Scan
    changes, broken = judge_events(Scan, [lost, every_scan], [{"gate": "g1"}], np.array([1]))
    assert len(changes) == 1
    assert broken == {lost.key(): "TypeError: an event rule cannot follow gate.width"}


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ({"way": "in"}, "'gate' is missing; it says which Gate is meant"),
        ({"gate": "g", "way": "up"}, "'way' is 'up'; it has to be one of in, out"),
        ({"gate": "g", "score": "high"}, "'score' is 'high'; it has to be a number in 1"),
        ({"gate": "g", "score": True}, "'score' is 'True'; it has to be a number in 1"),
        ({"gate": "g", "spot": [1]}, "'spot' is '[1]'; it has to be a position [longitude, latitude]"),
        ({"gate": "g", "note": 7}, "'note' is '7'; it has to be a text of up to 10000 letters"),
        ({"gate": "g", "colour": "red"}, "colour: no such field in Scan"),
    ],
)
def test_what_an_event_may_not_say(sent: dict[str, Any], fault: str) -> None:
    assert event_record(Scan, sent)[1] == fault


def test_what_an_event_may_say() -> None:
    sent = {"event": "Scan", "time": 1, "gate": "g", "way": "out", "score": 0.5, "spot": [1.0, 2.0], "note": "n"}
    record, fault = event_record(Scan, sent)
    assert not fault
    assert record == {k: v for k, v in sent.items() if k not in ("event", "time")}
