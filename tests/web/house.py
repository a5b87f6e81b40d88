"""A house with everything the pages need and nothing else, and a browser without a screen that walks through it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar.testing import TestClient

from cheng.infrastructure.bus import Bus
from cheng.infrastructure.clock import Clock, ManualClock
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.store import Store
from cheng.security.accounts import Accounts
from cheng.security.actors import HOUSE, ROLES
from cheng.security.passwords import Hasher
from cheng.security.sessions import Sessions
from cheng.security.sign_in import Door
from cheng.security.tokens import TokenBook
from cheng.web.app import Web, create_app

START = 1_795_132_800_000_000
PASSWORD = "quiet-lantern-river-47"


@dataclass
class SmallHouse:
    """What `create_app` asks of a hub."""

    settings: Settings
    clock: Clock
    store: Store
    bus: Bus
    accounts: Accounts
    sessions: Sessions
    door: Door
    tokens: TokenBook

    @classmethod
    def open(cls, folder: Path, clock: Clock | None = None, **settings: Any) -> "SmallHouse":
        clock = clock or ManualClock(START)
        store = Store(folder / "cheng.db")
        hasher = Hasher(1024, weak_for_tests=True)
        sessions = Sessions(store, clock)
        accounts = Accounts(store, clock, hasher, sessions)
        for role in ROLES:
            accounts.create(HOUSE, role, f"Li {role}", [role], "Drainage Bureau", PASSWORD)
        told = Settings(data=folder, city="Lichuan", **settings)
        door, tokens = Door(store, clock, hasher, sessions), TokenBook(store, clock)
        return cls(told, clock, store, Bus(), accounts, sessions, door, tokens)


class Visitor:
    """Somebody with a browser: keeps cookies, reads forms before sending them."""

    def __init__(self, app: Web, **headers: str) -> None:
        self.client = TestClient(app, raise_server_exceptions=False)
        self.client.headers.update({"accept": "text/html", **headers})

    def get(self, path: str, **options: Any) -> Any:
        options.setdefault("follow_redirects", False)
        return self.client.get(path, **options)

    def form(self, page: str) -> str:
        """The hidden secret of the first form on a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(page).text)
        assert found, f"no form on {page}"
        return found[1]

    def send(self, path: str, page: str = "", **fields: Any) -> Any:
        """Fill in the form on `page` (default: the same address) and send it to `path`."""
        fields.setdefault("csrf", self.form(page or path))
        return self.client.post(path, data=fields, follow_redirects=False)

    def sign_in(self, name: str, password: str = PASSWORD) -> "Visitor":
        answer = self.send("/sign-in", name=name, password=password)
        assert answer.status_code == 303, answer.text
        return self


__all__ = ["PASSWORD", "START", "SmallHouse", "Visitor", "create_app"]
