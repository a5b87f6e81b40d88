"""A city with one street, everybody who looks after it, and one of them at a time before a browser."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from browsing import axe, shot, sideways
from desk_town import picture
from house import PASSWORD
from playwright.sync_api import Locator, Page, expect

from cheng.apps.city import urban_management
from cheng.apps.city.urban_management import handle_report
from cheng.kernel.house import Area, Department
from cheng.security.actors import HOUSE
from cheng.standards.durations import minutes
from cheng.testing import Town, city
from cheng.web.texts import Catalogues

CENTRE, COMMAND = "Urban Management Supervision Centre", "Urban Management Command Centre"
DISTRICT, STREET, HERE = "北山区", "江滨街道", (106.55, 29.56)
CREW, WATER, GAS = f"{DISTRICT} sanitation crew", "Water Supply Company", "Gas Company"
CORNERS = [[106.5, 29.5], [106.6, 29.5], [106.6, 29.6], [106.5, 29.6], [106.5, 29.5]]
PEOPLE = {
    "zuo": ("左青", "officer agent acceptor", CENTRE),
    "shou": ("寿文", "officer acceptor", CENTRE),
    "fang": ("方敏", "officer acceptor", CENTRE),
    "cai": ("蔡丽", "officer collector", f"{STREET} collector team"),
    "ji": ("季安", "officer collector", f"{STREET} collector team"),
    "ban": ("班超", "officer shift-leader", CENTRE),
    "zhang": ("张燕", "officer shift-leader", CENTRE),
    "pai": ("白派", "officer dispatcher", COMMAND),
    "chu": ("楚强", "officer handler", CREW),
    "shui": ("水生", "officer handler", WATER),
    "qi": ("齐柯", "officer handler", GAS),
}
NAME, PHONE = "陈女士", "13800138000"
PHOTO = {"name": "照片.png", "mimeType": "image/png", "buffer": picture(320, 240)}
LANGUAGES = Catalogues.load().languages


def away(do: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Done in another thread: the browser's own loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(do, *args, **named).result()


@contextmanager
def open_office(folder: Path) -> Iterator[Town]:
    """The city in `folder`; nothing has been reported yet."""
    with city(folder, urban_management) as town:
        shape = {"type": "Polygon", "coordinates": [CORNERS]}
        for level, name in (("district", DISTRICT), ("street", STREET)):
            town.register(Area, f"area:{level}", name=name, level=level, at=shape)
        for n, name in enumerate((CREW, WATER, GAS)):
            town.register(Department, f"department:{n}", name=name)
        for name, (shown, roles, department) in PEOPLE.items():
            town.hub.accounts.create(HOUSE, name, shown, roles.split(), department, PASSWORD)
        yield town


@dataclass
class Walk:
    """One way through the pages: at this width, in this language."""

    town: Town
    open_page: Callable[..., Page]
    narrow: bool = False
    lang: str = "en"
    name: str = "walk"
    looked: int = 0

    def say(self, text: str, **values: Any) -> str:
        """What a page says, in the language of this way."""
        return LANGUAGES[self.lang].gettext(text, **values)

    def at(self, path: str, who: str = "", **how: Any) -> Page:
        return self.open_page(path, role=who, narrow=self.narrow, lang=self.lang, **how)

    def case(self, who: str, number: str, **how: Any) -> Page:
        return self.at(f"/desk/cases/{number}", who, **how)

    def passes(self, many: int = 5) -> None:
        away(self.town.passes, minutes(many))

    def hears(self, text: str = "校门口有一堆垃圾", **more: Any) -> str:
        """The number of a report that somebody else took in."""
        told = {"class_code": "E0102", "place": HERE, "phone": PHONE, "name": NAME, "address": "滨江路12号"}
        return str(away(self.town.hears, handle_report, text, **told | more).number)

    def step(self, number: str) -> str:
        return str(away(self.town.hub.cases.get, number).case.step)

    def fit(self, page: Page, name: str) -> None:
        """Fit to be seen, to be read aloud and to be held in one hand."""
        self.looked += 1
        width = "narrow" if self.narrow else "wide"
        shot(page, f"{self.name}-{width}-{self.lang}-{self.looked:02}-{name}")
        found = axe(page)
        assert not found, f"{name}: {found}"
        assert sideways(page) <= 0, name


def act(page: Page, verb: str) -> Locator:
    """The form of one act, unfolded."""
    form = page.locator(f".act-form:has(input[name=verb][value={verb}])")
    fold = page.locator("details.act").filter(has=form)
    if fold.count() and fold.get_attribute("open") is None:
        fold.locator("summary").first.click()
    return form


def done(page: Page, verb: str, photo: bool = False, **told: str) -> None:
    """Fill in the form of an act as it lies there, and send it; the page says that it is done."""
    form = act(page, verb)
    for name, value in told.items():
        form.locator(f"textarea[name={name}]").fill(value)
    if photo:
        attach(form)
    with page.expect_navigation():
        form.locator("button[type=submit]").click()
    expect(page.locator(".notice-done")).to_be_visible()


def attach(form: Locator) -> None:
    form.locator("input[type=file]").first.set_input_files([PHOTO])  # type: ignore[list-item]


def number_of(page: Page) -> str:
    found = re.search(r"\d{8}-\d{6}", page.url)
    assert found, page.url
    return found[0]
