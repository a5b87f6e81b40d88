"""Alerts of one cause: the first one leads, the others join it as long as they keep coming."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from cheng.infrastructure.registration import Thing
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import alerts
from cheng.infrastructure.things import Things
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule

Group = tuple[str, str]
"""The rule, and what groups."""


class Groups:
    """By group: the number of the alert that leads, and when the last one joined."""

    def __init__(self, known: "Groups | None" = None) -> None:
        """`known`: what holds as long as nothing else is said here; it stays as it is."""
        self._known = known
        self._leads: dict[Group, tuple[int, int]] = {}

    def load(self, store: Store, model: Model, things: Things, now: int) -> None:
        """What the book says about groups that go on."""
        with store.read() as conn:
            for key, rule in model.rules.items():
                if rule.group is None:
                    continue
                recent = select(alerts).where(alerts.c.rule == key, alerts.c.raised >= now - rule.group.within.us)
                for row in conn.execute(recent.order_by(alerts.c.raised)):
                    group = key, grouping(rule, things.find(row.thing_id or ""), row.message_values)
                    self._leads[group] = (row.group_id or row.number, row.raised)

    def join(
        self, rule: type[Rule], thing: Thing | None, values: Mapping[str, Any], number: int, raised: int
    ) -> int | None:
        """The number of the alert that this one joins; None when it stands alone or leads."""
        if rule.group is None:
            return None
        group = rule.key(), grouping(rule, thing, values)
        lead, last = self._of(group)
        joins = lead is not None and raised - last <= rule.group.within.us
        self._leads[group] = (lead if joins and lead is not None else number, raised)
        return lead if joins else None

    def _of(self, group: Group) -> tuple[int | None, int]:
        return self._leads.get(group) or (self._known._of(group) if self._known else (None, 0))

    def learn(self, said: "Groups") -> None:
        """What was said there holds here."""
        self._leads |= said._leads


def grouping(rule: type[Rule], thing: Thing | None, values: Mapping[str, Any]) -> str:
    """What the alert shares with others of its cause: the value of a field, or the neighbourhood."""
    if rule.group is not None and rule.group.field is not None:
        return str(values.get(rule.group.field.name))
    return thing.areas[-1] if thing and thing.areas else ""
