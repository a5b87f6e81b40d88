"""A town of two streets whose people report what is wrong, and an office that looks after it."""

import re
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from desk_town import picture
from house import PASSWORD, Visitor

from cheng.kernel.classes import CaseClass, FilingCondition
from cheng.kernel.flows import Flow, Step
from cheng.kernel.house import Area, Department
from cheng.kernel.specs import App
from cheng.kernel.standing import Person
from cheng.security.actors import HOUSE
from cheng.standards.durations import days, hours
from cheng.testing import Town, city
from cheng.web.app import create_app

NAME = "cheng.apps.city.care"
HANDLE = "care.handle_report"
CENTRE, SQUAD = "Supervision Centre", "East Street squad"
HERE, THERE, FAR = (120.603, 31.303), (120.583, 31.303), (121.5, 31.2)
OFFICERS = {"acc": (CENTRE, "acceptor"), "han": (SQUAD, "handler"), "che": (CENTRE, "checker")}


class care(App):
    """Looks after the streets."""

    title = "Street care"
    owner = "Street Office"
    system = "G3"


class handle_report(Flow):
    """Accept it, put it right, have somebody else look."""

    reopen_by_reporter = days(7)
    reopen_at = "handle"
    steps = (
        Step("accept", to=CENTRE, within=hours(2)),
        Step("handle", to="{street} squad", within=days(1), proof="photo"),
        Step("check", to=CENTRE, by="another person", within=hours(4)),
    )


class handle_complaint(Flow):
    """Nobody reports by classes here."""

    steps = (Step("answer", to="Street Office"),)


def condition(number: str, text: str, text_zh: str) -> FilingCondition:
    return FilingCondition(number, text, text_zh, hours(4), "It is in order.", "已恢复。")


CLASSES = (
    CaseClass(
        *("C0101", "component", "Public facilities", "公用设施", "Water cover", "上水井盖"),
        (condition("gone", "The cover is gone or broken.", "井盖缺失、破损。"),),
        SQUAD,
    ),
    CaseClass(
        *("C0106", "component", "Public facilities", "公用设施", "Street lamp", "路灯"),
        (condition("dark", "The lamp does not light.", "路灯不亮。"),),
        SQUAD,
    ),
    CaseClass(
        *("E0102", "event", "Appearance of the city", "市容环境", "Exposed rubbish", "暴露垃圾"),
        (condition("heap", "Rubbish lies about.", "垃圾堆放。"),),
        SQUAD,
    ),
    CaseClass(
        *("E0401", "event", "Emergencies", "突发事件", "Threat", "涉稳事件"),
        (condition("any", "A threat.", "威胁。"),),
        SQUAD,
        public=False,
    ),
)


def application() -> types.ModuleType:
    module = types.ModuleType(NAME)
    for spec in (care, handle_report, handle_complaint):
        spec.__module__ = NAME
        setattr(module, spec.__name__, spec)
    sys.modules[NAME] = module
    return module


