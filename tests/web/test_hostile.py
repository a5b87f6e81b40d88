"""Whatever a stranger sends, nothing breaks and nothing of it runs (A2, A3, F11)."""

from collections.abc import Callable

import pytest
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


def fine(answer: object, payload: str) -> None:
    assert answer.status_code < 500, (answer.url, payload)  # type: ignore[attr-defined]
    assert "set-cookie" not in answer.headers or "hit=1" not in answer.headers["set-cookie"]  # type: ignore[attr-defined]
    text = answer.text  # type: ignore[attr-defined]
    assert "1337" not in text
    assert "<script>hit" not in text
    assert "<img src=x" not in text
    assert "root:x:" not in text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_addresses_and_headers_full_of_malice(visitor: Come, payload: str) -> None:
    stranger = visitor()
    for path in PATHS:
        for name in ("lang", "next", "q", "limit", "done", payload):
            fine(stranger.get(path, params={name: payload}), payload)
        fine(stranger.get(path + "/" + payload.replace("\x00", "%00")[:4000]), payload)
    for header in HEADERS:
        value = payload.encode("utf-8", "replace").replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")
        fine(stranger.get("/portal", headers={header: value}), payload)  # type: ignore[dict-item]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_forms_full_of_malice(visitor: Come, payload: str) -> None:
    stranger = visitor()
    secret = stranger.form("/sign-in")
    for body in ({"name": payload, "password": payload}, {"name": "x", "password": "y", "next": payload}):
        fine(stranger.client.post("/sign-in", data={"csrf": secret, **body}, follow_redirects=False), payload)
        fine(stranger.client.post("/sign-in", data={"csrf": payload, **body}, follow_redirects=False), payload)
    for kind in ("multipart/form-data; boundary=" + payload[:50], "multipart/form-data", "application/json", "x/form"):
        plain = kind.encode("ascii", "ignore").decode().replace("\r", "").replace("\n", "").replace("\x00", "")
        raw = payload.encode("utf-8", "replace")
        fine(stranger.client.post("/sign-in", content=raw, headers={"content-type": plain}), payload)


def test_odd_methods(visitor: Come) -> None:
    stranger = visitor()
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "FOO", "PROPFIND"):
        assert stranger.client.request(method, "/portal").status_code == 405
    assert stranger.client.options("/portal").status_code == 204
