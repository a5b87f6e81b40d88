"""One type of thing as the judging sees it: arrays by slot, rebuilt when the register has changed."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely

from cheng.infrastructure.registration import Thing
from cheng.kernel.columns import Bools, Floats, Rows, Times
from cheng.kernel.entities import Choice, Entity, Ref
from cheng.kernel.frames import Blank, Somewhere
from cheng.standards.places import from_geojson

if TYPE_CHECKING:
    from cheng.infrastructure.things import Things


class TypeRegister:
    """A `Register` for one entity."""

    def __init__(self, entity: type[Entity], things: "Things") -> None:
        self.entity, self._things = entity, things
        self.members: list[Thing] = []
        """by slot"""
        self.numbers = {name: number for number, name in enumerate(entity.live())}
        self.refers_to = frozenset(field.target for field in entity.fields().values() if isinstance(field, Ref))
        """names of other types"""
        self._kept: dict[Any, Any] = {}

    def changed(self) -> None:
        """A thing of the type, or one it refers to, is not what it was."""
        self._kept = {}

    def columns(self) -> dict[str, int]:
        return self.numbers

    def size(self) -> int:
        return len(self.members)

    def _array(self, key: Any, size: int, fill: Any, dtype: Any) -> npt.NDArray[Any]:
        """The cached array for a key, or a new one filled by `fill(thing)` for each member."""
        kept = self._kept.get(key)
        if kept is None or len(kept) < size:
            kept = np.array([fill(thing) for thing in self.members[:size]], dtype)
            self._kept[key] = kept
        return kept

    def fixed(self, name: str) -> Floats:
        field = self.entity.fixed()[name]

        def number(thing: Thing) -> float:
            value = thing.properties.get(name)
            if isinstance(field, Choice):
                return self._things.code(field, value) if isinstance(value, str) else float("nan")
            return float(value) if isinstance(value, (int, float)) else float("nan")

        return self._array(("fixed", name), self.size(), number, np.float64)

    def _targets(self, ref: str) -> list[Thing | None]:
        return [self._things.find(str(thing.properties.get(ref, ""))) for thing in self.members]

    def target(self, ref: Blank, name: str) -> Floats:
        assert isinstance(ref, Ref)
        other = self._things.register(ref.target)
        key = ("slots", ref.name)
        if key not in self._kept:
            slots = [-1 if t is None or t.type != ref.target else t.slot for t in self._targets(ref.name)]
            self._kept[key] = np.array(slots, np.intp)
        slots = self._kept[key]
        values = self._things.current(ref.target, name) if name in other.numbers else other.fixed(name)
        return np.where(slots >= 0, np.append(values, np.nan)[slots], np.nan)

    def places(self, place: Somewhere) -> npt.NDArray[Any]:
        name = place.field.name
        if place.every:
            owner = place.field.owner
            assert owner is not None
            return self._things.register(owner.__name__).all_places(name)
        if place.ref is None:
            return self._placed(("place", name), lambda: self.members, name)
        ref = place.ref.name
        return self._placed(("place", ref, name), lambda: self._targets(ref), name)

    def _placed(self, key: Any, things: Callable[[], Sequence[Thing | None]], name: str) -> npt.NDArray[Any]:
        kept: npt.NDArray[Any] | None = self._kept.get(key)
        if kept is None or len(kept) < self.size():
            kept = self._kept[key] = geometries(things(), name)
        return kept

    def all_places(self, name: str) -> npt.NDArray[Any]:
        """(1,) the places of all things of the type as one geometry."""
        if ("all", name) not in self._kept:
            parts = [g for g in geometries(self.members, name) if g is not None]
            self._kept["all", name] = np.array([shapely.union_all(parts) if parts else None], object)
        kept: npt.NDArray[Any] = self._kept["all", name]
        return kept

    def code(self, field: Blank, label: str) -> float:
        return self._things.code(field, label)

    def registered(self) -> Times:
        return self._array("registered", self.size(), lambda t: t.registered, np.int64)

    def indexes(self) -> Rows:
        """(size,) the index of each thing."""
        return self._array("indexes", self.size(), lambda t: t.idx, np.intp)

    def owners(self) -> npt.NDArray[Any]:
        """(size,) the department that owns each thing."""
        return self._array("owners", self.size(), lambda t: t.owner, object)

    def points(self) -> Floats:
        """(size, 2) longitude and latitude of each thing's own place; NaN where it has none."""
        nowhere = (np.nan, np.nan)
        return self._array("points", self.size(), lambda t: t.point or nowhere, np.float64).reshape(-1, 2)

    def active(self) -> Bools:
        return self._array("active", self.size(), lambda t: t.state in ("registered", "active"), np.bool_)


def geometries(things: Sequence[Thing | None], name: str) -> npt.NDArray[Any]:
    """(n,) the geometry of a place field of each: the field itself, or the thing's own place where the field is empty.

    Most things are points, and many refer to the same one: neither is read by the library one by one.
    """
    found = np.full(len(things), None, object)
    points: dict[int, tuple[float, float]] = {}
    read: dict[int, Any] = {}
    for n, thing in enumerate(things):
        if thing is None:
            continue
        value = thing.properties.get(name)
        if not value and thing.shape is None:
            if thing.point is not None:
                points[n] = thing.point
            continue
        if thing.idx not in read:
            value = value or thing.geometry
            read[thing.idx] = from_geojson(value) if isinstance(value, dict) else None
        found[n] = read[thing.idx]
    found[list(points)] = shapely.points(np.array(list(points.values())).reshape(-1, 2))
    return found
