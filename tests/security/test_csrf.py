"""Requests from other people's pages are told apart from our own."""

import pytest

from cheng.security.csrf import own_page, same, secret


def test_same() -> None:
    token = secret()
    assert same(token, token)
    for given in (None, "", secret(), token[:-1], token + "x", token.upper(), "令"):
        assert not same(given, token)
        assert not same(token, given)
    assert not same(None, None)
    assert not same("", "")


def test_secrets_differ() -> None:
    assert len({secret() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    ("origin", "site", "host", "own"),
    [
        ("https://city.example", "same-origin", "city.example", True),
        ("http://127.0.0.1:8000", None, "127.0.0.1:8000", True),
        ("https://CITY.example", None, "city.example", True),
        (None, "none", "city.example", True),
        (None, None, "city.example", True),
        ("https://evil.example", None, "city.example", False),
        ("https://evil.example", "same-origin", "city.example", False),
        ("https://city.example", "cross-site", "city.example", False),
        ("https://sub.city.example", "same-site", "city.example", False),
        ("https://city.example.evil.example", None, "city.example", False),
        ("https://city.example:444", None, "city.example", False),
        ("null", None, "city.example", False),
        ("", None, "city.example", False),
        ("null", None, "", False),
    ],
)
def test_own_page(origin: str | None, site: str | None, host: str, own: bool) -> None:
    assert own_page(origin, site, host) is own
