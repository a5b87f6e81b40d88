"""A real hub with one account a role, and a visitor without a screen who walks through its pages."""

import re
from pathlib import Path
from typing import Any

from litestar.testing import TestClient

from cheng.hub import Hub, open_hub
from cheng.infrastructure.clock import Clock, ManualClock
from cheng.infrastructure.settings import Settings
from cheng.security.actors import HOUSE, ROLES
from cheng.security.passwords import Hasher
from cheng.web.app import Web

START = 1_795_132_800_000_000
"""2026-11-20 08:00 in Shanghai."""
PASSWORD = "quiet-lantern-river-47"
DEPARTMENT = "Drainage Bureau"
NAMES = {"citizen": "周敏", "officer": "李伟", "leader": "陈静", "operator": "王磊", "dispatcher": "刘洋"}


def open_house(folder: Path, clock: Clock | None = None, **settings: Any) -> Hub:
    """A hub in `folder` with the accounts citizen, officer, leader and operator, all with PASSWORD."""
    told = Settings(data=folder, **{"city": "荔川区", **settings})
    hub = open_hub(told, clock or ManualClock(START), hasher=Hasher(1024, weak_for_tests=True))
    for role in ROLES:
        hub.accounts.create(HOUSE, role, NAMES.get(role, role), [role], DEPARTMENT, PASSWORD)
    return hub


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
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(page, headers={"accept": "text/html"}).text)
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


def json_of(visitor: Visitor, path: str) -> Any:
    """What a page says as data; it has to be there."""
    answer = visitor.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()
