"""Gateways that send W1 over and over: every pass the same readings, dated 1,000 s later, in bytes made beforehand.

A gateway has things of its own and sends them in order, one delivery after the other on one connection. Between two
passes only three digits of each time change, so that making the load costs far less than taking it.
"""

import http.client
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench.peers.lane import Expected, workload

PREFIX = "urn:ngsi-ld:AirQualityObserved:"
THINGS = 10_000
PASS_MS = 1_000_000
FIRST_DIGITS = 1_700_000
"""What a time in milliseconds begins with; 10**6 of them are one pass."""
Payloads = Callable[[int], Iterator[bytes | bytearray]]
"""The deliveries of one gateway in one pass, by the number of the pass."""


@dataclass
class Rows:
    """W1 in columns."""

    thing: npt.NDArray[np.int32]
    ms: npt.NDArray[np.int64]
    value: list[str]


@dataclass
class Sent:
    """What a run of gateways came to."""

    readings: int = 0
    passes: int = 0
    """that all gateways sent whole"""
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    """seconds from each delivery to its answer"""


def rows() -> tuple[Rows, Expected]:
    folder = workload("w1")
    lines = (folder / "obs.csv").read_text().splitlines()
    parts = [line.split(",") for line in lines]
    thing = np.array([int(name[len(PREFIX) :]) for name, _, _ in parts], np.int32)
    ms = np.array([int(time) for _, time, _ in parts], np.int64)
    if ms.min() // PASS_MS != FIRST_DIGITS or ms.max() // PASS_MS != FIRST_DIGITS:
        raise SystemExit("W1 does not fit into one pass of 1,000 s")
    return Rows(thing, ms, [value for _, _, value in parts]), Expected.of(folder)


def shares(rows: Rows, gateways: int, batch: int) -> list[list[npt.NDArray[np.intp]]]:
    """The rows of each delivery of each gateway."""
    parts = [np.flatnonzero(rows.thing % gateways == number) for number in range(gateways)]
    return [[part[at : at + batch] for at in range(0, len(part), batch)] for part in parts]


class Text:
    """Deliveries whose times stand in the text, patched in place."""

    def __init__(self, payloads: list[bytes]) -> None:
        self.payloads = [bytearray(payload) for payload in payloads]
        self.places = []
        for payload in self.payloads:
            found, at = [], payload.find(b"1700000")
            while at >= 0:
                found.append(at)
                at = payload.find(b"1700000", at + 7)
            self.places.append(np.array(found, np.intp)[:, None] + np.arange(3, 7))

    def __call__(self, number: int) -> Iterator[bytes | bytearray]:
        digits = np.frombuffer(str(FIRST_DIGITS + number).encode(), np.uint8)[3:]
        for payload, places in zip(self.payloads, self.places, strict=True):
            np.frombuffer(payload, np.uint8)[places] = digits
            yield payload


class Columns:
    """Deliveries as Arrow streams."""

    def __init__(self, tables: list[pa.Table]) -> None:
        self.tables = tables

    def __call__(self, number: int) -> Iterator[bytes]:
        for table in self.tables:
            later = pa.array(table["time"].to_numpy() + number * PASS_MS)
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table.set_column(2, "time", later))
            yield sink.getvalue().to_pybytes()


def ndjson(rows: Rows, parts: list[npt.NDArray[np.intp]]) -> Payloads:
    def line(thing: int, ms: int, value: str) -> str:
        return f'{{"id":"{PREFIX}{thing:05d}","attr":"pm10","time":{ms},"value":{value}}}'

    return Text(["\n".join(said(rows, part, line)).encode() for part in parts])


def senml(rows: Rows, parts: list[npt.NDArray[np.intp]]) -> Payloads:
    def record(thing: int, ms: int, value: str) -> str:
        return f'{{"n":"{PREFIX}{thing:05d}:pm10","t":{ms // 1000}.{ms % 1000:03d},"v":{value}}}'

    return Text([f"[{','.join(said(rows, part, record))}]".encode() for part in parts])


def said(rows: Rows, part: npt.NDArray[np.intp], form: Callable[[int, int, str], str]) -> Iterator[str]:
    """Each of these rows in words."""
    for thing, ms, row in zip(rows.thing[part].tolist(), rows.ms[part].tolist(), part.tolist(), strict=True):
        yield form(thing, ms, rows.value[row])


