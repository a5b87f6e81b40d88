"""In which district, street, community and grid a place lies."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from cheng.standards.area_lattice import NONE, UNSURE, Floats, Lattice

Indexes = npt.NDArray[np.int32]


class AreaIndex:
    """Polygons of several levels, asked for many points at once. Immutable; safe to share between threads."""

    def __init__(self, ids: Sequence[str], levels: Sequence[str], polygons: npt.ArrayLike) -> None:
        """Equally long: ids, the level of each ("district", "street" …) and its polygon in WGS 84.

        Raises ValueError when the lengths differ.
        """
        self.ids = tuple(ids)
        self.polygons = np.array(polygons, object)
        if not len(self.ids) == len(levels) == len(self.polygons):
            raise ValueError(f"{len(self.ids)} ids, {len(levels)} levels and {len(self.polygons)} polygons")
        self.levels = tuple(dict.fromkeys(levels))
        """the levels in the order in which they first came"""
        self._level = np.array([self.levels.index(level) for level in levels], np.int32)
        self._members = [np.flatnonzero(self._level == level) for level in range(len(self.levels))]
        """for each level the positions of its polygons, rising"""
        self._lattices = [Lattice(self.polygons[members]) for members in self._members]
        shapely.prepare(self.polygons)
        self._tree = shapely.STRtree(self.polygons)

    def locate(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> list[Indexes]:
        """For each of `levels` an array (n,) of positions in `ids`, -1 where no polygon holds the point.

        Degrees WGS 84. A point on a common border belongs to the polygon that was given first; NaN to none.
        """
        return [self.of_level(level, lon, lat) for level in self.levels]

    def of_level(self, level: str, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Indexes:
        """(n,) the same for one of `levels`; ValueError for another."""
        number = self.levels.index(level)
        x, y = np.atleast_1d(np.asarray(lon, np.float64)), np.atleast_1d(np.asarray(lat, np.float64))
        found = self._lattices[number].locate(x, y)
        members = self._members[number]
        unsure = np.flatnonzero(found == UNSURE)
        if len(unsure):
            found[unsure] = self._reckoned(number, x[unsure], y[unsure])
        known = found >= 0
        found[known] = members[found[known]]
        return found

    def _reckoned(self, number: int, x: Floats, y: Floats) -> Indexes:
        """(n,) places among the members of a level, found exactly."""
        rows, areas = self._tree.query(shapely.points(x, y))
        of_level = self._level[areas] == number
        rows, areas = rows[of_level], areas[of_level]
        inside = shapely.intersects_xy(self.polygons[areas], x[rows], y[rows])
        members = self._members[number]
        found = np.full(len(x), len(members), np.int32)
        np.minimum.at(found, rows[inside], np.searchsorted(members, areas[inside]).astype(np.int32))
        found[found == len(members)] = NONE
        return found

    def ids_at(self, lon: float, lat: float) -> dict[str, str]:
        """The id of the area at each level that holds this one point."""
        found = self.locate(lon, lat)
        return {level: self.ids[at[0]] for level, at in zip(self.levels, found, strict=True) if at[0] >= 0}
