"""Tokens of devices and programs: issued, shown once, renewed, revoked."""

import re
from collections.abc import Callable
from typing import Any

from cheng.security.actors import ROLES
from cheng.security.tokens import Token
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.console.fresh import fresh_form
from cheng.web.pages import Answer, Column, Form, Page, get, post, see_other

COLUMNS = (
    Column("name", "Name of the token"),
    Column("role", "Role"),
    Column("scope", "Speaks for"),
    Column("department", "Department"),
    Column("created", "Issued", "moment"),
    Column("created_by", "By"),
    Column("last_seen", "Last used", "ago"),
    Column("revoked", "Revoked", "moment"),
)
SENTENCES = {
    "device": "Reports for the things it speaks for, and takes their commands.",
    "reporter": "Files reports of people: a front end, another city, Open311.",
}
ROLE_TEXTS = SENTENCES | ROLES
TITLES = {"in-force": "In force", "unused": "In force, never used", "revoked": "Revoked", "all": "All"}
STATES: dict[str, tuple[str, Callable[[Token], bool]]] = {
    "in-force": (TITLES["in-force"], lambda token: token.revoked is None),
    "unused": (TITLES["unused"], lambda token: token.revoked is None and token.last_seen is None),
    "revoked": (TITLES["revoked"], lambda token: token.revoked is not None),
    "all": (TITLES["all"], lambda token: True),
}
WORDS = re.compile(r"[\s,;，；]+")


def row_of(token: Token) -> dict[str, Any]:
    told = token.scope.told()
    parts = [*told["ids"], *(f"{prefix}…" for prefix in told["prefixes"]), *told["types"]]
    return {
        "name": token.name,
        "role": token.role,
        "scope": ", ".join(parts[:20]) + (" …" if len(parts) > 20 else ""),
        "department": token.department,
        "created": token.created,
        "created_by": token.created_by,
        "last_seen": token.last_seen,
        "revoked": token.revoked,
    }


@get("/console/tokens", needs=("manage-tokens", "token"), entry="Tokens", order=40)
def tokens(ask: Ask) -> Page:
    """All tokens; never the secret itself, which nobody here knows any more. `ids=` begins a new one for these."""
    return page(ask, Form(ask, {"role": "device", "ids": ask.query("ids")}))


def page(ask: Ask, form: Form, issued: tuple[str, str] | None = None, status: int = 200) -> Page:
    text, state = ask.query("q").casefold(), ask.choice("state", tuple(STATES), "in-force")
    every = ask.hub.tokens.everything(ask.actor)
    rows = [row_of(token) for token in every if STATES[state][1](token)]
    rows = [row for row in rows if text in f"{row['name']} {row['scope']} {row['department']}".casefold()]
    rows.sort(key=lambda row: (row["revoked"] is not None, row["name"]))
    roles = [(role, ask._(text)) for role, text in ROLE_TEXTS.items()]
    types = [(name, ask._(name)) for name, entity in ask.hub.model.entities.items() if entity.live()]
    extra = {"form": form, "roles": roles, "types": types, "issued": issued, "any": bool(every), "state": state}
    extra["states"] = [(key, ask._(told)) for key, (told, _) in STATES.items()]
    return Page("console/tokens.html", {"tokens": rows}, rows="tokens", columns=COLUMNS, extra=extra, status=status)


@post("/console/tokens", needs=("manage-tokens", "token"))
def issue(ask: Ask) -> Page:
    """Make a token and show it, this once."""
    form = Form(ask)
    name = form.text("name", required=True, most=120)
    role = form.choice("role", ROLE_TEXTS, required=True)
    ids, prefixes = words(form, "ids"), words(form, "prefixes")
    types = form.choices("types", [name for name, entity in ask.hub.model.entities.items() if entity.live()])
    department = form.text("department", most=200) or ""
    scope = {"ids": ids, "prefixes": prefixes, "types": types}
    if role == "device" and not any(scope.values()):
        form.wrong("ids", "Say for which things the device speaks: ids, how they begin, or types.")
    if form.errors or name is None or role is None:
        return page(ask, form, status=422)
    try:
        token = ask.hub.tokens.issue(ask.actor, name, role, scope, department)
    except Refused as refused:
        form.wrong("name", refused.message, **refused.values)
        return page(ask, form, status=422)
    return page(ask, fresh_form(ask, {"role": "device"}), (name, token))


def words(form: Form, name: str) -> list[str]:
    """Several ids in one field, parted by blanks, commas or lines."""
    return [word for word in WORDS.split(form.text(name, most=20_000) or "") if word]


@post("/console/tokens/renew", needs=("manage-tokens", "token"))
def renew(ask: Ask) -> Page:
    """Another secret for a token, shown this once: when the old one got about, or the device was set up anew."""
    name = str(ask.form.get("name") or "")
    token = ask.hub.tokens.renew(ask.actor, name)
    ask.hub.bus.publish("tokens/revoked", {"name": name, "role": "device"})
    return page(ask, fresh_form(ask, {"role": "device"}), (name, token))


@post("/console/tokens/revoke", needs=("manage-tokens", "token"))
def revoke(ask: Ask) -> Answer:
    """Make a token worthless."""
    name = str(ask.form.get("name") or "")
    ask.hub.tokens.revoke(ask.actor, name)
    ask.hub.bus.publish("tokens/revoked", {"name": name, "role": "device"})
    return see_other(ask, "/console/tokens", "The token is worth nothing any more.")


routes = [tokens, issue, renew, revoke]
