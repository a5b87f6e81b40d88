"""Who acts: a person, a device or program with a token, or the house itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

ActorKind = Literal["person", "device", "system"]

ROLES = {
    "citizen": "Lives or works here: reports, asks, reads what is public.",
    "officer": "Works in a department: handles its cases, alerts and things.",
    "dispatcher": "Sends cases to departments, moves and pauses them, decides about more time.",
    "reviewer": "Decides about appeals and about more time; handles nothing.",
    "leader": "Answers for the whole: sees everything, urges and supervises, handles no case.",
    "operator": "Runs the house: devices, imports, accounts, backups.",
    "collector": "Post: goes out, looks, takes photos; verifies reports and checks what was done.",
    "acceptor": "Post: hears reports of the public, gives them a class, merges what is the same.",
    "agent": "Post: takes calls, writes down what callers say, calls them back.",
    "shift-leader": "Post: files cases by a condition, closes them, declares void what is none.",
    "handler": "Post: does the work in the street.",
    "checker": "Post: looks whether the work was done.",
    "evaluator": "Post: reads how well departments, areas and posts do.",
}
"""Roles an account can have. Beside them: those of programs, `house`, and `newcomer` until it chose its password."""
DEVICE, REPORTER = "device", "reporter"
PROGRAMS = (DEVICE, REPORTER)
"""Roles that only a token can have."""


POSTS = ("collector", "acceptor", "agent", "shift-leader", "dispatcher", "handler", "checker", "evaluator")
"""Roles that steps of cases ask for, beside the department."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The things a token may speak for: by exact id, by how the id starts, or by type. Empty means none."""

    ids: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()

    def covers(self, thing: str, of_type: str = "") -> bool:
        """Whether the thing with this id, and of this type where it is known, lies inside."""
        return thing in self.ids or thing.startswith(self.prefixes) or of_type in self.types

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From {"ids": […], "prefixes": […], "types": […]}; empty words are left out, they would cover everything."""
        kept = {key: [str(word) for word in told.get(key) or () if word] for key in ("ids", "prefixes", "types")}
        return cls(frozenset(kept["ids"]), tuple(kept["prefixes"]), frozenset(kept["types"]))

    def told(self) -> dict[str, list[str]]:
        """As JSON: the other way round."""
        return {"ids": sorted(self.ids), "prefixes": list(self.prefixes), "types": sorted(self.types)}


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who asks for something."""

    name: str
    """the account's or token's name; "" for whoever has not signed in"""
    display_name: str = ""
    roles: tuple[str, ...] = ()
    department: str = ""
    kind: ActorKind = "person"
    scope: Scope = field(default=Scope())

    def has(self, role: str) -> bool:
        return role in self.roles


ANONYMOUS = Actor("", "", ("citizen",))
HOUSE = Actor("cheng", "Cheng", ("house",), kind="system")
"""The pipeline, jobs, and whoever may run `cheng` on the machine itself."""
