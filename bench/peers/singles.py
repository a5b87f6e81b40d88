"""Peers that take one reading a request, 16 connections: each judges or keeps as its users would have it.

InfluxDB and Node-RED are sent requests by the generator that ours are sent by. PostgreSQL is driven by its own pgbench,
a program in C: one prepared statement keeps the reading and brings the thing's state up to date.
"""

import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench import raw_http
from bench.measuring import cpu_seconds, folder, free_port, program, wait_for
from bench.peers.influxdb import InfluxDB, ask
from bench.peers.lane import Outcome
from bench.peers.node_red import NODE_RED, NodeRed, function, node
from bench.peers.postgresql import PostgreSQL, patient
from bench.peers.streams import JOBS

CONNECTIONS, SECONDS, HOMES, MOST = 16, 6, 1_000, 300_000
START = 1_795_132_800_000
KEPT = "every reading that was acknowledged is there"


def readings() -> Iterator[tuple[int, int, bytes]]:
    """home, ms and value: each home reports every second."""
    for number in range(MOST):
        yield number % HOMES + 1, START + number // HOMES * 1000, b"%d.5" % (number % 4)


def request(path: str, body: bytes, token: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Authorization: {token}\r\n" if token else ""
    return head.encode() + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def posted(pid: int, port: int, data: Path, requests: Iterator[bytes]) -> Outcome:
    """What the generator came to; the digest is for the caller to say."""
    file = raw_http.write(data / "requests", requests)
    before = cpu_seconds(pid)
    told = raw_http.finished(raw_http.start(port, SECONDS, CONNECTIONS, "", file))
    return Outcome(
        told["answered"], told["seconds"], cpu_seconds(pid) - before, None, None, f"p99 {told['p99']:.0f} ms"
    )


def settled(outcome: Outcome, stored: int) -> Outcome:
    outcome.digest = KEPT if stored == outcome.readings else f"{stored:,} of {outcome.readings:,} are there"
    return outcome


class InfluxSingles(InfluxDB):
    def run(self, work: Path) -> Outcome:
        with folder() as data, self.serving(data) as (pid, port):
            path = "/write?db=city&precision=ms"
            lines = (request(path, b"gas,id=home-%d value=%s %d" % (n, v, ms)) for n, ms, v in readings())
            outcome = posted(pid, port, data, lines)
            stored = ask(port, "SELECT count(value) FROM gas")["series"][0]["values"][0][1]
        return settled(outcome, stored)


class PostgresSingles(PostgreSQL):
    name = "PostgreSQL insert + update"
    tables = f"""
    DROP TABLE readings;
    CREATE TABLE readings (thing integer NOT NULL, time timestamptz NOT NULL, value double precision NOT NULL);
    CREATE INDEX ON readings (thing, time);
    CREATE TABLE latest (thing integer PRIMARY KEY, time timestamptz, value double precision) WITH (fillfactor = 50);
    INSERT INTO latest SELECT generate_series(1, {HOMES});
    """
    script = f"""
    \\set thing random(1, {HOMES})
    WITH kept AS (INSERT INTO readings VALUES (:thing, clock_timestamp(), 2.5))
    UPDATE latest SET time = clock_timestamp(), value = 2.5 WHERE thing = :thing;
    """

    def run(self, work: Path) -> Outcome:
        with folder() as data, self.serving(data) as (pid, port):
            with patient(port) as connection:
                connection.execute(self.tables)
            (data / "script.sql").write_text(self.script)
            words = f"-n -M prepared -c {CONNECTIONS} -j 2 -T {SECONDS} -h 127.0.0.1 -p {port} -U bench -f".split()
            command = [self.programs / "pgbench", *words, data / "script.sql", "postgres"]
            before = cpu_seconds(pid)
            told = subprocess.run(command, capture_output=True, text=True, check=True, env=self.surroundings()).stdout
            used = cpu_seconds(pid) - before
            with patient(port) as connection:
                (stored,) = connection.execute("SELECT count(*) FROM readings").fetchone() or (0,)
        done = int(re.findall(r"actually processed: (\d+)", told)[0])
        rate = float(re.findall(r"tps = ([\d.]+)", told)[0])
        return settled(Outcome(done, done / rate, used, None, None), int(stored))


class NodeRedSingles(NodeRed):
    """http in, the checks and the rule in a function, http response: nothing is kept."""

    code = """
    const { id, time, value } = msg.payload ?? {};
    if (typeof id !== 'string' || !Number.isFinite(time) || !Number.isFinite(value)) {
        msg.statusCode = 400; msg.payload = ''; return msg;
    }
    const above = context.get('above');
    if (value <= 80) above.delete(id);
    else if (!above.has(id)) above.set(id, time);
    else if (time - above.get(id) >= 60000) { above.set(id, Infinity); node.warn(id); }
    flow.set('taken', flow.get('taken') + 1);
    msg.statusCode = 200; msg.payload = ''; return msg;
    """
    nodes = (
        node("post", "http in", ["judge"], url="/readings", method="post"),
        function("judge", ["answer"], code, "context.set('above', new Map()); flow.set('taken', 0);"),
        node("get", "http in", ["taken"], url="/taken", method="get"),
        function("taken", ["answer"], "msg.payload = { taken: flow.get('taken') }; return msg;"),
        node("answer", "http response", []),
    )

    def run(self, work: Path) -> Outcome:
        port = free_port()
        with folder() as data:
            (data / "flows.json").write_text(json.dumps([{"id": "tab", "type": "tab", "label": "door"}, *self.nodes]))
            red = str(self.home / "node_modules" / "node-red" / "red.js")
            settings = str(JOBS / "node_red_door_settings.js")
            words = ["node", red, "--userDir", str(data), "--settings", settings, "--port", str(port), "flows.json"]
            with program(words) as server:
                wait_for(port)
                taken(port)
                bodies = (b'{"id":"home-%d","attr":"gas","time":%d,"value":%s}' % (n, ms, v) for n, ms, v in readings())
                outcome = posted(server.pid, port, data, (request("/readings", body) for body in bodies))
                return settled(outcome, taken(port))

    def version(self) -> str:
        return NODE_RED


def taken(port: int) -> int:
    """How many readings Node-RED has seen; its door opens a little after its port."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/taken", timeout=10) as response:
                return int(json.load(response)["taken"])
        except urllib.error.HTTPError:
            time.sleep(0.1)
    raise RuntimeError("Node-RED does not answer")
