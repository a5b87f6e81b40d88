"""In which district, street, community and grid a place lies."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

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
        shapely.prepare(self.polygons)
        self._tree = shapely.STRtree(self.polygons)

    def locate(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> list[Indexes]:
        """For each of `levels` an array (n,) of positions in `ids`, -1 where no polygon holds the point.

        Degrees WGS 84. A point on a common border belongs to the polygon that was given first; NaN to none.
        """
        x, y = np.atleast_1d(np.asarray(lon, np.float64)), np.atleast_1d(np.asarray(lat, np.float64))
        placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        rows, areas = self._tree.query(shapely.points(x[placed], y[placed]))
        rows = placed[rows]
        inside = shapely.intersects_xy(self.polygons[areas], x[rows], y[rows])
        rows, areas = rows[inside], areas[inside]
        first = np.full((len(self.levels), len(x)), len(self.ids), np.int32)
        np.minimum.at(first, (self._level[areas], rows), areas.astype(np.int32))
        first[first == len(self.ids)] = -1
        return list(first)

    def ids_at(self, lon: float, lat: float) -> dict[str, str]:
        """The id of the area at each level that holds this one point."""
        found = self.locate(lon, lat)
        return {level: self.ids[at[0]] for level, at in zip(self.levels, found, strict=True) if at[0] >= 0}
