"""The lean way in, by real sockets: readings and states, odd requests, requests cut anywhere."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_site import NOW, Site, answer, line, opened

from cheng.infrastructure.clock import ManualClock

TAKEN = {"accepted": 1, "marked": 0, "refused": []}


@pytest.fixture
def site(tmp_path: Path, clock: ManualClock) -> Iterator[Site]:
    with opened(tmp_path, clock) as site:
        yield site


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


def test_a_thousand_bad_lines_are_told_one_by_one(site: Site) -> None:
    ((status, _, told),) = site.ask(site.post(b"\n".join([b"x"] * 1_000)))
    assert (status, len(told["refused"])) == (200, 1_000)


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
