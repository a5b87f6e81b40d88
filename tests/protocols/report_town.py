"""A town that hears its people: two public classes and one that is not, a street with boundary, and a real server."""

import socket
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import uvicorn

from cheng.hub import Hub, open_hub
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.report_tables import reports
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.tables import acts, blobs, cases
from cheng.kernel.classes import CaseClass, FilingCondition
from cheng.kernel.entities import Entity, Text
from cheng.kernel.flows import Flow, Step
from cheng.kernel.house import Area
from cheng.kernel.model import Model
from cheng.kernel.specs import App
from cheng.kernel.standing import Person
from cheng.protocols.http import Asgi, HttpDoor
from cheng.security.actors import HOUSE
from cheng.security.passwords import Hasher
from cheng.standards.durations import hours, working_days
from cheng.web.app import create_app

START = 1_795_132_800_000_000
"""2026-11-20 08:00 in Shanghai, a Friday."""
NAME = "cheng.apps.city.hearing"
HERE = (106.55, 29.56)
OUTSIDE = (100.0, 20.0)
PHOTO = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
BROKEN = FilingCondition(
    "broken", "It is broken.", "已损坏。", hours(2), "It is whole.", "已修复。", basis="Rules, art. 3"
)
DIRTY = FilingCondition("dirty", "It is dirty & <bad>.", "不洁。", working_days(2), "It is clean.", "已清洁。")
LAMP = CaseClass("C0201", "component", "Lighting", "照明", "Street lamp", "路灯", (BROKEN, DIRTY))
NOISE = CaseClass("E0301", "event", "Noise", "噪声", "Noise at night", "夜间噪声", (DIRTY,))
SECRET = CaseClass("E0901", "event", "Inner", "内部", "Dispute at home", "家庭纠纷", (DIRTY,), public=False)


class hearing(App):
    """Hears people."""

    title = "Hearing"
    owner = "Hearing office"
    system = "G3"


class Pole(Entity):
    """A pole in the street."""

    public = True
    street = Text("its street")


class Safe(Entity):
    """A safe that nobody is to know of."""

    street = Text("its street")


class hear(Flow):
    """Hear, do, look."""

    steps = (
        Step("accept", to="Hearing office", within=hours(1), voids=True),
        Step("handle", to="{street} crew", within=hours(4)),
    )


def model() -> Model:
    module = types.ModuleType(NAME)
    for spec in (hearing, Pole, Safe, hear):
        spec.__module__ = NAME
        setattr(module, spec.__name__, spec)
    sys.modules[NAME] = module
    return Model.of([module])


@dataclass
class Town:
    """The town and its door on a free port."""

    hub: Hub
    clock: ManualClock
    url: str
    key: str = ""
    client: httpx.Client = field(default_factory=httpx.Client)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.client.get(self.url + path, params=query, headers={"accept-language": "en"})

    def requests(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.get("/open311/v2/requests.json", **query)
        assert answer.status_code == 200, answer.text
        return cast(list[dict[str, Any]], answer.json())

    def post(self, ending: str = "json", files: Any = None, headers: Any = None, **form: Any) -> httpx.Response:
        """A report by Open311, complete unless told otherwise; None leaves a field out."""
        told = {"api_key": self.key, "service_code": "C0201", "lat": HERE[1], "long": HERE[0]}
        told = {
            name: value
            for name, value in (told | {"description": "The lamp is out."} | form).items()
            if value is not None
        }
        path = f"{self.url}/open311/v2/requests.{ending}"
        return self.client.post(path, data=told, files=files, headers={"accept-language": "en", **(headers or {})})

    def files(self, **form: Any) -> str:
        """The number of a report that is taken."""
        answer = self.post(**form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()[0]["service_request_id"])

    def sends(self, token: str | None = None, **report: Any) -> httpx.Response:
        """A report by the door of front ends."""
        told = {"source": "wechat", "text": "路灯不亮", "class": "C0201", "place": list(HERE), **report}
        return self.client.post(
            f"{self.url}/ingest/reports", json=told, headers=self.bearer(self.key if token is None else token)
        )

    def bearer(self, token: str) -> dict[str, str]:
        return {"accept-language": "en"} | ({"authorization": f"Bearer {token}"} if token else {})

    def act(self, number: str, verb: str, **data: Any) -> None:
        self.hub.cases.act(number, verb, BOSS, data)

    def counted(self) -> tuple[int, ...]:
        """Rows of what a report leaves behind, and files on the disk."""
        with self.hub.store.read() as conn:
            rows = [len(conn.execute(table.select()).all()) for table in (cases, acts, reports, blobs)]
        return (*rows, sum(1 for path in self.hub.blobs.folder.rglob("*") if path.is_file()))


BOSS = Person("boss", "Hearing office", frozenset({"officer", "dispatcher"}), "Boss")


@contextmanager
def open_town(folder: Path, **settings: Any) -> Iterator[Town]:
    """The town, until the block is left."""
    clock = ManualClock(START)
    told = Settings(data=folder, **settings)
    hear.classes = ""
    hub = open_hub(told, clock, model(), Hasher(8, 1, weak_for_tests=True))
    hear.classes = "written by hand"
    with hub.store.write() as conn:
        for each in (LAMP, NOISE, SECRET):
            hub.classes.put(conn, hear.key(), each, "test", first_may_be_past=True)
    west, east, south, north = 106.5, 106.6, 29.5, 29.6
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    boundary = {"type": "Polygon", "coordinates": [ring]}
    street = NewThing("street-1", "Area", name="River Street", properties={"level": "street"}, geometry=boundary)
    point = {"type": "Point", "coordinates": list(HERE)}
    poles = [NewThing("pole-1", "Pole", geometry=point), NewThing("safe-1", "Safe", geometry=point)]
    assert not hub.things.put([street, *poles], "test").refused
    assert Area.public
    try:
        with served(hub) as url:
            town = Town(hub, clock, url, hub.tokens.issue(HOUSE, "city-app", "reporter"))
            yield town
            town.client.close()
    finally:
        hub.close()


@contextmanager
def served(hub: Hub) -> Iterator[str]:
    """The hub's pages and doors on a free port."""
    door = HttpDoor(hub, cast(Asgi, create_app(hub)))
    config = uvicorn.Config(door, lifespan="off", ws="none", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


def refused(answer: Any, status: int) -> str:
    """The sentence of a refusal that is one."""
    assert answer.status_code == status, answer.text
    (error,) = answer.json()
    assert set(error) == {"code", "description"}
    assert error["description"].endswith(".")
    assert "{" not in error["description"]
    return str(error["description"])
