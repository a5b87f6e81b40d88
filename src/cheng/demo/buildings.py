"""Buildings: rows of slabs, towers, halls and cottages, turned with the streets around them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from cheng.demo.blocks import CIVIC, EDUCATION, HEALTH, HOMES, SHOPS, WORKS, Blocks
from cheng.demo.plane import Floats

MARGIN = 0.12
"""Share of a block on each side that streets and pavements take."""

LEANING = 0.7
"""Share of what a block leans to one side by which its houses are narrower, so that they stay out of the street."""


@dataclass(frozen=True)
class Pattern:
    """How a block is built upon: so many buildings from west to east and from south to north."""

    across: int
    along: int
    wide: float
    deep: float
    """share of its own piece of ground that a building takes, in both directions"""
    low: float
    high: float
    """metres"""
    kind: str
    empty: float = 0.12
    """share of the pieces that nobody has built on"""


COTTAGES = Pattern(5, 5, 0.62, 0.6, 4, 9, "residential", 0.3)
WALK_UPS = Pattern(3, 5, 0.8, 0.44, 15, 24, "residential")
SLABS = Pattern(2, 4, 0.82, 0.4, 30, 60, "residential")
TOWERS = Pattern(3, 3, 0.7, 0.62, 60, 105, "residential")
MARKETS = Pattern(3, 3, 0.8, 0.76, 9, 32, "commercial")
OFFICES = Pattern(2, 2, 0.8, 0.74, 60, 150, "commercial")
SKYSCRAPERS = Pattern(2, 2, 0.64, 0.6, 120, 310, "commercial", 0.2)
HALLS = Pattern(1, 3, 0.86, 0.74, 8, 15, "industrial")
CAMPUS = Pattern(2, 3, 0.7, 0.42, 10, 26, "civic", 0.25)
HOSPITAL = Pattern(2, 2, 0.7, 0.5, 20, 70, "civic", 0.2)
OFFICIAL = Pattern(2, 2, 0.66, 0.5, 14, 50, "civic", 0.2)
PATTERNS = (
    COTTAGES, WALK_UPS, SLABS, TOWERS, MARKETS, OFFICES, SKYSCRAPERS, HALLS, CAMPUS, HOSPITAL, OFFICIAL,
)  # fmt: skip


@dataclass(frozen=True)
class Buildings:
    """Columns of one length."""

    shape: npt.NDArray[Any]
    """(n,) polygons, metres"""
    height: Floats
    kind: npt.NDArray[Any]


def buildings(rng: np.random.Generator, blocks: Blocks, kept_free: npt.NDArray[Any]) -> Buildings:
    """All of the city; none touches one of the shapes that are kept free."""
    chosen = _chosen(rng, blocks)
    parts = [_built(rng, blocks, pattern, chosen == n) for n, pattern in enumerate(PATTERNS)]
    shape, height, kind = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    touched = shapely.STRtree(shape).query(kept_free, predicate="intersects")[1]
    free = np.ones(len(shape), bool)
    free[touched] = False
    return Buildings(shape[free], height[free], kind[free])


def _chosen(rng: np.random.Generator, blocks: Blocks) -> npt.NDArray[np.int8]:
    """(rows - 1, columns - 1) which pattern each quad has, -1 for none."""
    density = blocks.density + rng.uniform(-0.08, 0.08, blocks.density.shape)
    found = np.full(density.shape, -1, np.int8)
    homes = np.digitize(density, [0.42, 0.58, 0.74])
    shops = np.digitize(density, [0.66, 0.9])
    found = np.where(blocks.use == HOMES, homes, found)
    found = np.where(blocks.use == SHOPS, PATTERNS.index(MARKETS) + shops, found)
    for use, pattern in ((WORKS, HALLS), (EDUCATION, CAMPUS), (HEALTH, HOSPITAL), (CIVIC, OFFICIAL)):
        found = np.where(blocks.use == use, PATTERNS.index(pattern), found)
    return np.where(blocks.built, found, -1).astype(np.int8)


def _built(
    rng: np.random.Generator, blocks: Blocks, pattern: Pattern, mine: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[Any], Floats, npt.NDArray[Any]]:
    """Shapes, heights and kinds of one pattern."""
    rows, columns = np.nonzero(mine)
    s, t = (MARGIN + (1 - 2 * MARGIN) * (np.arange(n) + 0.5) / n for n in (pattern.across, pattern.along))
    s, t = (a.ravel() for a in np.meshgrid(s, t))
    shape = (len(rows), len(s))
    there = rng.random(shape) >= pattern.empty
    j, i = (np.broadcast_to(a[:, None], shape)[there] for a in (rows, columns))
    s, t = (np.broadcast_to(a, shape)[there] for a in (s, t))
    lattice, step = blocks.lattice, 0.05
    middle = lattice.within(j, i, s, t)
    east = (lattice.within(j, i, s + step, t) - middle) / step
    north = (lattice.within(j, i, s, t + step) - middle) / step
    width = np.hypot(east[:, 0], east[:, 1])
    unit = east / width[:, None]
    across = np.stack([-unit[:, 1], unit[:, 0]], axis=1)
    depth = (north * across).sum(axis=1)
    lean = np.abs((north * unit).sum(axis=1)) / pattern.along * pattern.deep * LEANING
    share = 1 - 2 * MARGIN
    own = rng.uniform(0.68, 1.0, (2, len(s)))
    half_wide = np.maximum(width / pattern.across * pattern.wide - lean, 9) * share / 2 * own[0]
    half_deep = depth / pattern.along * pattern.deep * share / 2 * own[1]
    a, b = unit * half_wide[:, None], across * half_deep[:, None]
    corners = np.stack([middle - a - b, middle + a - b, middle + a + b, middle - a + b], axis=1)
    density = blocks.density[j, i]
    tall = np.clip(rng.beta(1.6, 2.6, len(s)) * (0.35 + 0.9 * density), 0, 1)
    height = np.round((pattern.low + (pattern.high - pattern.low) * tall) / 3) * 3
    return shapely.polygons(corners), height, np.full(len(s), pattern.kind, object)
