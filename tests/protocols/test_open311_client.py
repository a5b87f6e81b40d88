"""Handing a case to another city: its number comes back, its status is followed, and strange answers do no harm."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from report_town import HERE, OUTSIDE, open_town

from cheng.protocols.open311_client import LONGEST, Client, Endpoint, Offered
from cheng.standards.problems import Refused


def test_a_case_is_handed_over_and_followed(tmp_path: Path) -> None:
    with open_town(tmp_path, language="en") as town:
        client = Client(Endpoint("Next City", f"{town.url}/open311/v2/", town.key))
        assert client.services()[0] == Offered("C0201", "Street lamp", "Lighting")
        number = client.file("C0201", "The lamp is out.", HERE, once="case-1")
        assert client.file("C0201", "The lamp is out.", HERE, once="case-1") == number
        assert client.ask(number).open
        town.act(number, "void", reason="Nothing there.")
        stands = client.ask(number)
        assert (stands.number, stands.open) == (number, False)
        assert stands.notes.startswith("It is not followed any further")
        for code, place in (("X", HERE), ("C0201", OUTSIDE), ("C0201", None)):
            with pytest.raises(Refused, match="Next City did not take it: ") as error:
                client.file(code, "Again.", place)
            assert error.value.status == 409
        with pytest.raises(Refused, match="not valid"):
            Client(Endpoint("Next City", f"{town.url}/open311/v2", "forged")).file("C0201", "x", HERE)
        with pytest.raises(Refused, match="There is no request"):
            client.ask("20261120-000099")
        assert town.counted()[0] == 1


@contextmanager
def answering(status: int, content: bytes, **headers: str) -> Iterator[tuple[Client, list[str]]]:
    """An endpoint that says one thing only, and what it was asked."""
    asked: list[str] = []

    class Says(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("content-length", 0))
            asked.append(f"{self.path} {self.rfile.read(length).decode()}")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *told: Any) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Says)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Client(Endpoint("Far", f"http://127.0.0.1:{server.server_port}", "k", "far.org")), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_numbers_may_be_written_as_numbers_and_come_later_by_a_token() -> None:
    with answering(200, b'[{"service_request_id":293944,"token":null,"status":"closed"}]') as (client, asked):
        assert client.file("1", "x", HERE) == "293944"
        assert not client.ask("293944").open
        assert asked[1] == "/requests/293944.json?jurisdiction_id=far.org "
        assert "api_key=k" in asked[0]
        assert "jurisdiction_id=far.org" in asked[0]
    with answering(200, b'[{"service_request_id":"","token":"t/1"}]') as (client, asked):
        assert client.file("1", "x", HERE) == "token:t/1"
        assert client.ask("token:t/1").open
        assert asked[1].startswith("/tokens/t%2F1.json")


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"{}", b"[]", b"[1]", b'[{"status":"half"}]', b"\xff", b"[" * 100_000, b" " * (LONGEST + 1)],
    ids=lambda each: str(each[:12]),
)
def test_a_strange_answer_is_said(content: bytes) -> None:
    with answering(200, content) as (client, _), pytest.raises(Refused, match="Open311 does not know") as error:
        client.ask("1")
    assert error.value.status == 502


def test_nobody_is_sent_elsewhere() -> None:
    with answering(200, b"[]") as (_, asked):
        with answering(302, b"", Location="http://127.0.0.1:9/") as (client, _), pytest.raises(Refused, match="302"):
            client.file("1", "x", HERE)
        assert asked == []


def test_who_is_not_there_is_said() -> None:
    with pytest.raises(Refused, match="Far cannot be reached") as error:
        Client(Endpoint("Far", "http://127.0.0.1:9"), patience=2).services()
    assert error.value.status == 502
    with answering(503, b"down") as (client, _), pytest.raises(Refused, match="HTTP 503"):
        client.services()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x", "next.example", "https://", ""])
def test_an_address_that_is_none_is_no_endpoint(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Endpoint("Next", url)
