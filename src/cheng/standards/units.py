"""Units of measurement used in cities, and how to get from one to another of the same dimension.

Codes are UCUM where UCUM has one; `%LEL`, `%VOL`, `%RH` and `CNY` are the house's own. The table is `units.csv`:
value in the base unit of its dimension = value * scale + offset. ppm and mg/m3 are different dimensions, because
the step between them needs to know the substance and its temperature.
"""

import csv
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit; `scale` and `offset` lead to the base unit of its dimension."""

    code: str
    symbol: str
    """what people read: ℃, µg/m³; empty for plain numbers"""
    dimension: str
    scale: float
    offset: float
    name: str
    name_zh: str
    cefact: str
    """UN/CEFACT common code, as NGSI-LD carries it in unitCode; empty where there is none"""


@lru_cache(maxsize=1)
def units() -> dict[str, Unit]:
    """All units by code."""
    text = files("cheng.standards").joinpath("units.csv").read_text("utf-8")
    return {
        row["code"]: Unit(
            row["code"],
            row["symbol"],
            row["dimension"],
            float(row["scale"]),
            float(row["offset"]),
            row["name"],
            row["zh"],
            row["cefact"],
        )
        for row in csv.DictReader(text.splitlines())
    }


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    """Every accepted spelling and the code it stands for: aliases, symbols, UN/CEFACT codes, the codes themselves."""
    text = files("cheng.standards").joinpath("units.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    spelled = {row["cefact"]: row["code"] for row in rows if row["cefact"]}
    spelled |= {row["symbol"]: row["code"] for row in rows if row["symbol"]}
    spelled |= {alias: row["code"] for row in rows for alias in row["aliases"].split("|") if alias}
    return spelled | {row["code"]: row["code"] for row in rows}


def unit(code: str) -> Unit:
    """The unit of this code; symbols (℃), usual spellings (kWh) and UN/CEFACT codes (CEL) are understood too.

    Raises ValueError that names the nearest known code.
    """
    known = _spellings()
    if (found := known.get(code.strip())) is not None:
        return units()[found]
    near = get_close_matches(code.strip(), known, n=1, cutoff=0.5)
    folded = {spelling.casefold(): spelling for spelling in known}
    guess = folded.get(code.strip().casefold()) or (near[0] if near else None)
    hint = f"; did you mean {known[guess]!r}?" if guess else ""
    raise ValueError(f"{code!r} is no known unit{hint}")


def convertible(source: str, target: str) -> bool:
    """Do both units measure the same? Raises ValueError for an unknown unit."""
    return unit(source).dimension == unit(target).dimension


def convert(values: npt.ArrayLike, source: str, target: str) -> npt.NDArray[np.float64]:
    """`values` of any shape in unit `source`, in unit `target`; the same shape. NaN stays NaN.

    Raises ValueError when a unit is unknown or the two measure different things.
    """
    given, wanted = unit(source), unit(target)
    numbers = np.asarray(values, np.float64)
    if given == wanted:
        return numbers
    if given.dimension != wanted.dimension:
        raise ValueError(
            f"{given.code} measures {given.dimension} and {wanted.code} measures {wanted.dimension}: "
            "one cannot become the other"
        )
    return (numbers * given.scale + (given.offset - wanted.offset)) / wanted.scale