@dataclass
class Reported:
    """The town, its pages, and everybody who has come in so far."""

    town: Town
    app: Any
    visitors: dict[str, Visitor] = field(default_factory=dict)

    @property
    def hub(self) -> Any:
        return self.town.hub

    def __getitem__(self, name: str) -> Visitor:
        """Somebody who reads English; signed in where the name is one of an account ("" and "other" are not)."""
        if name not in self.visitors:
            new = Visitor(self.app, **{"accept-language": "en"})
            self.visitors[name] = new.sign_in(name) if name in ("citi", *OFFICERS) else new
        return self.visitors[name]

    def form(self, name: str = "", page: str = "/report") -> dict[str, str]:
        """The hidden fields of the form of a report, as this person's page has them."""
        text = self[name].get(page).text
        found = re.search(r'<form[^>]*id="report".*?</form>', text, re.S)
        assert found, text
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found[0]))

    def sends(
        self, who: str = "", /, photos: Sequence[bytes] = (), hidden: dict[str, str] | None = None, **told: Any
    ) -> Any:
        """Fill in the form and send it, as a browser would; `class_` is the class."""
        fields = {"text": "The cover is broken", "place": spelled(HERE), **told}
        fields["class"] = fields.pop("class_", "C0101")
        files = [("photos", (f"{n}.jpg", data, "image/jpeg")) for n, data in enumerate(photos)] or {"x": ("", b"")}
        data = (self.form(who) if hidden is None else hidden) | {k: v for k, v in fields.items() if v is not None}
        return self[who].client.post("/report", data=data, files=files, follow_redirects=False)

    def reports(self, who: str = "", /, **told: Any) -> tuple[str, str]:
        """A report that is taken: its number and its word."""
        return where(self.sends(who, **{"new": "1", **told}))

    def acts(self, who: str, number: str, word: str, verb: str, photos: Sequence[bytes] = (), /, **told: str) -> Any:
        """What whoever sent the report does about it."""
        page = self[who].get(f"/report/{number}", params={"key": word} if word else {}).text
        secret = re.search(r'name="csrf" value="([^"]+)"', page)
        fields = {"csrf": secret[1] if secret else "", "verb": verb, "secret": word, **told}
        files = [("photos", (f"{n}.jpg", data, "image/jpeg")) for n, data in enumerate(photos)] or {"x": ("", b"")}
        return self[who].client.post(f"/report/{number}", data=fields, files=files, follow_redirects=False)

    def works(self, number: str, until: str = "closed") -> None:
        """Officers do their steps until the case stands at one, or is closed."""
        for who, step in (("acc", "accept"), ("han", "handle"), ("che", "check")):
            filed = self.hub.cases.get(number)
            if filed.case.step == until or filed.case.step != step:
                continue
            department, post = OFFICERS[who]
            blob = self.hub.blobs.keep(picture(shade=200), "work.png")
            with self.hub.store.write() as conn:
                self.hub.blobs.record(conn, blob, who, self.hub.clock.now())
            data = {"proof": [{"kind": "photo", "blob": blob.sha256}]} if step == "handle" else {}
            self.hub.cases.act(number, "complete", Person(who, department, frozenset({"officer", post}), who), data)
        assert self.hub.cases.get(number).case.step == ("" if until == "closed" else until)


def where(answer: Any) -> tuple[str, str]:
    """Number and word of the report whose page an answer leads to."""
    assert answer.status_code == 303, answer.text
    told = urlsplit(answer.headers["location"])
    return told.path.rpartition("/")[2], parse_qs(told.query)["key"][0]


def spelled(place: tuple[float, float]) -> str:
    return f"{place[1]}, {place[0]}"


def settle(town: Town) -> None:
    """Two streets, the office's departments, the classes, and people of every post."""
    for place, (name, west) in {"east": ("East Street", 120.60), "west": ("West Street", 120.58)}.items():
        corners = [[west, 31.3], [west + 0.01, 31.3], [west + 0.01, 31.31], [west, 31.31], [west, 31.3]]
        shape = {"type": "Polygon", "coordinates": [corners]}
        town.register(Area, f"area-{place}", name=name, level="street", at=shape)
    for number, name in enumerate((CENTRE, SQUAD, "West Street squad")):
        town.register(Department, f"department-{number}", name=name)
    with town.hub.store.write() as conn:
        for each in CLASSES:
            town.hub.classes.put(conn, HANDLE, each, "test", first_may_be_past=True)
    for name, (department, post) in OFFICERS.items():
        town.hub.accounts.create(HOUSE, name, name.title(), ["officer", post], department, PASSWORD)
    town.hub.accounts.create(HOUSE, "citi", "Citi Zen", ["citizen"], "", PASSWORD)


@contextmanager
def open_town(folder: Path) -> Iterator[Reported]:
    """The town in `folder`; nothing has been reported yet."""
    with city(folder, application()) as town:
        settle(town)
        yield Reported(town, create_app(town.hub))
