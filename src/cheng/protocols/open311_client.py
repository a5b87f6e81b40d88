"""The other way round: hand a case to another city's Open311 endpoint, and ask there what became of it.

Nothing of who reported it goes along. The other side is believed little: it is asked at the one address the operator
wrote down, redirections are not followed (they would carry our key elsewhere), answers are JSON of at most 1 MB, and
what they say is text for people, cut short.
"""

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from cheng.standards.problems import Refused

LONGEST = 1_000_000
PATIENCE = 15.0
"""Seconds that the other side may take."""
CUT = 500


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Another city's door."""

    name: str
    """what people call that city"""
    url: str
    """of its GeoReport v2, without a slash at its end"""
    key: str = ""
    jurisdiction: str = ""

    def __post_init__(self) -> None:
        if urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname:
            raise ValueError("write the address of an endpoint as https://…")


@dataclass(frozen=True, slots=True)
class Offered:
    """Something that may be reported there."""

    code: str
    name: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Stands:
    """How far it has come there."""

    number: str
    open: bool
    notes: str = ""
    updated: str = ""


class Stay(urllib.request.HTTPRedirectHandler):
    """Nobody is sent elsewhere."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


class Client:
    """Speaks to one endpoint. Synchronous: call it from a thread."""

    def __init__(self, endpoint: Endpoint, patience: float = PATIENCE) -> None:
        self.endpoint, self.patience = endpoint, patience
        self._opener = urllib.request.build_opener(Stay)

    def services(self) -> list[Offered]:
        """What may be reported there. Refused (502) when it cannot be found out."""
        rows = [row for row in self.rows("services") if row.get("service_code")]
        return [
            Offered(field_of(row, "service_code"), field_of(row, "service_name"), field_of(row, "group"))
            for row in rows
        ]

    def file(
        self, code: str, text: str, place: tuple[float, float] | None = None, address: str = "", once: str = ""
    ) -> str:
        """Report something there; its number, or "token:…" where numbers are given later. `once`: makes it one report
        at endpoints that know repeated requests. Refused (409) with their sentence, (502) when they cannot be reached.
        """
        form = {"api_key": self.endpoint.key, "service_code": code, "description": text, "address_string": address}
        if place is not None:
            form |= {"long": f"{place[0]:.7f}", "lat": f"{place[1]:.7f}"}
        told = self.rows("requests", form=form, once=once)
        number, token = (field_of(told[0], name) if told else "" for name in ("service_request_id", "token"))
        if not number and not token:
            raise self.strange()
        return number or f"token:{token}"

    def ask(self, number: str) -> Stands:
        """What became of it. Refused (409) when they know no such number, (502) when they cannot be reached."""
        if number.startswith("token:"):
            told = self.rows(f"tokens/{quote(number.removeprefix('token:'), safe='')}")
            number = (field_of(told[0], "service_request_id") if told else "") or number
            if number.startswith("token:"):
                return Stands(number, open=True)
        told = self.rows(f"requests/{quote(number, safe='')}")
        if not told or field_of(told[0], "status") not in ("open", "closed"):
            raise self.strange()
        row = told[0]
        return Stands(
            number, field_of(row, "status") == "open", field_of(row, "status_notes"), field_of(row, "updated_datetime")
        )

    # -- one question

    def rows(self, path: str, form: Mapping[str, str] | None = None, once: str = "") -> list[dict[str, Any]]:
        """The answer's rows."""
        query = {"jurisdiction_id": self.endpoint.jurisdiction}
        url = f"{self.endpoint.url.rstrip('/')}/{path}.json"
        headers = {"Accept": "application/json"} | ({"Idempotency-Key": once} if once else {})
        data = None if form is None else pairs({**form, **query}).encode()
        if form is None and pairs(query):
            url += f"?{pairs(query)}"
        request = urllib.request.Request(url, data, headers)  # noqa: S310  # Endpoint takes http and https alone
        try:
            with self._opener.open(request, timeout=self.patience) as answer:
                return self.read(answer.read(LONGEST + 1))
        except urllib.error.HTTPError as error:
            with error:
                raise self.refusal(error) from None
        except (OSError, HTTPException, ValueError):
            message = "{city} cannot be reached just now; nothing was handed over. Please try again later."
            raise Refused("partner-silent", message, {"city": self.endpoint.name}, 502) from None

    def read(self, content: bytes) -> list[dict[str, Any]]:
        try:
            if len(content) > LONGEST:
                raise self.strange()
            return msgspec.json.decode(content, type=list[dict[str, Any]])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self.strange() from None

    def refusal(self, error: urllib.error.HTTPError) -> Refused:
        """Their sentence, where they have one."""
        try:
            told = field_of(self.read(error.read(LONGEST))[0], "description")
        except (Refused, IndexError, OSError, HTTPException):
            told = ""
        values = {"city": self.endpoint.name, "reason": told or f"HTTP {error.code}"}
        status = 409 if 400 <= error.code < 500 else 502
        return Refused("partner-refused", "{city} did not take it: {reason}", values, status)

    def strange(self) -> Refused:
        message = "{city} answered in a way that Open311 does not know; ask there whether it arrived."
        return Refused("partner-strange", message, {"city": self.endpoint.name}, 502)


def field_of(row: Mapping[str, Any], name: str) -> str:
    """A field as text: some endpoints write numbers, some nothing."""
    value = row.get(name)
    return "" if value is None or isinstance(value, (dict, list)) else str(value).strip()[:CUT]


def pairs(form: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in form.items() if value})
