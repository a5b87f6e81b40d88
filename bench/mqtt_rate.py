"""Readings by MQTT with QoS 1: one a message and thousands a message, acknowledged when durable."""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.measuring import Figure, cpu_seconds, folder, report, wait_for
from bench.peers import mqtt_raw
from bench.prepared import opened, prepare, up
from bench.single_post import START

CLAIM = "Readings by MQTT with QoS 1, durable before the acknowledgement: ≥ 45,000/s singly, ≥ 1,000,000/s in batches"
LAMPS, FIRST = 9_000, 1_000
"""Lamps whose names are of one length, so that all messages are."""
PLACE = len(f"cheng/lamp-{FIRST}/leakage") + 4
"""Where the number of a packet stands."""
SINGLES, BATCHES, BATCH = 200_000, 400, 5_000


def singles(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield mqtt_raw.publish(f"cheng/lamp-{FIRST + number % LAMPS}/leakage", b"%d.5" % (number % 4), 1)


def batches(count: int, start: int) -> Iterator[bytes]:
    for number in range(count):
        rows = (
            b'{"id":"lamp-%d","attr":"leakage","time":%d,"value":%d.5}'
            % (FIRST + n % LAMPS, start + n // LAMPS * 1000, n % 4)
            for n in range(number * BATCH, (number + 1) * BATCH)
        )
        yield mqtt_raw.publish("cheng/batch", b"\n".join(rows), 1)


def one_round(large: bool) -> tuple[float, float]:
    """Readings a second, and the hub's CPU µs for each."""
    size = BATCH if large else 1
    packets = list(batches(BATCHES, START) if large else singles(SINGLES))
    first = list(batches(20, START - 1_000_000) if large else singles(10_000))
    place = len("cheng/batch") + 6 if large else PLACE
    how = {"window": 48, "burst": 1} if large else {"window": 2_000, "burst": 100}
    with folder() as data:
        ready = prepare(data, lamps=FIRST + LAMPS)
        with up(data) as (hub, _, port, _):
            wait_for(port)
            sock = mqtt_raw.connect(port, "gateway", "gateway", ready.token)
            mqtt_raw.Flow(sock, None, first, place, **how).run()
            before = cpu_seconds(hub.pid)
            passed = mqtt_raw.Flow(sock, None, packets, place, **how).run()
            used = cpu_seconds(hub.pid) - before
        sent, kept = (len(first) + len(packets)) * size, stored(data)
    if kept != sent:
        raise SystemExit(f"{sent:,} acknowledged, {kept:,} in history: the rate does not count")
    return len(packets) * size / passed, used / (len(packets) * size) * 1e6


def stored(data: Path) -> int:
    hub = opened(data)
    try:
        return hub.history.count()
    finally:
        hub.close()


def main(rounds: int = 3) -> None:
    for large, goal, name in ((False, 45_000, "one a message"), (True, 1_000_000, f"{BATCH:,} a message, NDJSON")):
        rates, costs = zip(*(one_round(large) for _ in range(rounds)), strict=True)
        note = f"{sorted(costs)[len(costs) // 2]:.2f} µs of the hub's CPU each"
        claim = f"readings by MQTT, QoS 1, {name}, one connection, judged"
        holds = sorted(rates)[len(rates) // 2] >= goal
        report(Figure(claim, f"≥ {goal:,}/s", "readings/s", list(rates), holds, note, "fsync before ack"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
