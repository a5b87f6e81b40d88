"""What is different between two versions of a class, field by field and condition by condition."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cheng.kernel.classes import CaseClass, FilingCondition

OF_CLASS = ("group", "group_zh", "name", "name_zh", "responsible", "supervising", "public", "source", "retired")
OF_CONDITION = ("text", "text_zh", "limit", "closes", "closes_zh", "simple", "basis", "note", "source")


@dataclass(frozen=True, slots=True)
class Change:
    """One field that says something else; a condition that came or went has the field ""."""

    field: str
    condition: str
    """id of the condition it is about; "" for the class itself"""
    before: Any
    """None for a condition that came"""
    after: Any
    """None for a condition that went"""

    def told(self) -> dict[str, str]:
        """In plain words, for the audit."""
        values = {"before": plain(self.before), "after": plain(self.after)}
        return {"field": self.field or "condition", "condition": self.condition, **values}


def plain(value: Any) -> str:
    if isinstance(value, FilingCondition):
        return f"{value.text} ({value.limit})"
    return "" if value is None else str(value)


def changes(before: CaseClass, after: CaseClass) -> Iterator[Change]:
    """From one version to another, the class first, then its conditions in the order of the later one."""
    yield from fields(before, after, OF_CLASS, "")
    was = {condition.id: condition for condition in before.conditions}
    for condition in after.conditions:
        old = was.pop(condition.id, None)
        if old is None:
            yield Change("", condition.id, None, condition)
        else:
            yield from fields(old, condition, OF_CONDITION, condition.id)
    for condition in was.values():
        yield Change("", condition.id, condition, None)


def fields(
    before: CaseClass | FilingCondition, after: CaseClass | FilingCondition, names: tuple[str, ...], condition: str
) -> Iterator[Change]:
    for name in names:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Change(name, condition, old, new)
