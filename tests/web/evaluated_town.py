"""A town whose cases went well and badly for some weeks: three streets, two districts, everybody at a post."""

import heapq
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from house import PASSWORD, Visitor

from cheng.apps.city import urban_management
from cheng.apps.city.urban_management import handle_report
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.report_book import NewReport
from cheng.kernel.standing import Person
from cheng.security.actors import HOUSE
from cheng.testing import START, Town, city
from cheng.web.app import create_app

CENTRE, COMMAND = "Urban Management Supervision Centre", "Urban Management Command Centre"
OFFICES = ("Cleaning Company", "Parks Office", "Road Repair")
STREETS = {"River Street": (106.50, 29.50), "Hill Street": (106.55, 29.50), "Lake Street": (106.50, 29.55)}
HOUR, DAY = 3_600_000_000, 86_400_000_000
POSTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "shou": (CENTRE, ("acceptor",)),
    "ban": (CENTRE, ("shift-leader",)),
    "zhang": (CENTRE, ("shift-leader",)),
    "gen": (CENTRE, ("agent",)),
    "pai": (COMMAND, ("dispatcher",)),
    "song": (COMMAND, ("dispatcher",)),
    "chu": (OFFICES[0], ("handler",)),
    "yuan": (OFFICES[1], ("handler",)),
    "lu": (OFFICES[2], ("handler",)),
    **{
        f"{street.split()[0].lower()}-{n}": (f"{street} collector team", ("collector",))
        for street in STREETS
        for n in (1, 2)
    },
}
OTHERS = {
    "eva": (["officer", "evaluator"], "Evaluation Office"),
    "dora": (["dispatcher"], COMMAND),
    "lena": (["leader"], "City hall"),
    "rui": (["reviewer"], "Review office"),
    "rong": (["reviewer"], "Review office"),
    "opal": (["operator"], "Information office"),
    "citi": (["citizen"], ""),
}
CLASSES = ("E0102", "E0104", "E0503", "C0101")


@dataclass
class Evaluated:
    """The town, its pages, and who has come in."""

    town: Town
    app: Any
    people: dict[str, Person]
    visitors: dict[str, Visitor] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Visitor:
        """Somebody who is signed in and reads English."""
        if name not in self.visitors:
            new = Visitor(self.app, **{"accept-language": "en"})
            self.visitors[name] = new.sign_in(name) if name else new
        return self.visitors[name]

    def json(self, name: str, path: str) -> Any:
        answer = self[name].get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # -- one case by hand

    def opens(self, source: str = "collector", street: str = "River Street", office: str = OFFICES[0]) -> Filed:
        west, south = STREETS[street]
        by = self.people[f"{street.split()[0].lower()}-1"] if source == "collector" else HOUSE_PERSON
        report = NewReport(
            handle_report.key(), source, "Rubbish lies in the way", "E0102", (west + 0.02, south + 0.02), phone="138"
        )
        return self.town.hub.reports.file(report, by).filed

    def does(self, case: Filed, verb: str, who: str, **data: Any) -> Filed:
        return self.town.hub.cases.act(case.entry.id, verb, self.people[who], data)

    def steps(self, case: Filed, office: str = OFFICES[0], first: int = 0) -> Filed:
        """The next step, by somebody whose turn it is; `first`: which of two."""
        here, street = case.case.step, case.case.values["street"].split()[0].lower()
        handlers = {office: name for name, (office, posts) in POSTS.items() if "handler" in posts}
        mine = handlers.get(case.case.departments[0] if case.case.departments else office, "chu")
        who = {
            "accept": "shou",
            "verify": f"{street}-1",
            "file": "ban",
            "dispatch": ("pai", "song")[first],
            "handle": mine,
            "feedback": mine,
            "check": f"{street}-2",
            "close": "zhang",
        }[here]
        data: dict[str, Any] = {}
        if here == "file":
            wanted = case.case.values["class"]
            known = self.town.hub.classes.get(handle_report.key(), wanted)
            data = {"condition": known.conditions[-1].id}
        if here == "dispatch":
            data = {"departments": [office]}
        if here in ("handle", "check"):
            data = {"proof": [{"kind": "photo", "blob": "ab12"}]}
        return self.does(case, "complete", who, **data)

    def through(self, case: Filed, office: str = OFFICES[0], handling: float = 0.5) -> Filed:
        """All the way to the close; `handling`: hours."""
        while case.case.step:
            self.town.clock.advance(int((handling if case.case.step == "handle" else 0.1) * HOUR))
            case = self.steps(case, office)
        return case


HOUSE_PERSON = Person("cheng", roles=frozenset({"house"}), title="Cheng")


