"""Single readings by MQTT with QoS 1, one connection, 1,000 messages in flight: our listener beside mosquitto.

Ours acknowledges when the reading is checked, durable and judged; theirs when it has been passed on to one subscriber's
queue, and it promises nothing. Arguments: rounds, messages.
"""

import socket
import sys
from pathlib import Path

from bench.measuring import Durability, cpu_seconds, folder, wait_for
from bench.mqtt_rate import FIRST, LAMPS, PLACE, singles
from bench.peers import mqtt_raw
from bench.peers.lane import Comparison, Expected, Outcome, interleaved, tell
from bench.peers.mosquitto import Mosquitto
from bench.prepared import opened, prepare, up

CLAIM = "Single readings by MQTT, QoS 1: as many, durable, as a broker in C passes on without keeping them"
PEERS = True
WARM = 10_000
TAKEN = Expected(None, "every message was acknowledged, and none is missing")


class Side:
    def __init__(self, packets: list[bytes]) -> None:
        self.packets = packets

    def flow(self, publisher: socket.socket, subscriber: socket.socket | None, pid: int) -> Outcome:
        mqtt_raw.Flow(publisher, subscriber, self.packets[:WARM], PLACE).run()
        before = cpu_seconds(pid)
        seconds = mqtt_raw.Flow(publisher, subscriber, self.packets[WARM:], PLACE).run()
        return Outcome(len(self.packets) - WARM, seconds, cpu_seconds(pid) - before, None, TAKEN.digest)


class Hub(Side):
    name = "Cheng"
    durability: Durability = "fsync before ack"

    def prepare(self, home: Path) -> None:
        """It is here."""

    def version(self) -> str:
        return "checked, durable, judged"

    def run(self, work: Path) -> Outcome:
        with folder() as data:
            ready = prepare(data, lamps=FIRST + LAMPS)
            with up(data) as (process, _, port, _):
                wait_for(port)
                outcome = self.flow(mqtt_raw.connect(port, "gateway", "gateway", ready.token), None, process.pid)
            hub = opened(data)
            stored = hub.history.count()
            hub.close()
        if stored != len(self.packets):
            outcome.digest = f"{stored:,} of {len(self.packets):,} acknowledged readings are stored"
        return outcome


class Broker(Side, Mosquitto):
    def run(self, work: Path) -> Outcome:
        with folder() as data, self.serving(data) as (pid, port):
            subscriber = mqtt_raw.connect(port, "subscriber")
            mqtt_raw.subscribe(subscriber, "cheng/#", 1)
            return self.flow(mqtt_raw.connect(port, "publisher"), subscriber, pid)


def main(rounds: int = 5, count: int = 200_000) -> None:
    packets = list(singles(WARM + count))
    sides = interleaved([Hub(packets), Broker(packets)], Path(), rounds)
    claim = (
        f"{count:,} messages of {len(packets[0])} bytes on one connection, 1,000 in flight; mosquitto's to 1 subscriber"
    )
    tell(Comparison(claim, TAKEN, sides, {"mosquitto": 1.0}, unit="messages/s"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
