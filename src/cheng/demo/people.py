"""Who works in the invented city: accounts to sign in with, and the crews that act by themselves."""

import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cheng.demo.town import DISTRICTS, Town
from cheng.hub import Hub
from cheng.infrastructure.registration import NewThing
from cheng.kernel.standing import Person
from cheng.security.actors import HOUSE
from cheng.security.passwords import one_time
from cheng.standards.problems import Refused

CENTRE, COMMAND = "Urban Management Supervision Centre", "Urban Management Command Centre"
BUREAUS = (
    CENTRE,
    COMMAND,
    "Drainage Bureau",
    "Urban Lighting Office",
    "Environmental Sanitation Office",
    "Ecology and Environment Bureau",
    "Public Security Bureau",
    "Government Offices Administration",
    "Vehicle Management Office",
    "Oilfield Production Office",
    "Oilfield Control Room",
)
CREWS = {
    "drainage crew": 1,
    "lighting crew": 2,
    "sanitation crew": 3,
    "environment squad": 4,
    "police station": 5,
    "fire station": 0,
}
"""What every district has, and the number of the bureau above it."""
WARD = DISTRICTS[0]
COLLECTORS = "{street} collector team"
FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡"
GIVEN = ("建国", "志强", "秀英", "海燕", "晓东", "丽华", "永刚", "雪梅", "文斌", "国庆", "春兰", "立新")
CREW = "crew"
"""What the names of accounts begin with that nobody signs in by."""
SHOWN = (
    ("he.min", "何敏", "officer acceptor agent", CENTRE),
    ("zheng.tao", "郑涛", "officer shift-leader", CENTRE),
    ("qian.jin", "钱进", "officer dispatcher", COMMAND),
    ("jiang.li", "姜莉", "officer collector checker", COLLECTORS),
    ("feng.jie", "冯杰", "officer evaluator", CENTRE),
    ("tang.lin", "唐林", "officer handler", f"{WARD} urban management squad"),
    ("qiu.yue", "邱月", "reviewer", CENTRE),
    ("zhang.wei", "张伟", "officer", f"{WARD} drainage crew"),
    ("li.na", "李娜", "officer", f"{WARD} drainage crew"),
    ("wang.fang", "王芳", "officer", f"{WARD} lighting crew"),
    ("liu.yang", "刘洋", "officer", f"{WARD} sanitation crew"),
    ("chen.jing", "陈静", "officer", f"{WARD} environment squad"),
    ("zhao.lei", "赵磊", "officer", f"{WARD} police station"),
    ("sun.li", "孙丽", "officer", "Vehicle Management Office"),
    ("leader", "周区长", "leader", ""),
    ("console", "马运维", "operator", ""),
    ("citizen", "黄市民", "citizen", ""),
)
"""Accounts to look around with: name, person, roles, department; COLLECTORS are those of the first street."""


def departments(hub: Hub, town: Town, things: Sequence[NewThing] = ()) -> Iterator[NewThing]:
    """The offices of the city as things of the register: also those that `things` belong to, those of their compounds,
    and those in charge of some class of cases."""
    for n, name in enumerate(BUREAUS, 1):
        yield NewThing(f"dept:{n:02d}", "Department", name, properties={"phone": f"6788{n:04d}"})
    known = set(BUREAUS)
    for d, district in enumerate(DISTRICTS, 1):
        for c, (crew, above) in enumerate(CREWS.items(), 1):
            properties = {"phone": f"67{d}{c}{d * 7 + c:04d}"} | ({"parent": f"dept:{above:02d}"} if above else {})
            known.add(name := f"{district} {crew}")
            yield NewThing(f"dept:{d:02d}:{c:02d}", "Department", name, properties=properties)
    compounds = {
        f"{thing.properties['compound']} property office" for thing in things if "compound" in thing.properties
    }
    more = sorted(({thing.owner for thing in things if thing.owner} | compounds | in_charge(hub, town)) - known)
    for n, name in enumerate(more, 1):
        yield NewThing(f"dept:9{n:03d}", "Department", name, properties={"phone": f"6799{n:04d}"})


def in_charge(hub: Hub, town: Town) -> set[str]:
    """Every department that a class of cases names somewhere in the city, and the collectors of every street."""
    streets = [(street.district, street.name) for street in town.streets]
    texts = {one.responsible for flow in hub.cases.flows for one in hub.classes.all(flow)} - {""}
    texts |= {text for flow in hub.cases.flows.values() for step in flow.steps for text in step.texts if flow.classes}
    found = {fill(text, district, street) for text in texts for district, street in streets}
    return {name for name in found if "{" not in name}


def fill(text: str, district: str, street: str) -> str:
    return text.replace("{district}", district).replace("{street}", street)


def accounts(hub: Hub, town: Town) -> list[tuple[str, str]]:
    """The accounts to look around with, made where they are missing: (name, password) of the new ones."""
    password, made = one_time(), []
    for name, person, roles, department in SHOWN:
        office = fill(department, WARD, town.streets[0].name)
        try:
            hub.accounts.create(HOUSE, name, person, roles.split(), office, password)
        except Refused as refused:
            if refused.code != "name-taken":
                raise
        else:
            made.append((name, password))
    return made


@dataclass
class Staff:
    """Two officers of every department, hired when there is work for them."""

    hub: Hub

    def __post_init__(self) -> None:
        self._hired: dict[tuple[str, int, str], Person] = {}

    def officer(self, department: str, which: int, post: str = "") -> Person:
        """The first or the second officer of a department at a post; the account is made when it is missing."""
        key = (department, which % 2, post)
        if key not in self._hired:
            mark = hashlib.sha256(department.encode()).hexdigest()
            number = int(mark[:8], 16) + which % 2 * 7
            title = FAMILY[number % len(FAMILY)] + GIVEN[number // 16 % len(GIVEN)]
            roles = ["officer", *([post] if post else [])]
            name = ".".join((CREW, mark[:8], *([post] if post else []), str(which % 2 + 1)))
            try:
                self.hub.accounts.create(HOUSE, name, title, roles, department)
            except Refused as refused:
                if refused.code != "name-taken":
                    raise
            self._hired[key] = Person(name, department, frozenset(roles), title)
        return self._hired[key]


def photo(seed: int, width: int = 64, height: int = 48) -> bytes:
    """A small PNG that stands for a photo: sky, street, and something on it."""
    sky, street, spot = (150, 180, 215), (96, 98, 102), (40 + seed * 53 % 180, 40 + seed * 97 % 180, 60)
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            near = (x - 20 - seed * 7 % 24) ** 2 + (y - 34) ** 2 < 60
            rows += bytes(spot if near else sky if y < height * 2 // 5 else street)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
