"""Classes and responsibilities as lines of the store, and back again."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from cheng.kernel.classes import CaseClass, FilingCondition, Responsibility
from cheng.standards.durations import Duration

SAME = ("code", "version", "kind", "name", "name_zh", "responsible", "supervising", "public", "source", "retired")
"""Columns that bear the names of what they hold."""
WORDS = ("id", "text", "text_zh", "closes", "closes_zh", "basis", "note", "simple", "source")


def class_line(version: CaseClass) -> dict[str, Any]:
    """The line of a version, without flow, time and actor."""
    line = {name: getattr(version, name) for name in SAME}
    return line | {
        "group_name": version.group,
        "group_name_zh": version.group_zh,
        "since": version.since.isoformat(),
        "conditions": [condition_facts(condition) for condition in version.conditions],
    }


def class_of_line(line: Mapping[str, Any]) -> CaseClass:
    return CaseClass(
        group=line["group_name"],
        group_zh=line["group_name_zh"],
        since=date.fromisoformat(line["since"]),
        conditions=tuple(condition_of_facts(facts) for facts in line["conditions"]),
        **{name: line[name] for name in SAME},
    )


def condition_facts(condition: FilingCondition) -> dict[str, Any]:
    limit = {"amount": condition.limit.amount, "unit": condition.limit.unit}
    return {name: getattr(condition, name) for name in WORDS} | {"limit": limit}


def condition_of_facts(facts: Mapping[str, Any]) -> FilingCondition:
    limit = Duration(facts["limit"]["amount"], facts["limit"]["unit"])
    return FilingCondition(limit=limit, **{name: facts[name] for name in WORDS if name in facts})


def responsibility_line(row: Responsibility) -> dict[str, Any]:
    return {
        "prefix": row.prefix,
        "area": row.area,
        "departments": list(row.departments),
        "since": row.since.isoformat(),
    }


def responsibility_of_line(line: Mapping[str, Any]) -> Responsibility:
    since = date.fromisoformat(line["since"])
    return Responsibility(line["prefix"], line["area"], tuple(line["departments"]), since)
