"""Forms that another site sends with the reader's cookies are refused, all of them (A4)."""

from collections.abc import Callable

import pytest
from house import PASSWORD, Visitor

from cheng.web.app import Web
from cheng.web.guards import handlers_of, masked, unmasked

Come = Callable[..., Visitor]


def changes(app: Web) -> list[tuple[str, str]]:
    """Every (method, address) that changes something and believes cookies."""
    found = []
    for route in app.routes:
        for handler in handlers_of(route):
            if not handler.opt.get("api"):
                path = "/".join("x" if part.startswith("{") else part for part in route.path.split("/"))
                methods = set(getattr(handler, "http_methods", ())) - {"GET", "HEAD", "OPTIONS"}
                found += [(method, path) for method in sorted(methods)]
    return found


FOREIGN = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://testserver.evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
)


def test_nothing_is_changed_without_the_secret_of_our_own_form(app: Web, visitor: Come) -> None:
    person = visitor("operator", accept="application/json")
    other = visitor("operator", accept="text/html")
    foreign = other.form("/account/password")
    for method, path in changes(app):
        for body in ({}, {"csrf": ""}, {"csrf": "AAAA"}, {"csrf": foreign}, {"csrf": masked("x" * 43)}):
            answer = person.client.request(method, path, data=body)
            assert answer.status_code in (403, 404), (method, path, body)
        for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x"):
            answer = person.client.request(method, path, content=b"csrf=1", headers={"content-type": kind})
            assert answer.status_code in (400, 403, 404), (method, path, kind)
    assert person.get("/account").status_code == 200, "and the session goes on"


@pytest.mark.parametrize("headers", FOREIGN)
def test_the_right_secret_from_the_wrong_place_is_refused(visitor: Come, headers: dict[str, str]) -> None:
    person = visitor("officer")
    secret = person.form("/account/password")
    answer = person.client.post("/sign-out", data={"csrf": secret}, headers=headers, follow_redirects=False)
    assert answer.status_code == 403
    assert person.get("/account").status_code == 200


def test_the_secret_works_in_a_header_too(visitor: Come) -> None:
    person = visitor("officer")
    secret = person.form("/account/password")
    headers = {"x-csrf-token": secret, "origin": "http://testserver.local", "sec-fetch-site": "same-origin"}
    assert person.client.post("/sign-out", headers=headers, follow_redirects=False).status_code == 303
    assert person.get("/account").status_code == 302


def test_a_stranger_cannot_plant_a_secret_of_their_own(visitor: Come) -> None:
    """The cookie and the field have to agree, and a session has its own secret, which no cookie holds."""
    person = visitor("officer")
    person.client.cookies.set("cheng_form", "planted")
    answer = person.client.post("/sign-out", data={"csrf": masked("planted")}, follow_redirects=False)
    assert answer.status_code == 403
    stranger = visitor()
    answer = stranger.client.post("/sign-in", data={"name": "officer", "password": PASSWORD})
    assert answer.status_code == 403


def test_a_secret_looks_different_each_time() -> None:
    shown = {masked("secret") for _ in range(20)}
    assert len(shown) == 20
    assert {unmasked(each) for each in shown} == {"secret"}
    for odd in ("", "x", "ÿ", "AAA=", "~~~~"):
        assert unmasked(odd) != "secret"
