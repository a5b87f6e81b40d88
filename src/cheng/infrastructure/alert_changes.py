"""What the judging found about alerts, added up: whatever happened to an alert in a lot comes to one episode of it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from cheng.infrastructure.registration import Thing
from cheng.kernel.columns import NEVER
from cheng.kernel.rules import Change, Rule


class Found(NamedTuple):
    """A change that the judging found, with the thing it is about."""

    change: Change
    thing: Thing | None


def alert_key(rule: str, thing: Thing | None, onset: int) -> str:
    """What makes an alert fire once."""
    return f"{rule}|{thing.id if thing else ''}|{onset}"


def onset_of(key: str) -> int:
    """The onset that a key names: alerts are looked up by both. ValueError for what is no key."""
    return int(key.rpartition("|")[2])


class Episode(msgspec.Struct, gc=False):
    """What all changes of a lot come to for one alert."""

    rule: str
    thing: Thing | None
    first: str
    """the key it was known by before the lot"""
    key: str
    onset: int
    raised: Change | None = None
    """how it began, when that is among the changes"""
    cleared: int | None = NEVER
    """its end; None: it goes on after all; NEVER: nothing was said about it"""
    believed: int = NEVER
    """the end that turned out to be none"""
    withdrawn: int | None = None
    values: Mapping[str, Any] = {}
    """what its text needs, when it turned out to have begun at another moment"""


class Episodes:
    """Changes added up alert by alert, in the order in which they were found."""

    def __init__(self, found: Iterable[Found] = ()) -> None:
        self.by_key: dict[str, Episode] = {}
        self._replaced: dict[str, Episode] = {}
        self.add(found)

    def __len__(self) -> int:
        return len(self.by_key)

    def add(self, found: Iterable[Found]) -> None:
        """Takes more changes; what came before is behind them."""
        by_key = self.by_key
        for change, thing in found:
            rule, onset, kind = change.rule, change.onset, change.kind
            key = f"{rule}|{thing.id if thing else ''}|{onset}"
            episode = by_key.get(key)
            if episode is None:
                episode = by_key[key] = Episode(rule, thing, key, key, onset)
            if kind == "cleared":
                episode.cleared = change.time
            elif kind == "raised":
                again = episode.withdrawn is not None
                episode.raised, episode.cleared, episode.withdrawn = change, None if again else NEVER, None
            elif kind == "withdrawn":
                episode.withdrawn = change.time
            elif kind == "reopened":
                episode.cleared, episode.believed = None, change.time
            else:
                self._move(episode, change)

    def parts(self, size: int) -> Iterator["Episodes"]:
        """The same in their order, up to `size` at a time."""
        known = list(self.by_key.items())
        for start in range(0, len(known), size):
            part = Episodes()
            part.by_key = dict(known[start : start + size])
            yield part

    def _move(self, episode: Episode, change: Change) -> None:
        """It is known by another key from now on, and takes the place of one that had it and was withdrawn."""
        known = self.by_key
        del known[episode.key]
        if episode.key in self._replaced:
            known[episode.key] = self._replaced.pop(episode.key)
        episode.onset, episode.values = change.time, change.values
        episode.key = alert_key(episode.rule, episode.thing, episode.onset)
        if episode.key in known:
            self._replace(known.pop(episode.key))
            start_anew(episode)
        known[episode.key] = episode

    def _replace(self, other: Episode) -> None:
        """One that was withdrawn gives way; where it had only just moved there, it is withdrawn where it was."""
        if other.first == other.key:
            self._replaced[other.key] = other
        elif other.first in self.by_key:
            start_anew(self.by_key[other.first])
        else:
            other.key, other.onset, other.raised = other.first, onset_of(other.first), None
            self.by_key[other.key] = other


def start_anew(episode: Episode) -> None:
    """It has the place of another one, whose end is not its own."""
    if episode.raised is not None and episode.cleared == NEVER:
        episode.cleared = None


def broken(rules: Iterable[tuple[type[Rule], str]], day: int) -> list[Found]:
    """Alerts of rules about themselves: they could not be judged, and say so once a day."""
    return [
        Found(Change("raised", rule.key(), -1, day, day, {"broken": reason}), None) for rule, reason in rules if reason
    ]
