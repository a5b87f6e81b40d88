"""Filters and topics: the tree finds what the definition says, and gives back all it took."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.protocols.mqtt_topics import (
    Retained,
    Subscription,
    SubscriptionTree,
    covers,
    matches,
    split_share,
    valid_filter,
)

level = st.sampled_from(["a", "b", "", "$s"])
topics = st.lists(level, min_size=1, max_size=4).map("/".join).filter(bool)
filters = st.builds(
    lambda levels, end: "/".join(levels + end),
    st.lists(level | st.just("+"), min_size=0, max_size=4),
    st.sampled_from([[], ["#"]]),
).filter(bool)


class Kept(msgspec.Struct, frozen=True):
    topic: str
    payload: bytes


@pytest.mark.parametrize(
    ("topic_filter", "topic", "truth"),
    [
        ("#", "a/b", True),
        ("a/#", "a", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("+/+", "/a", True),
        ("/+", "/a", True),
        ("+", "/a", False),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("a/b", "a/B", False),
    ],
)
def test_matches_as_the_standard_says(topic_filter: str, topic: str, truth: bool) -> None:
    assert matches(topic_filter, topic) is truth


@pytest.mark.parametrize("text", ["a", "/", "+", "#", "a/+/b", "a/#", "$share/g/a/#", "$SYS/#"])
def test_filters_that_are_well_formed(text: str) -> None:
    assert valid_filter(text)


@pytest.mark.parametrize("text", ["", "a#", "#/a", "a+/b", "a/#/b", "$share/g", "$share//a", "$share/+/a", "$share/g/"])
def test_filters_that_are_not(text: str) -> None:
    assert not valid_filter(text)


def test_a_share_is_taken_apart() -> None:
    assert split_share("$share/g/a/b") == ("g", "a/b")
    assert split_share("a/b") == (None, "a/b")


@given(st.lists(filters, max_size=8), topics)
def test_the_tree_finds_what_the_definition_says(several: list[str], topic: str) -> None:
    tree: SubscriptionTree[int] = SubscriptionTree()
    for number, text in enumerate(several):
        tree.add(number, Subscription(text))
    found = {who for who, _ in tree.match(topic).plain}
    assert found == {number for number, text in enumerate(several) if matches(text, topic)}


@given(st.lists(st.tuples(st.integers(0, 2), filters), max_size=8), topics)
def test_what_is_taken_away_is_gone_to_the_last_node(several: list[tuple[int, str]], topic: str) -> None:
    tree: SubscriptionTree[int] = SubscriptionTree()
    for who, text in several:
        tree.add(who, Subscription(text))
        tree.add(who, Subscription(f"$share/g/{text}"))
    for who, text in several:
        tree.remove(who, text)
        tree.remove(who, f"$share/g/{text}")
    tree.remove(9, "never/there")
    match = tree.match(topic)
    assert (match.plain, match.shared) == ((), ())
    assert tree._root.empty()


@given(filters, filters, topics)
def test_a_filter_that_covers_another_matches_all_that_it_matches(wide: str, narrow: str, topic: str) -> None:
    if covers(wide, narrow) and matches(narrow, topic):
        assert matches(wide, topic)


@pytest.mark.parametrize("asked", ["#", "+/one/x", "cheng/#", "cheng/+", "cheng/+/set", "cheng/two/x", "cheng/oneX"])
def test_no_filter_escapes_the_rule_for_one_device(asked: str) -> None:
    assert not covers("cheng/one/#", asked)
    assert covers("cheng/one/#", "cheng/one/set/+")


@given(st.dictionaries(topics, st.binary(min_size=1, max_size=3)), filters)
def test_retained_messages_are_found_by_any_filter_and_forgotten(kept: dict[str, bytes], text: str) -> None:
    store: Retained[Kept] = Retained(100, 10_000)
    for topic, payload in kept.items():
        assert store.keep(Kept(topic, b"old"))
        assert store.keep(Kept(topic, payload))
    assert len(store) == len(kept)
    assert {message.topic for message in store.find(text)} == {topic for topic in kept if matches(text, topic)}
    for topic in kept:
        store.keep(Kept(topic, b""))
    assert (len(store), store.bytes, store.find("#")) == (0, 0, [])


def test_retained_messages_are_bounded_by_count_and_bytes() -> None:
    store: Retained[Kept] = Retained(2, 10)
    assert store.keep(Kept("a", b"1"))
    assert not store.keep(Kept("b", b"1234567890"))
    assert store.keep(Kept("b", b"1"))
    assert not store.keep(Kept("c", b"1"))
    assert store.keep(Kept("a", b"12"))


def test_a_shared_filter_goes_round_and_prefers_who_is_present() -> None:
    tree: SubscriptionTree[str] = SubscriptionTree()
    for who in ("x", "y", "z"):
        tree.add(who, Subscription("$share/g/a"))
    (shared,) = tree.match("a").shared
    assert {shared.pick(lambda who: True)[0] for _ in range(3)} == {"x", "y", "z"}
    assert {shared.pick(lambda who: who == "y")[0] for _ in range(3)} == {"y"}
    assert shared.pick(lambda who: False)[0] in "xyz"
