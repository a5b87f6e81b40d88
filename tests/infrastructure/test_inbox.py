"""The inbox: every sender has its turn, the room is shared, and nobody is forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure.inbox import Inbox
from cheng.kernel.observations import Batch
from cheng.standards.problems import Refused


def readings(count: int) -> Batch:
    return Batch.of([0] * count, [0] * count, range(count), [0.0] * count)


def test_a_flood_leaves_room_for_others_and_for_their_turn() -> None:
    inbox = Inbox(1_000)
    for _ in range(50):
        inbox.put(readings(10), "flood")
    with pytest.raises(Refused) as refused:
        inbox.put(readings(10), "flood")
    assert refused.value.status == 429
    inbox.put(readings(1), "quiet")
    with pytest.raises(Refused):
        inbox.check("flood")
    group = inbox.take(20, 0)
    assert [waiting.sender for waiting in group] == ["flood", "flood", "quiet"]


def test_one_delivery_larger_than_what_is_free_is_taken_where_the_sender_has_nothing_waiting() -> None:
    inbox = Inbox(100)
    inbox.put(readings(5_000), "gateway")
    with pytest.raises(Refused):
        inbox.put(readings(1), "other")
    inbox.release(inbox.take(1, 0))
    inbox.put(readings(1), "other")


def test_a_closed_inbox_takes_nothing_more_and_gives_what_it_has() -> None:
    inbox = Inbox(100)
    inbox.put(readings(1), "")
    inbox.close()
    assert not inbox.done()
    with pytest.raises(Refused) as refused:
        inbox.put(readings(1), "")
    assert refused.value.status == 503
    assert len(inbox.take(10, 0)) == 1
    assert inbox.done()


deliveries = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30)), max_size=40)


@given(deliveries, st.integers(1, 60))
def test_everything_comes_out_once_in_the_order_of_its_sender_and_marks_only_after_what_was_before(
    sent: list[tuple[str, int]], most: int
) -> None:
    inbox = Inbox(10_000)
    marks = {}
    for number, (sender, count) in enumerate(sent):
        inbox.put(readings(count), sender)
        marks[number] = inbox.mark()
    taken: list[int] = []
    while group := inbox.take(most, 0):
        taken += [waiting.ticket - 1 for waiting in group]
        passed = inbox.reached()
        whole = [number for number in marks if set(range(number + 1)) <= set(taken)]
        assert all(marks.pop(number) in passed for number in whole)
        inbox.release(group)
    assert sorted(taken) == list(range(len(sent)))
    for sender in "abc":
        mine = [number for number in taken if sent[number][0] == sender]
        assert mine == sorted(mine)
    assert inbox.total == 0
    assert not inbox.held
    assert not marks
