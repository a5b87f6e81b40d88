"""Files that cities load: things from CSV, GeoJSON, Shapefile and GeoPackage; readings from CSV and Parquet.

Reading only: nothing is stored here. What cannot be taken comes out of the same stream as an InputError that says
line and reason, and never stops the rest; a file that cannot be read at all raises InputError.
"""

import csv
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import shapely

from cheng.protocols.files_places import CHUNK, Draft, Placeless, Row, mapped, placed
from cheng.protocols.files_series import Reading, SeriesChunk, read_series
from cheng.protocols.files_text import LOST, need_columns, separator_of, text_of
from cheng.protocols.files_vector import geojson, geojson_crs, vector
from cheng.standards.coordinates import is_degrees
from cheng.standards.problems import InputError

__all__ = ["Placeless", "Reading", "Row", "SeriesChunk", "read_series", "read_things"]

PLACE_NAMES = {
    "lon": {"lon", "lng", "long", "longitude", "经度", "x", "point_x", "pointx"},
    "lat": {"lat", "latitude", "纬度", "y", "point_y", "pointy"},
    "wkt": {"wkt", "geom", "geometry", "the_geom", "wkt_geom"},
}
csv.field_size_limit(1 << 28)  # one WKT cell holds the whole outline of a district


def read_things(
    path: str | Path,
    mapping: Mapping[str, str] | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    *,
    separator: str | None = None,
    layer: str | None = None,
    placeless: Placeless = "refuse",
    mend: bool = False,
) -> Iterator[Row | InputError]:
    """Every thing of a file, in its order, as a Row or as the InputError that says why it is refused.

    `mapping` is FIELD=COLUMN; columns that it does not name come under their own names. `lon` and `lat`, or `wkt`,
    make the place of a CSV row (found by their usual names when not mapped). Columns `#1`, `#2` … count cells of a
    CSV file without a header. `crs` (GCJ-02, BD-09, CGCS2000, EPSG:n) overrides what the file says; without either,
    degrees are taken as WGS 84. `encoding` and `separator` are found out when None. `placeless` says what becomes
    of a row whose coordinates are empty; `mend` makes areas sound that cross themselves, where that changes less
    than a hundredth of them, instead of refusing them. Raises InputError when the file as a whole cannot be read.
    """
    file, fields = Path(path), dict(mapping or {})
    suffix = Path(file.stem).suffix.lower() if file.suffix.lower() == ".gz" else file.suffix.lower()
    own: str | None = None
    if suffix in (".shp", ".gpkg"):
        own, chunks = vector(file, fields, encoding, layer)
    elif suffix in (".geojson", ".json", ".geojsonl", ".geojsons", ".ndjson"):
        own, chunks = crs or geojson_crs(file, encoding), geojson(file, fields, encoding)
    elif suffix in (".csv", ".txt", ".tsv", ".tab"):
        chunks = _csv(file, fields, encoding, separator)
    else:
        raise InputError("kind", f"{file.name} is no CSV, GeoJSON, Shapefile (.shp) or GeoPackage (.gpkg)")
    system = crs or own or "WGS84"
    try:
        is_degrees(system)
    except ValueError as problem:
        raise InputError("crs", str(problem)) from None
    for drafts in chunks:
        yield from placed(drafts, system, placeless, mend)


def _csv(file: Path, mapping: dict[str, str], encoding: str | None, separator: str | None) -> Iterator[list[Draft]]:
    with text_of(file, encoding) as text:
        separator = separator or separator_of(text.read(1 << 16))
        text.seek(0)
        reader = csv.reader(text, delimiter=separator, skipinitialspace=separator == " ")
        headless = any(column.startswith("#") for column in mapping.values())
        head = [] if headless else [name.strip().strip("\ufeff") for name in _first(reader, file.name)]
        if twice := [name for name in head if name and head.count(name) > 1]:
            raise InputError("columns", f"{file.name} has two columns named {twice[0]!r}")
        if not headless:
            need_columns(list(mapping.values()), head, file.name)
        place = _place_columns(mapping, head)
        rest = {field: column for field, column in mapping.items() if field not in place}
        rows = (_draft(number, cells, head, rest, place) for number, cells in _records(reader))
        while drafts := list(itertools.islice(rows, CHUNK)):
            yield drafts


def _first(reader: Iterator[list[str]], name: str) -> list[str]:
    try:
        return next(reader)
    except StopIteration:
        raise InputError("empty", f"{name} is empty") from None


def _records(reader: Any) -> Iterator[tuple[int, list[str] | InputError]]:
    """Line and cells of each row that is not blank; csv's own complaints as InputError."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield reader.line_num, InputError("not-csv", f"it cannot be read: {problem}", reader.line_num)
            continue
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _place_columns(mapping: Mapping[str, str], head: list[str]) -> dict[str, str]:
    """Which columns make the place: `wkt`, or `lon` and `lat`; mapped ones first, else those with usual names."""
    found = {part: mapping[part] for part in PLACE_NAMES if part in mapping}
    if found.keys() in ({"lon"}, {"lat"}):
        raise InputError("no-column", "a place needs both lon and lat; only one of them is mapped")
    if found:
        return found
    for part, names in PLACE_NAMES.items():
        if match := next((column for column in head if column.casefold() in names), None):
            found[part] = match
    if "wkt" in found and not {"lon", "lat"} <= found.keys():
        return {"wkt": found["wkt"]}
    return {part: found[part] for part in ("lon", "lat")} if {"lon", "lat"} <= found.keys() else {}


def _draft(
    number: int, cells: list[str] | InputError, head: list[str], mapping: Mapping[str, str], place: Mapping[str, str]
) -> Draft:
    if isinstance(cells, InputError):
        return Draft(number, {}, None, cells)
    names = head or [f"#{place}" for place in range(1, len(cells) + 1)]
    if len(cells) != len(names):
        reason = f"it has {len(cells)} cells, the header has {len(names)}"
        return Draft(number, {}, None, InputError("cells", reason, number))
    if any(LOST in cell for cell in cells):
        reason = "it holds bytes that are no text in this encoding; try encoding gb18030 or utf-8"
        return Draft(number, {}, None, InputError("encoding", reason, number))
    fields = dict(zip(names, (cell.strip() for cell in cells), strict=True))
    if absent := [column for column in (*mapping.values(), *place.values()) if column not in fields]:
        reason = f"it has {len(cells)} cells, {absent[0]} was asked for"
        return Draft(number, {}, None, InputError("cells", reason, number))
    shape: shapely.Geometry | None = None
    problem: InputError | None = None
    try:
        shape = _shape({part: fields[column] for part, column in place.items()})
    except (ValueError, shapely.errors.GEOSException) as fault:
        problem = InputError("place", f"its place cannot be read: {fault}", number)
    return Draft(number, mapped(fields, mapping, tuple(place.values())), shape, problem, placeless=not place)


def _shape(texts: Mapping[str, str]) -> shapely.Geometry | None:
    """The geometry that the cells of a row describe; None when they are empty. Raises ValueError."""
    if not any(texts.values()):
        return None
    if "wkt" in texts:
        return shapely.from_wkt(texts["wkt"])
    try:
        lon, lat = (float(texts[part].replace(",", ".")) for part in ("lon", "lat"))
    except ValueError:
        raise ValueError(f"{texts['lon']!r} and {texts['lat']!r} are not two numbers") from None
    return shapely.Point(lon, lat)
