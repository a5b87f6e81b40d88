"""Questions that stay fast however large the store grows."""

import time

import pytest
from sqlalchemy import insert, select

from cheng.infrastructure.queries import cases_by_due
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import cases

AT = 1_795_132_800_000_000


def case(number: int, **more: object) -> dict[str, object]:
    row = {"id": f"c{number}", "number": f"20261120-{number:06}", "flow": "make_safe", "app": "manhole_covers"}
    return row | {"title_values": {}, "opened": AT, "data": {}, "department": "Drainage", "due": AT + number} | more


@pytest.mark.backends
def test_cases_by_due_is_right(store: Store) -> None:
    rows = [
        case(1, due=AT + 30),
        case(2, due=None),
        case(3, due=AT + 10, department="Roads"),
        case(4, due=AT + 20, department="Roads", assignee="li"),
        case(5, due=AT + 5, state="closed"),
        case(6, due=AT + 1, assignee="li"),
    ]
    with store.write() as conn:
        conn.execute(insert(cases), rows[:1])
        for row in rows[1:]:
            conn.execute(insert(cases), row)
    with store.read() as conn:

        def asked(departments: list[str], person: str, limit: int, state: str = "open") -> list[str]:
            return list(conn.execute(cases_by_due(departments, person, limit, state)).scalars())

        assert asked(["Drainage"], "", 10) == ["c6", "c1", "c2"]
        assert asked(["Drainage"], "li", 10) == ["c6", "c4", "c1", "c2"]
        assert asked([], "li", 10) == ["c6", "c4"]
        assert asked([], "", 10) == []
        assert asked(["Drainage", "Roads"], "wang", 2) == ["c6", "c3"]
        assert asked(["Drainage"], "", 9, "closed") == ["c5"]


@pytest.mark.backends
def test_the_desks_list_is_quick_among_100_000_cases(store: Store) -> None:
    with store.write() as conn:
        for start in range(0, 100_000, 5000):
            conn.execute(
                insert(cases),
                [
                    case(n, department=f"D{n % 7}", assignee=f"p{n % 50}", due=AT + n * 7919 % 1_000_003)
                    for n in range(start, start + 5000)
                ],
            )
    taken = []
    for _ in range(5):
        with store.read() as conn:
            start_at = time.perf_counter()
            due = cases_by_due(["D1", "D2", "D3"], "p4", 50).subquery()
            rows = conn.execute(select(cases).join(due, due.c.id == cases.c.id).order_by(due.c.due)).mappings().all()
            taken.append(time.perf_counter() - start_at)
    assert len(rows) == 50
    assert [row["due"] for row in rows] == sorted(row["due"] for row in rows)
    assert min(taken) < 0.05
