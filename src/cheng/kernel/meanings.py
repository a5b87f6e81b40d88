"""What names mean to the register, as arrays for compiled kernels: one pass says what all plain readings are about."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cheng.kernel.columns import Bools, Floats, Ints, Marks
from cheng.kernel.compiled import compiled, part
from cheng.kernel.entities import Choice, Kept, Quantity, Track
from cheng.kernel.names import Names
from cheng.kernel.observations import Quality

LONGEST_NAME = 200
"""Characters; readings about longer names are refused."""
UNDECLARED, NUMBER, PLACE, LABEL = 0, 1, 2, 3
"""What an attribute takes; LABEL and above: a Choice, whose labels are row `kind - LABEL` of the codes."""
WORD = -2
"""Texts below it are labels that the register knows: `WORD - number`. A text of -1 is none."""
UNKNOWN_THING, UNKNOWN_ATTRIBUTE = int(Quality.UNKNOWN_THING), int(Quality.UNKNOWN_ATTRIBUTE)


class Tables(NamedTuple):
    """Attributes and labels at one moment."""

    numbers: npt.NDArray[np.int32]
    """(types, attribute names) index of the attribute, -1 where the type has not got it"""
    kinds: Ints
    """(attributes,) what each takes"""
    units: Ints
    """(attributes,) number of the unit, -1 where any is taken"""
    codes: npt.NDArray[np.int32]
    """(choices, labels) the code of each label, -1 where it is not offered"""


class Said(NamedTuple):
    """The columns of reports that say what they are about; see `Reports`."""

    id: Ints
    attr: Ints
    text: Ints
    unit: Ints
    """(n,), or (0,) where all is in the fields' own units"""
    latitude: Floats


class Meant(NamedTuple):
    """What they mean; (n,) each."""

    thing: Ints
    attr: Ints
    value: Floats
    """as it was said; labels become their codes"""
    quality: Marks
    open: Bools
    """whether the row has to be looked at: its names where thing and attribute are -1, else only its value"""


class Meanings:
    """All names of a register. One thread at a time changes it, any may read."""

    def __init__(self, types: Sequence[str] = ()) -> None:
        self.types = {name: number for number, name in enumerate(types)}
        self.things, self.attrs, self.words = Names(), Names(), Names()
        """ids by the index of their thing; names of attributes; labels"""
        self.units: dict[str, int] = {}
        self.tables = Tables(np.zeros((0, 0), np.int32), *(np.zeros(0, np.int32),) * 2, np.zeros((0, 0), np.int32))

    def add_things(self, ids: Sequence[str]) -> None:
        """The next things of the register."""
        self.things.add([name if len(name) <= LONGEST_NAME else "" for name in ids])

    def learn(
        self,
        attributes: Mapping[tuple[str, str], int],
        fields: Sequence[Kept | None],
        codes: Mapping[int, Mapping[str, int]],
    ) -> None:
        """Takes over all attributes by type and name, their fields by index, and the codes of labels by attribute."""
        names = self._numbers(self.attrs, [name for kind, name in attributes if kind in self.types])
        words = self._numbers(self.words, [word for labels in codes.values() for word in labels])
        numbers = np.full((len(self.types), len(self.attrs)), -1, np.int32)
        for (kind, name), index in attributes.items():
            if kind in self.types and name in names:
                numbers[self.types[kind], names[name]] = index
        choices = [index for index, field in enumerate(fields) if isinstance(field, Choice)]
        table = np.full((len(choices), len(self.words)), -1, np.int32)
        kinds = np.array([kind_of(field) for field in fields], np.int32)
        for row, index in enumerate(choices):
            kinds[index] = LABEL + row
            for word, code in codes.get(index, {}).items():
                if word in words:
                    table[row, words[word]] = code
        units = np.array([self._unit(field) for field in fields], np.int32)
        self.tables = Tables(numbers, kinds, units, table)

    def _unit(self, field: Kept | None) -> int:
        return self.units.setdefault(field.unit, len(self.units)) if isinstance(field, Quantity) else -1

    @staticmethod
    def _numbers(names: Names, said: Sequence[str]) -> dict[str, int]:
        """The number of each name; new ones get the next."""
        distinct = [name for name in dict.fromkeys(said) if 0 < len(name) <= LONGEST_NAME]
        names.add([name for name, number in zip(distinct, names.find(distinct).tolist(), strict=True) if number < 0])
        return dict(zip(distinct, names.find(distinct).tolist(), strict=True))


