"""Coming in, going out, and the first password (A6, A7)."""

import json
from collections.abc import Callable

import pytest
from house import PASSWORD, Visitor

from cheng.hub import Hub
from cheng.infrastructure.clock import ManualClock
from cheng.security.actors import HOUSE
from cheng.web.house.sign_in import safe_next

Come = Callable[..., Visitor]
SESSION = "cheng_session"


def test_everybody_begins_in_their_own_section(visitor: Come, app: object) -> None:
    navigation = app.state.navigation  # type: ignore[attr-defined]
    for role, section in (("officer", "/desk"), ("leader", "/dashboard"), ("operator", "/console")):
        answer = visitor(role).get("/")
        if section in navigation.paths:
            assert answer.headers["location"] == section
    assert visitor("citizen").get("/").status_code == 200
    assert visitor().get("/").status_code == 200


def test_wrong_names_and_wrong_passwords_look_the_same(visitor: Come) -> None:
    stranger = visitor()
    texts = set()
    for name, password in (("officer", "wrong-password-1"), ("nobody-here", "wrong-password-1")):
        answer = stranger.send("/sign-in", name=name, password=password)
        assert answer.status_code == 403
        form = stranger.form("/sign-in")
        texts.add(answer.text.replace(name, "").replace(form, "").split('name="csrf"')[0])
    assert len(texts) == 1
    assert "wrong-password-1" not in answer.text, "a password is never written back"


def test_guessing_has_to_wait_and_the_victim_goes_on_working(hub: Hub, visitor: Come) -> None:
    victim = visitor("officer")
    guesser = visitor()
    form = guesser.form("/sign-in")
    guesses = [guesser.send("/sign-in", name="officer", password=f"guess-{i}", csrf=form) for i in range(12)]
    statuses = [guess.status_code for guess in guesses]
    assert statuses[:5] == [403] * 5
    assert set(statuses[5:]) == {429}
    assert guesses[-1].headers["retry-after"] == "60"
    assert victim.get("/account").status_code == 200


def test_a_session_is_new_at_sign_in_and_dead_after_sign_out(hub: Hub, visitor: Come) -> None:
    person = visitor()
    person.client.cookies.set(SESSION, "fixed-by-somebody-else")
    person.sign_in("officer")
    token = person.client.cookies.get(SESSION, domain="testserver.local")
    assert token != "fixed-by-somebody-else"
    person.send("/sign-out", "/account")
    thief = visitor()
    thief.client.cookies.set(SESSION, str(token))
    assert thief.get("/account").status_code == 302


def test_a_session_ends_when_nobody_uses_it(hub: Hub, visitor: Come) -> None:
    person = visitor("officer")
    assert isinstance(hub.clock, ManualClock)
    hub.clock.advance(hub.settings.session_idle + 1)
    assert person.get("/account").status_code == 302


def test_whoever_got_a_password_changes_it_first(hub: Hub, visitor: Come) -> None:
    first = hub.accounts.create(HOUSE, "zhao", "赵", ["officer"], "Drainage Bureau")
    assert first is not None
    newcomer = visitor().sign_in("zhao", first)
    assert newcomer.get("/").headers["location"] == "/account/password"
    assert newcomer.get("/desk").status_code in (302, 404)
    page = "/account/password"
    short = newcomer.send(page, old=first, new="short", again="short")
    assert (short.status_code, "至少" in short.text) == (422, True)
    differ = newcomer.send(page, old=first, new="lantern-river-47-x", again="other")
    assert "两次输入不一致" in differ.text
    before = newcomer.client.cookies.get(SESSION, domain="testserver.local")
    changed = newcomer.send(page, old=first, new="lantern-river-47-x", again="lantern-river-47-x")
    assert changed.status_code == 303
    assert newcomer.get("/account").status_code == 200
    assert before != newcomer.client.cookies.get(SESSION, domain="testserver.local")
    visitor().sign_in("zhao", "lantern-river-47-x")


def test_the_account_page_knows_its_sessions(visitor: Come) -> None:
    person = visitor("officer")
    visitor("officer")
    told = person.get("/account.json").json()
    assert told["roles"] == ["officer"]
    assert sorted(place["here"] for place in told["sessions"]) == [False, True]
    assert "password" not in json.dumps(told)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/%2fevil.example",
        "/%5cevil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/a\nb",
        "/sign-out",
        "/sign-in",
        "evil",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(path: str, visitor: Come) -> None:
    assert safe_next(path) == ""
    stranger = visitor()
    answer = stranger.send("/sign-in", name="citizen", password=PASSWORD, next=path)
    assert answer.headers["location"] == "/"


def test_signing_in_leads_back_to_where_one_was(visitor: Come) -> None:
    stranger = visitor()
    answer = stranger.get("/account?x=1&y=a%20b")
    assert answer.headers["location"] == "/sign-in?next=%2Faccount%3Fx%3D1%26y%3Da%2520b"
    form = stranger.form(answer.headers["location"])
    back = stranger.send("/sign-in", name="citizen", password=PASSWORD, csrf=form, next="/account?x=1&y=a%20b")
    assert back.headers["location"] == "/account?x=1&y=a%20b"
