"""NDJSON over HTTP: marked, durable before the answer, 20 rules judged, alerts durable, history queryable."""

import http.client
import json
import sqlite3
import sys
import threading
import time
from pathlib import Path

from bench.measuring import Figure, child, folder, free_port, report, wait_for
from bench.workload import Workload, workload

RULES, THINGS, READINGS = 20, 10_000, 100
BATCH, SENDERS = 5_000, 4


def send(port: int, token: str, batches: list[bytes]) -> None:
    """One gateway: it sends the next batch as soon as the last one was answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/x-ndjson"}
    for batch in batches:
        connection.request("POST", "/ingest/observations", batch, headers)
        answer = json.loads(connection.getresponse().read())
        if answer.get("refused") != []:
            raise SystemExit(f"refused: {answer}")


def shares(work: Workload) -> list[list[bytes]]:
    """The batches of each gateway: every gateway has things of its own and sends them in order."""
    parts: list[list[bytes]] = [[] for _ in range(SENDERS)]
    for line in work.lines:
        parts[int(line[14:20]) % SENDERS].append(line)
    return [[b"\n".join(part[at : at + BATCH]) for at in range(0, len(part), BATCH)] for part in parts]


def one_round(work: Workload) -> float:
    """Readings per second from the first byte sent to the last acknowledgement; the alerts are counted after."""
    with folder() as data:
        port = free_port()
        with child("-m", "bench.server", str(data), str(port), str(RULES), str(THINGS)) as server:
            assert server.stdout is not None
            token = json.loads(server.stdout.readline())["token"]
            wait_for(port)
            senders = [threading.Thread(target=send, args=(port, token, batches)) for batches in shares(work)]
            start = time.perf_counter()
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
            passed = time.perf_counter() - start
        found = alerts(data)
    if found != work.alerts:
        raise SystemExit(f"{found} alerts where {work.alerts} are due: the rate does not count")
    return len(work.lines) / passed


def alerts(data: Path) -> int:
    with sqlite3.connect(data / "cheng.db") as conn:
        return int(conn.execute("SELECT count(*) FROM alerts WHERE state <> 'withdrawn'").fetchone()[0])


def main(rounds: int = 3) -> None:
    work = workload(THINGS, READINGS)
    rates = [one_round(work) for _ in range(rounds)]
    claim = f"NDJSON over HTTP, {BATCH:,} a batch, {SENDERS} connections, {RULES} rules, fsync before the answer"
    holds = sorted(rates)[len(rates) // 2] >= 300_000
    report(Figure(claim, "≥ 300,000/s", "readings/s", rates, holds, f"{work.alerts:,} alerts, exact"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
