"""A data folder with homes, lamps, tokens and officers who have signed in, and the hub running on it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import child, free_port, wait_for
from cheng.hub import Hub, open_hub
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.settings import Settings
from cheng.security.actors import HOUSE
from cheng.web.people import session_cookie

PASSWORD = "seven-bridges-over-two-rivers"  # of accounts that live as long as a bench run
OFFICE = "Riverside property office"


@dataclass(frozen=True)
class Prepared:
    folder: Path
    cookies: list[str]
    """of officers of OFFICE who have signed in"""
    tokens: list[str]
    """of gateways that speak for all homes and lamps"""

    @property
    def cookie(self) -> str:
        return self.cookies[0]

    @property
    def token(self) -> str:
        return self.tokens[0]


def prepare(folder: Path, homes: int = 1, gateways: int = 1, officers: int = 1, lamps: int = 0) -> Prepared:
    """A folder with `home-1`, `home-2` and so on, and with `lamp-1` and so on."""
    hub = open_hub(Settings.load(folder, {}))
    try:
        home = {"compound": "Riverside", "station": "Old Town"}
        lamp = {"district": "East", "road": "Mill Road"}
        things = [NewThing(f"home-{n + 1}", "Household", properties=home, owner=OFFICE) for n in range(homes)]
        things += [NewThing(f"lamp-{n + 1}", "Lamp", properties=lamp, owner=OFFICE) for n in range(lamps)]
        outcome = hub.things.put(things, "bench")
        if outcome.refused:
            raise SystemExit(str(outcome.refused[0]))
        cookies = []
        for number in range(1, officers + 1):
            hub.accounts.create(HOUSE, f"officer-{number}", "Bench", ["officer"], OFFICE, PASSWORD)
            session, _ = hub.door.sign_in(f"officer-{number}", PASSWORD)
            cookies.append(f"{session_cookie(hub)}={session}")
        scope = {"prefixes": ["home-", "lamp-"]}
        tokens = [hub.tokens.issue(HOUSE, f"gateway-{n}", "device", scope) for n in range(1, gateways + 1)]
        return Prepared(folder, cookies, tokens)
    finally:
        hub.close()


def opened(folder: Path) -> Hub:
    """The hub of a folder in this process, while no other has it."""
    return open_hub(Settings.load(folder, {}))


@contextmanager
def up(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int, int, float]]:
    """`cheng up` on a folder: the process, its ports for pages and MQTT, and the seconds until pages were answered."""
    port, mqtt = free_port(), free_port()
    words = ["up", "--data", str(folder), "--port", str(port), "--mqtt-port", str(mqtt)]
    with child("-c", "from cheng.cli import main; main()", *words) as process:
        yield process, port, mqtt, wait_for(port)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