def arrow(rows: Rows, parts: list[npt.NDArray[np.intp]]) -> Payloads:
    names = pa.array([f"{PREFIX}{number:05d}" for number in range(THINGS)])
    tables = []
    for part in parts:
        ids = pa.DictionaryArray.from_arrays(pa.array(rows.thing[part]), names)
        attrs = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(part), np.int8)), ["pm10"])
        values = pa.array([float(rows.value[row]) for row in part.tolist()])
        tables.append(pa.table({"id": ids, "attr": attrs, "time": pa.array(rows.ms[part]), "value": values}))
    return Columns(tables)


FORMATS = {
    "ndjson": (ndjson, "application/x-ndjson"),
    "senml": (senml, "application/senml+json"),
    "arrow": (arrow, "application/vnd.apache.arrow.stream"),
}


class Gateway(threading.Thread):
    """Sends pass after pass until the time is over; a pass that was begun is ended, so that the alerts are known."""

    def __init__(self, port: int, token: str, media_type: str, payloads: Payloads, until: "Until") -> None:
        super().__init__()
        self.port, self.payloads, self.until = port, payloads, until
        self.headers = {"authorization": f"Bearer {token}", "content-type": media_type}
        self.sent = Sent()
        self.trouble = ""

    def run(self) -> None:
        try:
            self._send()
        except Exception as error:
            self.trouble = f"{type(error).__name__}: {error}"
            self.until.give_up()

    def _send(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        while self.until.next_pass(self.sent.passes):
            for payload in self.payloads(self.sent.passes):
                self._deliver(connection, payload)
            self.sent.passes += 1
        connection.close()

    def _deliver(self, connection: http.client.HTTPConnection, payload: bytes | bytearray) -> None:
        while True:
            start = time.perf_counter()
            connection.request("POST", "/ingest/observations", payload, self.headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            if answer.status != 429:
                break
            time.sleep(float(answer.headers["retry-after"]))
        if answer.status != 200 or said["refused"]:
            raise RuntimeError(f"answered {answer.status}: {str(said)[:200]}")
        self.sent.waits.append(time.perf_counter() - start)
        self.sent.readings += said["accepted"]


class Until:
    """When the gateways stop: all after the same pass, the first that would begin later than the time given."""

    def __init__(self, seconds: float, most: int = 999) -> None:
        self.end, self.most = time.perf_counter() + seconds, most
        self._begun = -1
        self._lock = threading.Lock()

    def next_pass(self, number: int) -> bool:
        with self._lock:
            if number > self._begun and number < self.most and time.perf_counter() < self.end:
                self._begun = number
            return number <= self._begun

    def give_up(self) -> None:
        self.most = 0


def send(port: int, token: str, kind: str, parts: list[Payloads], seconds: float, passes: int = 999) -> Sent:
    """All gateways at once, for so many seconds; what they came to. SystemExit when a delivery was refused."""
    until = Until(seconds, passes)
    gateways = [Gateway(port, token, FORMATS[kind][1], payloads, until) for payloads in parts]
    start = time.perf_counter()
    for gateway in gateways:
        gateway.start()
    for gateway in gateways:
        gateway.join()
    passed = time.perf_counter() - start
    if trouble := [gateway.trouble for gateway in gateways if gateway.trouble]:
        raise SystemExit(f"{kind}: {trouble[0]}")
    waits = [wait for gateway in gateways for wait in gateway.sent.waits]
    return Sent(sum(g.sent.readings for g in gateways), min(g.sent.passes for g in gateways), passed, waits)


def payloads(kind: str, gateways: int, batch: int) -> tuple[list[Payloads], Expected]:
    """The deliveries of each gateway, made beforehand; and the alerts due in one pass."""
    table, expected = rows()
    make: Callable[[Rows, list[npt.NDArray[np.intp]]], Payloads] = FORMATS[kind][0]
    return [make(table, parts) for parts in shares(table, gateways, batch)], expected


def alerts_in(data: Path) -> list[str]:
    """The things of all alerts in the register of a hub that has been stopped, one for each alert."""
    with sqlite3.connect(data / "cheng.db") as conn:
        return [thing for (thing,) in conn.execute("SELECT thing_id FROM alerts WHERE state <> 'withdrawn'")]