def live(here: Evaluated, count: int, days: int, seed: int = 3) -> None:
    """So many reports over so many days, each seen through by a dice: late ones, rework, void ones, call-backs."""
    dice, clock = random.Random(seed), here.town.clock
    begin = clock.now()
    queue = [(begin + int(day_part(dice, days)), n, "open") for n in range(count)]
    heapq.heapify(queue)
    cases: dict[int, Filed] = {}
    offices = {n: dice.choices(OFFICES, (5, 3, 2))[0] for n in range(count)}
    while queue:
        at, n, verb = heapq.heappop(queue)
        if at > begin + days * DAY:
            break
        clock.set(max(at, clock.now()))
        verb, wait = one_act(here, dice, cases, n, verb, offices[n])
        if verb:
            heapq.heappush(queue, (clock.now() + int(wait * HOUR), n, verb))
    clock.set(begin + days * DAY)


def day_part(dice: random.Random, days: int) -> float:
    """Most is reported in the morning and in the late afternoon."""
    hour = min(23.9, max(0.0, dice.gauss(dice.choice((9.5, 16)), 2.2)))
    return dice.randrange(days) * DAY + (hour - 8) * HOUR


def one_act(
    here: Evaluated, dice: random.Random, cases: dict[int, Filed], n: int, verb: str, office: str
) -> tuple[str, float]:
    """What happens to a case next, and after how many hours something else does."""
    if verb == "open":
        street = dice.choices(list(STREETS), (5, 3, 2))[0]
        west, south = STREETS[street]
        source = dice.choices(("collector", "citizen", "hotline"), (6, 3, 2))[0]
        by = (
            here.people[f"{street.split()[0].lower()}-{dice.choice((1, 2))}"] if source == "collector" else HOUSE_PERSON
        )
        place = west + 0.005 + dice.random() * 0.04, south + 0.005 + dice.random() * 0.04
        report = NewReport(
            handle_report.key(), source, "Rubbish lies in the way", dice.choice(CLASSES), place, phone="138"
        )
        cases[n] = here.town.hub.reports.file(report, by).filed
        return "complete", dice.expovariate(4)
    case = cases[n]
    if verb == "rate":
        said = dice.choices(("yes", "mostly", "no"), (6, 2, 2))[0]
        answer = {"reached": "yes", "solved": "no" if said == "no" else "yes", "satisfied": said}
        here.does(case, "rate", "gen", answer=answer)
        return "", 0
    step = case.case.step
    if step == "dispatch" and dice.random() < 0.04:
        here.does(case, "void", "pai", reason="nothing there")
        return "", 0
    if step == "check" and dice.random() < 0.08:
        street = case.case.values["street"].split()[0].lower()
        cases[n] = here.does(case, "return", f"{street}-2", step="handle", reason="still there")
        return "complete", dice.expovariate(1)
    cases[n] = case = here.steps(case, office, dice.choice((0, 1)))
    slow = {"Cleaning Company": 3.0, "Parks Office": 7.0, "Road Repair": 16.0}[office]
    wait = {"handle": dice.expovariate(1 / slow), "verify": dice.expovariate(1.2), "check": dice.expovariate(0.8)}
    if case.case.step:
        return "complete", wait.get(case.case.step, dice.expovariate(5))
    return ("rate", 20) if case.entry.source == "hotline" and dice.random() < 0.6 else ("", 0)


@contextmanager
def open_evaluated(folder: Path, start: int = START) -> Iterator[Evaluated]:
    """The town in `folder`; nothing has happened yet."""
    with city(folder, urban_management, start=start) as town:
        square = [106.50, 29.50, 106.60, 29.60]
        areas = [area("north", "North District", "district", square, "")]
        areas += [
            area(name.split()[0].lower(), name, "street", [west, south, west + 0.05, south + 0.05], "area:north")
            for name, (west, south) in STREETS.items()
        ]
        assert not town.hub.things.put(areas, "tester").refused
        people = {}
        for name, (department, posts) in POSTS.items():
            roles = ["officer", *posts]
            town.hub.accounts.create(HOUSE, name, name.title(), roles, department, PASSWORD)
            people[name] = Person(name, department, frozenset(roles), name.title())
        for name, (roles, department) in OTHERS.items():
            town.hub.accounts.create(HOUSE, name, name.title(), roles, department, PASSWORD)
            people[name] = Person(name, department, frozenset(roles), name.title())
        yield Evaluated(town, create_app(town.hub), people)


def area(name: str, title: str, level: str, box: list[float], parent: str) -> NewThing:
    west, south, east, north = box
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {"level": level, **({"parent": parent} if parent else {})}
    geometry = {"type": "Polygon", "coordinates": [corners]}
    return NewThing(f"area:{name}", "Area", title, properties=properties, geometry=geometry)
