"""What the book of cases asks of others: whether a condition holds, who somebody is, what a case is filed by."""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Connection, select

from cheng.infrastructure.tables import accounts
from cheng.kernel.conditions import Condition
from cheng.kernel.flows import Flow
from cheng.kernel.standing import Person


class Truth(Protocol):
    """Whether a condition holds for a thing now; None when nobody knows. Has to be quick: the writer waits for it."""

    def __call__(self, condition: Condition, thing: int | None) -> bool | None: ...


class People(Protocol):
    """The person with that account name; None when there is none who may work."""

    def __call__(self, conn: Connection, name: str) -> Person | None: ...


class Standards(Protocol):
    """The filing condition of a class as it is in force at a moment, as facts that an act keeps; None when there is
    no such one."""

    def __call__(
        self, conn: Connection, flow: type[Flow], class_code: str, condition: str, now: int
    ) -> Mapping[str, Any] | None: ...


def unknown(condition: Condition, thing: int | None) -> bool | None:
    return None


def no_standards(
    conn: Connection, flow: type[Flow], class_code: str, condition: str, now: int
) -> Mapping[str, Any] | None:
    return None


def from_accounts(conn: Connection, name: str) -> Person | None:
    row = conn.execute(select(accounts).where(accounts.c.name == name, ~accounts.c.disabled)).mappings().first()
    if row is None:
        return None
    return Person(name, row["department"], frozenset(row["roles"]), row["display_name"])
