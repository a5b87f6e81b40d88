"""Lists as files: CSV that no spreadsheet takes for formulas, and GeoJSON."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cheng.web.fields import Column
from cheng.web.local import Local

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that begins so would be run by a spreadsheet (OWASP, CSV injection)."""
TIMES = {"moment", "date", "time", "left", "ago", "full"}


def cell(value: Any, kind: str, local: Local) -> str | int | float:
    """One value for a spreadsheet: times in ISO 8601, numbers as numbers, texts made harmless."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return local.iso(int(value)) if kind in TIMES else value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return "'" + text if text.startswith(FORMULA) else text


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], local: Local, bom: bool = False) -> bytes:
    """Rows under the headings of `columns` in the reader's language, UTF-8, lines ended as RFC 4180 says.

    `bom`: begin with the byte order mark without which Excel misreads Chinese.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    units = [f" ({column.unit})" if column.unit else "" for column in columns]
    writer.writerow([cell(local.language.gettext(c.text) + u, "", local) for c, u in zip(columns, units, strict=True)])
    for row in rows:
        writer.writerow([cell(row.get(column.key), column.kind, local) for column in columns])
    return (b"\xef\xbb\xbf" if bom else b"") + out.getvalue().encode()


def as_geojson(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], local: Local, geometry: str) -> bytes:
    """A FeatureCollection: the row's `geometry` is a GeoJSON geometry or (longitude, latitude), the rest properties."""
    kinds = {column.key: column.kind for column in columns}
    features = []
    for row in rows:
        shape = row.get(geometry)
        if isinstance(shape, (list, tuple)):
            shape = {"type": "Point", "coordinates": list(shape)} if len(shape) == 2 and None not in shape else None
        properties = {key: readable(value, kinds.get(key, ""), local) for key, value in row.items() if key != geometry}
        features.append({"type": "Feature", "geometry": shape, "properties": properties})
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def readable(value: Any, kind: str, local: Local) -> Any:
    """A value for JSON: times in ISO 8601 instead of microseconds."""
    return local.iso(value) if kind in TIMES and isinstance(value, int) else value
