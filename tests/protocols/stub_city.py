"""Another city that answers as it is told: in JSON or XML, with tokens, by losing its answers, or with malice."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

PATIENCE = 1.0
SERVICE = {"service_code": "rubbish", "service_name": "Rubbish", "metadata": True, "group": "Streets"}
ATTRIBUTES: list[dict[str, Any]] = [
    {"code": "size", "description": "How large?", "variable": True, "required": True, "datatype": "singlevaluelist"},
    {"code": "note", "description": "We come on Mondays.", "variable": False, "datatype": "string"},
]
ATTRIBUTES[0]["values"] = [{"key": "s", "name": "Small"}, {"key": "l", "name": "Large"}]
ITEM = {"services": "service", "service_requests": "request", "attributes": "attribute", "values": "value"}

Reply = tuple[int, bytes, dict[str, str]]


@dataclass
class Stub:
    """What it holds, how it behaves, and what it was asked."""

    url: str = ""
    form: str = "json"
    tokens: bool = False
    """gives numbers later"""
    loses: int = 0
    """so many answers to reports get lost after the report was taken"""
    drops: int = 0
    """so many reports get lost before they are taken"""
    reports: dict[str, dict[str, str]] = field(default_factory=dict)
    states: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """method and address of each question"""
    posted: list[dict[str, str]] = field(default_factory=list)
    reply: Callable[[str, str], Reply | None] = lambda method, path: None
    """takes the place of an answer where it returns one"""
    batched: bool = True
    """whether several numbers can be asked about at once"""

    def says(self, number: str, status: str, notes: str = "") -> None:
        self.states[number] = (status, notes)

    def answer(self, method: str, path: str, form: dict[str, str]) -> Reply | None:
        """None: the line is cut."""
        name, _, ending = urlsplit(path).path.removeprefix("/v2/").rpartition(".")
        query = {key: values[0] for key, values in parse_qs(urlsplit(path).query).items()}
        if (told := self.reply(method, name)) is not None:
            return told
        if ending != self.form:
            return 404, b"<html>no such page</html>", {}
        if method == "POST":
            return self.take(form)
        if name == "services":
            return self.written("services", [SERVICE])
        if name == "services/rubbish":
            return self.written("service_definition", {"service_code": "rubbish", "attributes": ATTRIBUTES})
        if name.startswith("tokens/"):
            number = unquote(name.removeprefix("tokens/")).removeprefix("t/") if not self.tokens else ""
            return self.written("service_requests", [{"service_request_id": number, "token": "t"}])
        if "," in query.get("service_request_id", "") and not self.batched:
            return self.written("service_requests", [])
        one = unquote(name.removeprefix("requests/")) if name.startswith("requests/") else ""
        wanted = [one] if one else query["service_request_id"].split(",") if "service_request_id" in query else None
        numbers = [number for number in self.reports if wanted is None or number in wanted]
        return self.written("service_requests", [self.told(number) for number in numbers])

    def take(self, form: dict[str, str]) -> Reply | None:
        if self.drops:
            self.drops -= 1
            return None
        number = f"R-{len(self.reports) + 1}"
        self.reports[number] = form
        self.says(number, "open", "Received")
        if self.loses:
            self.loses -= 1
            return None
        told = {"token": f"t/{number}"} if self.tokens else {"service_request_id": number}
        return self.written("service_requests", [told])

    def told(self, number: str) -> dict[str, str]:
        status, notes = self.states[number]
        about = {"service_request_id": number, "status": status, "status_notes": notes}
        return about | {"description": self.reports[number].get("description", "")}

    def written(self, root: str, data: Any) -> Reply:
        if self.form == "json":
            return 200, json.dumps(data).encode(), {"Content-Type": "application/json"}
        made = Element(root)
        fill(made, root, data)
        return 200, tostring(made, encoding="utf-8", xml_declaration=True), {"Content-Type": "text/xml"}


def fill(made: Element, name: str, data: Any) -> None:
    if isinstance(data, dict):
        for key, value in data.items():
            fill(SubElement(made, key), key, value)
    elif isinstance(data, list):
        for value in data:
            fill(SubElement(made, ITEM[name]), ITEM[name], value)
    else:
        made.text = str(data).lower() if isinstance(data, bool) else str(data)


@contextmanager
def stub_city(**behaviour: Any) -> Iterator[Stub]:
    """The city on a free port, until the block is left."""
    stub = Stub(**behaviour)

    class Says(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            form = {key: ",".join(values) for key, values in parse_qs(body).items()}
            stub.asked.append(f"{self.command} {self.path}")
            if self.command == "POST":
                stub.posted.append(form)
            told = stub.answer(self.command, self.path, form)
            self.close_connection = True
            if told is None:
                return
            self.send_response(told[0])
            for name, value in {"Content-Length": str(len(told[1])), **told[2]}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(told[1])

        do_POST = do_GET  # noqa: N815

        def log_message(self, *told: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Says)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}/v2"
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
