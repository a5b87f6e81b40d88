"""Single readings by MQTT with QoS 1, one connection, 1,000 messages in flight: our listener beside mosquitto.

Ours acknowledges when the reading is checked, durable and judged; theirs when it has been passed on to one subscriber's
queue, and it promises nothing. Arguments: rounds, messages.
"""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.measuring import Durability, cpu_seconds, folder, wait_for
from bench.peers import mqtt_raw
from bench.peers.lane import Comparison, Expected, Outcome, interleaved, tell
from bench.peers.mosquitto import Mosquitto
from bench.prepared import opened, prepare, up

CLAIM = "Single readings by MQTT, QoS 1: as many, durable, as a broker in C passes on without keeping them"
PEERS = True
HOMES = 9_000
START = 1_795_132_800_000
TAKEN = Expected(None, "every message was acknowledged, and none is missing")


def messages(count: int) -> Iterator[bytes]:
    """PUBLISH packets of one length; each home reports every second."""
    for number in range(count):
        home, turn = 1_000 + number % HOMES, number // HOMES
        payload = b'{"gas":%d.5,"time":%d}' % (number % 4, START + 1_000 * turn)
        yield mqtt_raw.publish(f"cheng/home-{home}", payload, 1)


class Side:
    def __init__(self, packets: list[bytes]) -> None:
        self.packets = packets

    def flow(self, publisher: socket.socket, subscriber: socket.socket | None, pid: int) -> Outcome:
        place = 4 + len("cheng/home-1000")
        before = cpu_seconds(pid)
        seconds = mqtt_raw.Flow(publisher, subscriber, self.packets, place).run()
        return Outcome(len(self.packets), seconds, cpu_seconds(pid) - before, None, TAKEN.digest)


class Hub(Side):
    name = "Cheng"
    durability: Durability = "fsync before ack"

    def prepare(self, home: Path) -> None:
        """It is here."""

    def version(self) -> str:
        return "checked, durable, judged"

    def run(self, work: Path) -> Outcome:
        with folder() as data:
            ready = prepare(data, 1_000 + HOMES)
            with up(data) as (process, _, port, _):
                wait_for(port)
                outcome = self.flow(mqtt_raw.connect(port, "gateway", "gateway", ready.token), None, process.pid)
            hub = opened(data)
            stored = hub.history.count()
            hub.close()
        if stored != outcome.readings:
            outcome.digest = f"{stored:,} of {outcome.readings:,} acknowledged readings are stored"
        return outcome


class Broker(Side, Mosquitto):
    def run(self, work: Path) -> Outcome:
        with folder() as data, self.serving(data) as (pid, port):
            subscriber = mqtt_raw.connect(port, "subscriber")
            mqtt_raw.subscribe(subscriber, "cheng/#", 1)
            return self.flow(mqtt_raw.connect(port, "publisher"), subscriber, pid)


def main(rounds: int = 5, count: int = 200_000) -> None:
    packets = list(messages(count))
    sides = interleaved([Hub(packets), Broker(packets)], Path(), rounds)
    claim = (
        f"{count:,} messages of {len(packets[0])} bytes on one connection, 1,000 in flight; mosquitto's to 1 subscriber"
    )
    tell(Comparison(claim, TAKEN, sides, {"mosquitto": 1.0}, unit="messages/s"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
