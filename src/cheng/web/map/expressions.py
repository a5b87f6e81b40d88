"""The expressions of a MapLibre style, as far as ours says them: what a property comes to for a feature at a zoom."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

Said = Mapping[str, Any]
"""What a feature says of itself."""


def value(told: Any, said: Said, zoom: float) -> Any:
    """What the expression comes to. ValueError for one that is not among those of `web.map.style`."""
    if not isinstance(told, list) or not told or not isinstance(told[0], str):
        return told
    word, *rest = told
    if word in SPOKEN:
        return SPOKEN[word](rest, said, zoom)
    if word in COMPARED:
        return COMPARED[word](*(value(each, said, zoom) for each in rest))
    raise ValueError(f"the style says {word}, which is not known here")


def first_known(rest: list[Any], said: Said, zoom: float) -> Any:
    """Of several the first that comes to something."""
    return next((found for each in rest if (found := value(each, said, zoom)) is not None), None)


def chosen(rest: list[Any], said: Said, zoom: float) -> Any:
    """What follows the first test that holds, else the last."""
    pairs = zip(rest[:-1:2], rest[1::2], strict=True)
    return value(next((then for test, then in pairs if value(test, said, zoom)), rest[-1]), said, zoom)


def matched(given: Any, rest: list[Any]) -> Any:
    """The branch of a `match`, its last one where none fits."""
    for labels, branch in zip(rest[:-1:2], rest[1::2], strict=True):
        if given in labels if isinstance(labels, list) else given == labels:
            return branch
    return rest[-1]


def between(rest: list[Any], said: Said, zoom: float) -> float:
    """A number between those at its stops, evenly or growing by a base."""
    how, by, *stops = rest
    at = float(value(by, said, zoom))
    pairs = [(stop, float(value(then, said, zoom))) for stop, then in zip(stops[::2], stops[1::2], strict=True)]
    if at <= pairs[0][0]:
        return pairs[0][1]
    for (left, low), (right, high) in pairwise(pairs):
        if at <= right:
            base = how[1] if how[0] == "exponential" else 1
            share = (at - left) / (right - left)
            if base != 1:
                share = (base ** (at - left) - 1) / (base ** (right - left) - 1)
            return float(low + share * (high - low))
    return pairs[-1][1]


def asked(told: Any) -> set[str]:
    """The properties of features that an expression looks at."""
    if not isinstance(told, list):
        return set()
    if told[:1] == ["get"] or told[:1] == ["has"]:
        return {told[1]}
    return set().union(*map(asked, told))


SPOKEN: dict[str, Callable[[list[Any], Said, float], Any]] = {
    "literal": lambda rest, said, zoom: rest[0],
    "zoom": lambda rest, said, zoom: zoom,
    "get": lambda rest, said, zoom: said.get(rest[0]),
    "has": lambda rest, said, zoom: rest[0] in said,
    "all": lambda rest, said, zoom: all(value(each, said, zoom) for each in rest),
    "coalesce": first_known,
    "to-string": lambda rest, said, zoom: f"{value(rest[0], said, zoom):g}",
    "case": chosen,
    "match": lambda rest, said, zoom: value(matched(value(rest[0], said, zoom), rest[1:]), said, zoom),
    "interpolate": between,
}
COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda one, other: one == other,
    "<=": lambda one, other: one is not None and other is not None and one <= other,
    "-": lambda one, other: one - other,
    "%": lambda one, other: one % other,
    "in": lambda one, other: one in other,
}
