"""The other way round: files reports with another city's Open311 endpoint, and asks there what became of them.

JSON where they speak it, else XML. Everything that goes wrong is Refused with a sentence in which their key cannot be;
its code says what is known: `city-silent` (nothing was sent), `city-lost` (it may have arrived), `city-busy` (come
again later), `city-refused` (they said no), `city-strange` (nobody can read what they say).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from cheng.beside import Attribute, Offered
from cheng.infrastructure.neighbours import Neighbour
from cheng.protocols.open311_reading import flag, record, rows, sentence, word
from cheng.protocols.open311_wire import PATIENCE, Answer, LostError, NotSentError, ask
from cheng.standards.problems import Refused

FORMATS = ("json", "xml")
MEDIA = {"json": "application/json", "xml": "text/xml"}
OTHER_FORMAT = (404, 406, 415)
"""Statuses by which an endpoint says that it does not know a format."""
BUSY = (429,)
MOST_SERVICES, MOST_ATTRIBUTES, MOST_VALUES = 2000, 60, 500
LOOK_PAGES = 5
"""Pages of requests that are looked through for one whose answer was lost."""
KINDS = ("string", "number", "datetime", "text", "singlevaluelist", "multivaluelist")
MOST_ID = 200

Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stands:
    """How far it has come there."""

    number: str
    status: str
    """open or closed"""
    notes: str = ""


class Client:
    """Speaks to one endpoint. Synchronous: call it from a thread."""

    def __init__(self, city: Neighbour, language: str = "en", patience: float = PATIENCE) -> None:
        self.city, self.patience = city, patience
        self.form = ""
        """json or xml, as soon as they have answered in it"""
        self.headers = {"Accept-Language": language.replace("_", "-"), "User-Agent": "Cheng"}

    # -- what they offer

    def services(self) -> list[Offered]:
        """What may be reported there."""
        found = [
            Offered(code, word(row, "service_name") or code, word(row, "group"), flag(row, "metadata"))
            for row in self.get("services", rows)[:MOST_SERVICES]
            if (code := word(row, "service_code", MOST_ID))
        ]
        return list({each.code: each for each in found}.values())

    def attributes(self, service: str) -> list[Attribute]:
        """What they want to know about a report of this kind."""
        told = self.get(f"services/{quote(service, safe='')}", record).get("attributes")
        listed = told if isinstance(told, list) else []
        asked = [row for row in listed if isinstance(row, dict) and word(row, "variable").lower() != "false"]
        return [attribute(row) for row in asked[:MOST_ATTRIBUTES] if word(row, "code", MOST_ID)]

    # -- a report

    def file(self, form: Mapping[str, str | list[str]], once: str) -> tuple[str, str]:
        """Report something there: its number, or "" and the token by which its number is asked for later. `once`: makes
        it one report at endpoints that know repeated requests."""
        if not self.form:
            self.services()
        told = {"api_key": self.city.key, "jurisdiction_id": self.city.jurisdiction, **form}
        body = urlencode({name: value for name, value in told.items() if value}, doseq=True).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": once}
        answer = self.sent("POST", f"requests.{self.form}", body, kind)
        try:
            first = next(iter(rows(answer.content)), {})
        except ValueError:
            first = {}
        number, token = (word(first, name, MOST_ID) for name in ("service_request_id", "token"))
        if not number and not token:
            raise self.lost()
        return number, token

    def numbered(self, token: str) -> str:
        """The number of a report that they gave a token for; "" while there is none."""
        found = self.get(f"tokens/{quote(token, safe='')}", rows)
        return word(found[0], "service_request_id", MOST_ID) if found else ""

    def stand(self, numbers: Sequence[str]) -> dict[str, Stands]:
        """How far some have come, by their numbers; those they say nothing of are left out."""
        if len(numbers) == 1:
            found = self.get(f"requests/{quote(numbers[0], safe='')}", rows)
        else:
            found = self.get("requests", rows, {"service_request_id": ",".join(numbers)})
        stand = (stands(row) for row in found)
        return {each.number: each for each in stand if each.number in numbers and each.status in ("open", "closed")}

    def find(self, marker: str, service: str, since: str) -> str:
        """The number of the report whose description has the marker, of those made since a moment; "" when none has."""
        query, seen = {"service_code": service, "start_date": since}, set[str]()
        for page in range(1, LOOK_PAGES + 1):
            found = self.get("requests", rows, query | ({"page": str(page)} if page > 1 else {}))
            for row in found:
                if marker in str(row.get("description") or ""):
                    return word(row, "service_request_id", MOST_ID)
            numbers = {word(row, "service_request_id", MOST_ID) for row in found}
            if numbers <= seen:
                break
            seen |= numbers
        return ""

    # -- one question

    def get(self, path: str, read: Callable[[bytes], T], query: Mapping[str, str] | None = None) -> T:
        """What they answer, in the format they know."""
        told = {"jurisdiction_id": self.city.jurisdiction, **(query or {})}
        query_text = urlencode({name: value for name, value in told.items() if value})
        refused = self.strange()
        for form in (self.form,) if self.form else FORMATS:
            try:
                answer = self.sent("GET", f"{path}.{form}" + (f"?{query_text}" if query_text else ""), form=form)
                found = read(answer.content)
            except ValueError:
                refused = self.strange()
            except Refused as error:
                if error.values.get("status") not in OTHER_FORMAT:
                    raise
                refused = error
            else:
                self.form = self.form or form
                return found
        raise refused

    def sent(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        form: str = "",
    ) -> Answer:
        """Their answer, when they say that all is well."""
        told = self.headers | {"Accept": MEDIA[form or self.form]} | dict(headers or {})
        try:
            answer = ask(f"{self.city.url}/{path}", method, body, told, self.patience)
        except NotSentError:
            raise self.refused("city-silent", "{city} cannot be reached just now. Please try again later.") from None
        except LostError:
            raise self.lost() from None
        status = answer.status
        if 200 <= status < 300:
            return answer
        if status in BUSY:
            raise self.refused("city-busy", "{city} is busy just now. Please try again later.", status=status)
        if status >= 500 or status == 408:
            raise self.lost(status)
        if status < 400:
            message = "{city} sends us to another address ({status}), and nobody follows. Have the settings looked at."
            raise self.refused("city-refused", message, status=status)
        reason = self.hidden(sentence(answer.content)) or f"HTTP {status}"
        raise self.refused("city-refused", "{city} did not take it: {reason}", reason=reason, status=status)

    def hidden(self, text: str) -> str:
        """Their words without our key, should they repeat it."""
        return text.replace(self.city.key, "…") if self.city.key else text

    def lost(self, status: int = 0) -> Refused:
        return self.refused("city-lost", "{city} did not answer as it should.", status=status)

    def strange(self) -> Refused:
        return self.refused("city-strange", "{city} answered in a way that Open311 does not know.")

    def refused(self, code: str, message: str, **values: Any) -> Refused:
        return Refused(code, message, {"city": self.city.name, **values}, 502)


def attribute(row: Row) -> Attribute:
    kind = word(row, "datatype").lower()
    listed = row.get("values")
    values = [
        (key, word(value, "name") or key)
        for value in (listed if isinstance(listed, list) else [])[:MOST_VALUES]
        if isinstance(value, dict) and (key := word(value, "key", MOST_ID))
    ]
    code = word(row, "code", MOST_ID)
    question, hint = word(row, "description") or code, word(row, "datatype_description")
    return Attribute(code, question, kind if kind in KINDS else "string", flag(row, "required"), hint, tuple(values))


def stands(row: Row) -> Stands:
    return Stands(word(row, "service_request_id", MOST_ID), word(row, "status", 20).lower(), word(row, "status_notes"))
