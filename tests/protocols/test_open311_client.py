"""Speaking to another city: in the format it knows, to its own address only, and believing little of what it says."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stub_city import PATIENCE, Stub, stub_city

from cheng.beside import Attribute, Offered
from cheng.infrastructure.neighbours import Neighbour
from cheng.protocols.open311_client import Client, Stands
from cheng.protocols.open311_reading import CUT, read, rows, sentence, word
from cheng.protocols.open311_wire import LONGEST
from cheng.standards.problems import Refused

SECRET = "s3cret-key"


def client(stub: Stub, **more: str) -> Client:
    return Client(Neighbour("Far", stub.url, "far.org", SECRET, **more), "en", PATIENCE)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_json_or_xml_whatever_they_know(form: str) -> None:
    with stub_city(form=form) as stub:
        far = client(stub)
        assert far.services() == [Offered("rubbish", "Rubbish", "Streets", asks=True)]
        (size,) = far.attributes("rubbish")
        choices = (("s", "Small"), ("l", "Large"))
        assert size == Attribute("size", "How large?", "singlevaluelist", required=True, values=choices)
        number, token = far.file({"service_code": "rubbish", "description": "Über <b>", "attribute[size]": "s"}, "once")
        assert (number, token) == ("R-1", "")
        told = stub.posted[0]
        assert (told["api_key"], told["jurisdiction_id"], told["description"]) == (SECRET, "far.org", "Über <b>")
        far.file({"description": "x ABCDEFG y"}, "two")
        stub.says("R-1", "closed", "Done & <i>gone</i>")
        stand = far.stand(["R-1", "R-2", "R-9"])
        assert stand == {"R-1": Stands("R-1", "closed", "Done & <i>gone</i>"), "R-2": Stands("R-2", "open", "Received")}
        assert far.stand(["R-2"]).keys() == {"R-2"}
        assert far.find("ABCDEFG", "rubbish", "2026-11-19T00:00:00+08:00") == "R-2"
        assert far.find("NOTHERE", "rubbish", "2026-11-19T00:00:00+08:00") == ""
        assert all(SECRET not in question for question in stub.asked)
        assert sum("services.json" in question for question in stub.asked) == 1, "the format is found out once"


def test_a_report_goes_out_in_the_format_they_know_also_when_it_is_the_first_question() -> None:
    with stub_city(form="xml") as stub:
        assert client(stub).file({"description": "x"}, "once") == ("R-1", "")
        assert len(stub.posted) == 1


def test_numbers_written_as_numbers_are_numbers() -> None:
    with stub_city(reply=lambda method, path: (200, b'[{"service_request_id":293944,"status":"OPEN"}]', {})) as stub:
        assert client(stub).stand(["293944"])["293944"].status == "open"


BAD = {
    "empty": b"",
    "page": b"<html><p>Hello</html>",
    "object": b"{}",
    "numbers": b"[1]",
    "bytes": b"\xff",
    "deep": b"[" * 100_000,
    "deep xml": b"<a>" * 100_000,
    "bomb": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
    "file": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><services><service>&b;</service></services>',
    "utf-16": '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>'.encode("utf-16"),
    "half": b"<services><service>",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_what_nobody_can_read_is_said(content: bytes) -> None:
    with stub_city(reply=lambda method, path: (200, content, {})) as stub:
        with pytest.raises(Refused, match="Open311 does not know") as error:
            client(stub).services()
        assert error.value.code == "city-strange"


def test_too_much_is_not_read() -> None:
    with (
        stub_city(reply=lambda method, path: (200, b" " * (LONGEST + 1), {})) as stub,
        pytest.raises(Refused, match="did not answer as it should"),
    ):
        client(stub).services()


def test_nobody_is_sent_elsewhere() -> None:
    with stub_city() as trap:
        moved = lambda method, path: (302, b"", {"Location": f"{trap.url}/services.json"})  # noqa: E731
        with stub_city(reply=moved) as stub:
            for work in (client(stub).services, lambda: client(stub).file({"description": "x"}, "1")):
                with pytest.raises(Refused, match="another address") as error:
                    work()
                assert error.value.code == "city-refused"
        assert trap.asked == []


@contextmanager
def trickling(piece: bytes) -> Iterator[str]:
    """A server that says a little again and again, and never all."""
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)

    def run() -> None:
        lines = list[Any]()
        while not over.wait(0.05):
            with suppress(TimeoutError):
                lines.append(listening.accept()[0])
            for line in lines:
                with suppress(OSError):
                    line.sendall(piece)
        for line in lines:
            line.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v2"
    finally:
        over.set()
        thread.join()
        listening.close()


@pytest.mark.parametrize("piece", [b"X-A: b\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_who_answers_drop_by_drop_is_cut_off(piece: bytes) -> None:
    with trickling(piece) as url, pytest.raises(Refused) as error:
        Client(Neighbour("Far", url), patience=0.5).services()
    assert error.value.code == "city-lost"


def test_who_is_not_there_is_said() -> None:
    far = Client(Neighbour("Far", "http://127.0.0.1:9/v2", key=SECRET), patience=2)
    with pytest.raises(Refused, match="Far cannot be reached") as error:
        far.services()
    assert error.value.code == "city-silent"
    for url in ("https://127.0.0.1:9/v2", "http://no-such-host.invalid/v2"):
        with pytest.raises(Refused) as error:
            Client(Neighbour("Far", url), patience=2).services()
        assert error.value.code == "city-silent"


def test_a_city_that_is_no_https_is_not_spoken_to_in_the_clear() -> None:
    with stub_city() as stub, pytest.raises(Refused) as error:
        Client(Neighbour("Far", stub.url.replace("http:", "https:"), key=SECRET), patience=2).services()
    assert error.value.code == "city-silent"
    assert stub.asked == []


@pytest.mark.parametrize(
    ("status", "code"), [(400, "refused"), (403, "refused"), (429, "busy"), (503, "lost"), (500, "lost"), (502, "lost")]
)
def test_what_a_status_means(status: int, code: str) -> None:
    told = f'[{{"code":{status},"description":"Not you, {SECRET}."}}]'.encode()
    with stub_city(reply=lambda method, path: (status, told, {})) as stub:
        far = client(stub)
        far.form = "json"
        with pytest.raises(Refused) as error:
            far.file({"description": "x"}, "1")
        assert error.value.code == f"city-{code}"
        assert SECRET not in str(error.value)
        assert SECRET not in repr(far.city)


def test_signs_that_turn_text_round_are_left_out_and_long_ones_cut() -> None:
    assert word({"a": "x\x00\u202ey\nz"}, "a") == "xy\nz"
    assert len(word({"a": "x" * 10_000}, "a")) == CUT
    assert word({"a": "\ud800half"}, "a") == "half"
    assert sentence(b"<errors><error><code>400</code><description>No.</description></error></errors>") == "No."
    assert sentence(b"<html>") == ""


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"<a>{text}</a>".encode()))
def test_whatever_they_say_it_is_read_or_refused(content: bytes) -> None:
    try:
        told = rows(content)
    except ValueError:
        return
    assert all(isinstance(row, dict) for row in told)


def test_xml_with_spaces_names_and_comments_is_read() -> None:
    told = b'\n<?xml version="1.0" encoding="UTF-8"?><!-- a --><n:services xmlns:n="urn:x"><service><service_code> 7 '
    told += b"</service_code><keywords/></service></n:services>"
    assert read(told) == [{"service_code": "7", "keywords": ""}]
