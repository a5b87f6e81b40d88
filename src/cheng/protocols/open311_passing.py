"""Sends what cases pass on to other cities, once, and follows it there to its end.

The book says what is due. A report goes out only after it was claimed in the store; when its answer is lost nobody
knows whether it arrived, so it is looked for at the other city, by a marker in its words, before it is sent again.
"""

import logging
import threading
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from cheng.beside import Attribute, Offered
from cheng.hub import Hub
from cheng.infrastructure.passing_book import TO_SEND, Passing, Problem
from cheng.protocols.open311_client import Client
from cheng.protocols.open311_wire import PATIENCE
from cheng.standards.durations import days
from cheng.standards.moments import iso
from cheng.standards.problems import Refused

log = logging.getLogger(__name__)
LOOKS = 2
"""So often something is looked for in vain before it is sent again."""
AT_ONCE = 50
"""Numbers of one question."""
SINGLY = 10
"""Those that were not told of are asked about one by one, so many in one go."""
BEFORE = days(1).us
"""Their clock may differ from ours: what was sent is looked for from a day before."""
NOT_NAMED = "{city} is not in the settings any more; nothing was sent."
NOT_KNOWN = "Nobody knows whether it arrived at {city}, and it cannot be looked up. Please ask there."
NOT_TOLD = "{city} says nothing of number {number}."


