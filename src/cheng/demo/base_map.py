"""The invented city as features of a base map."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo.blocks import PARK, USES, Blocks
from cheng.demo.buildings import Buildings
from cheng.demo.lakes import Lakes
from cheng.demo.names import Name
from cheng.demo.network import KINDS, Network
from cheng.demo.places import Spot
from cheng.demo.plane import degrees
from cheng.demo.rails import Rail, pieces
from cheng.demo.rivers import Waters
from cheng.demo.terrain import Terrain
from cheng.standards.base_map import Features

RANK = {
    "motorway": 7, "trunk": 8, "primary": 10, "secondary": 11, "tertiary": 12, "minor": 13, "path": 14, "steps": 14,
    "rail": 9, "metro": 10, "light_rail": 10, "wood": 7, "farmland": 9, "park": 10, "grass": 12, "reservoir": 9,
    "lake": 10, "stream": 11, "city": 3, "hill": 11, "square": 14,
    "station": 13, "hospital": 13, "school": 14, "bridge": 12,
}  # fmt: skip
"""kind: the least zoom at which it is drawn."""
RIVER_NAME = 9
LAND, BUILDING, TALL_BUILDING, CONTOUR, MAIN_CONTOUR = 10, 14, 13, 13, 11
TALL = 90.0
"""Metres from which a building is seen from further away."""
ISLANDS = (Name("珊瑚坝", "Coral Bar"), Name("中坝岛", "Zhongba Island"), Name("桃花岛", "Peach Blossom Island"))


def turned(shapes: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[Any]:
    """From metres to degrees, and valid."""
    found = np.asarray(shapely.transform(np.array(shapes, object), degrees))
    crossed = ~shapely.is_valid(found)
    found[crossed] = shapely.buffer(found[crossed], 0)
    return found


def water(waters: Waters, lakes: Lakes, terrain: Terrain) -> Iterator[Features]:
    long, clear = waters.long.polygon(), waters.clear.polygon()
    rivers = turned(shapely.difference([long, shapely.difference(clear, long)], shapely.union_all(waters.islands)))
    names, latin = [waters.long.name, waters.clear.name], [waters.long.name_en, waters.clear.name_en]
    yield Features.of("water", "river", rivers, name=names, name_en=latin)
    kinds = {"name": [n.zh for n in lakes.names], "name_en": [n.en for n in lakes.names]}
    yield Features.of("water", lakes.kinds, turned(lakes.shapes), rank=[RANK[kind] for kind in lakes.kinds], **kinds)
    middles = turned(shapely.linestrings([waters.long.middle, waters.clear.middle]))
    yield Features.of("waterway", "river", middles, name=names, name_en=latin)
    streams = turned([shapely.linestrings(line) for line in terrain.streams if len(line) > 1])
    yield Features.of("waterway", "stream", streams, rank=RANK["stream"])


def ground(terrain: Terrain, blocks: Blocks, wild: Mapping[str, npt.NDArray[Any]]) -> Iterator[Features]:
    """Land, green and relief."""
    used, shapes = zip(*blocks.polygons(), strict=True)
    shape, green = turned(shapes), np.array(used) == PARK
    yield Features.of("land", [USES[use] for use in used if use != PARK], shape[~green], rank=LAND)
    yield Features.of("green", "park", shape[green], rank=RANK["park"])
    for kind, patches in wild.items():
        yield Features.of("green", kind, turned(patches), rank=RANK[kind])
    yield Features.of("green", "grass", turned(terrain.waters.meadows()), rank=RANK["grass"])
    islands = terrain.waters.islands
    names = {"name": [n.zh for n in ISLANDS], "name_en": [n.en for n in ISLANDS]}
    yield Features.of("green", "park", turned(islands), rank=RANK["park"], **names)
    heights, lines = zip(*terrain.contours(), strict=True)
    rank = np.where(np.array(heights) % 100 == 0, MAIN_CONTOUR, CONTOUR)
    yield Features.of("relief", "contour", turned(lines), height=heights, rank=rank)


def streets(network: Network) -> Features:
    """One feature for each street, or each part of one that is of one kind and level."""
    key = (network.street * len(KINDS) + network.kind) * 3 + network.level + 1
    order = np.argsort(key, kind="stable")
    ends = np.stack([network.start, network.end], axis=1)[order]
    lines = shapely.linestrings(np.stack([network.lon[ends], network.lat[ends]], axis=-1))
    _, first, which = np.unique(key[order], return_index=True, return_inverse=True)
    shapes = shapely.line_merge(shapely.multilinestrings(lines, indices=which))
    edges = order[first]
    names = [network.names[n] for n in network.street[edges]]
    kinds = [KINDS[kind] for kind in network.kind[edges]]
    told = {"name": [n.zh for n in names], "name_en": [n.en for n in names]}
    return Features.of("street", kinds, shapes, rank=[RANK[k] for k in kinds], level=network.level[edges], **told)


def tracks(rails: Sequence[Rail]) -> Features:
    """One feature for each stretch of one level."""
    parts = [(rail, first, last, level) for rail in rails for first, last, level in pieces(rail.level)]
    shapes = turned([shapely.linestrings(rail.points[first : last + 1]) for rail, first, last, _ in parts])
    told = {"name": [rail.name.zh for rail, *_ in parts], "name_en": [rail.name.en for rail, *_ in parts]}
    kinds = [rail.kind for rail, *_ in parts]
    return Features.of("rail", kinds, shapes, rank=[RANK[k] for k in kinds], level=[part[3] for part in parts], **told)


def houses(found: Buildings) -> Features:
    rank = np.where(found.height >= TALL, TALL_BUILDING, BUILDING)
    return Features.of("building", found.kind.tolist(), turned(found.shape), height=found.height, rank=rank)


def names(spots: Sequence[Spot]) -> Features:
    kinds = [spot.kind for spot in spots]
    points = shapely.points(degrees(np.array([spot.point for spot in spots])))
    told = {"name": [spot.name.zh for spot in spots], "name_en": [spot.name.en for spot in spots]}
    return Features.of("place", kinds, points, rank=[RANK.get(kind, RIVER_NAME) for kind in kinds], **told)
