"""InfluxDB 1.6 as Debian has it: line protocol over HTTP, the write-ahead log synced before every answer."""

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.measuring import Durability, free_port, program, wait_for
from bench.peers import debian
from bench.peers.feeding import Post, Store

SETTINGS = """
reporting-disabled = true
bind-address = "127.0.0.1:{inner}"
[meta]
  dir = "{data}/meta"
[data]
  dir = "{data}/data"
  wal-dir = "{data}/wal"
  wal-fsync-delay = "0s"
  query-log-enabled = false
  cache-max-memory-size = "4g"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-body-size = 0
[logging]
  level = "error"
"""


class InfluxDB(Store):
    """`wal-fsync-delay` 0, its default: every write is synced. Index in memory, its default and its fastest."""

    name = "InfluxDB"
    durability: Durability = "fsync before ack"
    file = "obs.lp"

    def prepare(self, home: Path) -> None:
        self.program = debian.unpack(home, "influxdb") / "usr" / "bin" / "influxd"

    def version(self) -> str:
        return debian.said([str(self.program), "version"]).split(" (")[0]

    @contextmanager
    def serving(self, data: Path) -> Iterator[tuple[int, int]]:
        port, inner = free_port(), free_port()
        settings = data / "influxdb.conf"
        settings.write_text(SETTINGS.format(data=data, port=port, inner=inner))
        with program([str(self.program), "-config", str(settings)]) as server:
            wait_for(port)
            ask(port, "CREATE DATABASE city", method="POST")
            yield server.pid, port

    def connect(self, port: int) -> Callable[[bytes], None]:
        return Post(port, "/write?db=city&precision=ms")

    def rows(self, port: int) -> list[tuple[str, int, float]]:
        answer = ask(port, "SELECT count(value), sum(value) FROM aq GROUP BY id")
        return [(one["tags"]["id"], one["values"][0][1], one["values"][0][2]) for one in answer["series"]]


def ask(port: int, query: str, method: str = "GET") -> dict[str, Any]:
    """The first result of a query."""
    words = urllib.parse.urlencode({"q": query, "db": "city", "epoch": "ms"})
    request = urllib.request.Request(f"http://127.0.0.1:{port}/query?{words}", method=method)
    for _ in range(100):
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return dict(json.load(response)["results"][0])
        except OSError:  # it listens before it is ready
            time.sleep(0.1)
    raise RuntimeError("InfluxDB does not answer")
