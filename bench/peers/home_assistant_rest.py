"""Home Assistant core with its REST door: a state a request, and its own automation above 80 for a minute.

Nothing is recorded. `josepy` is held back: a later one breaks the import of a package that its door looks for.
"""

import json
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from bench.measuring import Durability, folder, free_port, program
from bench.peers.home_assistant import HOME_ASSISTANT
from bench.peers.lane import Outcome
from bench.peers.singles import HOMES, posted, readings, request, settled
from bench.peers.streams import python, venv

SETTINGS = """
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
auth:
onboarding:
logger:
  default: critical
automation:
  - alias: above
    trigger:
      - platform: numeric_state
        entity_id: [{sensors}]
        above: 80
        for: "00:01:00"
    action:
      - event: above
"""


class HomeAssistantRest:
    name = "Home Assistant REST"
    durability: Durability = "volatile"

    def prepare(self, home: Path) -> None:
        self.home = home
        venv(home, f"homeassistant=={HOME_ASSISTANT}", "josepy==1.15.0")

    def version(self) -> str:
        return HOME_ASSISTANT

    def run(self, work: Path) -> Outcome:
        port = free_port()
        with folder() as data:
            sensors = ", ".join(f"sensor.home_{number}" for number in range(1, HOMES + 1))
            (data / "configuration.yaml").write_text(SETTINGS.format(port=port, sensors=sensors))
            with program([str(python(self.home)), "-m", "homeassistant", "-c", str(data)]) as server:
                token = owner(port)
                states = (
                    request(f"/api/states/sensor.home_{home}", b'{"state":"%s"}' % value, f"Bearer {token}")
                    for home, _, value in readings()
                )
                outcome = posted(server.pid, port, data, states)
                known = sum(one["entity_id"].startswith("sensor.home_") for one in ask(port, "/api/states", token))
        return settled(outcome, outcome.readings if known == HOMES else known)


def owner(port: int, patience: float = 180) -> str:
    """The token of somebody who has just been made the owner, as soon as the house answers."""
    address = f"http://127.0.0.1:{port}/"
    person = {"client_id": address, "name": "b", "username": "b", "password": "bench", "language": "en"}
    end = time.perf_counter() + patience
    while True:
        try:
            code = ask(port, "/api/onboarding/users", content=json.dumps(person).encode())["auth_code"]
            break
        except OSError:
            if time.perf_counter() > end:
                raise
            time.sleep(0.5)
    words = {"grant_type": "authorization_code", "code": code, "client_id": address}
    told = ask(port, "/auth/token", content=urllib.parse.urlencode(words).encode(), kind="x-www-form-urlencoded")
    return str(told["access_token"])


def ask(port: int, path: str, token: str = "", content: bytes | None = None, kind: str = "json") -> Any:
    headers = {"Content-Type": f"application/{kind}"} | ({"Authorization": f"Bearer {token}"} if token else {})
    question = urllib.request.Request(f"http://127.0.0.1:{port}{path}", content, headers)
    with urllib.request.urlopen(question, timeout=30) as response:
        return json.load(response)
