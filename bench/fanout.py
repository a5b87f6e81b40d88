"""An alert told to 500 listeners: our event stream beside mosquitto, both heard through the same sockets.

Ours begins with a reading by POST that is checked, durable, judged, and has opened a case; theirs with a PUBLISH of
QoS 0 that is forgotten. At 50 alerts a second the wait of every delivery counts, then deliveries a second with 8 alerts
on their way all the time. Arguments: rounds, seconds.
"""

import math
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.measuring import Durability, Figure, cpu_seconds, folder, report
from bench.peers import lane, mqtt_raw
from bench.peers.audience import Audience
from bench.peers.mosquitto import Mosquitto
from bench.prepared import prepare, up
from bench.sse import PAGES, PAGES_EACH, subscribed
from cheng.web.house.crier import TOLD_A_SECOND

CLAIM = "An alert reaches 500 open event streams about as soon as a broker in C would tell it"
PEERS = True
HOMES = 20_000
RATE, WINDOW = 50, 8
MOST = 0.9 * TOLD_A_SECOND
"""Alerts a second that we send at most: more are not told one by one, but by the list."""
WHY = f"a page is told at most {TOLD_A_SECOND} alerts a second one by one, on purpose: of a storm it shows the list"
MARK = b"event: alert"
SIZE = 260
"""Bytes of one of our alerts on the stream, the same of theirs."""
HEARD = lane.Expected(None, "everybody heard everything")
Speak = Callable[[int], None]


@dataclass
class Heard:
    """What one side came to: waits in ms at a steady pace, and outcomes of saturated runs."""

    side: lane.Side
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


class Hub:
    name = "Cheng"
    durability: Durability = "fsync before ack"
    most = MOST

    def prepare(self, home: object) -> None:
        """It is here."""

    def version(self) -> str:
        return "server-sent events; checked, durable, judged, a case opened"

    @contextmanager
    def audience(self) -> Iterator[tuple[int, Callable[[], Audience], Speak]]:
        with folder() as data:
            ready = prepare(data, HOMES, officers=PAGES // PAGES_EACH)
            with up(data) as (process, port, _, _):
                listeners = subscribed(port, ready.cookies)
                senders = [socket.create_connection(("127.0.0.1", port)) for _ in range(2 * WINDOW)]
                said = iter(range(HOMES))

                def speak(number: int) -> None:
                    senders[number % len(senders)].sendall(alarm(ready.token, next(said) + 1))

                yield process.pid, lambda: Audience(listeners, MARK, senders), speak


class Broker(Mosquitto):
    most = math.inf

    @contextmanager
    def audience(self) -> Iterator[tuple[int, Callable[[], Audience], Speak]]:
        with folder() as data, self.serving(data) as (pid, port):
            listeners = [mqtt_raw.connect(port, f"listener-{number}") for number in range(PAGES)]
            for listener in listeners:
                mqtt_raw.subscribe(listener, "alerts", 0)
            speaker = mqtt_raw.connect(port, "speaker")
            message = mqtt_raw.publish("alerts", MARK.ljust(SIZE))
            yield pid, lambda: Audience(listeners, MARK, [speaker]), lambda number: speaker.sendall(message)


def alarm(token: str, home: int) -> bytes:
    """A POST of the reading that raises the alert of a home, which has to be quiet before."""
    body = b'{"id":"home-%d","attr":"gas","time":%d,"value":40}' % (home, time.time_ns() // 1_000_000)
    head = f"POST /ingest/observations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    return head.encode() + b"Content-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def listen(peer: Hub | Broker, heard: Heard, seconds: int) -> None:
    """One round of one side."""
    with peer.audience() as (pid, audience, speak):
        audience().paced(speak, RATE, RATE)  # a warm second
        steady = audience()
        steady.paced(speak, RATE, RATE * seconds)
        waits = sorted(1e3 * wait for wait in steady.waits)
        heard.p50.append(statistics.median(waits))
        heard.p99.append(waits[len(waits) * 99 // 100])
        loud, before, start = audience(), cpu_seconds(pid), time.perf_counter()
        loud.saturated(speak, WINDOW, seconds, peer.most)
        passed, used = time.perf_counter() - start, cpu_seconds(pid) - before
        heard.side.outcomes.append(lane.Outcome(len(loud.waits), passed, used, None, HEARD.digest))
        print(f"… {peer.name}: p99 {heard.p99[-1]:.1f} ms, {heard.side.rates[-1]:,.0f} deliveries/s", file=sys.stderr)


def latency(ours: Heard, theirs: Heard) -> Figure:
    ratio = statistics.median(ours.p99) / statistics.median(theirs.p99)
    note = f"p50 {statistics.median(ours.p50):.1f} ms; mosquitto p50 {statistics.median(theirs.p50):.1f} ms, "
    note += f"p99 {statistics.median(theirs.p99):.1f} ms, volatile: ours is **{ratio:.2g}×** of theirs"
    claim = f"from the POST to each of {PAGES} event streams at {RATE} alerts/s, p99, to mosquitto"
    return Figure(claim, "≤ 2×", "ms", ours.p99, ratio <= 2, note, ours.side.durability)


def main(rounds: int = 5, seconds: int = 5) -> None:
    hub, broker = Hub(), Broker()
    both = [Heard(lane.install(hub, ours=True)), Heard(lane.install(broker))]
    for _ in range(rounds):
        for peer, heard in zip((hub, broker), both, strict=True):
            if not heard.side.failure:
                listen(peer, heard, seconds)
    if both[1].p99:
        report(latency(*both))
    claim = f"deliveries to {PAGES} listeners, {WINDOW} alerts on their way all the time"
    sides = [heard.side for heard in both]
    lane.tell(lane.Comparison(claim, HEARD, sides, {"mosquitto": 0.5}, unit="deliveries/s", why=WHY))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
