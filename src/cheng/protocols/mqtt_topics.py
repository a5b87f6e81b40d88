"""Topics, filters with wildcards, who subscribed to what, and the messages that topics retain.

Sources: OASIS MQTT 5.0 §4.7 (topic names and filters), §4.8.2 (shared subscriptions), §3.3.1.3 (retain).
"""

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, Protocol, TypeVar

import msgspec

S = TypeVar("S", bound=Hashable)
_MATCHES_REMEMBERED = 65_536


def valid_filter(text: str) -> bool:
    """Is this a topic filter: `#` alone on the last level, `+` alone on its level, a well-formed `$share/name/…`?"""
    group, rest = split_share(text)
    if not rest or (group is not None and (not group or "+" in group or "#" in group)):
        return False
    levels = rest.split("/")
    return all(level in ("+", "#") or ("+" not in level and "#" not in level) for level in levels) and (
        "#" not in levels[:-1]
    )


def split_share(text: str) -> tuple[str | None, str]:
    """`$share/name/filter` as (name, filter); any other filter as (None, filter)."""
    if not text.startswith("$share/"):
        return None, text
    group, _, rest = text[7:].partition("/")
    return group, rest


def matches(topic_filter: str, topic: str) -> bool:
    """Does the topic fall under the filter? Wildcards at the front never match topics that start with `$`."""
    if topic.startswith("$") and topic_filter[:1] in ("+", "#"):
        return False
    wanted = topic_filter.split("/")
    levels = topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or level not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)


def covers(allowed: str, asked: str) -> bool:
    """Is every topic that `asked` can match also matched by `allowed`? What an access rule asks about a filter."""
    if asked.startswith("$") and allowed[:1] in ("+", "#"):
        return False
    wide = allowed.split("/")
    narrow = asked.split("/")
    for place, level in enumerate(wide):
        if level == "#":
            return True
        if place >= len(narrow) or narrow[place] == "#" or level not in ("+", narrow[place]):
            return False
    return len(wide) == len(narrow)


class Subscription(msgspec.Struct, frozen=True):
    """What one client asked for with one filter."""

    filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    number: int = 0
    """The subscription identifier; 0 for none."""


class Shared(Generic[S]):
    """The clients that share one filter under one name; each message goes to one of them, in turn."""

    __slots__ = ("_turn", "members")

    def __init__(self) -> None:
        self.members: dict[S, Subscription] = {}
        self._turn = 0

    def pick(self, present: Callable[[S], bool]) -> tuple[S, Subscription]:
        """The next member, one that is present if any is."""
        members = list(self.members.items())
        self._turn += 1
        for step in range(len(members)):
            member = members[(self._turn + step) % len(members)]
            if present(member[0]):
                return member
        return members[self._turn % len(members)]


class _Node(Generic[S]):
    __slots__ = ("children", "plain", "shared")

    def __init__(self) -> None:
        self.children: dict[str, _Node[S]] = {}
        self.plain: dict[S, Subscription] = {}
        self.shared: dict[str, Shared[S]] = {}

    def empty(self) -> bool:
        return not (self.children or self.plain or self.shared)


class Match(msgspec.Struct, Generic[S], frozen=True):
    """Who gets a topic: each client once with all its filters that match, and the sharing groups."""

    plain: tuple[tuple[S, tuple[Subscription, ...]], ...]
    shared: tuple[Shared[S], ...]


