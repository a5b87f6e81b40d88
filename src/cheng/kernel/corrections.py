"""What a late reading changes: the alerts of a stretch before and after, compared."""

from collections.abc import Iterable, Iterator

from cheng.kernel.rules import Change

Key = tuple[int, int]
"""Slot and onset: the alert's identity within its rule."""


def differences(before: Iterable[Change], after: Iterable[Change]) -> Iterator[Change]:
    """From the raised and cleared alerts of one rule in a stretch, judged twice, to what has to be corrected."""
    old_raised, old_ended = _split(before)
    new_raised, new_ended = _split(after)
    gone = [key for key in old_raised if key not in new_raised]
    come: dict[int, list[Key]] = {}
    for key in new_raised:
        if key not in old_raised:
            come.setdefault(key[0], []).append(key)
    became: dict[Key, Key] = {}
    for key in gone:
        rivals = come.get(key[0], [])
        heir = _heir(key, rivals, old_ended, new_ended)
        if heir is None:
            yield old_raised[key]._replace(kind="withdrawn", values={})
            continue
        rivals.remove(heir)
        became[key] = heir
        yield new_raised[heir]._replace(kind="moved", onset=key[1], time=heir[1])
    withdrawn = set(gone) - became.keys()
    for keys in come.values():
        for key in keys:
            yield new_raised[key]
    yield from _ends(old_ended, new_ended, became, withdrawn)


def _split(changes: Iterable[Change]) -> tuple[dict[Key, Change], dict[Key, Change]]:
    raised: dict[Key, Change] = {}
    ended: dict[Key, Change] = {}
    for change in changes:
        (raised if change.kind == "raised" else ended)[change.slot, change.onset] = change
    return raised, ended


def _heir(key: Key, come: list[Key], old_ended: dict[Key, Change], new_ended: dict[Key, Change]) -> Key | None:
    """The new alert of the same thing that overlaps the old one in time: the same alert with another onset."""
    onset = key[1]
    end = old_ended[key].time if key in old_ended else None
    for other in come:
        other_end = new_ended[other].time if other in new_ended else None
        if (end is None or other[1] <= end) and (other_end is None or onset <= other_end):
            return other
    return None


def _ends(
    old: dict[Key, Change], new: dict[Key, Change], became: dict[Key, Key], withdrawn: set[Key]
) -> Iterator[Change]:
    renamed = {became.get(key, key): change for key, change in old.items() if key not in withdrawn}
    for key, change in renamed.items():
        if key not in new:
            yield change._replace(kind="reopened", onset=key[1])
    for key, change in new.items():
        if key not in renamed or renamed[key].time != change.time:
            yield change
