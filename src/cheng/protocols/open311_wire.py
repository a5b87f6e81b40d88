"""One question to another city's endpoint: at the address the operator wrote down and nowhere else.

Redirections are not followed, for they would carry our key elsewhere; proxies of the environment are not used; an
answer has a greatest size, and question and answer together a greatest time, however slowly it trickles in.
"""

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

LONGEST = 2_000_000
"""Bytes of an answer."""
PIECE = 65_536
PATIENCE = 15.0
"""Seconds for all of it."""


class NotSentError(Exception):
    """They could not be reached: nothing of the question got there."""


class LostError(Exception):
    """The question went out, and no answer that could be read came back: nobody knows whether it arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What they said."""

    status: int
    content: bytes


def ask(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    patience: float = PATIENCE,
) -> Answer:
    """Their answer, whatever its status. NotSentError or LostError when there is none."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    with connected(parts.scheme, parts.hostname or "", parts.port, patience) as connection:
        try:
            connection.request(method, target, body, {"Connection": "close", **(headers or {})})
            with connection.getresponse() as answer:
                return Answer(answer.status, content_of(answer))
        except (OSError, HTTPException, ValueError) as error:
            raise LostError from error


@contextmanager
def connected(scheme: str, host: str, port: int | None, patience: float) -> Iterator[HTTPConnection]:
    """A connection that is cut when the time is over. NotSentError when there can be none."""
    secure = scheme == "https"
    try:
        line = socket.create_connection((host, port or (443 if secure else 80)), patience)
    except (OSError, ValueError) as error:
        raise NotSentError from error
    cut = threading.Timer(patience, hang_up, [line])
    try:
        if secure:
            # the handshake by hand: it has to be cut like everything else
            context = ssl.create_default_context()
            cut.args = [line := context.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)]
        cut.start()
        if isinstance(line, ssl.SSLSocket):
            shake_hands(line)
        connection = HTTPConnection(host, port)
        connection.default_port = 443 if secure else 80
        connection.sock = line
        yield connection
    finally:
        cut.cancel()
        line.close()


def shake_hands(line: ssl.SSLSocket) -> None:
    try:
        line.do_handshake()
    except (OSError, ValueError) as error:
        raise NotSentError from error


def hang_up(line: socket.socket) -> None:
    """Whoever reads from it hears at once that there is nothing more."""
    try:
        socket.socket.shutdown(line, socket.SHUT_RDWR)
    except OSError:
        return  # it is over already


def content_of(answer: HTTPResponse) -> bytes:
    """All of it; ValueError when it is too much, or was cut off."""
    content = bytearray()
    while piece := answer.read(PIECE):
        content += piece
        if len(content) > LONGEST:
            raise ValueError("the answer is too long")
    if answer.length:
        raise ValueError("the answer was cut off")
    return bytes(content)
