"""What people report: one number, one clock and one history, whatever the channel.

A report opens a case, or joins one that stands for the same thing already. Who reported it is kept apart from the
case: whoever handles it needs the place and the words, not the telephone number.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, insert, select

from cheng.infrastructure.blobs import Blobs
from cheng.infrastructure.case_book import CaseBook, Filed, checked
from cheng.infrastructure.case_rows import Entry, Opening, entry
from cheng.infrastructure.photos import as_proof
from cheng.infrastructure.report_tables import reports
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import acts, cases
from cheng.infrastructure.things import Things
from cheng.kernel.classes import CaseClass
from cheng.kernel.flows import URGENT, Flow
from cheng.kernel.needs import clean
from cheng.kernel.standing import HOUSE, Person
from cheng.standards.problems import Refused

SOURCES = (
    *("citizen", "hotline", "open311", "wechat", "portal", "letter", "media"),
    *("collector", "sensor", "video", "patrol"),
)
"""The channels that reports come through."""
LEVELS = ("district", "street", "community", "grid")
LONGEST = {"text": 4000, "address": 300, "name": 60, "phone": 40, "email": 120, "external": 200, "class_code": 40}
MOST_PHOTOS = 9
GONE = ("void", "merged")


@dataclass(frozen=True, slots=True)
class NewReport:
    """What somebody reports."""

    flow: str
    """key of the flow that handles it"""
    source: str
    """the channel, one of SOURCES"""
    text: str
    class_code: str = ""
    """left empty, whoever accepts it chooses"""
    place: tuple[float, float] | None = None
    """longitude, latitude in degrees (WGS 84)"""
    address: str = ""
    name: str = ""
    phone: str = ""
    email: str = ""
    account: str = ""
    """of whoever has signed in"""
    photos: tuple[str, ...] = ()
    """SHA-256 of files that were kept"""
    key: str = ""
    """makes the same report sent again one report"""
    external: str = ""
    """the number it has where it comes from"""
    thing_id: str = ""
    simple: bool = False
    """whoever found it put it right on the spot"""
    lang: str = ""
    call_back: bool = True
    """whether somebody with a telephone wants to be asked how it went"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What whoever reported it gets: the case, and the word by which they find it again without an account."""

    filed: Filed
    secret: str


