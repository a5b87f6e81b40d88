"""What each role may do: one table, and whatever is not in it is refused.

A grant is (role, verb, kind of object) with the conditions under which it holds; one of them is enough. Lists ask
`reach` which conditions could let rows through and put those into their query; single objects ask `decide`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Self

from cheng.security.actors import Actor

VERBS = {
    "see": "thing alert case dataset indicator rule blob job refused setting command class suggestion evaluation"
    " article",
    "see-personal": "thing case",
    "see-contact": "case",
    "take": "call",
    "call-back": "case",
    "download": "dataset",
    "act": "case",
    "note": "case",
    "report": "case",
    "acknowledge": "alert",
    "shelve": "alert",
    "maintain": "thing",
    "command": "thing",
    "receive": "thing",
    "register": "thing",
    "ingest": "thing",
    "load": "thing dataset class case article",
    "edit": "class article",
    "upload": "blob",
    "try": "rule",
    "run": "job suggestion",
    "retry-refused": "refused",
    "manage-accounts": "account",
    "manage-tokens": "token",
    "change-password": "account",
    "read-audit": "audit",
    "change-settings": "setting",
    "backup": "store",
    "enter": "portal desk round dashboard catalogue console kiosk",
}
"""Each verb and the kinds of object it goes with."""

RECORDED = {"see-personal", "see-contact", "read-audit", "backup", "download"}
"""Verbs that go into the audit when they are allowed too: those that read what is not for everyone."""


@dataclass(frozen=True, slots=True)
class Target:
    """What somebody wants to do something with, as far as the decision needs to know."""

    kind: str
    id: str = ""
    department: str = ""
    type: str = ""
    public: bool = False
    assignee: str = ""
    reporter: str = ""

    @classmethod
    def of(cls, kind: str, row: Mapping[str, Any]) -> Self:
        """From a row of the store. A thing's `owner` is its department."""
        department = row.get("owner") if kind == "thing" else row.get("department")
        words = {key: str(row.get(key) or "") for key in ("id", "type", "assignee", "reporter")}
        return cls(kind, department=department or "", public=row.get("public") is True, **words)

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


@dataclass(frozen=True, slots=True)
class Condition:
    """When a grant holds."""

    name: str
    holds: Callable[[Actor, Target, str], bool]
    why_not: str
    """What to say when it does not hold."""


ANY = Condition("any", lambda actor, target, purpose: True, "")
PUBLIC = Condition("public", lambda actor, target, purpose: target.public, "This is not public.")
OWN_DEPARTMENT = Condition(
    "own department",
    lambda actor, target, purpose: actor.department != "" and actor.department == target.department,
    "This belongs to another department.",
)
ASSIGNED = Condition(
    "assigned",
    lambda actor, target, purpose: actor.name != "" and actor.name == target.assignee,
    "This is in someone else's hands.",
)
REPORTED = Condition(
    "reported",
    lambda actor, target, purpose: actor.name != "" and actor.name == target.reporter,
    "Only the person who reported this may do that.",
)
IN_SCOPE = Condition(
    "in scope",
    lambda actor, target, purpose: target.id != "" and actor.scope.covers(target.id, target.type),
    "This token does not speak for this thing.",
)
OWN_ACCOUNT = Condition(
    "own account",
    lambda actor, target, purpose: actor.name != "" and actor.name == target.id,
    "This is someone else's account.",
)
OWN_DEPARTMENT_WITH_PURPOSE = Condition(
    "own department, with a purpose",
    lambda actor, target, purpose: purpose.strip() != "" and OWN_DEPARTMENT.holds(actor, target, purpose),
    "Personal details are shown only to the department in charge, and only when it says what for.",
)

Grants = dict[tuple[str, str, str], tuple[Condition, ...]]


def grants() -> Grants:
    """The table, one line per roles, verbs and kinds."""
    table: Grants = {}
    for roles, verbs, kinds, *conditions in ROWS:
        for role, verb, kind in product(roles.split(), verbs.split(), kinds.split()):
            if kind not in VERBS[verb].split():
                raise ValueError(f"nobody can {verb} a {kind}")
            table[role, verb, kind] = (*table.get((role, verb, kind), ()), *conditions)
    for verb, kinds in VERBS.items():
        table |= {("house", verb, kind): (ANY,) for kind in kinds.split()}
    return table


