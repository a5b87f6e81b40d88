"""From what was believed to what is right, by changes that make sense one after the other."""

from city import Alerts
from hypothesis import given
from hypothesis import strategies as st

from cheng.kernel.corrections import differences
from cheng.kernel.rules import Change


def spells(edges: list[int], slot: int, began: int | None) -> list[Change]:
    """Alerts that begin and end in turn at these times; the first end is that of one which stood before."""
    found, onset = [], began
    for time in edges:
        if onset is None:
            found.append(Change("raised", "r", slot, time - 1, time, {"at": time}))
            onset = time - 1
        else:
            found.append(Change("cleared", "r", slot, onset, time, {}))
            onset = None
    return found


EDGES = st.lists(st.integers(1, 15).map(lambda n: 2 * n), unique=True, max_size=6).map(sorted)


@given(st.lists(st.tuples(EDGES, EDGES, st.sampled_from([None, -7])), min_size=1, max_size=3))
def test_differences_lead_from_one_to_the_other(things: list[tuple[list[int], list[int], int | None]]) -> None:
    before, after = list[Change](), list[Change]()
    found, right = Alerts(), Alerts()
    for slot, (old, new, began) in enumerate(things):
        if began is not None:
            for alerts in (found, right):
                alerts.take([Change("raised", "r", slot, began, 0, {})])
        before += spells(old, slot, began)
        after += spells(new, slot, began)
    found.take(before)
    right.take(after)
    assert found.take(differences(before, after)).standing == right.standing
    assert list(differences(after, after)) == []


def kinds(before: list[Change], after: list[Change]) -> list[tuple[str, int, int]]:
    return [(c.kind, c.onset, c.time) for c in differences(before, after)]


def alert(onset: int, end: int | None = None) -> list[Change]:
    raised = Change("raised", "r", 0, onset, onset + 1, {"v": onset})
    return [raised] if end is None else [raised, Change("cleared", "r", 0, onset, end, {})]


def test_an_alert_that_overlaps_the_old_one_is_the_old_one_moved() -> None:
    assert kinds(alert(10, 20), alert(12, 20)) == [("moved", 10, 12)]
    assert kinds(alert(10), alert(12, 20)) == [("moved", 10, 12), ("cleared", 12, 20)]
    assert kinds(alert(10, 20), alert(12)) == [("moved", 10, 12), ("reopened", 12, 20)]


def test_an_alert_that_does_not_overlap_is_another_one() -> None:
    assert kinds(alert(10, 20), alert(30)) == [("withdrawn", 10, 11), ("raised", 30, 31)]
    assert kinds(alert(30, 40), alert(10, 20)) == [("withdrawn", 30, 31), ("raised", 10, 11), ("cleared", 10, 20)]


def test_an_end_that_was_another_one_is_told_again() -> None:
    assert kinds(alert(10, 20), alert(10, 25)) == [("cleared", 10, 25)]
    assert kinds(alert(10, 20), alert(10)) == [("reopened", 10, 20)]
    assert kinds(alert(10), alert(10, 20)) == [("cleared", 10, 20)]


def test_two_alerts_that_turn_out_to_be_one() -> None:
    assert kinds([*alert(10, 20), *alert(30, 40)], alert(10, 40)) == [("withdrawn", 30, 31), ("cleared", 10, 40)]
    assert kinds(alert(10, 40), [*alert(10, 20), *alert(30, 40)]) == [
        ("raised", 30, 31),
        ("cleared", 10, 20),
        ("cleared", 30, 40),
    ]


def test_the_values_of_a_moved_alert_are_those_of_the_right_moment() -> None:
    (moved,) = differences(alert(10), alert(12))
    assert moved.values == {"v": 12}
