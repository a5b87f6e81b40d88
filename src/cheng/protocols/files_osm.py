"""Base maps out of OpenStreetMap files (PBF or XML): streets, rail, water, green, land, buildings and names.

Which tag is drawn as what stands in `files_osm_tags`. What cannot be drawn is told with its number, and stops nothing
else: a file that was cut off gives what stood before the cut.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import osmium.filter
import osmium.geom
import osmium.io
import shapely

from cheng.protocols.files_osm_tags import KEYS, Drawn, area, line, place, places
from cheng.standards.base_map import Features
from cheng.standards.problems import InputError

WKB = osmium.geom.WKBFactory()
SEEN, TILE = 6, 512
"""Pixels at which an area is worth drawing, and along a tile."""
SIZE = re.compile(rb"\x18([\x80-\xff]*[\x00-\x7f])\Z", re.DOTALL)
"""Ends the head of a block of PBF: how many bytes the block has, as a varint."""
LEAST, MOST = 4, 14
"""The zooms between which areas begin to be drawn."""


@dataclass
class OsmFile:
    """What stood in a file."""

    features: Features
    refused: list[InputError]
    unknown: Counter[str]
    """tags that ought to be drawn but whose value nobody here knows, `key=value`, with how often they came"""


@dataclass
class Sheet:
    """Features as they come."""

    drawn: list[Drawn] = field(default_factory=list)
    geometry: list[Any] = field(default_factory=list)
    origin: list[str] = field(default_factory=list)
    refused: list[InputError] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    def add(self, drawn: Drawn | None, geometry: Any, origin: str) -> None:
        if drawn is not None:
            self.drawn.append(drawn)
            self.geometry.append(geometry)
            self.origin.append(origin)

    def take(self, thing: Any) -> None:
        """Draws one node, way or assembled area."""
        tags = {tag.k: tag.v for tag in thing.tags}
        if thing.is_node():
            self.add(place(tags), shapely.Point(thing.lon, thing.lat), f"node {thing.id}")
        elif thing.is_way():
            self._way(thing, tags)
        elif thing.is_area() and not thing.from_way():
            self._outlines(thing, tags)

    def _way(self, way: Any, tags: Mapping[str, str]) -> None:
        origin = f"way {way.id}"
        along, inside = line(tags, self.unknown), area(tags, self.unknown)
        if along is None and inside is None:
            return
        points = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
        if len(points) < 2 or points == points[:1] * len(points):
            self.refused.append(InputError("points-missing", f"{origin}: fewer than two of its points are in the file"))
            return
        self.add(along, shapely.LineString(points), origin)
        if inside is not None and points[0] == points[-1] and len(points) > 3:
            self._area(inside, shapely.Polygon(points), tags, origin)

    def _outlines(self, thing: Any, tags: Mapping[str, str]) -> None:
        origin = f"relation {thing.orig_id()}"
        inside = area(tags, self.unknown)
        if inside is None:
            return
        if not thing.num_rings()[0]:
            reason = f"{origin}: its outlines do not close, cross themselves, or are not all in the file"
            self.refused.append(InputError("broken-outline", reason))
            return
        self._area(inside, shapely.from_wkb(WKB.create_multipolygon(thing)), tags, origin)

    def _area(self, inside: Drawn, polygon: Any, tags: Mapping[str, str], origin: str) -> None:
        self.add(inside, polygon, origin)
        if polygon.is_valid:
            for named in places(tags):
                self.add(named, polygon.representative_point(), origin)

    def finished(self) -> OsmFile:
        """Everything that can be drawn, as columns."""
        columns: list[Any] = list(zip(*self.drawn, strict=True)) or [()] * len(Drawn._fields)
        layer, kind, name, name_en, rank, height, level = columns
        geometry = np.empty(len(self.geometry), object)
        geometry[:] = self.geometry
        words = {"layer": layer, "kind": kind, "name": name, "name_en": name_en}
        features = Features(
            **{key: np.array(word, object) for key, word in words.items()},
            rank=_ranks(rank, geometry).astype(np.uint8),
            height=np.array(height, np.float32),
            level=np.array(level, np.int8),
            geometry=geometry,
        )
        faults = features.faults()
        for row in np.flatnonzero(faults != "").tolist():
            where = shapely.is_valid_reason(geometry[row]).replace("[", " at ").rstrip("]")
            told = f"{self.origin[row]} ({layer[row]} {name[row]}".rstrip() + f"): {faults[row]}: {where}"
            self.refused.append(InputError("broken-outline", told))
        return OsmFile(features.take(faults == ""), self.refused, self.unknown)


def read_osm(path: str | Path) -> OsmFile:
    """The base map in a file. Raises InputError when nothing in it can be read."""
    file = Path(path)
    try:
        return drawn(str(file))
    except (RuntimeError, OSError) as error:
        problem = error
    whole = whole_part(file)
    try:
        found = drawn(osmium.io.FileBuffer(whole, "pbf" if whole[:1] == b"\0" else "osm"))
    except RuntimeError:
        raise InputError("not-osm", f"{file.name} cannot be read as OpenStreetMap PBF or XML: {problem}") from problem
    reason = f"{file.name} ends before its end or is damaged ({problem}); what stood before that is drawn"
    found.refused.append(InputError("cut-off", reason))
    return found


def drawn(source: Any) -> OsmFile:
    """What a file, or the bytes of one, holds: with areas that are put together of several ways, for which it is read
    twice. RuntimeError when it cannot be read to its end."""
    sheet = Sheet()
    wanted = osmium.filter.KeyFilter(*KEYS)
    for thing in osmium.FileProcessor(source).with_locations().with_areas(wanted).with_filter(wanted):
        sheet.take(thing)
    return sheet.finished()


def whole_part(file: Path) -> bytes:
    """The beginning of a file that was cut off, up to its last whole block (PBF) or element (XML)."""
    content = file.read_bytes()
    if content[:1] != b"\0":
        last = max(content.rfind(b"<" + name) for name in (b"node", b"way", b"relation"))
        return content[: max(last, 0)] + b"</osm>"
    end = 0
    while end + 4 < len(content):
        head = end + 4 + int.from_bytes(content[end : end + 4], "big")
        size = SIZE.search(content[end + 4 : head])
        if size is None:
            break
        after = head + sum((byte & 127) << 7 * place for place, byte in enumerate(size[1]))
        if after > len(content):
            break
        end = after
    return content[:end]


def _ranks(told: Any, geometry: Any) -> Any:
    """Ranks as told; where none is, the zoom at which the thing is some pixels large."""
    bounds = shapely.bounds(geometry).reshape(-1, 4)
    size = np.maximum(bounds[:, 2:] - bounds[:, :2], 1e-7).max(axis=1, initial=1e-7)
    seen = np.clip(np.ceil(np.log2(SEEN * 360 / (TILE * size))), LEAST, MOST)
    given = np.array([np.nan if rank is None else rank for rank in told], np.float64)
    return np.where(np.isnan(given), seen, given)
