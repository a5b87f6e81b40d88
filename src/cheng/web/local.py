"""Times, numbers and lengths of time as a reader here writes them, on the city's clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal, format_percent

from cheng.standards.moments import LONGEST, SECOND, iso, when
from cheng.web.texts import Language

UNITS = (
    (86_400, "{n} day", "{n} days"),
    (3_600, "{n} hour", "{n} hours"),
    (60, "{n} minute", "{n} minutes"),
    (1, "{n} second", "{n} seconds"),
)
SHORT = "in a list"
"""Context of the units: as short as they are read in a column."""
DAY = {"zh_CN": "M月d日", "en": "d MMM"}
DAY_OF_YEAR = {"zh_CN": "y年M月d日", "en": "d MMM y"}
CLOCK = {"zh_CN": "HH:mm", "en": "HH:mm"}


@dataclass(frozen=True)
class Local:
    """One reader's language, the city's zone and the present moment (microseconds UTC)."""

    language: Language
    zone: ZoneInfo
    now: int

    def when(self, us: int) -> datetime:
        """Microseconds UTC as a datetime in the city's zone."""
        return when(us, self.zone)

    def iso(self, us: int | None) -> str:
        """ISO 8601 with the city's offset, whole seconds unless there are more; "" for None."""
        return iso(us, self.zone)

    def date(self, us: int | None) -> str:
        """Day and month, with the year when it is another one: 20 Nov."""
        if us is None or not -LONGEST < us < LONGEST:
            return "" if us is None else str(us)
        moment = self.when(us)
        formats = DAY if moment.year == self.when(self.now).year else DAY_OF_YEAR
        return str(format_date(moment, formats[self.language.code], locale=self.language.locale))

    def time(self, us: int | None, seconds: bool = False) -> str:
        """Hours and minutes of the day."""
        if us is None or not -LONGEST < us < LONGEST:
            return "" if us is None else str(us)
        pattern = "HH:mm:ss" if seconds else CLOCK[self.language.code]
        return str(format_time(self.when(us), pattern, locale=self.language.locale))

    def moment(self, us: int | None, seconds: bool = False) -> str:
        """Day and time; today's times without the day."""
        if us is None or not -LONGEST < us < LONGEST:
            return "" if us is None else str(us)
        if self.when(us).date() == self.when(self.now).date():
            return self.language.gettext("today {time}", time=self.time(us, seconds))
        return f"{self.date(us)} {self.time(us, seconds)}"

    def full(self, us: int | None) -> str:
        """The whole of it with weekday, for headings and documents."""
        if us is None or not -LONGEST < us < LONGEST:
            return "" if us is None else str(us)
        pattern = "y年M月d日 EEEE HH:mm" if self.language.code == "zh_CN" else "EEEE d MMMM y, HH:mm"
        return str(format_datetime(self.when(us), pattern, tzinfo=self.zone, locale=self.language.locale))

    def duration(self, us: int) -> str:
        """A length of time in its two largest units: 2 hours 5 minutes."""
        left = abs(us) // SECOND
        for place, (size, one, many) in enumerate(UNITS):
            count, rest = divmod(left, size)
            if count:
                words = [self.language.ngettext(one, many, count, context=SHORT)]
                if place + 1 < len(UNITS) and count < 10:
                    next_size, next_one, next_many = UNITS[place + 1]
                    if more := rest // next_size:
                        words.append(self.language.ngettext(next_one, next_many, more, context=SHORT))
                return " ".join(words)
        return self.language.ngettext(*UNITS[-1][1:], 0, context=SHORT)

    def left(self, due: int | None) -> str:
        """How long until `due`, or how long ago it passed: 3 minutes left; 2 days overdue."""
        if due is None:
            return ""
        time = self.duration(due - self.now)
        if due < self.now:
            return self.language.gettext("{time} overdue", time=time)
        return self.language.gettext("{time} left", time=time)

    def ago(self, us: int | None) -> str:
        """How long ago, in one or two units; "just now" within ten seconds; a day later the date."""
        if us is None:
            return ""
        passed = self.now - us
        if abs(passed) < 10 * SECOND:
            return self.language.gettext("just now")
        if passed < 0 or passed > 3 * 86_400 * SECOND:
            return self.moment(us)
        return self.language.gettext("{time} ago", time=self.duration(passed))

    def number(self, value: float | None, digits: int | None = None) -> str:
        """A number with at most `digits` decimals; a dash for none."""
        if value is None or value != value:
            return "–"
        if value in (float("inf"), float("-inf")):
            return "∞" if value > 0 else "-∞"
        if digits is None:
            digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2
        pattern = "#,##0" + ("." + "#" * digits if digits else "")
        return str(format_decimal(value, pattern, locale=self.language.locale))

    def percent(self, value: float | None, digits: int = 1) -> str:
        """A share of one as a percentage; a dash for none."""
        if value is None or value != value:
            return "–"
        pattern = "#,##0" + ("." + "#" * digits if digits else "") + "%"
        return str(format_percent(value, pattern, locale=self.language.locale))

    def size(self, count: int | None) -> str:
        """An amount of bytes: 3.2 MB."""
        if count is None:
            return "–"
        amount, units = float(count), ["B", "kB", "MB", "GB", "TB"]
        while abs(amount) >= 1000 and len(units) > 1:
            amount /= 1000
            units.pop(0)
        return f"{self.number(amount, 1 if units[0] != 'B' else 0)} {units[0]}"

    def money(self, cents: int | None) -> str:
        """Cents as yuan: ¥12.50."""
        return "–" if cents is None else "¥" + str(format_decimal(cents / 100, "#,##0.00", locale=self.language.locale))

    def value(self, value: Any, kind: str = "") -> str:
        """Anything in a cell of a table, by the column's kind: moment, date, duration, percent, number, size, money."""
        shown = getattr(self, kind, None) if kind in KINDS else None
        if value is None or value == "":
            return ""
        if shown is not None and isinstance(value, (int, float)):
            return str(shown(value))
        if isinstance(value, bool):
            return self.language.gettext("yes") if value else self.language.gettext("no")
        if isinstance(value, (int, float)):
            return self.number(value)
        if isinstance(value, (list, tuple)):
            return ", ".join(self.value(each) for each in value)
        return str(value)


KINDS = {"moment", "date", "time", "duration", "left", "ago", "percent", "number", "size", "money", "full"}