ROWS: tuple[tuple[Any, ...], ...] = (
    ("citizen", "enter", "portal catalogue", ANY),
    ("citizen", "see", "thing alert dataset indicator blob", PUBLIC),
    ("citizen", "see", "case", PUBLIC, REPORTED),
    ("citizen", "see", "blob", REPORTED),
    ("citizen", "download", "dataset", PUBLIC),
    ("citizen", "report", "case", ANY),
    ("citizen", "upload", "blob", ANY),
    ("citizen", "note", "case", REPORTED),
    ("citizen", "change-password", "account", OWN_ACCOUNT),
    ("officer", "enter", "portal catalogue desk", ANY),
    ("officer", "see", "thing indicator rule class", ANY),
    ("officer", "see", "alert command evaluation", OWN_DEPARTMENT),
    ("officer", "see download", "dataset", PUBLIC, OWN_DEPARTMENT),
    ("officer", "see act note", "case", OWN_DEPARTMENT, ASSIGNED),
    ("officer", "see", "blob", PUBLIC, OWN_DEPARTMENT, ASSIGNED, REPORTED),
    ("officer", "see-personal", "thing case", OWN_DEPARTMENT_WITH_PURPOSE),
    ("officer", "acknowledge shelve", "alert", OWN_DEPARTMENT),
    ("officer", "maintain command register", "thing", OWN_DEPARTMENT),
    ("officer", "report", "case", ANY),
    ("officer", "upload", "blob", ANY),
    ("officer", "try", "rule", ANY),
    ("officer", "change-password", "account", OWN_ACCOUNT),
    ("acceptor agent shift-leader", "see act note", "case", ANY),
    ("acceptor agent", "see-contact", "case", ANY),
    ("acceptor agent", "take", "call", ANY),
    ("acceptor agent", "call-back", "case", ANY),
    ("officer dispatcher reviewer leader", "see", "article", ANY),
    ("acceptor agent dispatcher", "edit", "article", ANY),
    ("dispatcher", "load", "article", ANY),
    ("dispatcher leader", "see-contact", "case", ANY),
    ("evaluator", "see", "case", ANY),
    ("collector checker handler", "enter", "round", ANY),
    ("leader", "enter", "portal catalogue desk dashboard", ANY),
    ("leader", "see", "thing alert case dataset indicator rule blob job command class", ANY),
    ("leader", "download", "dataset", ANY),
    ("leader", "note", "case", ANY),
    ("leader", "acknowledge", "alert", ANY),
    ("leader", "try", "rule", ANY),
    ("leader", "read-audit", "audit", ANY),
    ("leader", "change-password", "account", OWN_ACCOUNT),
    ("leader", "act", "case", ANY),
    ("dispatcher reviewer", "enter", "portal catalogue desk dashboard", ANY),
    ("dispatcher reviewer", "see", "thing alert case indicator rule blob command class", ANY),
    ("dispatcher", "edit load", "class", ANY),
    ("dispatcher reviewer", "act note", "case", ANY),
    ("leader dispatcher", "see run", "suggestion", ANY),
    ("dispatcher reviewer leader evaluator", "see", "evaluation", ANY),
    ("dispatcher", "report", "case", ANY),
    ("dispatcher", "acknowledge shelve", "alert", ANY),
    ("dispatcher reviewer", "upload", "blob", ANY),
    ("dispatcher reviewer", "change-password", "account", OWN_ACCOUNT),
    ("operator", "enter", "portal catalogue dashboard console kiosk", ANY),
    ("operator", "see", "thing alert dataset indicator rule job refused setting command class", ANY),
    ("operator", "load", "class case article", ANY),
    ("operator", "shelve", "alert", ANY),
    ("operator", "maintain register ingest load", "thing", ANY),
    ("operator", "load", "dataset", ANY),
    ("operator", "try", "rule", ANY),
    ("operator", "run", "job", ANY),
    ("operator", "retry-refused", "refused", ANY),
    ("operator", "manage-accounts", "account", ANY),
    ("operator", "manage-tokens", "token", ANY),
    ("operator", "read-audit", "audit", ANY),
    ("operator", "change-settings", "setting", ANY),
    ("operator", "backup", "store", ANY),
    ("operator", "change-password", "account", OWN_ACCOUNT),
    ("device", "ingest receive see", "thing", IN_SCOPE),
    ("reporter", "report", "case", ANY),
    ("reporter", "upload", "blob", ANY),
    ("newcomer", "change-password", "account", OWN_ACCOUNT),
)
GRANTS = grants()


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, and why."""

    allowed: bool
    reason: str
    """The condition that let it through, or the sentence to show."""
    code: str = ""
    """A stable word when refused."""


NO_ROLE = Decision(False, "Your role does not include this.", "not-allowed")
SIGN_IN = Decision(False, "Please sign in first.", "sign-in-needed")
NEWCOMER = Decision(False, "Please choose a password of your own first.", "change-password")


def decide(actor: Actor, verb: str, thing: Target | str, purpose: str = "") -> Decision:
    """Whether `actor` may do this. A kind's name alone ("case") stands for all objects of the kind.

    Raises ValueError for a verb or kind that is not in VERBS: that is a mistake in a program, not a refusal.
    """
    target = Target(thing) if isinstance(thing, str) else thing
    if target.kind not in VERBS.get(verb, "").split():
        raise ValueError(f"nobody can {verb} a {target.kind}; see VERBS in {__name__}")
    refusal = NO_ROLE
    for condition in conditions(actor, verb, target.kind):
        if condition.holds(actor, target, purpose):
            return Decision(True, condition.name)
        refusal = Decision(False, condition.why_not, condition.name.replace(" ", "-").replace(",", ""))
    if actor.name == "" and actor.kind == "person":
        return SIGN_IN
    return NEWCOMER if actor.has("newcomer") else refusal


def conditions(actor: Actor, verb: str, kind: str) -> Iterable[Condition]:
    """Under any of these the actor may; none at all means never."""
    for role in actor.roles:
        yield from GRANTS.get((role, verb, kind), ())


def reach(actor: Actor, verb: str, kind: str) -> frozenset[str]:
    """Names of the conditions a list's query joins by OR; with "any" no row is held back, with none all are."""
    return frozenset(condition.name for condition in conditions(actor, verb, kind))
