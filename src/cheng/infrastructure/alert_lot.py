"""One lot of changes on its way into the book of alerts: new ones are added, known ones corrected, cases follow."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from cheng.infrastructure import alert_rows as rows
from cheng.infrastructure.alert_changes import Episode, Episodes, onset_of
from cheng.infrastructure.alert_groups import Groups
from cheng.infrastructure.alert_rows import Line, Notice
from cheng.infrastructure.alert_things import take_in
from cheng.infrastructure.alert_wording import Manner, Wording
from cheng.infrastructure.bulk import as_json
from cheng.infrastructure.case_book import CaseBook
from cheng.infrastructure.case_rows import Opening
from cheng.infrastructure.case_storm import Opened, Told, open_all, rename, tell_all
from cheng.infrastructure.quiet import Asked
from cheng.infrastructure.store import next_numbers
from cheng.infrastructure.tables import alerts, cases
from cheng.kernel.columns import NEVER
from cheng.kernel.rules import Change

Message = tuple[str, dict[str, Any]]
"""Topic and body for the bus."""
RAISED, CLEARED = "alerts/raised", "alerts/cleared"
CHUNK = 500
NOWHERE = (None, None, None)
TOLD = 1_000
"""Messages of one lot, of new alerts and of known ones: in a storm open pages ask for the list again."""
Heard = Callable[[str], bool]
"""Whether anybody listens to a topic; nothing is put into words for nobody."""


class Lot:
    """What one transaction writes. Make one for each attempt."""

    def __init__(
        self, conn: Connection, wording: Wording, groups: Groups, cases: CaseBook, quiet: Asked, now: int, heard: Heard
    ) -> None:
        self.conn, self.wording, self.cases, self.now = conn, wording, cases, now
        self.heard = cache(heard)
        self.groups = Groups(groups)
        """what is learned about groups; it holds when the transaction has held"""
        self.noticed = 0
        self.messages: list[Message] = []
        self._asked = quiet
        self._manners: dict[str, tuple[Manner, Asked]] = {}
        self._notices: list[Notice] = []
        self._ends: dict[int, tuple[int, int]] = {}
        self._changed: dict[int, Line] = {}
        self._told: list[tuple[str, int]] = []
        """topics and numbers of alerts that were in the book before"""
        self._opened: list[Opened] = []
        self._joined: list[tuple[int, int, str]] = []
        """the alerts that lead, those that joined them, and what they say"""
        self._acts: list[Told] = []

    def take(self, episodes: Episodes) -> None:
        """Writes the episodes down."""
        leaving = {e.first for e in episodes.by_key.values() if e.first != e.key}
        keys = {e.key: e.onset for e in episodes.by_key.values()} | {key: onset_of(key) for key in leaving}
        known = rows.find(self.conn, keys)
        fresh: list[Episode] = []
        for episode in episodes.by_key.values():
            line = self._line(episode, known, leaving) if known else None
            if line is not None:
                self._go_on(line, episode)
            elif episode.raised is not None:
                fresh.append(episode)
        rows.end(self.conn, self._ends)
        rows.change(self.conn, list(self._changed.values()))
        if fresh:
            new = self._rows(fresh)
            rows.add(self.conn, new)
            take_in(self.conn, new[0][0], new[-1][0])
        rows.say(self.conn, self._notices)
        open_all(self.cases, self.conn, self._opened)
        tell_all(self.cases, self.conn, [*self._acts, *self._joins()])
        self.messages += self._words()

    # -- new ones

    def _rows(self, fresh: Sequence[Episode]) -> list[tuple[Any, ...]]:
        """The rows of new alerts; what follows from them is noted."""
        first = next_numbers(self.conn, "alerts", len(fresh))
        return [self._row(number, episode) for number, episode in enumerate(fresh, first)]

    def _row(self, number: int, episode: Episode) -> tuple[Any, ...]:
        raised, thing = episode.raised, episode.thing
        assert raised is not None
        manner, quiet = self._manners.get(episode.rule) or self._manner(episode.rule)
        at, values = raised.time, self.wording.values(manner, thing, raised.values)
        state = quiet.state(at, thing) if quiet.windows or quiet.shelves else "standing"
        heard = state == "standing" and episode.withdrawn is None
        lead = self.groups.join(manner.rule, thing, values, number, at) if heard and manner.rule.group else None
        cleared = None if episode.cleared == NEVER else episode.cleared
        idx, id_, area = (thing.idx, thing.id, thing.areas[-1] if thing.areas else None) if thing else NOWHERE
        ended = None if cleared is None else self.now
        told = as_json(values)
        start = (number, episode.key, episode.rule, manner.app, idx, id_, episode.onset, at, cleared)
        row = (*start, manner.level, told, area, state, lead, None, self.now, ended)
        self.noticed += 1 if cleared is None else 2
        if episode.withdrawn is not None:
            return self._for_nothing(row, episode.withdrawn)
        if heard and manner.flow is not None and "broken" not in raised.values:
            self._follow(manner, episode, values, number, lead)
        if heard and self.heard(RAISED) and len(self.messages) < TOLD:
            self._say_at_once(RAISED, row, values)
        if cleared is not None and self.heard(CLEARED) and len(self.messages) < TOLD:
            self._say_at_once(CLEARED, row, values)
        return row

    def _manner(self, rule: str) -> tuple[Manner, Asked]:
        manner = self.wording.of(rule)
        self._manners[rule] = manner, self._asked.of(manner.rule)
        return self._manners[rule]

    def _for_nothing(self, row: tuple[Any, ...], at: int) -> tuple[Any, ...]:
        """The row of an alert that was withdrawn before anybody heard of it."""
        new = dict(zip(rows.COLUMNS, row, strict=True))
        line = msgspec.convert([new.get(name) for name in Line.__struct_fields__], Line)
        self._note(line, "withdrawn", {"time": at, "kind": "withdrawn"}, state="withdrawn", withdrawn_at=at)
        del self._changed[line.number]
        return tuple(getattr(line, name, value) for name, value in new.items())

    def _say_at_once(self, topic: str, row: tuple[Any, ...], values: dict[str, Any]) -> None:
        alert = dict(zip(rows.COLUMNS, row, strict=True)) | {"message_values": values}
        self.messages.append((topic, self.wording.message(alert)))

    # -- what is in the book

    def _line(self, episode: Episode, known: dict[str, Line], leaving: set[str]) -> Line | None:
        """The alert of an episode; None when it is not in the book."""
        line = None if episode.key in leaving else known.get(episode.key)
        before = known.get(episode.first) if episode.first != episode.key else None
        if before is None or line is None:
            return line or before
        # It turned out to be one that is in the book already, and was taken back once.
        if before.state != "withdrawn":
            detail = {"time": before.raised, "kind": "withdrawn"}
            self._note(before, "withdrawn", detail, state="withdrawn", withdrawn_at=before.raised)
            episode.cleared = before.cleared if episode.cleared == NEVER else episode.cleared
        if episode.raised is None:
            episode.raised = Change("raised", episode.rule, -1, episode.onset, before.raised, dict(episode.values))
        return line

    def _go_on(self, line: Line, episode: Episode) -> None:
        """What an episode means for an alert that is in the book; what it says already is left alone."""
        if line.state == "withdrawn":
            if episode.raised is None or episode.withdrawn is not None:
                return
            self._restore(line, episode, episode.raised)
        if line.key != episode.key:
            detail = {"time": episode.onset, "kind": "moved"}
            if line.case or self.wording.of(episode.rule).flow is not None:
                rename(self.conn, line.key, episode.key)
            self._note(line, "moved", detail, key=episode.key, onset=episode.onset)
        if episode.cleared != NEVER and episode.cleared != line.cleared:
            self._end(line, episode)
        if episode.withdrawn is not None:
            detail = {"time": episode.withdrawn, "kind": "withdrawn"}
            self._note(line, "withdrawn", detail, state="withdrawn", withdrawn_at=episode.withdrawn)

    def _end(self, line: Line, episode: Episode) -> None:
        if episode.cleared is None:
            self._note(line, "moved", {"time": episode.believed, "kind": "reopened"}, cleared=None)
            return
        detail = {"time": episode.cleared, "kind": "cleared"}
        if line.written is None or line.cleared is not None:
            self._note(line, "cleared", detail, cleared=episode.cleared)
            return
        line.cleared, line.ended = episode.cleared, self.now
        self._ends[line.number] = line.cleared, line.ended
        self._tell(line, "cleared", detail)

    def _restore(self, line: Line, episode: Episode, raised: Change) -> None:
        """An alert that had been withdrawn turns out to have been right: it stands again, and its case with it."""
        again = {"state": "standing", "withdrawn_at": None, "cleared": None, "raised": raised.time}
        self._note(line, "raised", {"state": "standing", "again": True}, **again)
        manner = self.wording.of(episode.rule)
        if manner.flow is not None:
            values = self.wording.values(manner, episode.thing, raised.values)
            self._follow(manner, episode, values, line.number, line.group_id)

    def _note(self, line: Line, kind: str, detail: dict[str, Any], **changes: Any) -> None:
        """Something happened to an alert that its line cannot tell."""
        self._notices += [*rows.story(line), (line.number, self.now, kind, detail)]
        line.written = line.ended = None
        for name, value in changes.items():
            setattr(line, name, value)
        self._changed[line.number] = line
        self._tell(line, kind, detail)

    def _tell(self, line: Line, kind: str, detail: dict[str, Any]) -> None:
        self.noticed += 1
        if self.heard(f"alerts/{kind}") and len(self._told) < TOLD:
            self._told.append((f"alerts/{kind}", line.number))
        if line.case and kind != "raised" and detail["kind"] != "reopened":
            self._acts.append(Told(line.case, f"alert_{kind}", {"detail": detail}))

    def _words(self) -> list[Message]:
        """Messages about alerts that were in the book before."""
        found: dict[int, dict[str, Any]] = {}
        for some in chunks([number for _, number in self._told]):
            chosen = self.conn.execute(select(alerts).where(alerts.c.number.in_(some))).mappings()
            found |= {row["number"]: self.wording.message(dict(row)) for row in chosen}
        return [(topic, found[number]) for topic, number in self._told]

    # -- cases

    def _follow(self, manner: Manner, episode: Episode, values: dict[str, Any], number: int, lead: int | None) -> None:
        """The alert opens a case, or joins the one of the alert that leads."""
        thing = episode.thing
        if lead is not None:
            self._joined.append((lead, number, manner.text))
            return
        assert manner.flow is not None
        about = Opening(
            values=values,
            alert_key=episode.key,
            rule=episode.rule,
            thing=thing.idx if thing else None,
            level=manner.level,
            area=thing.areas[-1] if thing and thing.areas else "",
            place=thing.point if thing else None,
        )
        over = episode.cleared is not None and episode.cleared != NEVER
        detail = {"time": episode.cleared, "kind": "cleared"}
        self._opened.append(Opened(manner.flow, about, {"detail": detail} if over else None))

    def _joins(self) -> Iterator[Told]:
        """What the cases of the alerts that lead are told about those that joined."""
        of: dict[int, str] = {}
        for leads in chunks(list({lead for lead, _, _ in self._joined})):
            query = select(alerts.c.number, cases.c.id).join(cases, cases.c.alert == alerts.c.key)
            open_ones = query.where(alerts.c.number.in_(leads), cases.c.state.in_(("open", "suspended")))
            of |= {number: case for number, case in self.conn.execute(open_ones)}
        for lead, number, text in self._joined:
            if lead in of:
                yield Told(of[lead], "alert_joined", {"detail": {"alert": str(number)}, "text": text})


def chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """As many at a time as one question may name."""
    return (numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK))
