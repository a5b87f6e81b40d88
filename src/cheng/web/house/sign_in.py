"""Signing in and out."""

import threading
from urllib.parse import unquote

from litestar.response import Redirect

from cheng.standards.problems import Refused
from cheng.web.page import cookie
from cheng.web.pages import PUBLIC, SIGNED_IN, Answer, Ask, Form, Page, get, post
from cheng.web.people import CLOSED, session_cookie

AT_ONCE = 4
"""Passwords verified at the same time; each takes some 50 MB, and a queue of strangers must not take the machine."""
PATIENCE = 5.0
"""Seconds a person waits for their turn."""
TURNS = threading.BoundedSemaphore(AT_ONCE)


def safe_next(path: str) -> str:
    """Where to go after signing in: an address of ours, or "" when it is anything else."""
    plain = unquote(path)
    inside = plain.startswith("/") and not plain.startswith(("//", "/\\")) and plain.isprintable() and "\\" not in plain
    return path if inside and not plain.startswith("/sign-") else ""


def sign_in_page(ask: Ask, form: Form, status: int = 200) -> Page:
    onward = safe_next(str(form.value("next") or ask.query("next")))
    return Page("house/sign_in.html", extra={"form": form, "next": onward}, status=status)


@get("/sign-in", needs=PUBLIC)
def sign_in(ask: Ask) -> Answer:
    """The form; whoever is signed in already goes on."""
    if ask.signed_in:
        return Redirect(ask.hub.settings.root_path + (safe_next(ask.query("next")) or "/"))
    return sign_in_page(ask, Form(ask))


@post("/sign-in", needs=PUBLIC)
def signed_in(ask: Ask) -> Answer:
    """Open a session with a new token, whatever the browser came with."""
    form = Form(ask)
    name, password = form.text("name", required=True, most=80), form.secret("password")
    if form.errors or name is None:
        return sign_in_page(ask, form, 422)
    name_of_cookie = session_cookie(ask.hub)
    before = ask.request.cookies.get(name_of_cookie)
    if not TURNS.acquire(timeout=PATIENCE):
        message = "Very many people are signing in just now; please try again in a minute."
        raise Refused("busy", message, {"minutes": 1}, status=429)
    try:
        token, _ = ask.hub.door.sign_in(name, password, ask.address, before)
    except Refused as refused:
        form.wrong("name", refused.message, **refused.values)
        page = sign_in_page(ask, form, refused.status)
        if refused.status == 429:
            page.headers["Retry-After"] = str(60 * int(refused.values.get("minutes", 1)))
        return page
    finally:
        TURNS.release()
    onward = safe_next(str(ask.form.get("next") or "")) or "/"
    answer: Answer = Redirect(ask.hub.settings.root_path + onward, status_code=303)
    answer.cookies.append(cookie(ask, name_of_cookie, token))
    return answer


@post("/sign-out", needs=SIGNED_IN)
def sign_out(ask: Ask) -> Answer:
    """End the session here and now, and forget what the browser kept of it."""
    name = session_cookie(ask.hub)
    ask.hub.door.sign_out(ask.request.cookies.get(name, ""), ask.address)
    ask.hub.bus.publish(CLOSED, {"account": ask.actor.name})
    answer: Answer = Redirect(ask.url("/sign-in", done="1"), status_code=303, headers={"Clear-Site-Data": '"cache"'})
    answer.cookies.append(cookie(ask, name, "", 0))
    return answer


routes = [sign_in, signed_in, sign_out]
