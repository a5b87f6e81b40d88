"""What the lean way in does not take: smugglers, too much, whoever may not, and clients that take their time."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from http_site import Site, answer, line, opened

from cheng.infrastructure.clock import ManualClock
from cheng.protocols import http_lean
from cheng.protocols.http_lean import Doorway
from cheng.security.actors import HOUSE
from cheng.standards.problems import Refused


@pytest.fixture
def site(tmp_path: Path, clock: ManualClock) -> Iterator[Site]:
    with opened(tmp_path, clock) as site:
        yield site


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


def test_a_stream_is_written_beside_the_server_and_the_connection_goes_on(site: Site) -> None:
    with site.connect() as sock:
        sock.sendall(b"GET /stream HTTP/1.1\r\nHost: hub\r\n\r\n")
        said = b""
        while not said.endswith(b"0\r\n\r\n"):
            said += sock.recv(1 << 20)
        assert said.count(b"186a0\r\n") == 20
        assert b"6\r\nbegin\n\r\n" in said
        sock.sendall(site.post(line()))
        assert answer(sock)[0] == 200


def test_who_leaves_a_stream_unread_is_ended(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("READ_TIME", 0.3), ("TICK", 0.1)):
        monkeypatch.setattr(http_lean, name, seconds)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", site.port))
        deaf.sendall(b"GET /stream HTTP/1.1\r\nHost: hub\r\n\r\n")
        end = time.monotonic() + 20
        while site.doorway.connections or not site.doorway.now:
            assert time.monotonic() < end, "still there"
            time.sleep(0.05)