class ReportBook:
    """All reports of the house. Synchronous, safe to use from many threads."""

    def __init__(
        self,
        store: Store,
        book: CaseBook,
        things: Things,
        blobs: Blobs,
        known: Callable[[str, str], CaseClass | None],
        key: bytes,
    ) -> None:
        """`known`: the class of a flow with that code in force. `key`: a secret of the house, from which the
        word of a report is made."""
        self.store, self.book, self.things, self.blobs = store, book, things, blobs
        self.known, self.key = known, key

    # -- taking reports

    def file(self, report: NewReport, actor: Person = HOUSE) -> Receipt:
        """Open a case for a report; the same key again gets the same answer. Refused: no-text, outside-the-city,
        no-such-class, no-such-source, and what the files are not."""
        with self.store.write() as conn:
            return self.file_in(conn, report, actor)

    def file_in(self, conn: Connection, report: NewReport, actor: Person = HOUSE) -> Receipt:
        """`file` inside a transaction of the caller: many reports can share one commit."""
        told, flow = tidy(report), self.flow(report.flow)
        if told.source not in SOURCES:
            raise Refused("no-such-source", "There is no channel “{source}”.", {"source": told.source[:40]}, 422)
        one = self.known(told.flow, told.class_code) if told.class_code else None
        if told.class_code and one is None:
            raise Refused("no-such-class", "There is no class {code}.", {"code": told.class_code}, 422)
        areas = self.areas(told.place)
        proof = self.proof(told.photos)
        secret = self.secret(told.key or secrets.token_hex(16))
        about: Opening = {
            "values": self.values(told, areas) | ({URGENT: "yes"} if one is not None and one.urgent else {}),
            "area": next(reversed(areas.values()), ""),
            "place": told.place,
            "text": told.text,
            "reporter": told.account or self.unnamed(secret),
            "source": told.source,
            "level": "notice",
        }
        if proof:
            about["proof"] = proof
        thing = self.things.find(told.thing_id) if told.thing_id else None
        if thing is not None:
            about["thing"] = thing.idx

        key = checked(told.key) if told.key else None
        before = None if key is None else self.repeated(conn, key)
        filed = self.book.open_in(conn, flow, actor=actor, key=key, **about)
        if before is None:
            self.record(conn, told, filed, secret)
        return Receipt(filed, secret)

    def follow(self, number: str, report: NewReport) -> Receipt:
        """Somebody reports what a case is about already: it stands for one report more. Refused (404) when there is no
        such case, (409) when it is over."""
        told = tidy(report)
        proof = self.proof(told.photos)
        secret = self.secret(told.key or secrets.token_hex(16))
        with self.store.write() as conn:
            row = self.found(conn, number)
            if row["state"] in GONE or row["state"] == "closed":
                message = "Case {number} is over; please report it anew."
                raise Refused("case-over", message, {"number": row["number"]})
            if self.by_secret(conn, row["id"], secret) is not None:
                return Receipt(self.book.get(row["id"]), secret)
            data: dict[str, Any] = {"report": told.account or self.unnamed(secret)}
            data |= ({"text": told.text} if told.text else {}) | ({"proof": proof} if proof else {})
            filed = self.book.act_in(conn, row["id"], "follow", HOUSE, data)
            self.record(conn, told, filed, secret)
        return Receipt(filed, secret)

    def record(self, conn: Connection, told: NewReport, filed: Filed, secret: str) -> None:
        """Who reported it, and that the photos are theirs."""
        now = self.book.clock.now()
        by = told.account or self.unnamed(secret)
        for sha256 in told.photos:
            self.blobs.record(conn, self.blobs.describe(sha256), by, now)
        row = {name: getattr(told, name) for name in ("source", "account", "name", "phone", "email", "text", "address")}
        row |= {"external": told.external, "lang": told.lang, "case": filed.entry.id, "at": now}
        row |= {"call_back": told.call_back}
        conn.execute(insert(reports), [row | {"secret_hash": hashed(secret)}])

    # -- what a case knows of it

    def flow(self, key: str) -> type[Flow]:
        if key not in self.book.flows:
            raise Refused("no-such-flow", "Nobody here handles such reports.", {}, 404)
        return self.book.flows[key]

    def areas(self, place: tuple[float, float] | None) -> dict[str, str]:
        """level → id of the area there, largest first. Refused when it lies outside the city."""
        if place is None:
            return {}
        longitude, latitude = place
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise Refused("no-such-place", "This place is nowhere on the earth; please choose it on the map.", {}, 422)
        index = self.things.area_index()
        if index is None:
            return {}
        found = index.ids_at(longitude, latitude)
        if not found:
            message = "This place lies outside the city, so nobody here could go there. Please check it on the map."
            raise Refused("outside-the-city", message, {}, 422)
        return found

    def values(self, told: NewReport, areas: Mapping[str, str]) -> dict[str, Any]:
        """What names departments and fills titles. Areas by name, and by id for tables."""
        known: dict[str, Any] = {"source": told.source, "class": told.class_code, "address": told.address}
        for level in LEVELS:
            if (area := areas.get(level)) is not None:
                thing = self.things.find(area)
                known |= {level: thing.name if thing else area, f"{level}_id": area}
        thing = self.things.find(told.thing_id) if told.thing_id else None
        if thing is not None:
            known |= {"id": thing.id, "name": thing.name, "owner": thing.owner}
        if told.simple:
            known["simple"] = "yes"
        return {name: value for name, value in known.items() if value}

    def proof(self, photos: tuple[str, ...]) -> list[dict[str, str]]:
        if len(photos) > MOST_PHOTOS:
            raise Refused("too-many-photos", "Please send at most {most} photos.", {"most": MOST_PHOTOS}, 422)
        zone = ZoneInfo(self.book.calendar.timezone)
        now = datetime.fromtimestamp(self.book.clock.now() / 1e6, zone)
        return [as_proof("photo", sha256, self.blobs.read(sha256), zone, now) for sha256 in photos]

    # -- finding it again

    def find(self, number: str, secret: str) -> Filed:
        """The case with that number for whoever knows the word of one of its reports; a case that was merged is
        answered by the one it went on in. Refused (404) in the same words when either is wrong."""
        with self.store.read() as conn:
            row = conn.execute(select(cases).where(cases.c.number == clean(str(number))[:200])).mappings().first()
            if row is None or self.by_secret(conn, row["id"], secret) is None:
                raise Refused("no-such-case", "There is no case {case}.", {"case": str(number)[:200]}, 404)
        return self.goes_on(row["id"])

    def goes_on(self, case: str) -> Filed:
        """The case itself, or the one that it was merged into."""
        filed = self.book.get(case)
        for _ in range(20):
            if not filed.case.merged_into:
                break
            filed = self.book.get(filed.case.merged_into)
        return filed

    def person(self, secret: str) -> Person:
        """Who holds the word of a report, as the book of cases knows people."""
        return Person(self.unnamed(secret), roles=frozenset({"citizen"}))

    def sender(self, row: RowMapping) -> Person:
        """Who sent a report, as the book of cases knows people: for whoever does on the telephone what they ask for."""
        return Person(row["account"] or f"report:{row['secret_hash'][:16]}", roles=frozenset({"citizen"}))

    def of_case(self, case: str) -> list[RowMapping]:
        """The reports a case stands for, its own first, with those of cases that were merged into it. Personal."""
        merged = select(cases.c.id).where(cases.c.merged_into == case)
        query = select(reports).where((reports.c.case == case) | reports.c.case.in_(merged)).order_by(reports.c.id)
        with self.store.read() as conn:
            return list(conn.execute(query).mappings())

    def of_phone(self, phone: str, limit: int = 20) -> list[Entry]:
        """What a caller reported, the last first."""
        return self._listed(reports.c.phone == telephone(phone), limit) if telephone(phone) else []

    def of_account(self, account: str, limit: int = 50) -> list[Entry]:
        """What somebody who signs in reported, the last first."""
        return self._listed(reports.c.account == account, limit) if account else []

    def _listed(self, which: Any, limit: int) -> list[Entry]:
        ids = select(reports.c.case).where(which)
        query = select(cases).where(cases.c.id.in_(ids)).order_by(cases.c.opened.desc(), cases.c.id.desc())
        with self.store.read() as conn:
            return [entry(row) for row in conn.execute(query.limit(limit)).mappings()]

    def found(self, conn: Connection, number: str) -> RowMapping:
        row = conn.execute(select(cases).where(cases.c.number == clean(str(number))[:200])).mappings().first()
        if row is None:
            raise Refused("no-such-case", "There is no case {case}.", {"case": str(number)[:200]}, 404)
        return row

    def by_secret(self, conn: Connection, case: str, secret: str) -> int | None:
        """The report of a case that this word belongs to."""
        query = select(reports.c.id).where(reports.c.case == case, reports.c.secret_hash == hashed(secret))
        number: int | None = conn.execute(query).scalar()
        return number

    def repeated(self, conn: Connection, key: str) -> str | None:
        """The case that this key opened before."""
        case: str | None = conn.execute(select(acts.c.case).where(acts.c.key == key)).scalar()
        return case

    # -- secrets

    def secret(self, key: str) -> str:
        """The word of a report: the same for the same key, and nobody else can make it."""
        return hmac.new(self.key, f"report {key}".encode(), hashlib.sha256).hexdigest()[:24]

    def unnamed(self, secret: str) -> str:
        """What stands for somebody without an account in a case."""
        return f"report:{hashed(secret)[:16]}"


def hashed(secret: str) -> str:
    return hashlib.sha256(clean(str(secret)).encode()).hexdigest()


def telephone(text: str) -> str:
    """A telephone number as it is kept: digits, and a plus in front."""
    kept = "".join(sign for sign in text if sign.isdigit() or sign == "+")
    return kept[:1] + kept[1:].replace("+", "")


def tidy(report: NewReport) -> NewReport:
    """The report without blanks around its words and nothing the store cannot keep. Refused when a word is too long,
    or when neither words nor a photo nor a class say what it is about."""
    kept: dict[str, Any] = {name: getattr(report, name) for name in NewReport.__dataclass_fields__}
    for name, most in LONGEST.items():
        kept[name] = clean(str(kept[name])).strip()
        if len(kept[name]) > most:
            message = "Please write at most {most} characters ({field})."
            raise Refused("too-long", message, {"most": most, "field": name}, 422)
    if not (kept["text"] or kept["class_code"]):
        raise Refused("no-text", "Please say what is wrong.", {}, 422)
    kept["phone"] = telephone(kept["phone"])
    return NewReport(**kept)
