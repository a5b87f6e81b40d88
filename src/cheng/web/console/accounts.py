"""The people who may sign in: new ones with a password for one sign-in, changes, and the end of an account."""

from collections.abc import Mapping
from typing import Any

from cheng.security.actors import ROLES
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.console.fresh import fresh_form
from cheng.web.pages import Answer, Column, Form, Page, get, post, see_other

COLUMNS = (
    Column("name", "Sign-in name"),
    Column("display_name", "Person"),
    Column("roles", "Roles"),
    Column("department", "Department"),
    Column("state", "State"),
    Column("created", "Since", "date"),
)
ROLE_NAMES = {
    "citizen": "Citizen",
    "officer": "Officer",
    "dispatcher": "Dispatcher",
    "reviewer": "Reviewer",
    "leader": "Leader",
    "operator": "Operator",
}


def role_name(ask: Ask, role: str) -> str:
    return ask._(ROLE_NAMES.get(role, role))


def row_of(ask: Ask, account: Mapping[str, Any]) -> dict[str, Any]:
    if account["disabled"]:
        state = "disabled"
    elif account["locked_until"] > ask.now:
        state = "locked for a while"
    else:
        state = "new password due" if account["must_change"] else "in use"
    roles = account["roles"] if ask.representation != "html" else [role_name(ask, role) for role in account["roles"]]
    kept = {key: account[key] for key in ("name", "display_name", "department", "created")}
    if ask.representation == "html" and kept["department"]:
        kept["department"] = ask._(kept["department"])
    text = ask._(state) if ask.representation == "html" else state
    return {**kept, "roles": roles, "state": text, "url": ask.url(f"/console/accounts/{account['name']}")}


@get("/console/accounts", needs=("manage-accounts", "account"), entry="Accounts", order=50)
def accounts(ask: Ask) -> Page:
    """Everybody with an account, and the form for a new one."""
    return page(ask, Form(ask, {"roles": ["officer"]}))


def page(ask: Ask, form: Form, made: tuple[str, str] | None = None, status: int = 200) -> Page:
    text = ask.query("q").casefold()
    rows = [row_of(ask, account) for account in ask.hub.accounts.everyone(ask.actor)]
    rows = [r for r in rows if text in f"{r['name']} {r['display_name']} {r['department']}".casefold()]
    extra = {"form": form, "roles": role_options(ask), "made": made}
    data = {"accounts": rows}
    return Page("console/accounts.html", data, rows="accounts", columns=COLUMNS, extra=extra, status=status)


def role_options(ask: Ask) -> list[tuple[str, str, str]]:
    return [(role, role_name(ask, role), ask._(text)) for role, text in ROLES.items()]


@post("/console/accounts", needs=("manage-accounts", "account"))
def create(ask: Ask) -> Page:
    """A new account; its first password is shown this once."""
    form = Form(ask)
    name = form.text("name", required=True, most=40)
    display_name = form.text("display_name", required=True, most=80) or ""
    roles = form.choices("roles", ROLES, required=True)
    department = form.text("department", most=200) or ""
    if form.errors or name is None:
        return page(ask, form, status=422)
    try:
        password = ask.hub.accounts.create(ask.actor, name, display_name, roles, department)
    except Refused as refused:
        form.wrong("name", refused.message, **refused.values)
        return page(ask, form, status=422)
    return page(ask, fresh_form(ask, {"roles": ["officer"]}), (name.casefold(), password or ""))


@get("/console/accounts/{name:str}", needs=("manage-accounts", "account"))
def account(ask: Ask, name: str) -> Page:
    """One account, to be changed."""
    found = ask.hub.accounts.find(name)
    begun = {key: found[key] for key in ("display_name", "department", "roles")}
    return one(ask, name, Form(ask, begun))


def one(ask: Ask, name: str, form: Form, password: str = "", status: int = 200) -> Page:
    ask.require("manage-accounts", "account")
    found = ask.hub.accounts.find(name)
    own = found["name"] == ask.actor.name
    extra = {"form": form, "roles": role_options(ask), "own": own, "password": password}
    return Page(
        "console/account.html",
        {"account": row_of(ask, dict(found))},
        extra=extra | {"disabled": found["disabled"]},
        status=status,
    )


@post("/console/accounts/{name:str}", needs=("manage-accounts", "account"))
def change(ask: Ask, name: str) -> Answer:
    """Name, department and roles."""
    form = Form(ask)
    display_name = form.text("display_name", required=True, most=80)
    roles = form.choices("roles", ROLES, required=True)
    department = form.text("department", most=200) or ""
    if not form.errors:
        try:
            changes = {"display_name": display_name, "roles": roles, "department": department}
            ask.hub.accounts.change(ask.actor, name, **changes)
            return see_other(ask, "/console/accounts", "The account was changed.")
        except Refused as refused:
            form.wrong("roles", refused.message, **refused.values)
    return one(ask, name, form, status=422)


@post("/console/accounts/{name:str}/disable", needs=("manage-accounts", "account"))
def disable(ask: Ask, name: str) -> Answer:
    """End an account and its sessions, or let it sign in again; nothing it did is touched."""
    disabled = str(ask.form.get("disabled") or "") == "1"
    ask.hub.accounts.change(ask.actor, name, disabled=disabled)
    told = "The account can no longer sign in." if disabled else "The account can sign in again."
    return see_other(ask, "/console/accounts", told)


@post("/console/accounts/{name:str}/password", needs=("manage-accounts", "account"))
def reset(ask: Ask, name: str) -> Page:
    """A new password for one sign-in, shown this once."""
    password = ask.hub.accounts.reset_password(ask.actor, name)
    found = ask.hub.accounts.find(name)
    begun = {key: found[key] for key in ("display_name", "department", "roles")}
    return one(ask, name, fresh_form(ask, begun), password)


routes = [accounts, create, account, change, disable, reset]
