"""The hub of the ingest claims in a process of its own: one type of thing, as many rules as asked, real sockets."""

import gc
import json
import signal
import sys
import types
from pathlib import Path

import uvicorn

from bench.gateways import PREFIX
from cheng.hub import open_hub
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.settings import Settings
from cheng.kernel.entities import Entity, Quantity
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule
from cheng.kernel.specs import App
from cheng.protocols.http import HttpDoor, Receive, Scope, Send
from cheng.protocols.http_lean import Doorway
from cheng.security.actors import HOUSE
from cheng.standards.durations import seconds

NAME = "cheng.apps.ecology.bench"


class bench(App):
    """Stations of the bench."""

    title = "Bench"
    owner = "Bench"
    system = "E1"


class Station(Entity):
    """A station."""

    pm10 = Quantity("ug/m3", "PM10", low=0, high=1000)


def rules(count: int) -> list[type[Rule]]:
    """One rule at 80 as the workload wants it, the others above all its values."""
    made = []
    for number in range(count):
        blanks = {
            "__doc__": "Station {id} is above its limit.",
            "__module__": NAME,
            "when": Station.pm10 > (80 if number == 0 else 119.9 + number),
            "hold": seconds(60),
            "basis": "bench",
        }
        made.append(type(f"above_{number}", (Rule,), blanks))
    return made


def model(count: int) -> Model:
    module = types.ModuleType(NAME)
    for spec in (bench, Station, *rules(count)):
        spec.__module__ = NAME
        setattr(module, spec.__name__, spec)
    sys.modules[NAME] = module
    return Model.of([module])


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """No pages here; uvicorn's start and stop are answered."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})


def main() -> None:
    """Arguments: data folder, port, rules, things."""
    folder, port, count, things = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    sys.setswitchinterval(0.0005)
    hub = open_hub(Settings.load(folder, {}), model=model(count))
    hub.things.put([NewThing(f"{PREFIX}{n:05d}", "Station") for n in range(things)], "bench")
    token = hub.tokens.issue(HOUSE, "bench", "device", {"types": ["Station"]})
    door = HttpDoor(hub, nothing)
    door.intake.warm_up()
    gc.freeze()  # as `cheng up` does
    print(json.dumps({"token": token}), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again when it has stopped; then the hub closes
    uvicorn.run(door, port=port, http=Doorway(door).protocol, log_level="warning", access_log=False)
    hub.close()


if __name__ == "__main__":
    main()
