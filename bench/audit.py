"""How soon the audit proves itself: every row's hash worked out again, from the first to the last."""

import statistics
import time

from bench.measuring import Figure, folder, report
from cheng.infrastructure.store import Store
from cheng.security import audit
from cheng.security.actors import HOUSE
from cheng.security.permissions import Target

CLAIM = "The audit proves ≥ 100,000 rows/s"
ROWS, ROUNDS = 50_000, 5


def main() -> None:
    rates = []
    with folder() as place:
        store = Store(f"sqlite:///{place / 'audit.db'}")
        with store.write() as conn:
            for number in range(ROWS):
                audit.record(conn, number, HOUSE, "act", Target("case", f"c{number}"), detail={"n": number})
        for _ in range(ROUNDS):
            start = time.perf_counter()
            with store.read() as conn:
                verdict = audit.verify(conn)
            if verdict.rows != ROWS or not verdict:
                raise SystemExit(f"the audit does not hold: {verdict}")
            rates.append(ROWS / (time.perf_counter() - start))
        store.close()
    report(
        Figure("rows of the audit proved, one core", "≥ 100,000/s", "rows/s", rates, statistics.median(rates) >= 1e5)
    )


if __name__ == "__main__":
    main()
