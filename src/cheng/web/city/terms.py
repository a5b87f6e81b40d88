"""Stretches of days that reports are about: a month, a quarter, a year, or from one day to another."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from babel.dates import format_date

from cheng.standards.problems import Refused
from cheng.web.ask import Ask

MONTH, QUARTER, YEAR = re.compile(r"(\d{4})-(\d\d)"), re.compile(r"(\d{4})-Q([1-4])"), re.compile(r"\d{4}")
FORMS = {"zh_CN": "y年M月", "en": "LLLL y"}
"""Of a month, by language."""
LONGEST = timedelta(3660)
EARLIEST = 2
"""The first year whose days can be told on another clock."""


@dataclass(frozen=True)
class Term:
    """From a day to another, both included; `name` as it stands in an address, "" for one chosen by its days."""

    first: date
    last: date
    name: str = ""

    @classmethod
    def month(cls, year: int, month: int) -> Self:
        first = date(year, month, 1)
        return cls(first, day_before(first, 1), f"{first:%Y-%m}")

    @classmethod
    def quarter(cls, year: int, number: int) -> Self:
        first = date(year, 3 * number - 2, 1)
        return cls(first, day_before(first, 3), f"{year:04}-Q{number}")

    @classmethod
    def year(cls, year: int) -> Self:
        return cls(date(year, 1, 1), date(year, 12, 31), f"{year:04}")

    @property
    def before(self) -> Self:
        """The one before it that it is compared with: of the same kind, or as many days."""
        end = self.first - timedelta(1)
        if MONTH.fullmatch(self.name):
            return self.month(end.year, end.month)
        if QUARTER.fullmatch(self.name):
            return self.quarter(end.year, (end.month + 2) // 3)
        if YEAR.fullmatch(self.name):
            return self.year(end.year)
        return type(self)(end - (self.last - self.first), end)

    @property
    def query(self) -> dict[str, str]:
        """As parameters of an address."""
        return {"period": self.name} if self.name else {"from": str(self.first), "to": str(self.last)}

    def bounds(self, ask: Ask) -> tuple[int, int]:
        """[start, end) in microseconds UTC."""
        book = ask.hub.evaluation
        return book.start_of(self.first), book.start_of(self.last + timedelta(1))

    def title(self, ask: Ask) -> str:
        """What people call it: November 2026."""
        if found := QUARTER.fullmatch(self.name):
            return ask._("Q{n} {year}", n=found[2], year=found[1])
        if YEAR.fullmatch(self.name):
            return ask._("Year {year}", year=self.first.year)
        if MONTH.fullmatch(self.name):
            language = ask.local.language
            return str(format_date(self.first, FORMS[language.code], locale=language.locale))
        start, end = self.bounds(ask)
        return f"{ask.local.date(start)} – {ask.local.date(end - 1)}"


def day_before(first: date, months: int) -> date:
    """The last of so many months."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1) - timedelta(1)


def named(text: str) -> Term | None:
    """The term of that name; None when it is none."""
    try:
        if found := QUARTER.fullmatch(text):
            return Term.quarter(int(found[1]), int(found[2]))
        if found := MONTH.fullmatch(text):
            return Term.month(int(found[1]), int(found[2]))
        return Term.year(int(text)) if YEAR.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def term(ask: Ask) -> Term:
    """What the address asks for: `period=2026-11`, `2026-Q4`, `2026`, or `from=` and `to=`; by default this month.

    Refused (400) when it is none of these, or does not lie in the past.
    """
    today = ask.hub.calendar.day(ask.now)
    if ask.query("from") or ask.query("to"):
        first, last = day(ask, "from", today.replace(day=1)), day(ask, "to", today)
        if not timedelta(0) <= last - first <= LONGEST:
            message = "The first day has to lie before the last, by ten years at most."
            raise Refused("not-a-term", message, status=400)
        found = Term(first, last)
    else:
        text = ask.query("period", f"{today:%Y-%m}")
        told = named(text)
        if told is None:
            message = "{text} is no period; write 2026-11 for a month, 2026-Q4 for a quarter, 2026 for a year."
            raise Refused("not-a-term", message, {"text": text[:40]}, status=400)
        found = told
    if found.first > today or found.first.year <= EARLIEST:
        raise Refused("not-yet", "That period has not begun yet.", status=400)
    return found


def day(ask: Ask, name: str, otherwise: date) -> date:
    """A day from the address."""
    text = ask.query(name)
    try:
        return date.fromisoformat(text) if text else otherwise
    except ValueError:
        message = "{text} is not a day; write it like 2026-11-20."
        raise Refused("not-a-day", message, {"text": text[:40]}, status=400) from None


def offered(ask: Ask, chosen: Term) -> list[tuple[str, str, bool, None]]:
    """Tabs: this month and the one before, this quarter and the one before, this year and the one before."""
    today = ask.hub.calendar.day(ask.now)
    now = (
        Term.month(today.year, today.month),
        Term.quarter(today.year, (today.month + 2) // 3),
        Term.year(today.year),
    )
    return [
        (one.title(ask), ask.here(period=one.name, **{"from": None, "to": None, "page": None}), one == chosen, None)
        for each in now
        for one in (each, each.before)
    ]
