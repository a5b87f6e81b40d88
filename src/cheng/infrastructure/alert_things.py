"""Which alerts a thing had: an index that takes in many alerts at a time.

Alerts come in the order of time, and things lie all over the city. An ordinary index would cost a page of the disk for
each alert, nearly as much as the alert itself. Here all up to the last full BEHIND of numbers are in a table by thing;
the few newer ones are looked through.
"""

from sqlalchemy import Column, ColumnElement, Connection, Integer, Table, bindparam, func, insert, select, union_all

from cheng.infrastructure.tables import Serial, alerts, metadata

alerts_of_things = Table(
    "alerts_of_things",
    metadata,
    Column("thing", Integer, primary_key=True, autoincrement=False),
    Column("number", Serial, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

BEHIND = 10_000
"""Alerts that may be missing. Whoever changes it fills the table anew, by a migration."""

_NEWER = alerts.alias("newer")
_REACHED = select(func.coalesce(func.max(_NEWER.c.number), 0) // BEHIND * BEHIND).scalar_subquery()
_TAKE_IN = insert(alerts_of_things).from_select(
    ["thing", "number"],
    select(alerts.c.thing, alerts.c.number)
    .where(alerts.c.number > bindparam("reached"), alerts.c.number <= bindparam("full"), alerts.c.thing.is_not(None))
    .order_by(alerts.c.thing, alerts.c.number),
)
"""In the order of the table: a page that gets several rows is written once."""


def take_in(conn: Connection, first: int, last: int) -> None:
    """Keeps up with the alerts that were added just now, those with the numbers from `first` to `last`."""
    reached, full = (first - 1) // BEHIND * BEHIND, last // BEHIND * BEHIND
    if full > reached:
        conn.execute(_TAKE_IN, {"reached": reached, "full": full})


plain_rule: ColumnElement[str] = alerts.c.rule.concat("")
"""An alert's rule, compared where few alerts are left: by the index of rules the store would read all that it found."""


def about(thing: int) -> ColumnElement[bool]:
    """Only alerts of the thing with this idx."""
    known = select(alerts_of_things.c.number).where(alerts_of_things.c.thing == thing)
    newer = select(_NEWER.c.number).where(_NEWER.c.number > _REACHED, _NEWER.c.thing == thing)
    return alerts.c.number.in_(union_all(known, newer))
