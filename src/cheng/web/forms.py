"""Forms: read what a person entered, say what is wrong with it beside the field, and lose nothing they typed.

Each method reads one field and returns its value, or None with a sentence in `errors`. The template draws the fields
from the same Form, so a form that is shown again holds everything that was entered. `required` may be the sentence
to say when nothing was entered; the summary at the top of the page reads better with "Please say what happened.".
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from litestar.datastructures import UploadFile

from cheng.web.ask import Ask

MICROSECONDS = 1_000_000
Options = Sequence[str] | Mapping[str, Any]
MOST = 10_000
"""Signs a text field takes unless it says otherwise."""


class Form:
    """What was entered, or what is there to begin with."""

    def __init__(self, ask: Ask, initial: Mapping[str, Any] | None = None) -> None:
        self.ask = ask
        self.initial = dict(initial or {})
        self.errors: dict[str, str] = {}
        """field → sentence in the reader's language"""

    def value(self, name: str) -> Any:
        """What to show in a field: what was sent, else what it began with."""
        if name in self.ask.form:
            sent = self.ask.form.get(name)
            return "" if isinstance(sent, UploadFile) else sent
        return "" if self.ask.form else self.initial.get(name, "") or ""

    def values(self, name: str) -> list[str]:
        """Every value of a field with several (checkboxes)."""
        if self.ask.form:
            return [str(value) for value in self.ask.form.getall(name, [])]
        begun = self.initial.get(name) or []
        return [str(value) for value in begun] if isinstance(begun, (list, tuple, set)) else [str(begun)]

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    def wrong(self, name: str, message: str, /, **values: Any) -> None:
        """Note what is wrong with a field; the first sentence stays."""
        self.errors.setdefault(name, self.ask._(message, **values))

    # -- reading

    def text(self, name: str, *, required: bool | str = False, most: int = MOST, least: int = 0) -> str | None:
        """A text without blanks around it; None when it was left empty or is wrong."""
        sent = self.ask.form.get(name)
        value = "" if sent is None or isinstance(sent, UploadFile) else str(sent).strip().replace("\r\n", "\n")
        if not value:
            if required:
                self.wrong(name, said(required, "Please fill this in."))
            return None
        if "\0" in value or len(value) > most:
            self.wrong(name, "Please write at most {most} characters.", most=most)
            return None
        if len(value) < least:
            self.wrong(name, "Please write at least {least} characters.", least=least)
            return None
        return value

    def secret(self, name: str) -> str:
        """A password, exactly as typed."""
        sent = self.ask.form.get(name)
        if not isinstance(sent, str) or not sent:
            self.wrong(name, "Please fill this in.")
            return ""
        return sent[:1000]

    def number(
        self, name: str, *, required: bool | str = False, low: float = -math.inf, high: float = math.inf
    ) -> float | None:
        """A number within bounds."""
        text = self.text(name, required=required, most=40)
        if text is None:
            return None
        try:
            value = float(text.replace(",", "").replace("，", ""))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.wrong(name, "Please write a number.")
        elif not low <= value <= high:
            if math.isinf(high):
                self.wrong(name, "Please write a number of at least {low}.", low=low)
            else:
                self.wrong(name, "Please write a number from {low} to {high}.", low=low, high=high)
        return value if name not in self.errors else None

    def whole(self, name: str, *, required: bool | str = False, low: int = 0, high: int = 2**53) -> int | None:
        """A whole number within bounds."""
        value = self.number(name, required=required, low=low, high=high)
        if value is None:
            return None
        if value != int(value):
            self.wrong(name, "Please write a whole number.")
            return None
        return int(value)

    def choice(self, name: str, options: Options, *, required: bool | str = False) -> str | None:
        """One of `options`."""
        text = self.text(name, required=False)
        if text is None or text not in options:
            if required or text is not None:
                self.wrong(name, said(required, "Please choose one of these."))
            return None
        return text

    def choices(self, name: str, options: Options, *, required: bool | str = False) -> list[str]:
        """Some of `options`, in their order there."""
        chosen = set(map(str, self.ask.form.getall(name, [])))
        if chosen - set(options) or (required and not chosen):
            self.wrong(name, said(required, "Please choose from these."))
        return [option for option in options if option in chosen]

    def flag(self, name: str) -> bool:
        """A checkbox."""
        return self.ask.form.get(name) not in (None, "", "0", "false", "off")

    def moment(self, name: str, *, required: bool | str = False, future: bool = False) -> int | None:
        """A date or a date and time on the city's clock (`datetime-local`, `date`), as microseconds UTC."""
        text = self.text(name, required=required, most=40)
        if text is None:
            return None
        try:
            told = datetime.fromisoformat(text)
            us = round((told if told.tzinfo else told.replace(tzinfo=self.ask.local.zone)).timestamp() * MICROSECONDS)
        except (ValueError, OverflowError):
            self.wrong(name, "Please write a date and time, for example 2026-11-20 08:30.")
            return None
        if future and us <= self.ask.now:
            self.wrong(name, "Please choose a time that is still to come.")
            return None
        return us

    def files(self, name: str, *, required: bool | str = False, most: int = 6) -> list[tuple[str, bytes]]:
        """(name, content) of each uploaded file; what they are, `hub.blobs` finds out."""
        sent = [f for f in self.ask.form.getall(name, []) if isinstance(f, UploadFile) and f.filename]
        if required and not sent:
            self.wrong(name, said(required, "Please choose a file."))
        if len(sent) > most:
            self.wrong(name, "Please send at most {most} files.", most=most)
            return []
        return [(file.filename, file.file.read()) for file in sent]


def said(required: bool | str, otherwise: str) -> str:
    """The page's own sentence for a field that was left empty, or the general one."""
    return required if isinstance(required, str) else otherwise
