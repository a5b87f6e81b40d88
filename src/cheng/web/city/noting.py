"""Writing down in the audit what a page has just done."""

from typing import Any

from cheng.security import audit
from cheng.security.permissions import Target
from cheng.web.ask import Ask


def note(ask: Ask, verb: str, thing: Target | str, purpose: str = "", **detail: Any) -> None:
    """A row in the audit: this reader did that, just now."""
    hub = ask.hub
    with hub.store.write() as conn:
        at = hub.guard.clock.now()
        audit.record(conn, at, ask.actor, verb, thing, purpose=purpose, address=ask.address, detail=detail)
