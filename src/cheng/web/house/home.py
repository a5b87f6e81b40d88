"""The front door: it leads everyone to where their day begins."""

from litestar.response import Redirect

from cheng.web.navigation import Navigation, open_to
from cheng.web.pages import PUBLIC, Answer, Ask, Page, get

SENTENCES = {
    "things": ("What stands in the streets and what it measures: covers, lamps, stations.", "map"),
    "catalogue": ("Open data of all departments: search, look, download.", "table"),
}


@get("/", needs=PUBLIC)
def home(ask: Ask) -> Answer:
    """Those who work here go to their section; everybody else is welcomed."""
    if ask.session is not None and ask.session.must_change:
        return Redirect(ask.url("/account/password"))
    start = ask.request.app.state.navigation.home(ask)
    return Redirect(ask.url(start)) if start != "/portal" else portal_page(ask)


@get("/portal", needs=PUBLIC, entry="Start", order=1)
def portal(ask: Ask) -> Page:
    """What the city offers, in plain words."""
    return portal_page(ask)


def portal_page(ask: Ask) -> Page:
    navigation: Navigation = ask.request.app.state.navigation
    entries = [e for e in navigation.menus.get("portal", []) if e.path != "/portal" and open_to(ask, e.needs)]
    offers = [
        {"title": ask._(e.text), "about": ask._(e.about) if e.about else "", "icon": e.icon, "url": ask.url(e.path)}
        for e in entries
    ]
    for section in navigation.sections(ask):
        if about := SENTENCES.get(section.path.strip("/").split("/")[0]):
            text, icon = about
            offers.append({"title": section.text, "about": ask._(text), "icon": icon, "url": ask.url(section.path)})
    return Page("portal/start.html", {"city": ask.hub.settings.city, "offers": offers})


routes = [home, portal]
