"""Whether a request that changes something comes from our own page."""

import hmac
import secrets
from urllib.parse import urlsplit


def secret() -> str:
    """256 random bits as text for a URL or a cookie."""
    return secrets.token_urlsafe(32)


def same(given: str | None, wanted: str | None) -> bool:
    """Whether both are there and equal, in a time that does not tell how far they agree.

    For the token of a session; and for forms of whoever has not signed in: the cookie and the field have to agree.
    """
    return bool(given and wanted) and hmac.compare_digest((given or "").encode(), (wanted or "").encode())


def own_page(origin: str | None, fetch_site: str | None, host: str) -> bool:
    """Whether the headers Origin and Sec-Fetch-Site allow that one of our own pages asked.

    `host`: what the request's Host header says. A browser sends at least one of the two with a form; a request
    with neither comes from a program, which has no cookies to be misused.
    """
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return False
    return origin is None or urlsplit(origin).netloc.lower() == host.lower() != ""
