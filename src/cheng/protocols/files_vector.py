"""GeoJSON (also one feature a line), Shapefile and GeoPackage as drafts of rows."""

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import shapely

from cheng.protocols.files_places import CHUNK, Draft, mapped
from cheng.protocols.files_text import encoding_of, known_encoding, need_columns, opened, text_of
from cheng.standards.libraries import Library
from cheng.standards.problems import InputError

pyogrio = Library("pyogrio")
"""GDAL, which takes 25 MB."""
GEOMETRIES = {"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"}
OLD_CRS = re.compile(r'"crs"\s*:\s*\{[^{}]*"properties"\s*:\s*\{\s*"name"\s*:\s*"([^"]+)"')
MAGIC = {".shp": b"\x00\x00\x27\x0a", ".gpkg": b"SQLite format 3\x00"}
DEFAULT_CODE_PAGES = (0x00, 0x03, 0x57)
"""what a .dbf says when nobody chose an encoding"""


class Collection(msgspec.Struct):
    """A GeoJSON document; what is inside its features is looked at one by one."""

    type: str = ""
    features: list[msgspec.Raw] | None = None
    crs: Any = None


class Feature(msgspec.Struct):
    type: str = ""
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    properties: dict[str, Any] | None = None
    id: Any = None


def geojson_crs(path: Path, encoding: str | None) -> str:
    """What an old-style `crs` member says, else WGS84."""
    with text_of(path, encoding) as text:
        head = text.read(4096)
    found = OLD_CRS.search(head)
    return found[1] if found else "WGS84"


def geojson(path: Path, mapping: Mapping[str, str], encoding: str | None) -> Iterator[list[Draft]]:
    """Features in chunks. Raises InputError when the file is no GeoJSON."""
    with text_of(path, encoding) as text:
        first = text.readline().strip().lstrip("\x1e\ufeff")
        text.seek(0)
        if _is_feature(first) and text.readline() and text.readline().strip():
            text.seek(0)
            lines = ((number, line.strip().strip("\x1e\ufeff")) for number, line in enumerate(text, 1))
            features = ((number, msgspec.Raw(line.encode())) for number, line in lines if line)
            yield from _features(features, mapping, path.name)
            return
        text.seek(0)
        content = text.read().lstrip("\ufeff").encode()
    yield from _features(enumerate(_members(content, path.name), 1), mapping, path.name)


def _is_feature(line: str) -> bool:
    try:
        return msgspec.json.decode(line, type=Feature).type == "Feature"
    except msgspec.DecodeError:
        return False


def _members(content: bytes, name: str) -> list[msgspec.Raw]:
    try:
        document = msgspec.json.decode(content, type=Collection)
    except msgspec.DecodeError as problem:
        raise InputError("not-geojson", f"{name} is no GeoJSON: {problem}") from None
    if document.type == "FeatureCollection" and document.features is not None:
        return document.features
    if document.type == "Feature":
        return [msgspec.Raw(content)]
    if document.type in GEOMETRIES:
        return [msgspec.Raw(b'{"type":"Feature","geometry":' + content + b"}")]
    raise InputError(
        "not-geojson", f"{name} is no GeoJSON: a FeatureCollection was expected, its type is {document.type!r}"
    )


def _features(
    features: Iterator[tuple[int, msgspec.Raw]], mapping: Mapping[str, str], name: str
) -> Iterator[list[Draft]]:
    checked = False
    while chunk := list(itertools.islice(features, CHUNK)):
        drafts = [_draft(number, raw) for number, raw in chunk]
        texts = np.array([draft.fields.pop("\0geometry", None) for draft in drafts], object)
        shapes = shapely.from_geojson(texts, on_invalid="ignore")
        for draft, text, shape in zip(drafts, texts, shapes, strict=True):
            draft.geometry, draft.placeless = shape, text is None
            if shape is None and text is not None:
                draft.problem = InputError("not-geojson", "its geometry is no GeoJSON geometry", draft.number)
            if not checked and draft.problem is None:
                need_columns(list(mapping.values()), list(draft.fields), name)
                checked = True
            draft.fields = mapped(draft.fields, mapping)
        yield drafts


