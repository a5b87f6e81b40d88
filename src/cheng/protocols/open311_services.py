"""What may be asked for by Open311: the public classes of every flow that files its cases by classes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cheng.hub import Hub
from cheng.kernel.classes import CaseClass
from cheng.standards.problems import Refused

CONDITION = "condition"
"""The one attribute that a client can fill in: which of the class's filing conditions fits."""


@dataclass(frozen=True, slots=True)
class Service:
    """A class that people may report, in the words of one language."""

    code: str
    flow: str
    of: CaseClass
    chinese: bool

    @property
    def name(self) -> str:
        return (self.of.name_zh if self.chinese else self.of.name) or self.of.name or self.of.name_zh

    @property
    def group(self) -> str:
        return (self.of.group_zh if self.chinese else self.of.group) or self.of.group or self.of.group_zh

    @property
    def conditions(self) -> dict[str, str]:
        """Filing conditions in words, by their ids."""
        words = ((each.id, each.text_zh if self.chinese else each.text) for each in self.of.conditions)
        return {id_: text for id_, text in words if text}

    def told(self) -> dict[str, Any]:
        """A service as GET services tells it."""
        other = self.of.name if self.chinese else self.of.name_zh
        keywords = dict.fromkeys(word for word in (self.group, other) if word and word != self.name)
        return {
            "service_code": self.code,
            "service_name": self.name,
            "description": " ".join(self.conditions.values()) or self.name,
            "metadata": bool(self.conditions),
            "type": "realtime",
            "keywords": ", ".join(word.replace(",", " ") for word in keywords),
            "group": self.group,
        }


def services(hub: Hub, chinese: bool, ever: bool = False) -> dict[str, Service]:
    """Code → service, in the order of the codes; a code that two flows use is that of the first. `ever`: also classes
    that are retired, for cases which were filed by them."""
    found: dict[str, Service] = {}
    for key, flow in hub.cases.flows.items():
        if flow.classes:
            for each in classes(hub, key) if ever else hub.classes.all(key, public=True):
                found.setdefault(each.code, Service(each.code, key, each, chinese))
    return found


def classes(hub: Hub, flow: str) -> Iterator[CaseClass]:
    """Public classes as they are today, retired ones as they were last."""
    for code in hub.classes.codes(flow):
        last = hub.classes.get(flow, code) or hub.classes.versions(flow, code)[-1]
        if last.public:
            yield last


def service(hub: Hub, code: str, chinese: bool) -> Service:
    """Refused (404) when there is none."""
    found = services(hub, chinese).get(code)
    if found is None:
        raise Refused("no-such-service", "There is no service_code {code}.", {"code": code[:40]}, 404)
    return found
