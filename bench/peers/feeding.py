"""W1 handed to a server over a few raw sockets: bytes made beforehand, so that feeding costs next to nothing.

Every side gets the same rows in the same deliveries: each connection has things of its own and sends them in order, the
next delivery when the last one was acknowledged. More passes are the same rows dated 1,000 s later.
"""

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

from bench.gateways import Text
from bench.measuring import Durability, cpu_at_rest, cpu_seconds, folder
from bench.peers.lane import Outcome

MARK = b"AirQualityObserved:"
START_SECONDS, PASS_SECONDS = 1_700_000_000, 1_000
"""When W1 begins, and how long it is."""
Deliveries = list[Text]
"""of each connection: called with the number of a pass, it yields the payloads of that pass"""


def deliveries(file: Path, connections: int, batch: int, form: Callable[[bytes], bytes]) -> Deliveries:
    """Lines of a file of W1, `batch` a delivery; `form` rewrites a whole delivery."""
    parts: list[list[bytes]] = [[] for _ in range(connections)]
    for line in file.read_bytes().splitlines(keepends=True):
        number = line.index(MARK) + len(MARK)
        parts[int(line[number : number + 5]) % connections].append(line)
    batches = [[b"".join(part[at : at + batch]) for at in range(0, len(part), batch)] for part in parts]
    return [Text([form(one) for one in part]) for part in batches]


def at_once(deliveries: Deliveries, passes: int, connect: Callable[[], Callable[[bytes], None]]) -> float:
    """Seconds from the first delivery to the last acknowledgement; `connect` is called once a connection."""
    ready = threading.Barrier(len(deliveries) + 1)

    def feed(payloads: Text) -> None:
        deliver = connect()
        ready.wait()
        for number in range(passes):
            for payload in payloads(number):
                deliver(bytes(payload))

    with ThreadPoolExecutor(len(deliveries)) as pool:
        feeders = [pool.submit(feed, payloads) for payloads in deliveries]
        ready.wait()
        start = time.perf_counter()
        for feeder in feeders:
            feeder.result()
        return time.perf_counter() - start


class Store:
    """What stores have in common as sides: a fresh server a round, W1 handed to it, and asked what it holds."""

    name: str
    durability: Durability
    file: str
    """of the workload"""

    def __init__(self, batch: int = 1_000, connections: int = 4, passes: int = 1) -> None:
        self.batch, self.connections, self.passes = batch, connections, passes
        self._deliveries: dict[Path, Deliveries] = {}

    def serving(self, data: Path) -> AbstractContextManager[tuple[int, int]]:
        """A server with nothing in it: its process and its port."""
        raise NotImplementedError

    def connect(self, port: int) -> Callable[[bytes], None]:
        """What hands over one delivery and returns when it was acknowledged."""
        raise NotImplementedError

    def rows(self, port: int) -> list[tuple[str, int, float]]:
        """Each thing with the number and the sum of its readings."""
        raise NotImplementedError

    def form(self, delivery: bytes) -> bytes:
        return delivery

    def feed(self, port: int, work: Path) -> float:
        """Seconds until all was acknowledged."""
        if work not in self._deliveries:
            self._deliveries[work] = deliveries(work / self.file, self.connections, self.batch, self.form)
        return at_once(self._deliveries[work], self.passes, lambda: self.connect(port))

    def run(self, work: Path) -> Outcome:
        with folder() as data, self.serving(data) as (pid, port):
            before = cpu_seconds(pid)
            seconds = self.feed(port, work)
            used = cpu_at_rest(pid) - before
            rows = self.rows(port)
        return Outcome(sum(count for _, count, _ in rows), seconds, used, None, stored(rows))


class Post:
    """A keep-alive connection that posts bodies to one address; 429 is obeyed, every other refusal is an error."""

    def __init__(self, port: int, path: str, headers: dict[str, str] | None = None) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), 120)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", *(f"{k}: {v}" for k, v in (headers or {}).items())]
        self.head = "\r\n".join(lines).encode()

    def __call__(self, body: bytes) -> None:
        while True:
            self.sock.sendall(b"%s\r\nContent-Length: %d\r\n\r\n" % (self.head, len(body)))
            self.sock.sendall(body)
            status, head, answer = self._answer()
            if status != 429:
                break
            time.sleep(float(field(head, b"retry-after") or 1))
        if status // 100 != 2:
            raise RuntimeError(f"answered {status}: {answer[:200].decode(errors='replace')}")

    def _answer(self) -> tuple[int, bytes, bytes]:
        said = b""
        while b"\r\n\r\n" not in said:
            said += self._more()
        head, _, body = said.partition(b"\r\n\r\n")
        while len(body) < int(field(head, b"content-length") or 0):
            body += self._more()
        return int(head[9:12]), head, body

    def _more(self) -> bytes:
        if not (more := self.sock.recv(65536)):
            raise RuntimeError("the server hung up")
        return more


def field(head: bytes, name: bytes) -> bytes:
    """A header's value; empty when it is not there."""
    found = head.lower().partition(b"\r\n" + name + b":")[2]
    return found.partition(b"\r\n")[0].strip()


def stored(rows: Iterable[tuple[str, int, float]]) -> str:
    """The agreement hash of what is stored: of each thing the number of its readings and their sum, to the cent."""
    lines = sorted(f"{thing} {count} {total:.2f}" for thing, count, total in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def due(folder: Path, passes: int) -> str:
    """The hash that `stored` has to come to."""
    cents: dict[str, list[int]] = {}
    for line in (folder / "obs.csv").read_text().splitlines():
        thing, _, value = line.split(",")
        cents.setdefault(thing, []).append(round(float(value) * 100))
    return stored((thing, len(all_) * passes, sum(all_) * passes / 100) for thing, all_ in cents.items())
