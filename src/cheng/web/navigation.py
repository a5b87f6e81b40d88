"""Where one can go: the sections by who reads, and in each the pages that ask for a place in its menu.

A page asks by `entry="Cases"` in its own declaration; nobody keeps a list.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from litestar.routes import BaseRoute

from cheng.security.permissions import reach
from cheng.web.ask import Ask
from cheng.web.guards import PUBLIC, SIGNED_IN, handlers_of

SECTIONS = {
    "portal": "City services",
    "city": "City",
    "desk": "Desk",
    "dashboard": "Dashboard",
    "catalogue": "Data",
    "console": "Console",
}
"""Folder, kind of the permission `enter` and first part of the address, with the name people read. The city's own
pages (things, rules, …) stand directly below the root: whatever has a menu line and no section belongs to them.
"""
CITY = "city"
FIRST = {
    "operator": "/console",
    "leader": "/dashboard",
    "dispatcher": "/desk",
    "officer": "/desk",
    "citizen": "/portal",
}
"""Where each role begins its day; who has several roles begins with the first of them."""


@dataclass(frozen=True)
class Entry:
    """One line of a section's menu."""

    text: str
    path: str
    needs: Any
    order: int = 100
    current: bool = False
    about: str = ""
    icon: str = ""
    key: str = ""
    """pressed after g, goes there"""


@dataclass
class Navigation:
    """What the routes themselves say."""

    menus: dict[str, list[Entry]] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    """first part of an address → the section that its pages say they belong to"""
    paths: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, routes: Iterable[BaseRoute]) -> Self:
        """From the declarations of all routes."""
        found = cls()
        for route in routes:
            found.paths.add(route.path)
            for handler in handlers_of(route):
                if home := handler.opt.get("section"):
                    found.homes[first_part(route.path)] = home
                if (text := handler.opt.get("entry")) and route.path == min(handler.paths, key=len):
                    section = found.homes.get(first_part(route.path), section_of(route.path))
                    told = {key: handler.opt.get(key, "") for key in ("about", "icon", "key")}
                    entry = Entry(text, route.path, handler.opt["needs"], handler.opt.get("order", 100), **told)
                    found.menus.setdefault(section, []).append(entry)
        for menu in found.menus.values():
            menu.sort(key=lambda entry: (entry.order, entry.text))
        return found

    def section(self, ask: Ask) -> str:
        """Which section the page belongs to; "" for none."""
        path = str(ask.request.scope["path"])
        section = self.homes.get(first_part(path), section_of(path))
        mine = {entry.path.split("/")[1] for entry in self.menus.get(CITY, [])}
        return section if section != CITY or first_part(path) in mine else ""

    def sections(self, ask: Ask) -> list[Entry]:
        """The sections this reader may enter, with the present one marked."""
        here = self.section(ask)
        found = []
        for name, text in SECTIONS.items():
            if name == CITY:
                path = next((e.path for e in self.menus.get(CITY, []) if open_to(ask, e.needs)), "")
            else:
                path = f"/{name}" if f"/{name}" in self.paths and reach(ask.actor, "enter", name) else ""
            if path:
                found.append(Entry(ask._(text), path, PUBLIC, current=name == here))
        return found

    def entries(self, ask: Ask) -> list[Entry]:
        """The menu of the present section, as far as this reader may; a page may say `under` which line it belongs."""
        path, handler = str(ask.request.scope["path"]).rstrip("/"), ask.request.scope.get("route_handler")
        under = handler.opt.get("under") if handler is not None else None  # no page there, none of its own
        mine = [entry for entry in self.menus.get(self.section(ask), []) if open_to(ask, entry.needs)]
        fits = [e.path for e in mine if path == e.path or path.startswith(e.path + "/")]
        current = under if any(e.path == under for e in mine) else max(fits, key=len, default="")
        return [Entry(ask._(e.text), e.path, e.needs, e.order, e.path == current, key=e.key) for e in mine]

    def home(self, ask: Ask) -> str:
        """Where this reader begins."""
        for role, path in FIRST.items():
            if ask.signed_in and ask.actor.has(role) and path in self.paths:
                return path
        return "/portal"


def section_of(path: str) -> str:
    """The section by the first part of an address."""
    first = first_part(path)
    return first if first in SECTIONS else CITY


def first_part(path: str) -> str:
    return path.strip("/").split("/")[0]


def open_to(ask: Ask, needs: Any) -> bool:
    """Whether this reader passes what a route declared."""
    if needs in (PUBLIC, SIGNED_IN):
        return needs == PUBLIC or ask.signed_in
    return bool(reach(ask.actor, *needs))