def _draft(number: int, raw: msgspec.Raw) -> Draft:
    try:
        feature = msgspec.json.decode(raw, type=Feature)
    except msgspec.DecodeError as problem:
        return Draft(number, {}, None, InputError("not-geojson", f"it is no GeoJSON feature: {problem}", number))
    if feature.type != "Feature":
        return Draft(number, {}, None, InputError("not-geojson", f"its type is {feature.type!r}, not Feature", number))
    fields = dict(feature.properties or {})
    if feature.id is not None:
        fields.setdefault("id", feature.id)
    geometry = bytes(feature.geometry)
    if geometry != b"null":
        fields["\0geometry"] = geometry
    return Draft(number, fields, None)


def layer_of(path: Path, layer: str | None) -> str:
    """The layer to read. Raises InputError when the file is not what its name says, or holds several layers."""
    with opened(path) as stream:
        if not stream.read(16).startswith(MAGIC[path.suffix.lower()]):
            kind = "Shapefile" if path.suffix.lower() == ".shp" else "GeoPackage"
            raise InputError("not-vector", f"{path.name} is no {kind}")
    try:
        names = [str(name) for name, _ in pyogrio.list_layers(path)]
    except pyogrio.errors.DataSourceError as problem:
        raise InputError("not-vector", f"{path.name} cannot be read: {problem}") from None
    if layer is None and len(names) == 1:
        return names[0]
    if layer not in names:
        raise InputError("layer", f"{path.name} holds the layers {', '.join(names)}: say which one")
    return layer


def vector_encoding(path: Path, encoding: str | None) -> str | None:
    """The encoding of a Shapefile's names and texts when neither the caller nor the file itself says it."""
    if encoding is not None:
        known_encoding(encoding)
        return encoding
    table = path.with_suffix(".dbf")
    said = any(path.with_suffix(suffix).exists() for suffix in (".cpg", ".CPG"))
    if path.suffix.lower() != ".shp" or said or not table.exists():
        return None
    content = table.read_bytes()
    if len(content) < 33 or content[29] not in DEFAULT_CODE_PAGES:
        return None
    return encoding_of(content[32:])


def vector(
    path: Path, mapping: Mapping[str, str], encoding: str | None, layer: str | None
) -> tuple[str | None, Iterator[list[Draft]]]:
    """The file's own coordinate system (None when it has none) and its features in chunks."""
    chosen = layer_of(path, layer)
    encoding = vector_encoding(path, encoding)
    info = pyogrio.read_info(path, layer=chosen, encoding=encoding)
    need_columns(list(mapping.values()), [str(field) for field in info["fields"]], path.name)
    return info["crs"], _records(path, mapping, encoding, chosen)


def _records(path: Path, mapping: Mapping[str, str], encoding: str | None, layer: str) -> Iterator[list[Draft]]:
    number = 1
    options = {"layer": layer, "encoding": encoding, "batch_size": CHUNK, "use_pyarrow": True}
    with pyogrio.open_arrow(path, **options) as (meta, reader):
        column = meta["geometry_name"] or "wkb_geometry"
        for batch in reader:
            located = column in batch.schema.names
            shapes = _shapes(batch.column(column)) if located else np.full(len(batch), None, object)
            keys = [name for name in batch.schema.names if name not in (column, meta["fid_column"])]
            records = batch.select(keys).to_pylist()
            yield [
                Draft(number + n, mapped(record, mapping), shape, placeless=not located)
                for n, (record, shape) in enumerate(zip(records, shapes, strict=True))
            ]
            number += len(batch)


def _shapes(column: Any) -> Any:
    """Shapely geometries of a column of WKB; what is none becomes None."""
    return shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="ignore")
