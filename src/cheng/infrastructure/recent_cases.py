"""Cases as they stood when somebody last looked or acted, so that an act need not add up all that came before it.

A case at a version is always the same one, for acts are only ever added. What a transaction has written is known to
that transaction alone until it is on the disk: given up, another act may stand at the same place.
"""

import threading
from collections import OrderedDict

from sqlalchemy import Connection

from cheng.infrastructure.store import Store
from cheng.kernel.standing import Case

MOST = 4096
"""About 8 kB each."""


class Written(threading.local):
    """What the transaction of this thread has written."""

    conn: Connection | None = None
    cases: dict[str, Case]


class RecentCases:
    """The cases that were last looked at, by id. Safe to use from many threads."""

    def __init__(self, store: Store, most: int = MOST) -> None:
        self._store = store
        self._most = most
        self._written = Written()
        self._lock = threading.Lock()
        self._cases: OrderedDict[str, Case] = OrderedDict()

    def get(self, conn: Connection, id_: str, version: int) -> Case | None:
        """The case after so many acts, if it is here."""
        if self._written.conn is conn and (case := self._written.cases.get(id_)) and case.version == version:
            return case
        with self._lock:
            kept = self._cases.get(id_)
            return kept if kept and kept.version == version else None

    def write(self, conn: Connection, case: Case) -> None:
        """This transaction has written the case as it stands now."""
        if self._written.conn is not conn:
            written = self._written.cases = {}
            self._written.conn = conn
            self._store.once_committed(lambda: self.keep(*written.values()))
        self._written.cases[case.id] = case

    def keep(self, *cases: Case) -> None:
        """They stand like this on the disk."""
        with self._lock:
            for case in cases:
                self._cases[case.id] = case
                self._cases.move_to_end(case.id)
            while len(self._cases) > self._most:
                self._cases.popitem(last=False)