class OpenCities:
    """Speaks to all of them; `serve` hands it to the hub."""

    def __init__(self, hub: Hub, patience: float = PATIENCE) -> None:
        language = hub.settings.language
        self.hub, self.book = hub, hub.passings
        self.clients = {city.name: Client(city, language, patience) for city in hub.settings.neighbours}
        self._sending, self._following = threading.Lock(), threading.Lock()
        self._silent = set[str]()
        """who did not answer in this round of sending"""

    # -- what officers ask

    def services(self, city: str) -> list[Offered]:
        """What may be reported there; Refused (404) when it is not in the settings."""
        return self.client(city).services()

    def attributes(self, city: str, service: str) -> list[Attribute]:
        """What they want to know about a report of this kind."""
        return self.client(city).attributes(service)

    def client(self, city: str) -> Client:
        if city not in self.clients:
            raise Refused(
                "no-such-city", "{city} is not among those to which cases are passed on.", {"city": city}, 404
            )
        return self.clients[city]

    # -- sending

    def send(self) -> int:
        """Sends what is due; how many arrived. Two who do it at once do not hinder each other: the second goes home."""
        if not self._sending.acquire(blocking=False):
            return 0
        self._silent.clear()
        try:
            return sum(self.safely(each) for each in self.book.due(*TO_SEND))
        finally:
            self._sending.release()

    def safely(self, one: Passing) -> bool:
        """What goes wrong with one keeps no other from going out."""
        try:
            return self.one(one)
        except Refused as refused:  # the case is suspended, or moved in this very moment
            log.info("case passed on to %s: %s", one.city, refused.code)
            return False

    def one(self, one: Passing) -> bool:
        """The next that is to be done about one of them; whether it arrived with it. Who has just not answered is left
        in peace until the next round."""
        if one.city in self._silent:
            return False
        if one.city not in self.clients:
            self.book.later(one, (NOT_NAMED, {"city": one.city}))
            return False
        if not self.book.claim(one):
            return False
        work = {"waiting": self.file, "token": self.number}.get(one.state, self.look)
        return work(one, self.clients[one.city])

    def file(self, one: Passing, client: Client) -> bool:
        """Sends it; only what surely did not arrive is simply sent again."""
        try:
            number, token = client.file(self.form(one), one.marker)
        except Refused as refused:
            problem = self.problem(refused)
            if refused.code in ("city-silent", "city-busy", "city-strange"):
                self.book.later(one, problem, "waiting")
            elif refused.code == "city-refused":
                reason = refused.values.get("reason") or f"HTTP {refused.values.get('status')}"
                self.book.turned_down(one, problem, str(reason))
                self.tell(one, "turned_down")
            else:
                self.book.unsure(one, problem)
            return False
        if number:
            self.took(one, number)
        else:
            self.book.has_token(one, token)
        return bool(number)

    def took(self, one: Passing, number: str) -> None:
        self.book.took(one, number)
        self.tell(one, "answered")

    def form(self, one: Passing) -> dict[str, Any]:
        """Everything that goes out but the key; who reported it only where an officer said so."""
        form = dict(one.form)
        settings = self.hub.settings
        if one.photo_key and settings.public_url:
            form["media_url"] = f"{settings.public_url.rstrip('/')}/passed-on/{one.photo_key}"
        return form | (self.book.contact(one.case) if one.personal else {})

    def look(self, one: Passing, client: Client) -> bool:
        """Whether something arrived whose answer was lost."""
        since = iso((one.sent_at or one.at) - BEFORE, self.hub.settings.zone)
        try:
            number = client.find(one.marker, one.form.get("service_code", ""), since)
        except Refused as refused:
            known = refused.code in ("city-silent", "city-busy", "city-lost")
            self.book.later(one, self.problem(refused) if known else (NOT_KNOWN, {"city": one.city}), "unsure")
            return False
        if number:
            self.took(one, number)
        else:
            self.book.not_found(one, LOOKS)
        return bool(number)

    def number(self, one: Passing, client: Client) -> bool:
        """The number of what they gave a token for."""
        try:
            number = client.numbered(one.token)
        except Refused as refused:
            self.book.later(one, self.problem(refused))
            return False
        if number:
            self.took(one, number)
        else:
            self.book.later(one, None)
        return bool(number)

    def problem(self, refused: Refused) -> Problem:
        """What went wrong, for the page of the case."""
        if refused.code in ("city-silent", "city-busy", "city-lost"):
            self._silent.add(str(refused.values["city"]))
        return told(refused)

    # -- following

    def follow(self) -> int:
        """Asks how far things have come that are due; about how many there was an answer."""
        if not self._following.acquire(blocking=False):
            return 0
        try:
            due = sorted(self.book.due("sent"), key=lambda each: each.city)
            return sum(self.follow_at(city, list(those)) for city, those in groupby(due, lambda each: each.city))
        finally:
            self._following.release()

    def follow_at(self, city: str, those: Sequence[Passing]) -> int:
        """All that is due at one city; when it does not answer once, it is left in peace for a while."""
        if city not in self.clients:
            self.book.unheard(those, (NOT_NAMED, {"city": city}))
            return 0
        heard, quiet = 0, list[Passing]()
        for some in (those[start : start + AT_ONCE] for start in range(0, len(those), AT_ONCE)):
            try:
                missing = self.ask(some)
            except Refused as refused:
                if refused.code != "city-refused":
                    self.book.unheard(those[heard + len(quiet) :], told(refused))
                    return heard
                missing = list(some)
            heard += len(some) - len(missing)
            quiet += missing
        for one in quiet[:SINGLY]:
            heard += self.singly(one)
        if quiet[SINGLY:]:
            self.book.unheard(quiet[SINGLY:], (NOT_TOLD, {"city": city, "number": ""}))
        return heard

    def ask(self, some: Sequence[Passing]) -> list[Passing]:
        """Asks about some at once and writes the answers down; those about which nothing was said."""
        found = self.clients[some[0].city].stand([each.number for each in some])
        for one in some:
            if one.number in found:
                self.heard(one, found[one.number].status, found[one.number].notes)
        return [one for one in some if one.number not in found]

    def singly(self, one: Passing) -> bool:
        try:
            missing = self.ask([one])
        except Refused as refused:
            self.book.unheard([one], told(refused))
            return False
        if missing:
            self.book.unheard([one], (NOT_TOLD, {"city": one.city, "number": one.number}))
        return not missing

    def heard(self, one: Passing, status: str, notes: str) -> None:
        try:
            self.book.heard(one, status, self.clients[one.city].hidden(notes))
        except Refused as refused:  # the case moved in this very moment: next time
            self.book.unheard([one], told(refused))
        if (status, notes) != (one.status, one.notes):
            self.tell(one, "answered")

    def tell(self, one: Passing, verb: str) -> None:
        """Open pages hear that the case has changed, and nothing else about it."""
        entry = self.hub.cases.get(one.case).entry
        about = {"id": entry.id, "number": entry.number, "version": entry.version, "state": entry.state, "verb": verb}
        about |= {"step": entry.step, "departments": list(entry.departments)}
        self.hub.bus.publish("cases/changed", about)


def told(refused: Refused) -> Problem:
    return refused.message, {name: value for name, value in refused.values.items() if name != "status" or value}
