"""Places out of files: checked, moved to WGS 84, and said what is wrong with those that cannot be taken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from cheng.standards.coordinates import geometries_to_wgs84, is_degrees
from cheng.standards.problems import InputError

Geometries = npt.NDArray[np.object_]
Placeless = Literal["refuse", "keep"]
CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Row:
    """One thing as a file tells it."""

    number: int
    """line of a text file, or number of the feature, from 1"""
    fields: dict[str, Any]
    geometry: dict[str, Any] | None
    """GeoJSON in WGS 84; None for a thing without a place"""


@dataclass(slots=True)
class Draft:
    """A row whose place is not checked yet."""

    number: int
    fields: dict[str, Any]
    geometry: shapely.Geometry | None
    problem: InputError | None = None
    placeless: bool = False
    """it says itself that it has no place"""


def mapped(fields: Mapping[str, Any], mapping: Mapping[str, str], hidden: Sequence[str] = ()) -> dict[str, Any]:
    """Columns renamed by FIELD=COLUMN, the others under their own names; `hidden` ones left out."""
    taken = set(mapping.values()) | set(hidden)
    kept = {column: value for column, value in fields.items() if column not in taken}
    return kept | {field: fields.get(column) for field, column in mapping.items() if column not in hidden}


def placed(drafts: Sequence[Draft], crs: str, placeless: Placeless, mend: bool) -> Iterator[Row | InputError]:
    """Rows in their order, each refused one as an InputError. Raises ValueError for an unknown `crs`."""
    given = np.array([draft.geometry for draft in drafts], object)
    if mend:
        given = _mended(given)
    reasons = _problems_before(given)
    sound = np.array([not reason for reason in reasons], bool) & ~shapely.is_missing(given)
    moved = np.full(len(given), None, object)
    moved[sound] = geometries_to_wgs84(given[sound], crs)
    _problems_after(given, moved, crs, reasons)
    moved[np.array([bool(reason) for reason in reasons], bool)] = None
    texts = shapely.to_geojson(moved)
    for draft, reason, text in zip(drafts, reasons, texts, strict=True):
        if draft.problem is not None:
            yield draft.problem
        elif reason:
            yield InputError("place", reason, draft.number)
        elif text is None and not draft.placeless and placeless == "refuse":
            yield InputError("no-place", "it has no coordinates", draft.number)
        else:
            yield Row(draft.number, draft.fields, msgspec.json.decode(text) if text else None)


def _mended(given: Geometries) -> Geometries:
    """Areas that cross or touch themselves made sound, as long as that changes less than a hundredth of them."""
    result = given.copy()
    for row in np.flatnonzero((shapely.get_dimensions(given) == 2) & ~shapely.is_valid(given)):
        sound = shapely.make_valid(given[row], method="structure", keep_collapsed=False)
        before = shapely.area(given[row])
        if shapely.get_dimensions(sound) == 2 and abs(shapely.area(sound) - before) <= before / 100:
            result[row] = sound
    return result


def _problems_before(given: Geometries) -> list[str]:
    """What is wrong with each geometry where it stands; empty strings where nothing is."""
    reasons = [""] * len(given)
    coordinates, owner = shapely.get_coordinates(given, return_index=True)
    for row in np.unique(owner[~np.isfinite(coordinates).all(axis=1)]):
        reasons[row] = "a coordinate is missing or no number"
    for row in np.flatnonzero(~shapely.is_missing(given) & shapely.is_empty(given)):
        reasons[row] = "it has no coordinates"
    for row in np.flatnonzero(shapely.get_dimensions(given) == 2):
        if not reasons[row] and not shapely.is_valid(given[row]):
            fault = str(shapely.is_valid_reason(given[row])).replace("[", " at ").rstrip("]")
            reasons[row] = f"the area is not sound: {fault}; mend it where it was drawn, or load it with mend"
    return reasons


def _problems_after(given: Geometries, moved: Geometries, crs: str, reasons: list[str]) -> None:
    """Adds to `reasons` what the way to WGS 84 has shown."""
    bounds, before = shapely.bounds(moved), shapely.bounds(given)
    west, south, east, north = bounds.T
    outside = ~((west >= -180) & (east <= 180) & (south >= -90) & (north <= 90))
    nowhere = (shapely.get_type_id(moved) == 0) & (west == 0) & (south == 0)
    for row in np.flatnonzero((outside | nowhere) & ~shapely.is_missing(moved)):
        if nowhere[row]:
            reasons[row] = "longitude and latitude are both 0, which stands for an unknown place"
        else:
            reasons[row] = _outside(before[row], crs)


def _outside(bounds: npt.NDArray[np.float64], crs: str) -> str:
    x, y = (f"{value:.10g}" for value in bounds[:2])
    if not is_degrees(crs):
        return f"{x}, {y} cannot be placed by {crs[:40]}"
    if max(abs(bounds[0]), abs(bounds[2])) <= 90 and max(abs(bounds[1]), abs(bounds[3])) <= 180:
        return f"{x}, {y} lies outside the earth; longitude and latitude look swapped"
    if np.abs(bounds).max() > 1000:
        return f"{x}, {y} are metres, not degrees; say in which system, for example EPSG:4544 for CGCS2000 zones"
    return f"{x}, {y} lies outside the earth"
