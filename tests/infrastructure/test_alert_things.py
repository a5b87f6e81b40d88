"""The alerts of a thing are found whether the table has taken them in or not."""

import random

import pytest
from sqlalchemy import func, select

from cheng.infrastructure import alert_rows
from cheng.infrastructure.alert_things import BEHIND, about, alerts_of_things, take_in
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import alerts

pytestmark = pytest.mark.backends
AT = 1_700_000_000_000_000


def row(number: int, thing: int | None) -> tuple[object, ...]:
    start = (number, f"r|{thing}|{number}", "r", "x", thing, None, number, AT + number, None)
    return (*start, "danger", "{}", None, "standing", None, None, AT, None)


def test_every_alert_of_a_thing_is_found_whatever_the_lots(store: Store) -> None:
    draw, number, expected = random.Random(5), 1, dict[int | None, list[int]]()
    lots = [1, BEHIND - 2, 1, 1, 1, 777, BEHIND * 2 + 5, BEHIND - 782]
    for size in lots:
        lot = [row(n, draw.choice((None, *range(40)))) for n in range(number, number + size)]
        for one in lot:
            expected.setdefault(one[4], []).append(one[0])  # type: ignore[arg-type]  # a thing and a number
        with store.write() as conn:
            alert_rows.add(conn, lot)
            take_in(conn, number, number + size - 1)
        number += size
        with store.read() as conn:
            for thing in (0, 17, 39, 40):
                found = conn.execute(select(alerts.c.number).where(about(thing)).order_by(alerts.c.number))
                assert list(found.scalars()) == expected.get(thing, [])
    with store.read() as conn:
        taken_in = conn.execute(select(func.count()).select_from(alerts_of_things)).scalar_one()
    assert taken_in == 4 * BEHIND - sum(n <= 4 * BEHIND for n in expected[None])