def kind_of(field: Kept | None) -> int:
    return UNDECLARED if field is None else PLACE if isinstance(field, Track) else NUMBER


@part
def holds(held: Ints, number: int) -> bool:
    """Whether a set of numbers has this one: a power of two of places, -1 where nothing is."""
    mask = len(held) - 1
    at = number & mask
    while held[at] >= 0:
        if held[at] == number:
            return True
        at = (at + 1) & mask
    return False


@compiled
def hold(held: Ints, numbers: Ints) -> None:
    """Puts numbers into a set that has more places than that."""
    mask = len(held) - 1
    for number in numbers:
        at = number & mask
        while held[at] >= 0 and held[at] != number:
            at = (at + 1) & mask
        held[at] = number


def with_more(held: Ints, numbers: Ints) -> Ints:
    """A set of numbers with these too."""
    both = np.append(held[held >= 0], numbers)
    fresh = np.full(1 << (2 * len(both)).bit_length(), -1, np.int32)
    hold(fresh, both)
    return fresh


@part
def thing_at(said: Said, row: int, type_of: Ints, types: Bools, held: Ints) -> int:
    """The thing that a row is about; -1 where only its name is known, or where it may not be reported for."""
    thing = -1 - int(said.id[row])
    if thing < 0 or thing >= len(type_of):
        return -1
    if types[type_of[thing]]:
        return thing
    return thing if holds(held, thing) else -1


@part
def attribute_at(said: Said, row: int, kind: int, tables: Tables) -> int:
    """The attribute that a row of a thing of this kind is about; -1 where it has to be asked for by its name."""
    name = -1 - said.attr[row]
    return int(tables.numbers[kind, name]) if 0 <= name < tables.numbers.shape[1] else -1


@part
def code_of(text: int, choice: int, codes: npt.NDArray[np.int32]) -> int:
    """The code of a label; -1 where the register does not know it, or the choice does not offer it."""
    word = WORD - text
    return int(codes[choice, word]) if 0 <= word < codes.shape[1] else -1


@part
def fits(said: Said, row: int, value: float, kind: int, unit: int, units: Ints) -> bool:
    """Whether what was said is a value of an attribute that takes no labels, as it stands."""
    if said.text[row] != -1:
        return False
    if kind == UNDECLARED:
        return True
    latitude = said.latitude[row]
    if kind == PLACE:
        return abs(latitude) <= 90 and abs(value) <= 180
    if latitude == latitude or not np.isfinite(value):  # a position where a number is wanted
        return False
    number = said.unit[row] if len(said.unit) else -1
    return number < 0 or unit < 0 or units[number] == unit


@compiled
def settle(said: Said, type_of: Ints, types: Bools, held: Ints, tables: Tables, units: Ints, meant: Meant) -> int:
    """Finds out what rows mean where nothing is to be asked, refused or converted; how many are left open.

    `type_of` (things,) has the type of each thing, `types` whether the sender may report for all things of a type;
    `held` is the set of single things it may report for. `units` has the number of each unit that was said.
    """
    left = 0
    for row in range(len(meant.value)):
        value, code = meant.value[row], 0
        thing = thing_at(said, row, type_of, types, held)
        attr = attribute_at(said, row, type_of[thing], tables) if thing >= 0 else -1
        good = attr >= 0
        if good and tables.kinds[attr] >= LABEL:
            code = code_of(said.text[row], tables.kinds[attr] - LABEL, tables.codes)
            value, good = float(code), code >= 0
        elif good:
            good = fits(said, row, value, tables.kinds[attr], tables.units[attr], units)
        marks = UNKNOWN_THING if attr >= 0 and type_of[thing] == 0 else 0
        marks |= UNKNOWN_ATTRIBUTE if attr >= 0 and tables.kinds[attr] == UNDECLARED else 0
        meant.thing[row], meant.attr[row], meant.quality[row] = thing if attr >= 0 else -1, attr, marks
        meant.open[row] = not good
        if good:
            meant.value[row] = value
        left += not good
    return left
