"""What a base map shows: its layers, their kinds, and features as columns. Everything that makes, keeps or draws it
says these words.

A base map is what does not move and nobody counts: streets, water, land, buildings, names. Areas are things of the
register, not features.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet
import shapely

Shape = Literal["polygon", "line", "point"]


@dataclass(frozen=True, slots=True)
class Layer:
    """Features of one purpose."""

    shape: Shape
    kinds: tuple[str, ...]
    carries: tuple[str, ...] = ()
    """Which of height and level its features have."""


LAYERS = {
    "land": Layer("polygon", ("residential", "commercial", "industrial", "education", "health", "civic")),
    "green": Layer("polygon", ("park", "wood", "grass", "farmland")),
    "water": Layer("polygon", ("river", "lake", "reservoir", "sea", "basin")),
    "relief": Layer("line", ("contour",), ("height",)),
    "waterway": Layer("line", ("river", "stream", "canal")),
    "building": Layer("polygon", ("yes", "residential", "commercial", "industrial", "civic"), ("height",)),
    "street": Layer(
        "line",
        ("motorway", "trunk", "primary", "secondary", "tertiary", "minor", "service", "path", "steps"),
        ("level",),
    ),
    "rail": Layer("line", ("rail", "metro", "light_rail"), ("level",)),
    "place": Layer(
        "point",
        (
            "city",
            "district",
            "street",
            "community",
            "hill",
            "river",
            "square",
            "station",
            "hospital",
            "school",
            "park",
            "bridge",
        ),
    ),
}
"""From the lowest drawn to the highest."""
TUNNEL, GROUND, BRIDGE = -1, 0, 1
SHAPES: dict[Shape, frozenset[int]] = {
    "point": frozenset({0}),
    "line": frozenset({1, 5}),
    "polygon": frozenset({3, 6}),
}
"""The type numbers of shapely that a shape may have, alone or several in one."""
SCHEMA = pa.schema(
    {
        "layer": pa.dictionary(pa.int32(), pa.string()),
        "kind": pa.dictionary(pa.int32(), pa.string()),
        "name": pa.string(),
        "name_en": pa.string(),
        "rank": pa.uint8(),
        "height": pa.float32(),
        "level": pa.int8(),
        "geometry": pa.binary(),
    }
)


@dataclass(frozen=True, slots=True)
class Features:
    """Features as columns of one length."""

    layer: npt.NDArray[Any]
    """(n,) str, a name of LAYERS"""
    kind: npt.NDArray[Any]
    """(n,) str, one of the layer's kinds"""
    name: npt.NDArray[Any]
    """(n,) str as the people there write it, "" where there is none"""
    name_en: npt.NDArray[Any]
    """(n,) str in Latin letters, "" where there is none"""
    rank: npt.NDArray[np.uint8]
    """(n,) the least zoom at which it is drawn; of places also how weighty a name is, smaller is weightier"""
    height: npt.NDArray[np.float32]
    """(n,) metres, NaN where it is not known: of a building its own, of a contour above the sea"""
    level: npt.NDArray[np.int8]
    """(n,) TUNNEL, GROUND or BRIDGE"""
    geometry: npt.NDArray[Any]
    """(n,) shapely geometries, degrees WGS 84; polygons valid"""

    def __post_init__(self) -> None:
        lengths = {each.name: len(getattr(self, each.name)) for each in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the columns of features differ in length: {lengths}")

    def __len__(self) -> int:
        return len(self.geometry)

    @classmethod
    def of(
        cls,
        layer: str,
        kind: str | Sequence[str],
        geometry: Sequence[Any] | npt.NDArray[Any],
        *,
        name: str | Sequence[str] = "",
        name_en: str | Sequence[str] = "",
        rank: npt.ArrayLike = 0,
        height: npt.ArrayLike = np.nan,
        level: npt.ArrayLike = GROUND,
    ) -> Self:
        """Features of one layer; what is said once holds for each of them."""
        n = len(geometry)
        shapes = np.empty(n, object)
        shapes[:] = geometry
        words = {"layer": layer, "kind": kind, "name": name, "name_en": name_en}
        columns: dict[str, Any] = {key: np.broadcast_to(np.array(word, object), n) for key, word in words.items()}
        columns["rank"] = np.broadcast_to(np.asarray(rank, np.uint8), n)
        columns["height"] = np.broadcast_to(np.asarray(height, np.float32), n)
        columns["level"] = np.broadcast_to(np.asarray(level, np.int8), n)
        return cls(geometry=shapes, **columns)

    @classmethod
    def concat(cls, parts: Iterable[Self]) -> Self:
        """One after the other."""
        listed = list(parts) or [cls.of("place", "city", [])]
        names = [each.name for each in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in listed]) for name in names})

    def take(self, which: npt.NDArray[Any]) -> Self:
        """The features at these positions, or where a mask is true."""
        return type(self)(**{each.name: getattr(self, each.name)[which] for each in fields(self)})

    def table(self) -> pa.Table:
        """As Arrow; geometry as WKB."""
        columns = {each.name: getattr(self, each.name) for each in fields(self)}
        columns["geometry"] = shapely.to_wkb(self.geometry)
        for name in ("layer", "kind"):
            columns[name] = pa.array(columns[name], pa.string()).dictionary_encode()
        return pa.table({name: pa.array(columns[name], SCHEMA.field(name).type) for name in SCHEMA.names})

    @classmethod
    def of_table(cls, table: pa.Table) -> Self:
        """The reverse of `table`. Raises ValueError when columns are missing or a geometry cannot be read."""
        try:
            columns = {name: table.column(name).combine_chunks() for name in SCHEMA.names}
            for name in ("layer", "kind"):
                columns[name] = columns[name].cast(pa.string())
            arrays = {name: column.to_numpy(zero_copy_only=False) for name, column in columns.items()}
            arrays["geometry"] = shapely.from_wkb(arrays["geometry"])
        except (KeyError, shapely.errors.ShapelyError) as error:
            raise ValueError(f"this is no table of map features: {error}") from error
        return cls(**arrays)

    def parquet(self) -> bytes:
        """As a Parquet file."""
        sink = pa.BufferOutputStream()
        pa.parquet.write_table(self.table(), sink, compression="zstd")
        content: bytes = sink.getvalue().to_pybytes()
        return content

    @classmethod
    def of_parquet(cls, content: bytes) -> Self:
        """The reverse of `parquet`. Raises ValueError when it is no such file."""
        try:
            table = pa.parquet.read_table(pa.BufferReader(content))
        except (OSError, pa.ArrowException) as error:
            raise ValueError(f"this is no Parquet file: {error}") from error
        return cls.of_table(table)

    def faults(self) -> npt.NDArray[Any]:
        """(n,) what is wrong with each feature, a sentence without its end, or "": such a feature cannot be kept."""
        wrong = np.full(len(self), "", object)
        shape = shapely.get_type_id(self.geometry)
        empty = shapely.is_missing(self.geometry) | shapely.is_empty(self.geometry)
        wrong[~shapely.is_valid(self.geometry)] = "its outline crosses itself"
        for layer in set(self.layer.tolist()):
            of = np.flatnonzero(self.layer == layer)
            if layer not in LAYERS:
                wrong[of] = f"there is no layer '{layer}', only {', '.join(LAYERS)}"
                continue
            told = LAYERS[layer]
            strange = of[~np.isin(self.kind[of], told.kinds)]
            wrong[strange] = f"'{layer}' has only the kinds {', '.join(told.kinds)}"
            wrong[of[~np.isin(shape[of], list(SHAPES[told.shape]))]] = f"'{layer}' wants a {told.shape}"
        wrong[empty] = "it has no geometry"
        return wrong