class SubscriptionTree(Generic[S]):
    """All subscriptions, by level of their filter. Matching remembers its answers until the next change."""

    def __init__(self) -> None:
        self._root: _Node[S] = _Node()
        self._matches: dict[str, Match[S]] = {}

    def add(self, who: S, subscription: Subscription) -> None:
        """Adds or replaces."""
        self._matches.clear()
        group, text = split_share(subscription.filter)
        node = self._root
        for level in text.split("/"):
            child = node.children.get(level)
            if child is None:
                child = node.children[level] = _Node()
            node = child
        if group is None:
            node.plain[who] = subscription
        else:
            node.shared.setdefault(group, Shared()).members[who] = subscription

    def remove(self, who: S, topic_filter: str) -> None:
        """Takes one away; nothing happens when it is not there."""
        self._matches.clear()
        group, text = split_share(topic_filter)
        path: list[tuple[_Node[S], str]] = []
        node = self._root
        for level in text.split("/"):
            child = node.children.get(level)
            if child is None:
                return
            path.append((node, level))
            node = child
        if group is None:
            node.plain.pop(who, None)
        elif group in node.shared:
            node.shared[group].members.pop(who, None)
            if not node.shared[group].members:
                del node.shared[group]
        for parent, level in reversed(path):
            if not parent.children[level].empty():
                return
            del parent.children[level]

    def match(self, topic: str) -> Match[S]:
        """Who gets this topic."""
        found = self._matches.get(topic)
        if found is None:
            if len(self._matches) >= _MATCHES_REMEMBERED:
                self._matches.clear()
            found = self._matches[topic] = self._find(topic)
        return found

    def _find(self, topic: str) -> Match[S]:
        plain: dict[S, list[Subscription]] = {}
        shared: list[Shared[S]] = []
        for node in self._nodes(topic):
            for who, subscription in node.plain.items():
                plain.setdefault(who, []).append(subscription)
            shared.extend(node.shared.values())
        return Match(tuple((who, tuple(several)) for who, several in plain.items()), tuple(shared))

    def _nodes(self, topic: str) -> Iterator[_Node[S]]:
        levels = topic.split("/")
        here = [self._root]
        for depth, level in enumerate(levels):
            hidden = depth == 0 and topic.startswith("$")
            below: list[_Node[S]] = []
            for node in here:
                children = node.children
                if not hidden:
                    if "#" in children:
                        yield children["#"]
                    if "+" in children:
                        below.append(children["+"])
                if level in children and level not in ("+", "#"):
                    below.append(children[level])
            here = below
        for node in here:
            yield node
            if "#" in node.children:  # "a/#" means "a" too
                yield node.children["#"]


class Kept(Protocol):
    """What a topic can retain."""

    @property
    def topic(self) -> str:
        """Where it was published."""

    @property
    def payload(self) -> bytes:
        """Empty to forget the topic."""


M = TypeVar("M", bound=Kept)


class _Place(Generic[M]):
    __slots__ = ("children", "kept")

    def __init__(self) -> None:
        self.children: dict[str, _Place[M]] = {}
        self.kept: M | None = None


class Retained(Generic[M]):
    """The last retained message of each topic, at most `limit` of them and `limit_bytes` altogether."""

    def __init__(self, limit: int, limit_bytes: int) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._root: _Place[M] = _Place()
        self._count = 0
        self.bytes = 0

    def __len__(self) -> int:
        return self._count

    def keep(self, message: M) -> bool:
        """Replaces what the topic retained, or forgets it when the payload is empty. False when there is no room."""
        old = self.get(message.topic)
        if not message.payload:
            if old is not None:
                self._forget(old)
            return True
        size = len(message.payload) + len(message.topic)
        before = 0 if old is None else len(old.payload) + len(old.topic)
        if self._count + (old is None) > self._limit or self.bytes + size - before > self._limit_bytes:
            return False
        place = self._root
        for level in message.topic.split("/"):
            place = place.children.setdefault(level, _Place())
        place.kept = message
        self._count += old is None
        self.bytes += size - before
        return True

    def get(self, topic: str) -> M | None:
        """What this very topic retains."""
        place = self._root
        for level in topic.split("/"):
            below = place.children.get(level)
            if below is None:
                return None
            place = below
        return place.kept

    def _forget(self, old: M) -> None:
        levels = old.topic.split("/")
        path = [self._root]
        for level in levels:
            path.append(path[-1].children[level])
        path[-1].kept = None
        self._count -= 1
        self.bytes -= len(old.payload) + len(old.topic)
        for level, parent in zip(reversed(levels), reversed(path[:-1]), strict=True):
            place = parent.children[level]
            if place.kept is not None or place.children:
                return
            del parent.children[level]

    def find(self, topic_filter: str) -> list[M]:
        """All that topics under this filter retain."""
        here = [self._root]
        for depth, level in enumerate(topic_filter.split("/")):
            if level == "#":
                return [kept for place in here for kept in _all(place, depth == 0)]
            if level == "+":
                here = [
                    below
                    for place in here
                    for name, below in place.children.items()
                    if depth > 0 or not name.startswith("$")
                ]
            else:
                here = [place.children[level] for place in here if level in place.children]
        return [place.kept for place in here if place.kept is not None]


def _all(place: "_Place[M]", top: bool) -> Iterator[M]:
    stack = [place]
    while stack:
        here = stack.pop()
        if here.kept is not None:
            yield here.kept
        for name, below in here.children.items():
            if not (top and here is place and name.startswith("$")):
                stack.append(below)
