"""One's own account: who I am here, where I am signed in, my password."""

from sqlalchemy import select

from cheng.infrastructure.tables import sessions
from cheng.security.actors import ROLES
from cheng.security.passwords import SHORTEST
from cheng.security.sessions import digest
from cheng.standards.problems import Refused
from cheng.web.page import cookie
from cheng.web.pages import SIGNED_IN, Answer, Ask, Form, Page, get, post, see_other
from cheng.web.people import CLOSED, session_cookie

WRONG_OLD = {"wrong-password"}


@get("/account", needs=SIGNED_IN)
def account(ask: Ask) -> Page:
    """Name, roles, department, and every place where this account is signed in."""
    mine = digest(ask.request.cookies.get(session_cookie(ask.hub), ""))
    now = ask.hub.sessions.clock.now()  # not the city's, which may be sped up
    shown = select(sessions).where(sessions.c.account == ask.actor.name, sessions.c.expires > now)
    with ask.hub.store.read() as conn:
        rows = conn.execute(shown.order_by(sessions.c.seen.desc())).all()
    places = [
        {"address": row.address, "created": row[3], "seen": row.seen, "here": row.token_hash == mine} for row in rows
    ]
    data = {
        "name": ask.actor.name,
        "display_name": ask.actor.display_name,
        "roles": [role for role in ask.actor.roles if role in ROLES],
        "department": ask.actor.department,
        "sessions": places,
    }
    return Page("house/account.html", data, extra={"role_texts": ROLES})


def password_page(ask: Ask, form: Form, status: int = 200) -> Page:
    first = ask.session is not None and ask.session.must_change
    return Page("house/password.html", extra={"form": form, "first": first, "shortest": SHORTEST}, status=status)


@get("/account/password", needs=SIGNED_IN)
def password(ask: Ask) -> Page:
    """The form for a new password; also for the first one."""
    return password_page(ask, Form(ask))


@post("/account/password", needs=SIGNED_IN)
def change_password(ask: Ask) -> Answer:
    """Change it, and sign in anew: every session of the account ends."""
    form = Form(ask)
    old, new, again = (form.secret(name) for name in ("old", "new", "again"))
    if not form.errors and new != again:
        form.wrong("again", "The two do not agree.")
    if not form.errors:
        try:
            ask.hub.accounts.change_password(ask.actor, old, new)
        except Refused as refused:
            form.wrong("old" if refused.code in WRONG_OLD else "new", refused.message, **refused.values)
    if form.errors:
        return password_page(ask, form, 422)
    ask.hub.bus.publish(CLOSED, {"account": ask.actor.name})
    with ask.hub.store.write() as conn:
        token, _ = ask.hub.sessions.open(conn, ask.actor.name, ask.address)
    answer = see_other(ask, "/", "Your password was changed.")
    answer.cookies.append(cookie(ask, session_cookie(ask.hub), token))
    return answer


routes = [account, password, change_password]
