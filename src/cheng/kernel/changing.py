"""The same with a few fields changed: `dataclasses.replace`, several times as fast where there are many fields."""

from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def replace(known: T, **changes: Any) -> T:
    """A dataclass whose fields all go to its __init__, with some of them changed; KeyError for a field it has not."""
    cls: Any = type(known)
    values_of, places = shape(cls)
    values = list(values_of(known))
    for name, value in changes.items():
        values[places[name]] = value
    changed: T = cls(*values)
    return changed


@lru_cache
def shape(cls: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, int]]:
    """What takes the values of all fields in their order, and the place of each."""
    names = [field.name for field in fields(cls)]
    return attrgetter(*names), {name: place for place, name in enumerate(names)}
