"""VictoriaMetrics 1.79 with vmalert as Debian has them: line protocol over HTTP, and vmalert's replay of the rule.

An acknowledged reading is in memory for some seconds: a `kill -9` loses it, and no setting changes that.
"""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measuring import Durability, cpu_of_children, cpu_seconds, folder, free_port, program, wait_for
from bench.peers import debian
from bench.peers.feeding import PASS_SECONDS, START_SECONDS, Post, Store
from bench.peers.lane import Outcome, digest

STEP = 10
"""Seconds; every thing reports once in each. Without a step of our own vmalert asks in steps that lose readings."""
SETTINGS = {
    "retentionPeriod": "100y",
    "influxSkipSingleField": "true",
    "maxInsertRequestSize": "512MB",  # at its default vmalert's alerts are dropped, and nobody is told
    "search.maxUniqueTimeseries": "10000000",
    "search.latencyOffset": "0s",
    "loggerLevel": "ERROR",
}
RULES = """
groups:
- name: city
  interval: {step}s
  rules:
  - alert: Above
    expr: last_over_time(aq[{step}s]) > 80
    for: 60s
"""


class VictoriaMetrics(Store):
    """What it takes in and holds."""

    name = "VictoriaMetrics"
    durability: Durability = "volatile"
    file = "obs.lp"

    def prepare(self, home: Path) -> None:
        self.root = debian.unpack(home, "victoria-metrics")
        self.programs = self.root / "usr" / "bin"

    def version(self) -> str:
        return debian.version(self.root, "victoria-metrics")

    @contextmanager
    def serving(self, data: Path) -> Iterator[tuple[int, int]]:
        port = free_port()
        settings = {**SETTINGS, "storageDataPath": str(data / "store"), "httpListenAddr": f"127.0.0.1:{port}"}
        words = [f"-{name}={value}" for name, value in settings.items()]
        with program([str(self.programs / "victoria-metrics"), *words]) as server:
            wait_for(port)
            yield server.pid, port

    def connect(self, port: int) -> Callable[[bytes], None]:
        return Post(port, "/write?precision=ms")

    def rows(self, port: int) -> list[tuple[str, int, float]]:
        get(port, "/internal/force_flush")
        span = PASS_SECONDS * self.passes + 2 * STEP
        counts, sums = (
            values(port, f"{word}_over_time(aq[{span}s])", START_SECONDS + span - STEP) for word in ("count", "sum")
        )
        return [(thing, int(counts[thing]), sums[thing]) for thing in counts]


class VMAlert(VictoriaMetrics):
    """The rule of W1: everything taken in, then judged by a replay that writes the alerts back."""

    name = "VictoriaMetrics with vmalert"

    def __init__(self) -> None:
        super().__init__(batch=10_000)

    def run(self, work: Path) -> Outcome:
        with folder() as data, self.serving(data) as (pid, port):
            before, others = cpu_seconds(pid), cpu_of_children()
            seconds = self.feed(port, work)
            start = time.perf_counter()
            get(port, "/internal/force_flush")
            self.replay(data, port)
            seconds += time.perf_counter() - start
            used = cpu_seconds(pid) - before + cpu_of_children() - others
            get(port, "/internal/force_flush")
            things = fired(port)
        readings = json.loads((work / "expected.json").read_bytes())["observations"]
        return Outcome(readings, seconds, used, len(things), digest(things), "taken in whole, then judged: no stream")

    def replay(self, data: Path, port: int) -> None:
        (data / "rules.yml").write_text(RULES.format(step=STEP))
        address = f"http://127.0.0.1:{port}"
        settings = {
            "rule": str(data / "rules.yml"),
            "datasource.url": address,
            "datasource.queryStep": f"{STEP}s",
            "remoteWrite.url": address,
            "remoteRead.url": address,
            "remoteWrite.maxQueueSize": "1000000",
            "replay.timeFrom": moment(START_SECONDS),
            "replay.timeTo": moment(START_SECONDS + PASS_SECONDS),
            "replay.rulesDelay": "0s",
            "loggerLevel": "ERROR",
        }
        words = [f"-{name}={value}" for name, value in settings.items()]
        subprocess.run([self.programs / "vmalert", *words], check=True, capture_output=True)


def fired(port: int) -> list[str]:
    """The things of all alerts: one for each unbroken row of firing steps."""
    query = urllib.parse.urlencode({"match[]": 'ALERTS{alertstate="firing"}', "start": START_SECONDS - STEP})
    things: list[str] = []
    for line in get(port, f"/api/v1/export?{query}").splitlines():
        series: dict[str, Any] = json.loads(line)
        times = sorted(set(series["timestamps"]))
        onsets = sum(time - before > 1000 * STEP for before, time in zip([0, *times], times, strict=False))
        things += [series["metric"]["id"]] * onsets
    return things


def values(port: int, query: str, at: int) -> dict[str, float]:
    """The result of an instant query, by thing."""
    words = urllib.parse.urlencode({"query": query, "time": at})
    answer = json.loads(get(port, f"/api/v1/query?{words}"))
    return {one["metric"]["id"]: float(one["value"][1]) for one in answer["data"]["result"]}


def get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=120) as response:
        return bytes(response.read())


def moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
