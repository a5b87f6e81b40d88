"""Tiles for maps: the base map, the areas, and things where they are now, each as its reader may see it."""

import gzip
import hashlib

import numpy as np
from litestar import Response

from cheng.infrastructure.area_lookup import AREA
from cheng.infrastructure.base_map_tiles import DETAILED
from cheng.infrastructure.live_map import Spots
from cheng.infrastructure.tile_cutting import Address
from cheng.kernel.columns import Bools
from cheng.methods.tiles import BUFFER, DEEPEST, frame, mercator, there
from cheng.security.seen import target
from cheng.standards.problems import Refused
from cheng.web.assets import FOR_EVER
from cheng.web.city.seeing import entity_of, sees_all, types_seen
from cheng.web.map.seeing import APART, crowded, sees_whole, spots_seen, track_of
from cheng.web.pages import PUBLIC, Answer, Ask, get

TILE = "application/vnd.mapbox-vector-tile"
POSITIONS = "application/octet-stream"
OPEN = {"uncompressed": True}
FAST = 1
"""How hard tiles are compressed that are made for one answer."""
WHOLE = 2.0**32
"""Positions of moving things are fractions of the world's square in 32 bits: a centimetre."""


def address_of(z: int, x: int, y: str, deepest: int = DEEPEST) -> Address:
    """The address of a tile, its row perhaps with the ending `.mvt`. Refused (404) when there is none such."""
    row = y.removesuffix(".mvt")
    if not (row.isascii() and row.isdigit() and len(row) < 10 and there(z, x, int(row)) and z <= deepest):
        raise Refused("no-tile", "There is no tile {tile}.", {"tile": f"{z}/{x}/{y[:20]}"}, status=404)
    return z, x, int(row)


def answer(ask: Ask, body: bytes, media_type: str, etag: str, keep: str) -> Answer:
    """Bytes that were compressed once; 304 when the browser has them, 204 where there is nothing."""
    headers = {"ETag": f'"{etag}"', "Cache-Control": keep, "Vary": "Accept-Encoding, Cookie"}
    if headers["ETag"] in ask.request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    if not body:
        return Response(b"", status_code=204, headers=headers, media_type=media_type)
    if "gzip" not in ask.request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(body), headers=headers, media_type=media_type)
    return Response(body, headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type)


def fresh(ask: Ask, plain: bytes, media_type: str = TILE) -> Answer:
    """What holds for this moment and this reader: to be asked for again, and not sent again where it is the same."""
    etag = hashlib.blake2b(plain, digest_size=10).hexdigest()
    known = f'"{etag}"' in ask.request.headers.get("if-none-match", "")
    body = gzip.compress(plain, FAST, mtime=0) if plain and not known else b""
    return answer(ask, body, media_type, etag, "private, no-cache")


@get("/map/tiles/base/{z:int}/{x:int}/{y:str}", needs=PUBLIC, api=True, opt=OPEN)
def base(ask: Ask, z: int, x: int, y: str) -> Answer:
    """A tile of the base map; for ever under `?v=` of the present revision."""
    address = address_of(z, x, y, DETAILED)
    base_map = ask.hub.base_map
    revision = base_map.revision
    keep = FOR_EVER if revision and ask.query("v") == revision else "public, no-cache"
    return answer(ask, base_map.tile(*address), TILE, f"{revision}-{z}-{x}-{address[2]}", keep)


@get("/map/tiles/areas/{z:int}/{x:int}/{y:str}", needs=PUBLIC, api=True, opt=OPEN)
def areas(ask: Ask, z: int, x: int, y: str) -> Answer:
    """A tile of the boundaries of areas."""
    address = address_of(z, x, y)
    return fresh(ask, ask.hub.area_tiles.tile(address, areas_seen(ask)))


def areas_seen(ask: Ask) -> Bools | None:
    """(things,) which areas this reader may see, by index; None: all."""
    entity = ask.hub.model.entities[AREA]
    if sees_all(ask, entity):
        return None
    seen = np.zeros(len(ask.hub.things), np.bool_)
    mine = entity in types_seen(ask)
    seen[[a.idx for a in ask.hub.things.of_type(AREA) if mine and ask.may("see", target(a, entity))]] = True
    return seen


@get("/map/tiles/things/{z:int}/{x:int}/{y:str}", needs=("see", "thing"), api=True, opt=OPEN)
def things(ask: Ask, z: int, x: int, y: str) -> Answer:
    """A tile of the things of `?types=Cover,Lamp`; of what moves only while there is too much to be seen moving."""
    address = address_of(z, x, y)
    chosen = [entity_of(ask, name) for name in ask.query("types").split(",") if name]
    drawn = [entity for entity in chosen if track_of(ask, entity) == "" or (z < APART and crowded(ask, entity))]
    if not drawn:
        return fresh(ask, b"")
    if all(sees_whole(ask, entity) for entity in drawn):
        return fresh(ask, ask.hub.live_map.tile(address, tuple((e.__name__, track_of(ask, e)) for e in drawn)))
    box = frame(*address, buffer=BUFFER)
    parts = [spots_seen(ask, entity, box) for entity in drawn]
    return fresh(ask, Spots.concat(parts).tile(address, ask.hub.things.types))


@get("/map/moving/{type_name:str}", needs=("see", "thing"), api=True, opt=OPEN)
def moving(ask: Ask, type_name: str) -> Answer:
    """Where the things of a type are now, within `?bbox=west,south,east,north`: little-endian columns one after the
    other, n as uint32, then n times index, x and y as uint32, then n times the level of the alert as uint8."""
    box = square_of(ask) if ask.query("bbox") else None
    spots = spots_seen(ask, entity_of(ask, type_name), box)
    places = (np.clip(along * WHOLE, 0, WHOLE - 1).astype("<u4") for along in (spots.x, spots.y))
    columns = (np.array([len(spots.idx)], "<u4"), spots.idx.astype("<u4"), *places, spots.level.astype("u1"))
    return fresh(ask, b"".join(column.tobytes() for column in columns), POSITIONS)


def square_of(ask: Ask) -> tuple[float, float, float, float]:
    """The edges of `?bbox=` on the square of `methods.tiles`: west, north, east, south."""
    west, south, east, north = box_of(ask)
    (left, right), (top, bottom) = mercator([west, east], [north, south])
    return float(left), float(top), float(right), float(bottom)


def box_of(ask: Ask) -> tuple[float, ...]:
    """The four numbers of `?bbox=`. Refused (400) when they are none."""
    try:
        box = tuple(map(float, ask.query("bbox").split(",")))
    except ValueError:
        box = ()
    if len(box) != 4 or not np.isfinite(box).all():
        message = "bbox has to be four numbers: west,south,east,north."
        raise Refused("not-a-box", message, status=400)
    return box


routes = [base, areas, things, moving]
