"""The front door: it leads everyone to where their day begins."""

from litestar.response import Redirect

from cheng.web.pages import PUBLIC, Answer, Ask, Page, get


@get("/", needs=PUBLIC)
def home(ask: Ask) -> Answer:
    """Those who work here go to their section; everybody else is welcomed."""
    if ask.session is not None and ask.session.must_change:
        return Redirect(ask.url("/account/password"))
    start = ask.request.app.state.navigation.home(ask)
    return Redirect(ask.url(start)) if start != "/portal" else portal_page(ask)


@get("/portal", needs=PUBLIC, entry="Start", order=0)
def portal(ask: Ask) -> Page:
    """What the city offers, in plain words."""
    return portal_page(ask)


def portal_page(ask: Ask) -> Page:
    offers = ask.request.app.state.navigation.menus.get("portal", [])
    listed = [{"title": ask._(e.text), "path": ask.url(e.path)} for e in offers if e.path != "/portal"]
    return Page("portal/start.html", {"city": ask.hub.settings.city, "offers": listed})


routes = [home, portal]
