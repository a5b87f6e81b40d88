"""The lean way in, by real sockets: odd requests, requests cut anywhere, smugglers, clients that take their time."""

import asyncio
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from cheng.hub import Hub
from cheng.infrastructure.clock import ManualClock
from cheng.protocols import http_lean
from cheng.protocols.http import HttpDoor
from cheng.protocols.http_lean import Doorway
from cheng.security.actors import HOUSE
from cheng.standards.problems import Refused
from laboratory import open_laboratory

NOW = 1_795_132_800_000
TAKEN = {"accepted": 1, "marked": 0, "refused": []}


class Site:
    """A hub and its lean door on a free port."""

    def __init__(self, hub: Hub, port: int, doorway: Doorway) -> None:
        self.hub, self.port, self.doorway = hub, port, doorway
        self.token = hub.tokens.issue(HOUSE, "box", "device", {"prefixes": ["valve"]})

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def post(self, body: bytes, *more: str, path: str = "/ingest/observations", token: str = "") -> bytes:
        lines = [f"POST {path} HTTP/1.1", "Host: hub", f"Authorization: Bearer {token or self.token}", *more]
        if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in more):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def get(self, thing: str, *more: str, token: str = "") -> bytes:
        lines = [f"GET /api/things/{thing}/state HTTP/1.1", "Host: hub", *more]
        return "\r\n".join([*lines, f"Authorization: Bearer {token or self.token}"]).encode() + b"\r\n\r\n"

    def ask(self, request: bytes, count: int = 1) -> list[tuple[int, dict[str, str], Any]]:
        with self.connect() as sock:
            sock.sendall(request)
            return [answer(sock) for _ in range(count)]


