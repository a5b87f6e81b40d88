"""Who looks at a report: whoever sent it, by its word or by their account; or anybody, who sees what is public."""

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import RowMapping

from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.case_rows import Entry
from cheng.infrastructure.report_book import hashed
from cheng.kernel.standing import Person
from cheng.standards.problems import Refused
from cheng.web.desk.seeing import person
from cheng.web.pages import Ask
from cheng.web.portal.kinds import Kind, kinds

STATES = ("open", "suspended", "closed")
"""In which a case is public."""


@dataclass(frozen=True)
class Look:
    """A case, and who looks at it."""

    filed: Filed
    asked: str
    """the number that was asked for; that of the case unless it was joined to another one"""
    key: str = ""
    me: Person | None = None
    """whoever reported it; None for everybody else"""
    mine: RowMapping | None = None
    """their own report"""
    kind: Kind | None = None
    """its class, when that is public"""

    @property
    def public(self) -> bool:
        """Whether anybody may know of it."""
        return self.kind is not None and self.filed.case.state in STATES


def look(ask: Ask, number: str) -> Look:
    """The case with that number as this reader may see it. Refused (404), always in the same words, when it is not
    public and the word of the report is missing or wrong."""
    key = ask.query("key") or str(ask.form.get("secret") or "")[:200]
    own = by_word(ask, number, key) if key else by_account(ask, number) if ask.signed_in else None
    if own is not None:
        return own
    filed: Filed | None = None
    with suppress(Refused):
        filed = ask.hub.cases.get(number)
    if filed is not None and filed.entry.number == number:
        seen = Look(filed, number, kind=public_kind(ask, filed.entry))
        if seen.public:
            return seen
    raise Refused("no-such-case", "There is no case {case}.", {"case": number[:200]}, 404)


def by_word(ask: Ask, number: str, key: str) -> Look | None:
    """For whoever knows the word of the report."""
    try:
        filed: Filed = ask.hub.reports.find(number, key)
    except Refused:
        return None
    rows = ask.hub.reports.of_case(filed.entry.id)
    mine = next((row for row in rows if row["secret_hash"] == hashed(key)), None)
    me = ask.hub.reports.person(key)
    if mine is not None and mine["account"]:
        me = Person(mine["account"], roles=frozenset({"citizen"}))
    return Look(filed, number, key, me, mine, public_kind(ask, filed.entry))


def by_account(ask: Ask, number: str) -> Look | None:
    """For whoever was signed in when they sent it."""
    try:
        filed: Filed = ask.hub.reports.goes_on(ask.hub.cases.get(number).entry.id)
    except Refused:
        return None
    rows = ask.hub.reports.of_case(filed.entry.id)
    mine = next((row for row in rows if row["account"] == ask.actor.name), None)
    if mine is None:
        return None
    return Look(filed, number, "", person(ask.actor), mine, public_kind(ask, filed.entry))


def public_kind(ask: Ask, entry: Entry) -> Kind | None:
    """The class of a case, when it is one of those that anybody may know of."""
    found = kinds(ask).get(entry.class_code)
    return found if found is not None and found.flow == entry.flow and not entry.parent else None
