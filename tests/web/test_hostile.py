"""Whatever a stranger sends, nothing breaks and nothing of it runs (A2, A3, F11)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from house import Visitor

Come = Callable[..., Visitor]
PAYLOADS = (
    "' OR 1=1--",
    "1; DROP TABLE accounts;--",
    "' UNION SELECT password_hash FROM accounts--",
    "{{7*191}}",
    "{% raise %}",
    "${7*191}",
    "{actor.name}",
    "{0.__class__}",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "\r\nSet-Cookie: hit=1",
    "%0d%0aSet-Cookie:%20hit=1",
    "<script>hit()</script>",
    '"><img src=x onerror=hit()>',
    "javascript:hit()",
    "<!ENTITY x SYSTEM 'file:///etc/passwd'>",
    "=cmd|'/c calc'!A1",
    "\x00",
    "\ud7ff\ufffe",
    "𝕳" * 200,
    "x" * 20_000,
    "9" * 400,
    "-1",
    "NaN",
    "1e999",
    "%s%n",
    "[]",
    "{}",
    "null",
    "٣",
)
PATHS = ("/", "/portal", "/sign-in", "/api", "/account", "/nope")
HEADERS = (
    "accept",
    "accept-language",
    "authorization",
    "cookie",
    "content-type",
    "origin",
    "x-csrf-token",
    "hx-request",
)


def fine(answer: Any, payload: str) -> None:
    assert answer.status_code < 500, (answer.url, payload)
    assert "hit=1" not in answer.headers.get("set-cookie", "")
    for effect in ("1337", "<script>hit", "<img src=x", "root:x:"):
        assert effect not in answer.text, (answer.url, payload)


def test_addresses_and_headers_full_of_malice(visitor: Come) -> None:
    stranger = visitor()
    for payload in PAYLOADS:
        for path in PATHS:
            for name in ("lang", "next", "q", "limit", payload):
                fine(stranger.get(path, params={name: payload}), payload)
            fine(stranger.get(f"{path.rstrip('/')}/{quote(payload[:4000], safe='')}"), payload)
        for header in HEADERS:
            fine(stranger.get("/portal", headers={header: raw(payload)}), payload)


def test_forms_full_of_malice(visitor: Come) -> None:
    stranger = visitor()
    secret = stranger.form("/sign-in")
    for payload in PAYLOADS:
        for csrf in (secret, payload):
            for body in ({"name": payload, "password": payload}, {"name": "x", "password": "y", "next": payload}):
                answer = stranger.client.post("/sign-in", data={"csrf": csrf, **body}, follow_redirects=False)
                fine(answer, payload)
        boundary = b"multipart/form-data; boundary=" + raw(payload[:50])
        for kind in (boundary, b"multipart/form-data", b"application/json", b"x/form"):
            answer = stranger.client.post("/sign-in", content=raw(payload), headers={"content-type": kind})
            fine(answer, payload)


def raw(payload: str) -> bytes:
    """A payload as a header can hold it."""
    return payload.encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")


def test_odd_methods(visitor: Come) -> None:
    stranger = visitor()
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOO", "PROPFIND"):
        assert stranger.client.request(method, "/portal").status_code == 405
    assert stranger.client.options("/portal").status_code == 204
