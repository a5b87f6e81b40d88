"""A street with reports in it, the team that walks through it, and everybody else whom a report meets on its way."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desk_town import Desk, picture
from house import PASSWORD

from cheng.apps.city import urban_management
from cheng.apps.city.urban_management import handle_report
from cheng.kernel.house import Area, Department
from cheng.security.actors import HOUSE
from cheng.testing import city
from cheng.web.app import create_app

CENTRE, COMMAND, STREET = "Urban Management Supervision Centre", "Urban Management Command Centre", "River Street"
TEAM, COMPANY = f"{STREET} collector team", "Cleaning Company"
CORNERS = [[106.5, 29.5], [106.6, 29.5], [106.6, 29.6], [106.5, 29.6], [106.5, 29.5]]
PEOPLE = {
    "shou": ("officer acceptor", CENTRE),
    "ban": ("officer shift-leader", CENTRE),
    "cai": ("officer collector", TEAM),
    "ji": ("officer collector checker", TEAM),
    "pai": ("officer dispatcher", COMMAND),
    "chu": ("officer handler", COMPANY),
    "lena": ("leader", ""),
}
PHOTO, OTHER = picture(), picture(shade=200)


@contextmanager
def open_street(folder: Path, **settings: Any) -> Iterator[Desk]:
    """Its pages; nothing has been reported yet."""
    with city(folder, urban_management, **settings) as town:
        for level, name in (("district", "North"), ("street", STREET)):
            town.register(
                Area, f"area:{level}", name=name, level=level, at={"type": "Polygon", "coordinates": [CORNERS]}
            )
        town.register(Department, "dept:0", name=COMPANY)
        for name, (roles, department) in PEOPLE.items():
            town.hub.accounts.create(HOUSE, name, name.title(), roles.split(), department, PASSWORD)
        yield Desk(town, create_app(town.hub))


def reported(desk: Desk, text: str = "Rubbish before the school", **more: Any) -> str:
    """The number of a report that somebody has accepted: it waits to be looked at in the street."""
    told = {"class_code": "E0102", "place": (106.55, 29.56), "address": "12 River Street"} | more
    number = str(desk.town.hears(handle_report, text, **told).number)
    desk.acts("shou", number, "complete")
    return number


def worked(desk: Desk, number: str) -> str:
    """The same after it was filed, sent and handled by the company: it waits to be checked."""
    desk.acts("ban", number, "complete", condition="main")
    desk.acts("pai", number, "complete", departments=COMPANY)
    desk.acts("chu", number, "complete", PHOTO)
    desk.acts("chu", number, "complete")
    return number


def form_of(desk: Desk, name: str, path: str) -> dict[str, str]:
    """The hidden fields of the round's form on a page."""
    text = desk[name].get(path).text
    found = re.search(r"<form[^>]*data-round-form.*?</form>", text, re.S)
    assert found, f"{name} has no form at {path}"
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found[0]))


def sends(desk: Desk, name: str, path: str, photos: dict[str, bytes] | None = None, **fields: str) -> Any:
    """Fill in the form on a page of the round and send it, as a browser without scripts would."""
    return posts(desk, name, path, form_of(desk, name, path) | fields, photos)


def posts(desk: Desk, name: str, path: str, fields: dict[str, str], photos: dict[str, bytes] | None = None) -> Any:
    files = {f"proof-{kind}": (f"{kind}.png", data, "image/png") for kind, data in (photos or {}).items()}
    return desk[name].client.post(path, data=fields, files=files or {"x": ("", b"")}, follow_redirects=False)


def at(desk: Desk, number: str) -> str:
    return str(desk.hub.cases.get(number).case.step)


def verbs(desk: Desk, number: str) -> list[str]:
    return [act.verb for act in desk.hub.cases.acts(number)]