def answer(sock: socket.socket) -> tuple[int, dict[str, str], Any]:
    """One answer, byte for byte, so that the next one stays on the socket."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        assert byte, f"hung up after {head!r}"
        head += byte
    status, *lines = head.decode().strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = b""
    while len(body) < int(headers.get("content-length", 0)):
        body += sock.recv(int(headers["content-length"]) - len(body))
    told = json.loads(body) if body.startswith(b"{") else body
    return int(status.split()[1]), headers, told


def line(thing: str = "valve-1", value: object = 5.0, at: int = 0, attr: str = "pressure") -> bytes:
    return json.dumps({"id": thing, "attr": attr, "time": NOW + at, "value": value}).encode()


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """What stands behind: it tells the body it was sent."""
    if scope["type"] != "http":
        return
    content, more = b"", True
    while more:
        message = await receive()
        content, more = content + message.get("body", b""), message.get("more_body", False)
    headers = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 299, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture
def site(tmp_path: Path, clock: ManualClock) -> Iterator[Site]:
    hub = open_laboratory(tmp_path, clock)
    door = HttpDoor(hub, pages)
    doorway = Doorway(door)
    config = uvicorn.Config(
        door,
        http=doorway.protocol,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,  # type: ignore[arg-type]
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    ready = threading.Event()

    async def run() -> None:
        task = asyncio.create_task(server._serve([listening]))
        while not server.started:
            await asyncio.sleep(0.001)
        ready.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert ready.wait(10)
    yield Site(hub, listening.getsockname()[1], doorway)
    server.should_exit = True
    thread.join(10)
    hub.close()


def test_a_reading_is_answered_when_it_is_in_history(site: Site) -> None:
    ((status, headers, told),) = site.ask(site.post(line()))
    assert (status, told) == (200, TAKEN)
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    assert "date" in headers
    assert site.hub.history.count() == 1


def test_numbers_labels_and_what_goes_the_general_way_are_the_same_readings(site: Site) -> None:
    lines = [
        line(value=5, at=1),
        line(value=True, at=2),
        line(value="open", attr="state", at=3),
        line("valve-unknown", at=4),
        line(attr="colour", at=5),
        line(value=2000, at=6),
        b' {"value": 7, "time": "2026-11-20T08:00:07+08:00", "attr": "pressure", "id": "valve-1", "more": 1} \n',
        b'{"id":"valve-1","attr":"pressure","time":1795132808,"value":0.5,"unit":"MPa"}',
    ]
    with site.connect() as sock:
        for one in lines:
            sock.sendall(site.post(one))
            status, _, told = answer(sock)
            assert (status, told["accepted"]) == (200, 1), one
    kept = site.hub.history.readings()
    found = zip(kept["value"].to_pylist(), (mark > 0 for mark in kept["quality"].to_pylist()), strict=True)
    assert sorted(found) == [
        (0.0, False),
        (1.0, False),
        (5.0, False),
        (5.0, True),
        (5.0, True),
        (7.0, False),
        (500.0, True),
        (2000.0, True),
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (line("van-1"), "not-yours"),
        (line(value="opne", attr="state"), "bad-value"),
        (line(value=[1, 2]), "bad-value"),
        (b'{"id":"valve-1","attr":"pressure","time":"never","value":1}', "bad-time"),
        (b'{"id":"valve-1","attr":"pressure","time":1,"value":01}', "not-understood"),
        (b"\xff\xfe", "not-understood"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_reason(site: Site, body: bytes, code: str) -> None:
    ((status, _, told),) = site.ask(site.post(body))
    assert (status, told["accepted"]) == (200, 0)
    assert [one["code"] for one in told["refused"]] == [code]
    assert site.hub.refused.list()[0].code == code


def test_many_at_once_are_all_there(site: Site) -> None:
    socks = [site.connect() for _ in range(40)]
    for turn in range(5):
        for number, sock in enumerate(socks):
            sock.sendall(site.post(line(f"valve-{number % 3 + 1}", at=turn * 1000 + number)))
        for sock in socks:
            assert answer(sock)[2]["accepted"] == 1
    for sock in socks:
        sock.close()
    assert site.hub.history.count() == 200


def test_a_request_may_be_cut_anywhere(site: Site) -> None:
    request = site.post(line(), "Content-Type: application/x-ndjson")
    with site.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(1, len(request), 7):
            sock.sendall(request[:place])
            time.sleep(0.001)
            sock.sendall(request[place:])
            assert answer(sock)[0] == 200
        for number in range(len(request)):
            sock.sendall(request[number : number + 1])
        assert answer(sock)[2]["accepted"] == 1


def test_requests_sent_without_waiting_are_answered_in_their_order(site: Site) -> None:
    one = site.post(line())
    page = b"GET /page HTTP/1.1\r\nHost: hub\r\n\r\n"
    wrong = site.post(line(), token="cheng_wrong")
    state = site.get("valve-1")
    requests = [one, page, one, one, state, wrong, state, page, page, one]
    statuses = [200, 299, 200, 200, 200, 401, 200, 299, 299, 200]
    assert [told[0] for told in site.ask(b"".join(requests), len(requests))] == statuses
    with site.connect() as sock:  # and cut into pieces that fit nobody
        whole = b"".join(requests)
        for at in range(0, len(whole), 41):
            sock.sendall(whole[at : at + 41])
            time.sleep(0.0005)
        assert [answer(sock)[0] for _ in requests] == statuses


def test_large_batches_other_formats_and_other_ways_to_send_a_body_arrive(site: Site) -> None:
    many = b"\n".join(line("valve-1", at=n * 10) for n in range(5_000))
    ((_, _, told),) = site.ask(site.post(many))
    assert told["accepted"] == 5_000
    packed = gzip.compress(line("valve-2"))
    assert site.ask(site.post(packed, "Content-Encoding: gzip"))[0][2]["accepted"] == 1
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(line("valve-3")), line("valve-3"))
    assert site.ask(site.post(chunked, "Transfer-Encoding: chunked"))[0][2]["accepted"] == 1
    senml = json.dumps([{"n": "valve-1:pressure", "t": NOW / 1000 + 9000, "v": 3}]).encode()
    assert site.ask(site.post(senml, "Content-Type: application/senml+json"))[0][2]["accepted"] == 1
    bell = json.dumps({"event": "Bell", "time": NOW, "valve": "valve-1", "strength": 2}).encode()
    assert site.ask(site.post(bell, path="/ingest/events"))[0][2]["accepted"] == 1


def test_expect_is_answered_before_the_body(site: Site) -> None:
    request = site.post(line(), "Expect: 100-continue")
    head, body = request.split(b"\r\n\r\n", 1)
    with site.connect() as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert answer(sock)[0] == 100
        sock.sendall(body)
        assert answer(sock)[0] == 200


@pytest.mark.parametrize(("version", "header"), [("1.1", "Connection: close"), ("1.0", "X: y")])
def test_a_connection_that_shall_end_ends(site: Site, version: str, header: str) -> None:
    request = site.post(line(), header).replace(b"HTTP/1.1", f"HTTP/{version}".encode())
    with site.connect() as sock:
        sock.sendall(request)
        status, headers, told = answer(sock)
        assert (status, told["accepted"], headers["connection"]) == (200, 1, "close")
        assert sock.recv(1) == b""


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5, 5",),
        ("Content-Length: +5",),
        ("Content-Length: -5",),
        ("Content-Length : 5",),
        ("Content-Length: 5\nX: y",),
        ("X: a\r\n b", "Content-Length: 5"),
        ("X: a\rContent-Length: 5",),
        ("X: a\0b", "Content-Length: 5"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Content-Length: 99999999999999999999999",),
    ],
)
def test_a_request_that_could_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_read(
    site: Site, headers: tuple[str, ...]
) -> None:
    hidden = site.post(line())
    with site.connect() as sock:
        sock.sendall(site.post(b"0\r\n\r\n" + hidden, *headers))
        assert answer(sock)[0] == 400
        assert sock.recv(1) == b""
    assert site.hub.history.count() == 0


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\n\n", b"{}\r\n\r\n"])
def test_what_is_no_http_is_told_so(site: Site, garbage: bytes) -> None:
    with site.connect() as sock:
        sock.sendall(garbage)
        assert answer(sock)[0] == 400
        assert sock.recv(1) == b""


def test_too_much_is_refused_before_it_is_read(site: Site) -> None:
    with site.connect() as sock:
        sock.sendall(site.post(b"", f"Content-Length: {65 * 1024 * 1024}"))
        status, _, told = answer(sock)
        assert (status, told["code"]) == (413, "too-long")
    with site.connect() as sock:
        sock.sendall(b"POST /ingest/observations HTTP/1.1\r\nX: " + b"x" * 40_000)
        status, _, told = answer(sock)
        assert (status, told["code"]) == (431, "head-too-long")
        assert sock.recv(1) == b""


def test_a_revoked_token_is_worth_nothing_on_an_open_connection(site: Site) -> None:
    with site.connect() as sock:
        sock.sendall(site.post(line()))
        assert answer(sock)[0] == 200
        site.hub.tokens.revoke(HOUSE, "box")
        sock.sendall(site.post(line(at=1)))
        status, headers, told = answer(sock)
        assert (status, headers["www-authenticate"], told["code"]) == (401, "Bearer", "token")


def test_whoever_may_not_report_is_told_so_and_the_audit_knows(site: Site) -> None:
    reader = site.hub.tokens.issue(HOUSE, "reader", "citizen")
    ((status, _, told),) = site.ask(site.post(line(), token=reader))
    assert (status, told["code"]) == (403, "not-allowed")


def test_a_full_house_asks_to_come_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise Refused("busy", "More is coming in than can be taken just now.", status=429)

    monkeypatch.setattr(site.hub.pipeline, "submit", full)
    ((status, headers, told),) = site.ask(site.post(line()))
    assert (status, headers["retry-after"], told["code"]) == (429, "1", "busy")


def test_a_full_house_says_so_before_it_reads_what_was_sent(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise Refused("busy", "More is coming in than can be taken just now.", status=429)

    monkeypatch.setattr(site.hub.pipeline.inbox, "check", full)
    ((status, _, told),) = site.ask(site.post(b"nonsense\n" * 10_000))
    assert (status, told["code"], site.hub.refused.total) == (429, "busy", 0)


def test_a_path_prefix_of_a_proxy_is_ours_too(site: Site) -> None:
    object.__setattr__(site.hub.settings, "root_path", "/cheng")
    prefixed = Doorway(site.doorway.door).heads.find
    raw = site.post(line(), path="/cheng/ingest/observations").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    found = prefixed(raw)
    assert found is not None
    assert found.path == "/ingest/observations"
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(line()), line())
    asked = site.post(chunked, "Transfer-Encoding: chunked", path="/cheng/ingest/observations")
    assert site.ask(asked)[0][2]["accepted"] == 1


def test_a_thousand_bad_lines_are_told_one_by_one(site: Site) -> None:
    ((status, _, told),) = site.ask(site.post(b"\n".join([b"x"] * 1_000)))
    assert (status, len(told["refused"])) == (200, 1_000)


def test_what_cannot_be_made_durable_is_not_acknowledged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OSError(5, "the disk is gone")

    monkeypatch.setattr(site.hub.history, "append", broken)
    ((status, _, _),) = site.ask(site.post(line()))
    assert status == 503


def test_slow_clients_are_ended_and_hurt_nobody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("HEAD_TIME", 0.3), ("BODY_TIME", 0.3), ("IDLE_TIME", 0.5), ("TICK", 0.1)):
        monkeypatch.setattr(http_lean, name, seconds)
    whole = site.post(line())
    beginnings = [
        b"",
        b"\n\n",
        whole[:20],
        whole[:-5],
        b"POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    ]
    slow = [site.connect() for _ in range(200)]
    for number, sock in enumerate(slow):
        sock.sendall(beginnings[number % len(beginnings)])
    with site.connect() as sock:
        for at in range(10):
            sock.sendall(site.post(line(at=at)))
            assert answer(sock)[0] == 200
    for sock in slow:
        with suppress(ConnectionResetError):
            assert sock.recv(1) == b""
        sock.close()


def test_a_state_is_what_its_reader_may_see(site: Site) -> None:
    site.ask(site.post(line(value=12.5)))
    ((status, headers, told),) = site.ask(site.get("valve-1"))
    assert status == 200
    assert told["values"]["pressure"] == {"value": 12.5, "time": "2026-11-20T08:00:00+08:00", "unit": "kPa"}
    tag = headers["etag"]
    ((status, _, told),) = site.ask(site.get("valve-1", f"If-None-Match: {tag}"))
    assert (status, told) == (304, b"")
    site.ask(site.post(line(value=13, at=1000)))
    assert site.ask(site.get("valve-1", f"If-None-Match: {tag}"))[0][0] == 200


def test_who_may_not_see_a_thing_does_not_learn_that_it_exists(site: Site) -> None:
    answers = site.ask(site.get("van-1") + site.get("nothing"), 2)
    assert [(status, told["code"]) for status, _, told in answers] == [(404, "not-there")] * 2
    assert site.ask(b"GET /api/things/valve-1/state HTTP/1.1\r\nHost: hub\r\n\r\n")[0][0] == 404
    assert site.ask(site.get("valve-1", token="cheng_wrong"))[0][0] == 401
    assert site.ask(site.get("valve-1").replace(b"GET", b"PUT"))[0][0] == 405
