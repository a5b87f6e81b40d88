"""What an alert says: the values that its text may name, whose business it is, and how open pages hear of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cheng.infrastructure.registration import Thing
from cheng.infrastructure.things import Things
from cheng.kernel.entities import Choice
from cheng.kernel.flows import Flow
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule

TOLD = ("number", "rule", "thing_id", "level", "state", "onset", "raised", "cleared", "area")


@dataclass(frozen=True, slots=True)
class Manner:
    """What all alerts of a rule have in common."""

    rule: type[Rule]
    app: str
    owner: str
    """the department that answers for the application"""
    level: str
    choices: Mapping[str, Choice]
    """the fields whose values are codes of labels"""
    flow: type[Flow] | None
    """what it starts"""
    text: str


class Wording:
    """Words for alerts. Safe to use from any thread."""

    def __init__(self, model: Model, things: Things) -> None:
        self.model, self.things = model, things
        self._manners: dict[str, Manner] = {}

    def of(self, rule_key: str) -> Manner:
        """What all alerts of a rule have in common."""
        manner = self._manners.get(rule_key)
        if manner is None:
            rule = self.model.rules[rule_key]
            owner: str = rule.app.owner  # type: ignore[attr-defined]  # a Spec's app is an App
            choices = {name: field for name, field in rule.subject.fields().items() if isinstance(field, Choice)}
            flow = next(iter(self.model.flows_started_by(rule)), None)
            manner = Manner(rule, rule.app.__name__, owner, rule.level, choices, flow, rule.sentence())
            self._manners[rule_key] = manner
        return manner

    def values(self, manner: Manner, thing: Thing | None, live: Mapping[str, Any]) -> dict[str, Any]:
        """What the text of the rule and the departments of its flow may name: of the register and of the moment."""
        values: dict[str, Any] = {**self.standing_values(thing), **live} if thing else dict(live)
        for name, field in manner.choices.items():
            value = live.get(name)
            if isinstance(value, float):
                values[name] = None if math.isnan(value) else self.things.label(field, value)
        return values

    def standing_values(self, thing: Thing) -> dict[str, Any]:
        """What is known of a thing without looking: its register entry and the names of its areas."""
        values = {k: v for k, v in thing.properties.items() if not isinstance(v, dict)} if thing.properties else {}
        area = next(filter(None, map(self.things.find, reversed(thing.areas))), None) if thing.areas else None
        values["id"], values["name"], values["owner"] = thing.id, thing.name or thing.id, thing.owner
        values["area"] = area.name or area.id if area else ""
        return values

    def message(self, alert: Mapping[str, Any]) -> dict[str, Any]:
        """An alert, given as its row, as open pages hear of it."""
        values: Mapping[str, Any] = alert["message_values"]
        told = {"id": str(alert["number"]), **{name: alert[name] for name in TOLD}, "values": values}
        return told | {"departments": self.departments(self.of(alert["rule"]), values)}

    def departments(self, manner: Manner, values: Mapping[str, Any]) -> list[str]:
        """Whose business an alert is from the start: the application's, the thing's, and those who get its case."""
        first = manner.flow.steps[0].departments(values) if manner.flow else ()
        return list(dict.fromkeys(d for d in (manner.owner, str(values.get("owner") or ""), *first) if d))
