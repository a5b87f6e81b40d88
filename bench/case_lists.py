"""Every list of cases that a role may see, with every filter, page after page, with a million cases in the store."""

import http.client
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import func, select

from bench.case_fill import fill
from bench.measuring import Figure, folder, report
from bench.prepared import opened, up
from cheng.hub import Hub
from cheng.infrastructure.tables import cases
from cheng.web.people import session_cookie

CLAIM = "Any list or filter of cases that a role may see p95 ≤ 50 ms at 1,000,000 cases"
LONG = "1000000 8"
CASES, TURNS = 50_000, 4
GOAL = 50
PEOPLE = {
    "he.min": "acceptor",
    "zheng.tao": "shift leader",
    "qian.jin": "dispatcher",
    "jiang.li": "collector",
    "tang.lin": "handler",
    "zhang.wei": "officer with few cases",
    "feng.jie": "evaluator",
    "qiu.yue": "reviewer",
    "leader": "leader",
}
TABS = ("post", "mine", "department", "all", "waiting", "closed")
Get = Callable[[str], bytes]


@dataclass
class Asked:
    """One address that was asked for several times."""

    who: str
    path: str
    waits: list[float]
    """ms"""

    @property
    def p95(self) -> float:
        return percentile(self.waits, 0.95)


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, round(share * len(values)))]


@dataclass(frozen=True)
class Known:
    """What there is to filter by."""

    areas: tuple[str, ...]
    """a district, a street and a grid"""
    classes: tuple[str, ...]
    """often, seldom, never"""
    steps: tuple[str, ...]
    sources: tuple[str, ...]
    number: str


def known(hub: Hub) -> Known:
    with hub.store.read() as conn:
        counted = select(cases.c.class_code, func.count()).group_by(cases.c.class_code).order_by(func.count().desc())
        codes = [code for code, _ in conn.execute(counted) if code]
        area = conn.execute(select(cases.c.area).where(cases.c.state == "open").limit(1)).scalar_one()
        number = conn.execute(select(cases.c.number).limit(1)).scalar_one()
        values = conn.execute(select(cases.c.title_values).where(cases.c.area == area).limit(1)).scalar_one()
    areas = (values["district_id"], values["street_id"], area)
    steps = hub.cases.flows["urban_management.handle_report"].step_names()
    return Known(areas, (codes[0], codes[-1], "C9999"), tuple(steps), ("collector", "video", "letter"), number)


def narrowed(told: Known) -> Iterator[dict[str, str]]:
    """One set of filters after the other."""
    yield {}
    flow = "urban_management.handle_report"
    yield from ({"flow": flow}, {"flow": "manhole_covers.make_safe"}, {"app": "urban_management"})
    yield from ({"level": level} for level in ("notice", "danger"))
    yield from ({"light": light} for light in ("red", "yellow", "green"))
    yield from ({"area": area} for area in told.areas)
    yield from ({"class": code} for code in told.classes)
    yield from ({"step": step} for step in told.steps)
    yield from ({"source": source} for source in told.sources)
    yield {"thing": "no-such-thing"}
    yield from ({"q": text} for text in ("路", "暴露垃圾", "第7处", "没有的字", "nothing like it", told.number))
    yield {"class": told.classes[0], "area": told.areas[1], "light": "red"}
    yield {"step": "handle", "source": "video", "class": told.classes[1]}
    yield {"flow": flow, "step": "check", "area": told.areas[0]}


def pages(told: Known, tabs: Sequence[str]) -> Iterator[str]:
    for tab in tabs:
        for narrow in narrowed(told):
            yield "/desk/cases.json?" + urlencode({"tab": tab} | narrow)
        yield f"/desk/cases?tab={tab}"
        yield f"/desk/cases.csv?tab={tab}&limit=50"


def tabs_of(get: Get) -> list[str]:
    """The lists that somebody is offered."""
    page = get("/desk/cases").decode()
    return [tab for tab in TABS if f"tab={tab}" in page]


def ask(who: str, get: Get, told: Known, turns: int) -> Iterator[Asked]:
    """Each address as often, and with the first three pages of each list."""
    for path in pages(told, tabs_of(get)):
        asked = Asked(who, path, [])
        for _ in range(turns):
            following = path
            for _ in range(3):
                start = time.perf_counter()
                content = get(following)
                asked.waits.append((time.perf_counter() - start) * 1000)
                after = json.loads(content).get("next") if ".json" in path else None
                if not after:
                    break
                following = path + "&" + urlencode({"after": after})
        yield asked


def getter(port: int, cookie: str) -> Get:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def get(path: str) -> bytes:
        connection.request("GET", path, headers={"cookie": cookie, "accept-language": "zh"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        return content

    return get


def cookies(data: Path, passwords: dict[str, str]) -> tuple[dict[str, str], Known]:
    hub = opened(data)
    try:
        signed = {who: hub.door.sign_in(who, passwords[who])[0] for who in PEOPLE}
        return {who: f"{session_cookie(hub)}={session}" for who, session in signed.items()}, known(hub)
    finally:
        hub.close()


def main(count: int = CASES, turns: int = TURNS) -> None:
    with folder() as data:
        signed, told = cookies(data, fill(data, count))
        with up(data) as (_, port, _, _):
            for who, cookie in signed.items():
                tell(who, list(ask(who, getter(port, cookie), told, turns)), count)


def tell(who: str, asked: Sequence[Asked], count: int) -> None:
    waits = [wait for each in asked for wait in each.waits]
    slowest = max(asked, key=lambda each: each.p95)
    over = sum(each.p95 > GOAL for each in asked)
    note = f"{len(asked)} addresses; slowest p95 {slowest.p95:.0f} ms: {slowest.path}"
    note += f"; {over} of them over {GOAL} ms" if over else ""
    p95 = percentile(waits, 0.95)
    name = f"lists of the {PEOPLE[who]} with {count:,} cases, p95 of all"
    report(Figure(name, f"≤ {GOAL} ms", "ms", [p95], p95 <= GOAL and not over, note, why="see the slowest"))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
