"""A town with covers in two wards, the crews that look after them, and people of every role before its pages."""

import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from house import PASSWORD, Visitor

from cheng.apps.city import manhole_covers as covers
from cheng.kernel.house import Area, Department
from cheng.security.actors import HOUSE
from cheng.standards.durations import minutes, seconds
from cheng.testing import Town, city
from cheng.web.app import create_app

EAST, WEST = "East drainage crew", "West drainage crew"
PEOPLE = {
    "li": ("Li Ming", "officer", EAST),
    "wu": ("Wu Fang", "officer", EAST),
    "he": ("He Jun", "officer", WEST),
    "wang": ("Wang Bo", "officer", "Drainage Bureau"),
    "nobody": ("Nobody Yet", "officer", "Parks"),
    "dora": ("Dora Chen", "dispatcher", "Command centre"),
    "rui": ("Rui Gao", "reviewer", "Review office"),
    "rong": ("Rong Sun", "reviewer", "Review office"),
    "lena": ("Lena Zhao", "leader", "City hall"),
    "opal": ("Opal Xu", "operator", "Information office"),
    "citi": ("Citi Zen", "citizen", ""),
}


def picture(width: int = 64, height: int = 48, shade: int = 90) -> bytes:
    """A small PNG that browsers can show."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = (b"".join(bytes((x * 3 % 256, y * 4 % 256, shade)) for x in range(width)) for y in range(height))
    rows = b"".join(b"\0" + line for line in lines)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@dataclass
class Desk:
    """The town, its pages, and everybody who has come in so far."""

    town: Town
    app: Any
    visitors: dict[str, Visitor] = field(default_factory=dict)
    used: int = 0
    """the last cover that a test has tipped"""

    def __getitem__(self, name: str) -> Visitor:
        """Somebody who is signed in and reads English."""
        if name not in self.visitors:
            new = Visitor(self.app, **{"accept-language": "en"})
            self.visitors[name] = new.sign_in(name) if name else new
        return self.visitors[name]

    @property
    def hub(self) -> Any:
        return self.town.hub

    def tips(self, *numbers: int, by: float = 30.0) -> None:
        """These covers are tipped for long enough to be alerts. Even ones lie in the east."""
        for _ in range(4):
            for number in numbers:
                self.town.reports(cover(number), tilt=by, water=0.4, battery=80)
            self.town.passes(minutes(1))

    def lies_flat(self, number: int) -> None:
        """A moment later the cover lies as it should."""
        self.town.passes(seconds(10))
        self.town.reports(cover(number), tilt=1.0, water=0.4, battery=80)

    def number(self, cover_number: int) -> str:
        """The number of the case about a cover."""
        found = [
            c for c in (*self.town.cases(), *self.town.cases(state="closed")) if c.entry.thing_id == cover(cover_number)
        ]
        return str(found[-1].entry.number)

    def form(self, name: str, number: str, verb: str) -> dict[str, str]:
        """The hidden fields of the form for one act, as this person's page has them."""
        text = self[name].get(f"/desk/cases/{number}").text
        for form in re.findall(r"<form[^>]*act-form.*?</form>", text, re.S):
            fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
            if fields.get("verb") == verb:
                return fields
        raise AssertionError(f"{name} is not offered to {verb} case {number}")

    def acts(self, name: str, number: str, verb: str, photo: bytes | None = None, **fields: str) -> Any:
        """Fill in the form and send it, as a browser would."""
        return self.sends(name, number, self.form(name, number, verb) | fields, photo)

    def sends(self, name: str, number: str, fields: dict[str, str], photo: bytes | None = None) -> Any:
        files = {"proof-photo": ("photo.png", photo, "image/png")} if photo is not None else {"x": ("", b"")}
        return self[name].client.post(f"/desk/cases/{number}", data=fields, files=files, follow_redirects=False)

    def json(self, name: str, path: str) -> Any:
        answer = self[name].get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def audit(self, thing: str) -> list[tuple[str, str, str, str]]:
        """(who, verb, outcome, reason) of each line of the audit about something."""
        with self.hub.store.read() as conn:
            rows = conn.exec_driver_sql("SELECT actor, verb, outcome, reason FROM audit WHERE object = ?", (thing,))
            return [tuple(row) for row in rows]


def cover(number: int) -> str:
    return f"cover-{number:02}"


@contextmanager
def open_desk(folder: Path, many: int = 8) -> Iterator[Desk]:
    """A desk over a town in `folder`; nothing has happened yet."""
    with city(folder, covers) as town:
        for place, (name, west) in {"east": ("East Street", 120.60), "west": ("West Street", 120.58)}.items():
            corners = [[west, 31.3], [west + 0.01, 31.3], [west + 0.01, 31.31], [west, 31.31], [west, 31.3]]
            town.register(Area, f"area-{place}", name=name, at={"type": "Polygon", "coordinates": [corners]})
        for crew in (EAST, WEST):
            town.register(Department, crew.lower().replace(" ", "-"), name=crew)
        for number in range(many):
            ward, west = ("East", 120.603) if number % 2 == 0 else ("West", 120.583)
            at = (west + number * 1e-4, 31.303)
            town.register(covers.Cover, cover(number), at=at, ward=ward, network="sewage", depth=3.0)
        for name, (shown, role, department) in PEOPLE.items():
            town.hub.accounts.create(HOUSE, name, shown, [role], department, PASSWORD)
        yield Desk(town, create_app(town.hub))
