"""What is passed on to other cities: written down with the act of its case, sent later, followed to its end.

Nothing here speaks to anybody: whoever does asks what is `due`, claims it, and says what came of it. What was claimed
and never told of may have arrived: it is looked for before it is sent again.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from cheng.infrastructure.case_book import Also, CaseBook, Filed
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.passing_tables import passings
from cheng.infrastructure.report_book import ReportBook
from cheng.infrastructure.store import Store
from cheng.kernel.needs import clean
from cheng.kernel.standing import HOUSE, Case, Person
from cheng.standards.durations import days, hours, minutes
from cheng.standards.problems import Refused

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Of markers: no vowels, so that they are no words, and no digits, which other cities take for telephone numbers."""
TO_SEND = ("waiting", "sending", "unsure", "token")
LEASE = minutes(10).us
"""So long somebody may take to send; afterwards nobody knows whether it arrived."""
FIRST_WAIT, LAST_WAIT = minutes(1).us, hours(1).us
"""Between two tries while nobody answers: twice as long each time."""
SOON, SELDOM = minutes(15).us, hours(4).us
"""Between two questions how far something has come: twice as long each time nothing was new."""
MOST_NEWS = 100
"""So many acts the news of one passing make; what comes after that is shown, and no act any more."""
A_GO = 200
KEPT = days(365).us
"""So long after it was passed on the link to its photo leads somewhere."""

Problem = tuple[str, Mapping[str, Any]]
"""A sentence with blanks, and what fills them."""


@dataclass(frozen=True, slots=True)
class NewPassing:
    """What an officer wants to pass on."""

    city: str
    service: str
    """its code there"""
    service_name: str
    text: str
    reason: str
    form: Mapping[str, str | list[str]] = field(default_factory=dict)
    """further fields: attributes, address, place"""
    personal: bool = False
    """who reported it goes along"""
    photo: str = ""
    """SHA-256 of the photo that a link leads to"""
    marker: str = field(default_factory=lambda: "".join(secrets.choice(LETTERS) for _ in range(12)))
    """stands in `text`: by it the report is found there again"""


@dataclass(frozen=True, slots=True)
class Passing:
    """One thing that was passed on; see the table."""

    id: int
    case: str
    act: int
    at: int
    city: str
    form: Mapping[str, Any]
    personal: bool
    photo: str
    photo_key: str
    marker: str
    state: str
    next_at: int | None
    tries: int
    looks: int
    sent_at: int | None
    number: str
    token: str
    status: str
    notes: str
    heard_at: int | None
    told: int
    problem: Problem | None


