"""Alerts as rows: looked up, added and ended many at a time, and what is said about each.

The line of an alert tells by itself when it was raised and when it was cleared, as long as nothing else happened to it.
With anything else its story goes on in `alert_notices`: first what the line had told, then what is new.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, bindparam, update

from cheng.infrastructure.bulk import as_json, by_json, insert_rows
from cheng.infrastructure.tables import alerts

Notice = tuple[int, int, str, dict[str, Any]]
"""The alert's number, when it was said, the kind, and the detail."""
COLUMNS = (
    *("number", "key", "rule", "app", "thing", "thing_id", "onset", "raised", "cleared", "level", "message_values"),
    *("area", "state", "group_id", "withdrawn_at", "written", "ended"),
)
"""Of a new row, in the order of `add`."""
NOTICED = ("alert", "at", "kind", "detail")

# Keys come as an object of key and onset, lines leave as one array: no row costs a step of its own.
FIND = {
    "sqlite": """SELECT json_group_array(json_array(a.number, a.key, a.onset, a.raised, a.cleared, a.state,
 a.withdrawn_at, a.written, a.ended, a.group_id, c.id)) FROM json_each(?) AS w CROSS JOIN alerts AS a
 LEFT JOIN cases AS c ON c.alert = a.key AND c.state IN ('open', 'suspended')
 WHERE a.onset = w.value AND a.key = w.key""",
    "postgresql": """SELECT json_agg(json_build_array(a.number, a.key, a.onset, a.raised, a.cleared, a.state,
 a.withdrawn_at, a.written, a.ended, a.group_id, c.id)) FROM json_each_text(%s::json) AS w CROSS JOIN alerts AS a
 LEFT JOIN cases AS c ON c.alert = a.key AND c.state IN ('open', 'suspended')
 WHERE a.onset = w.value::bigint AND a.key = w.key""",
}
END = {
    "sqlite": "UPDATE alerts SET cleared = w.value ->> 0, ended = w.value ->> 1 FROM json_each(?) AS w"
    " WHERE alerts.number = CAST(w.key AS INTEGER)",
    "postgresql": "UPDATE alerts SET cleared = (w.value ->> 0)::bigint, ended = (w.value ->> 1)::bigint"
    " FROM json_each(%s::json) AS w WHERE alerts.number = w.key::bigint",
}
CHANGED = ("key", "onset", "raised", "cleared", "state", "withdrawn_at", "written", "ended")
CHANGE = update(alerts).where(alerts.c.number == bindparam("this")).values({n: bindparam(n) for n in CHANGED})


class Line(msgspec.Struct, array_like=True, gc=False):
    """An alert in the book, as far as changes touch it, and its open case."""

    number: int
    key: str
    onset: int
    raised: int
    cleared: int | None
    state: str
    withdrawn_at: int | None
    written: int | None
    ended: int | None
    group_id: int | None
    case: str | None


class Told(Protocol):
    """An alert as far as its story goes: a line, or an entry of a list."""

    @property
    def number(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def cleared(self) -> int | None: ...
    @property
    def written(self) -> int | None: ...
    @property
    def ended(self) -> int | None: ...


def story(alert: Told) -> Iterator[Notice]:
    """What the line of an alert tells by itself; nothing when its notices do."""
    if alert.written is not None:
        yield alert.number, alert.written, "raised", {"state": alert.state}
        if alert.ended is not None:
            yield alert.number, alert.ended, "cleared", {"time": alert.cleared}


def find(conn: Connection, keys: Mapping[str, int]) -> dict[str, Line]:
    """The alerts with these keys, given with their onsets, as far as they are in the book."""
    lines = msgspec.convert(by_json(conn, FIND, keys), list[Line])
    return {line.key: line for line in lines}


def add(conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Adds alerts, each with its values in the order of COLUMNS, JSON as text."""
    insert_rows(conn, "alerts", COLUMNS, rows)


def end(conn: Connection, ends: Mapping[int, tuple[int, int]]) -> None:
    """Ends alerts whose lines tell their story. By number: when it was over, and when that was written."""
    if ends:
        by_json(conn, END, ends)


def change(conn: Connection, lines: Sequence[Line]) -> None:
    """Brings the rows of lines up to date."""
    changes = [{"this": line.number, **{name: getattr(line, name) for name in CHANGED}} for line in lines]
    if changes:
        conn.execute(CHANGE, changes)


def say(conn: Connection, notices: Sequence[Notice]) -> None:
    """Writes down what was said; the lines concerned tell nothing by themselves any more, see `take_over`."""
    insert_rows(conn, "alert_notices", NOTICED, [(*notice[:3], as_json(notice[3])) for notice in notices])


def over(conn: Connection, number: int, cleared: int, now: int, *, plain: bool) -> None:
    """Ends one alert; `plain`: its line tells its story."""
    ended = now if plain else None
    conn.execute(update(alerts).where(alerts.c.number == number).values(cleared=cleared, ended=ended))
    if not plain:
        say(conn, [(number, now, "cleared", {"time": cleared, "kind": "case"})])


def take_over(conn: Connection, alert: Told) -> None:
    """From now on its notices tell the story of this alert."""
    if alert.written is not None:
        say(conn, list(story(alert)))
        conn.execute(update(alerts).where(alerts.c.number == alert.number).values(written=None, ended=None))
