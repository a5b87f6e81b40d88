"""W1 over HTTP: marked, durable before the answer, 20 rules judged, alerts durable, history queryable.

python -m bench.ingest_http [--kind ndjson|senml|arrow] [--seconds 60] [--batch 5000] [--rounds 1]
"""

import argparse
import json
import statistics
import time
from collections import Counter

import psutil

from bench.gateways import THINGS, Payloads, Sent, alerts_in, payloads, send
from bench.measuring import Figure, child, cpu_seconds, folder, free_port, report, wait_for
from bench.peers.lane import Expected, digest
from cheng.infrastructure.history import History

CLAIM = "readings over HTTP, durable before the answer, 20 rules judged: ≥ 1,000,000/s as NDJSON"
LONG = "--seconds 60"
RULES, GATEWAYS = 20, 8
KINDS = {"ndjson": (5_000, 1_000_000), "senml": (5_000, 500_000), "arrow": (50_000, 5_000_000)}
"""By format: readings in a delivery, and the readings a second we want."""


def one_round(parts: list[Payloads], expected: Expected, kind: str, seconds: float) -> tuple[Sent, str]:
    """What was sent, and a few words; SystemExit when an alert or a reading is missing or too many."""
    with folder() as data:
        port = free_port()
        with child("-m", "bench.server", str(data), str(port), str(RULES), str(THINGS)) as server:
            assert server.stdout is not None
            token = json.loads(server.stdout.readline())["token"]
            wait_for(port)
            before, own = cpu_seconds(server.pid), time.process_time()
            sent = send(port, token, kind, parts, seconds)
            used, own = cpu_seconds(server.pid) - before, time.process_time() - own
            memory = psutil.Process(server.pid).memory_info().rss / 1e6
            server.terminate()
            start = time.perf_counter()
            server.wait(600)
            closing = time.perf_counter() - start
        agree(sent, expected, alerts_in(data))
        history = History(data / "history", background=False)
        stored, size = history.count(), history.bytes()
        history.close()
    if stored != sent.readings:
        raise SystemExit(f"{stored:,} readings in history where {sent.readings:,} were acknowledged")
    waits = sorted(sent.waits)
    p50, p99 = statistics.median(waits) * 1e3, waits[int(len(waits) * 0.99)] * 1e3
    return sent, (
        f"{1e6 * used / sent.readings:.2f} CPU s per million (gateways {1e6 * own / sent.readings:.2f}), "
        f"{memory:,.0f} MB, {size / stored:.1f} B a reading; answer p50 {p50:.0f} ms, p99 {p99:.0f} ms; "
        f"{sent.passes} passes, each {expected.alerts:,} alerts, exact; closed {closing:.1f} s after the last answer"
    )


def agree(sent: Sent, expected: Expected, things: list[str]) -> None:
    """Every pass has to have raised exactly the alerts of W1."""
    times = Counter(things)
    if any(count % sent.passes for count in times.values()):
        raise SystemExit(f"{len(things):,} alerts in {sent.passes} passes: not the same in every pass")
    once = [thing for thing, count in times.items() for _ in range(count // sent.passes)]
    if len(once) != expected.alerts or digest(once) != expected.digest:
        raise SystemExit(f"{len(once):,} alerts a pass where {expected.alerts:,} are due: the rate does not count")


def main() -> None:
    words = argparse.ArgumentParser(prog="bench.ingest_http", description=__doc__.splitlines()[0])
    words.add_argument("--kind", choices=KINDS, action="append")
    words.add_argument("--seconds", type=float, default=10)
    words.add_argument("--batch", type=int)
    words.add_argument("--rounds", type=int, default=3)
    asked = words.parse_args()
    for kind in asked.kind or KINDS:
        usual, goal = KINDS[kind]
        batch = asked.batch or usual
        parts, expected = payloads(kind, GATEWAYS, batch)
        rounds = [one_round(parts, expected, kind, asked.seconds) for _ in range(asked.rounds)]
        rates = [sent.readings / sent.seconds for sent, _ in rounds]
        claim = f"{kind} over HTTP for {asked.seconds:.0f} s, {batch:,} a delivery, {GATEWAYS} gateways, {RULES} rules"
        note = rounds[rates.index(statistics.median_low(rates))][1]
        holds = statistics.median(rates) >= goal
        report(Figure(claim, f"≥ {goal:,}/s", "readings/s", rates, holds, note, "fsync before ack"))


if __name__ == "__main__":
    main()
