"""Closed cases laid into a store, as many as are needed to learn from, without going through every act."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from cheng.hub import Hub
from cheng.infrastructure.tables import case_runs, cases

FLOW = "urban_management.handle_report"
CLASSES = {"E0102": "squad", "C0101": "Water Supply Company", "E0104": "cleaners"}
WORDS = {"E0102": "门口有一堆垃圾没人清理", "C0101": "自来水井盖不见了", "E0104": "路面很脏没人扫"}
STREETS = ("River Street", "Hill Street", "Lake Street")


def handled_by(code: str, street: str) -> str:
    """Who has such cases: a department of the street, or one for all."""
    kind = CLASSES[code]
    return f"{street} {kind}" if kind in ("squad", "cleaners") else kind


def lay_in(
    hub: Hub, many: int, first: datetime = datetime(2026, 6, 1, tzinfo=UTC), days: int = 120, noise: float = 0.1
) -> None:
    """`many` closed cases spread evenly over the days; a share of them went to somebody else."""
    chosen = random.Random(7)
    rows: list[dict[str, Any]] = []
    runs: list[dict[str, Any]] = []
    others = [handled_by(code, street) for code in CLASSES for street in STREETS]
    for n in range(many):
        code, street = chosen.choice(list(CLASSES)), chosen.choice(STREETS)
        at = round((first + timedelta(days=days * n / many)).timestamp() * 1e6)
        department = chosen.choice(others) if chosen.random() < noise else handled_by(code, street)
        case = f"{first:%m%d}-{n:05}"
        common = {"flow": FLOW, "department": department}
        values = {"class": code, "street": street, "source": "collector"}
        row = {"id": case, "number": case, "app": "urban_management", "title_values": values, "state": "closed"}
        row |= {"opened": at, "closed": at + 3_600_000_000, "class_code": code, "source": "collector"}
        rows.append(common | row | {"data": {"text": WORDS[code]}})
        run = {"case": case, "n": 1, "step": "handle", "person": "li", "started": at, "outcome": "done"}
        runs.append(common | run)
    with hub.store.write() as conn:
        conn.execute(insert(cases), rows)
        conn.execute(insert(case_runs), runs)