class PassingBook:
    """Synchronous, safe to use from many threads."""

    def __init__(self, store: Store, cases: CaseBook, reports: ReportBook, clock: Clock) -> None:
        self.store, self.cases, self.reports, self.clock = store, cases, reports, clock

    # -- passing on

    def pass_on(
        self,
        case_id: str,
        actor: Person,
        new: NewPassing,
        *,
        version: int | None = None,
        key: str | None = None,
        also: Also | None = None,
    ) -> Filed:
        """The act of the case and what is to be sent, in one transaction. Refused as any act. Where nothing about who
        reported it goes along, their name, telephone number and e-mail are taken out of the words too."""
        data = {"city": new.city, "service": new.service_name or new.service, "reason": new.reason}
        form = {**new.form, "service_code": new.service, "description": new.text}
        if not new.personal:
            form = self.without_persons(case_id, form)
        with self.store.write() as conn:
            filed = self.cases.act_in(conn, case_id, "pass_on", actor, data, version=version, key=key, also=also)
            passed = filed.case.passed
            assert passed is not None
            known = select(passings.c.id).where(passings.c.case == filed.entry.id, passings.c.act == passed.act)
            if conn.execute(known).first() is None:  # the same form sent again is one passing
                row = {
                    "case": filed.entry.id,
                    "act": passed.act,
                    "at": passed.at,
                    "city": new.city,
                    "form": form,
                    "personal": new.personal,
                    "photo": new.photo,
                    "photo_key": secrets.token_urlsafe(24) if new.photo else "",
                    "marker": new.marker,
                    "state": "waiting",
                    "next_at": self.clock.now(),
                }
                conn.execute(insert(passings), [clean(row)])
        return filed

    # -- reading

    def of_case(self, case_id: str) -> list[Passing]:
        """What was passed on of a case, the last first."""
        return self._rows(select(passings).where(passings.c.case == case_id).order_by(passings.c.id.desc()))

    def photo(self, key: str) -> str:
        """SHA-256 of the photo behind a link that was sent to another city; "" when there is none (any more)."""
        if not key:
            return ""
        fresh = passings.c.at > self.clock.now() - KEPT
        found = self._rows(select(passings).where(passings.c.photo_key == key, fresh))
        return next((each.photo for each in found if each.state not in ("refused", "withdrawn")), "")

    def due(self, *states: str) -> list[Passing]:
        """Those in a state about which something is to be done now, the ones that wait longest first."""
        ready = passings.c.state.in_(states) & (passings.c.next_at <= self.clock.now())
        return self._rows(select(passings).where(ready).order_by(passings.c.next_at, passings.c.id).limit(A_GO))

    def _rows(self, query: Any) -> list[Passing]:
        with self.store.read() as conn:
            return [passing(row) for row in conn.execute(query).mappings()]

    def contact(self, case_id: str) -> dict[str, str]:
        """Who reported it first, as Open311 writes that."""
        first = next((row for row in self.reports.of_case(case_id) if row["case"] == case_id), None)
        if first is None:
            return {}
        before, _, last = str(first["name"]).rpartition(" ")
        told = {"first_name": before, "last_name": last, "phone": first["phone"], "email": first["email"]}
        return {name: value for name, value in told.items() if value}

    def without_persons(self, case_id: str, form: Mapping[str, Any]) -> dict[str, Any]:
        """The words of a form without what is known of those who reported the case."""
        known = [row[name] for row in self.reports.of_case(case_id) for name in ("name", "phone", "email")]
        patterns = [pattern for word in known if (pattern := written_somehow(word))]
        if not patterns:
            return dict(form)
        either = re.compile("|".join(sorted(patterns, key=len, reverse=True)), re.I)
        words = ("description", "address_string")
        return {name: either.sub("…", value) if name in words else value for name, value in form.items()}

    # -- sending

    def claim(self, one: Passing) -> bool:
        """Whether the caller may send it now: it waits, nobody else sends it, and the other city is still to have it.
        What the case has got over meanwhile is put aside."""
        with self.store.write() as conn:
            filed = self.cases.get(one.case)
            if not self._wanted(conn, one, filed.case):
                return False
            mine = update(passings).where(passings.c.id == one.id, passings.c.state == one.state)
            if one.next_at is not None:
                mine = mine.where(passings.c.next_at == one.next_at)
            now = self.clock.now()
            lease = {"state": "sending" if one.state == "waiting" else one.state, "next_at": now + LEASE}
            if one.state == "waiting":
                lease |= {"sent_at": now}
            return conn.execute(mine.values(lease)).rowcount == 1

    def _wanted(self, conn: Connection, one: Passing, case: Case) -> bool:
        """Whether something is still to be done. A case that is suspended or merged may come back: it waits."""
        mine = case.passed is not None and case.passed.act == one.act
        if mine and case.run is not None and case.run.away:
            if case.state == "open":
                return True
            self._set(conn, one, next_at=self.clock.now() + LAST_WAIT)
        else:
            self._set(conn, one, state="over" if mine else "withdrawn", next_at=None, problem=None)
        return False

    def took(self, one: Passing, number: str) -> None:
        """They gave it a number. Where the case was taken back meanwhile it says so: they have it none the less."""
        with self.store.write() as conn:
            try:
                self._act(conn, one, "answered", {"number": number})
            except Refused:
                self._act(conn, one, "note", {"text": f"{one.city}: {number}"})
            fresh = {"state": "sent", "number": number, "tries": 0, "problem": None}
            self._set(conn, one, **fresh, next_at=self.clock.now() + SOON)

    def has_token(self, one: Passing, token: str) -> None:
        """They took it, and give it a number later."""
        self._set_now(one, state="token", token=token, tries=0, problem=None, next_at=self.clock.now() + FIRST_WAIT)

    def later(self, one: Passing, problem: Problem | None, state: str = "") -> None:
        """Nobody answered: once more after a while."""
        wait = min(FIRST_WAIT << min(one.tries, 10), LAST_WAIT)
        changes: dict[str, Any] = {"tries": one.tries + 1, "problem": as_json(problem)}
        self._set_now(one, **changes, state=state or one.state, next_at=self.clock.now() + wait)

    def unsure(self, one: Passing, problem: Problem | None) -> None:
        """It may have arrived or not: it is looked for next."""
        then = self.clock.now() + FIRST_WAIT
        self._set_now(one, state="unsure", looks=0, tries=0, problem=as_json(problem), next_at=then)

    def not_found(self, one: Passing, enough: int) -> None:
        """It was looked for and is not there; after `enough` such looks it is sent again."""
        if one.looks + 1 >= enough:
            self._set_now(one, state="waiting", looks=0, tries=0, next_at=self.clock.now())
        else:
            then = self.clock.now() + (FIRST_WAIT << (one.looks + 1))
            self._set_now(one, looks=one.looks + 1, tries=0, next_at=then)

    def turned_down(self, one: Passing, problem: Problem, sentence: str) -> None:
        """They will not take it: the case goes on here, with their sentence. Refused while it is suspended."""
        with self.store.write() as conn:
            self._set(conn, one, state="refused", problem=as_json(problem), next_at=None)
            self._act(conn, one, "turned_down", {"text": sentence})

    # -- following

    def heard(self, one: Passing, status: str, notes: str) -> None:
        """How far it has come there. When it is closed there, the case goes on."""
        now, news = self.clock.now(), (status, notes) != (one.status, one.notes)
        tries = 0 if news else one.tries + 1
        with self.store.write() as conn:
            if not self._wanted(conn, one, self.cases.get(one.case).case):
                return
            told = one.told
            if status == "closed":
                if notes and notes != one.notes:
                    self._act(conn, one, "answered", {"text": notes})
                self._act(conn, one, "complete", {"text": notes} if notes else {})
                changes: dict[str, Any] = {"state": "over", "next_at": None}
            else:
                if notes and notes != one.notes and told < MOST_NEWS:
                    self._act(conn, one, "answered", {"text": notes})
                    told += 1
                changes = {"next_at": now + min(SOON << min(tries, 10), SELDOM)}
            fresh = {"status": status, "notes": notes, "heard_at": now, "problem": None, "told": told, "tries": tries}
            self._set(conn, one, **fresh, **changes)

    def unheard(self, those: Sequence[Passing], problem: Problem) -> None:
        """Nobody answered about these, or they know nothing of them."""
        with self.store.write() as conn:
            for one in those:
                then = self.clock.now() + min(SOON << min(one.tries, 10), SELDOM)
                self._set(conn, one, tries=one.tries + 1, problem=as_json(problem), next_at=then)

    # -- writing

    def _act(self, conn: Connection, one: Passing, verb: str, data: dict[str, Any]) -> None:
        self.cases.act_in(conn, one.case, verb, HOUSE, data)

    def _set_now(self, one: Passing, **changes: Any) -> None:
        with self.store.write() as conn:
            self._set(conn, one, **changes)

    def _set(self, conn: Connection, one: Passing, **changes: Any) -> None:
        conn.execute(update(passings).where(passings.c.id == one.id).values(changes))


def written_somehow(word: str) -> str:
    """A pattern of a name, a number or an address of e-mail, however its parts are set apart; "" for less than two
    signs, which would be in every text."""
    signs = [re.escape(sign) for sign in word if sign.isalnum() or sign in "@._"]
    return r"[\s()-]*".join(signs) if len(signs) > 1 else ""


def passing(row: RowMapping) -> Passing:
    told = {name: row[name] for name in Passing.__dataclass_fields__}
    problem = told.pop("problem")
    return Passing(**told, problem=(problem[0], problem[1]) if problem else None)


def as_json(problem: Problem | None) -> list[Any] | None:
    return None if problem is None else [problem[0], dict(problem[1])]
