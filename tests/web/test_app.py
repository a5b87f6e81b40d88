"""What holds for every answer, whatever page it is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from house import Visitor, open_house

from cheng.hub import Hub
from cheng.security.actors import ANONYMOUS, HOUSE, Actor
from cheng.security.permissions import reach
from cheng.web.app import Web, create_app
from cheng.web.guards import PUBLIC, handlers_of
from cheng.web.headers import ALWAYS

Come = Callable[..., Visitor]
ROLES = ("", "citizen", "officer", "leader", "operator")


@pytest.mark.parametrize("path", ["/", "/portal.json", "/nope", "/sign-in", "/account", "/healthz", "/static/x/y.css"])
def test_every_answer_is_safe(visitor: Come, path: str) -> None:
    answer = visitor().get(path)
    for name, value in ALWAYS.items():
        assert answer.headers[name] == value
    assert "strict-transport-security" not in answer.headers
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http:" not in policy


def test_https_is_demanded_where_it_is_used(tmp_path: Any) -> None:
    hub = open_house(tmp_path, secure_cookies=True, root_path="")
    visitor = Visitor(create_app(hub))
    visitor.client.base_url = "https://testserver.local"
    answer = visitor.send("/sign-in", name="officer", password="quiet-lantern-river-47")
    assert "max-age=31536000" in answer.headers["strict-transport-security"]
    assert "__Host-cheng_session=" in answer.headers["set-cookie"]
    for word in ("Secure", "HttpOnly", "samesite=lax"):
        assert word.lower() in answer.headers["set-cookie"].lower()
    hub.close()


@pytest.fixture
def below(tmp_path: Any) -> Iterator[Visitor]:
    """A house behind a proxy that serves it below /cheng."""
    hub = open_house(tmp_path, root_path="/cheng")
    visitor = Visitor(create_app(hub))
    yield visitor
    hub.close()


def test_everything_works_below_a_prefix(below: Visitor) -> None:
    page = below.get("/cheng/sign-in").text
    assert 'href="/cheng/static/' in page
    assert 'action="/cheng/sign-in"' in page
    assert below.get("/cheng/portal.json").json()["city"]
    assert below.get("/portal").status_code == 200, "also when the proxy takes the prefix away"
    assert below.get("/cheng/account").headers["location"].startswith("/cheng/sign-in?next=")
    answer = below.send("/cheng/sign-in", name="citizen", password="quiet-lantern-river-47")
    assert answer.headers["location"] == "/cheng/"
    assert "path=/cheng" in answer.headers["set-cookie"].lower()
    assert below.get("/cheng/account").status_code == 200


def test_head_and_other_methods(visitor: Come) -> None:
    stranger = visitor()
    head = stranger.client.head("/portal")
    assert (head.status_code, head.content) == (200, b"")
    wrong = stranger.client.post("/healthz", headers={"accept": "application/json"})
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, OPTIONS")
    assert wrong.json()["type"] == "urn:cheng:problem:method-not-allowed"


def test_too_large_is_said_so(visitor: Come, hub: Hub) -> None:
    stranger = visitor()
    body = b"x" * (hub.settings.upload_limit + 2_100_000)
    kind = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    answer = stranger.client.post("/sign-in", content=body, headers=kind)
    assert answer.status_code == 413
    assert "MB" in answer.json()["detail"]


def test_the_language_is_a_choice_that_stays(visitor: Come) -> None:
    stranger = visitor()
    assert '<html lang="zh-CN"' in stranger.get("/portal").text
    assert '<html lang="en"' in stranger.get("/portal", headers={"accept-language": "en-GB"}).text
    assert '<html lang="en"' in stranger.get("/portal?lang=en").text
    assert '<html lang="en"' in stranger.get("/portal", headers={"accept-language": "zh"}).text


def test_static_files_are_for_ever_under_their_version(visitor: Come, app: Web) -> None:
    stranger = visitor()
    assets = app.state.templates.assets
    style = stranger.get(assets.path("cheng.css"))
    assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert style.headers["content-encoding"] == "gzip"
    again = stranger.get(assets.path("cheng.css"), headers={"if-none-match": style.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" not in stranger.get("/static/old/cheng.css").headers["cache-control"]
    for path in ("/static/x/../app.py", "/static/x/%2e%2e/app.py", "/static/x/..%2fapp.py", "/static/x/css/../../x"):
        assert stranger.get(path).status_code == 404


def test_first_load_is_small(visitor: Come, app: Web) -> None:
    stranger = visitor()
    assets = app.state.templates.assets
    page = stranger.get("/portal")
    sent = [len(page.content)]
    for name in ("cheng.css", "cheng.js", "keys.js", "live.js", "icons.svg", "vendor/htmx.min.js"):
        sent.append(len(assets.files[name].squeezed("gzip")[1]) if name in assets else 0)
    assert sum(sent) < 150_000


def test_watchers_are_answered(visitor: Come) -> None:
    stranger = visitor()
    assert stranger.get("/healthz").json() == {"status": "ok"}
    assert stranger.get("/readyz").json() == {"status": "ready", "missing": []}
    text = stranger.get("/metrics").text
    assert '# TYPE cheng_http_requests_total counter\ncheng_http_requests_total{method="GET",status="2xx"} 2' in text


DOORS = ("/ingest/reports", "/ingest/photos")
"""They are asked by programs with a token of their own kind; their own tests have the matrix."""


def test_every_route_asks_the_same_question_of_everybody(app: Web, visitor: Come) -> None:
    """The matrix of routes, methods and roles, made from the router itself (A1)."""
    people = {role: visitor(role, accept="application/json") for role in ROLES}
    asked = 0
    for route in app.routes:
        for handler in handlers_of(route):
            for method in sorted(getattr(handler, "http_methods", set()) - {"OPTIONS"}):
                path = filled(route.path)
                if path in ("/sign-out", "/live"):
                    continue
                for role, person in people.items():
                    status = person.client.request(method, path, follow_redirects=False).status_code
                    asked += 1
                    if path.startswith(DOORS):
                        assert status in (400, 401, 403, 404, 415, 429), (role, method, path, status)
                    elif may(role, handler.opt["needs"]):
                        assert status not in (401, 405), (role, method, path, status)
                    else:
                        assert status == (403 if role else 401), (role, method, path, status)
    assert asked >= 60


def filled(path: str) -> str:
    """A route's address with something in its blanks."""
    blanks = {"int": "1", "float": "1.5"}
    parts = [blanks.get(p.strip("{}").split(":")[-1], "x") if p.startswith("{") else p for p in path.split("/")]
    return "/".join(parts)


def may(role: str, needs: Any) -> bool:
    if isinstance(needs, tuple):
        return bool(reach(Actor(role, roles=(role,)) if role else ANONYMOUS, *needs))
    return needs == PUBLIC or role != ""


def test_a_bearer_token_is_somebody_and_needs_no_form_secret(hub: Hub, visitor: Come) -> None:
    token = hub.tokens.issue(HOUSE, "watcher", "leader")
    program = visitor(accept="application/json", authorization=f"Bearer {token}")
    assert program.get("/account").json()["roles"] == ["leader"]
    for wrong in ("Bearer nonsense", f"Basic {token}", "Bearer", f"bearer {token}x", "Bearer " + token[:-1]):
        assert visitor(accept="application/json", authorization=wrong).get("/account").status_code == 401
