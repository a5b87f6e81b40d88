"""What was sensed: columns of readings, and the marks that say how far each can be trusted.

A batch never becomes a Python object per reading. Numbers, labels and positions travel in the same columns: a
number is its value, a label is its code in the attribute's dictionary, a position is longitude and latitude.
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Self

import numpy as np
import numpy.typing as npt

from cheng.kernel.columns import Bools, Floats, Ints, Marks, Times


class Quality(IntFlag):
    """Marks on a reading. Marked readings are kept; rules skip those in BAD unless told otherwise."""

    OUT_OF_RANGE = 1
    CONVERTED = 2
    """the value came in another unit and was converted"""
    FUTURE = 4
    """dated after the hub's clock, beyond the tolerance"""
    LATE = 8
    """older than the lateness of its attribute: kept, and changes nothing judged"""
    OUT_OF_ORDER = 16
    """older than what the thing had sent before, within the lateness: judged again"""
    DUPLICATE = 32
    """this thing, attribute and time were already there"""
    JUMP = 64
    """further from the last value than the attribute can move"""
    UNKNOWN_THING = 128
    UNKNOWN_ATTRIBUTE = 256
    BAD_SENSOR = 512
    """the device itself, or an operator, said that the sensor is not to be trusted"""


BAD = (
    Quality.OUT_OF_RANGE
    | Quality.FUTURE
    | Quality.LATE
    | Quality.DUPLICATE
    | Quality.UNKNOWN_THING
    | Quality.UNKNOWN_ATTRIBUTE
    | Quality.BAD_SENSOR
)


@dataclass(slots=True)
class Batch:
    """Readings in the order of their arrival; all columns have the same length n."""

    thing: Ints
    """(n,) index of the thing in the registry"""
    attr: Ints
    """(n,) index of the attribute in the registry"""
    time: Times
    """(n,) microseconds since 1970-01-01 UTC, as the device dated it"""
    value: Floats
    """(n,) a number in the attribute's unit, a label's code, or a longitude in degrees"""
    latitude: Floats
    """(n,) degrees for positions, NaN for everything else"""
    quality: Marks
    """(n,) marks of `Quality`"""

    def __len__(self) -> int:
        return len(self.time)

    def located(self) -> bool:
        """Whether any reading has a latitude."""
        return bool(np.count_nonzero(self.latitude == self.latitude))  # what is NaN is not itself

    def marked(self) -> int:
        """How many readings have a mark."""
        return int(np.count_nonzero(self.quality))

    @classmethod
    def empty(cls) -> Self:
        return cls.of([], [], [], [])

    @classmethod
    def of(
        cls,
        thing: npt.ArrayLike,
        attr: npt.ArrayLike,
        time: npt.ArrayLike,
        value: npt.ArrayLike,
        latitude: npt.ArrayLike | None = None,
        quality: npt.ArrayLike | None = None,
    ) -> Self:
        """A batch from anything array-like; latitude defaults to NaN, quality to no mark."""
        times = np.asarray(time, np.int64)
        return cls(
            np.asarray(thing, np.int32),
            np.asarray(attr, np.int32),
            times,
            np.asarray(value, np.float64),
            np.full(len(times), np.nan) if latitude is None else np.asarray(latitude, np.float64),
            np.zeros(len(times), np.uint16) if quality is None else np.asarray(quality, np.uint16),
        )

    def take(self, rows: npt.NDArray[np.intp] | Bools | slice) -> Self:
        """The rows picked by an index array, a mask or a slice, in that order."""
        return type(self)(
            self.thing[rows],
            self.attr[rows],
            self.time[rows],
            self.value[rows],
            self.latitude[rows],
            self.quality[rows],
        )

    @classmethod
    def concat(cls, batches: list[Self]) -> Self:
        """One batch after the other."""
        if len(batches) == 1:
            return batches[0]
        return cls(
            np.concatenate([b.thing for b in batches]),
            np.concatenate([b.attr for b in batches]),
            np.concatenate([b.time for b in batches]),
            np.concatenate([b.value for b in batches]),
            np.concatenate([b.latitude for b in batches]),
            np.concatenate([b.quality for b in batches]),
        )


@dataclass(slots=True)
class Events:
    """Things that happened, in the order of their arrival: a scan at a gate, a capture, a transfer; n of them."""

    type: Ints
    """(n,) index of the event type in the registry"""
    time: Times
    """(n,) microseconds since 1970-01-01 UTC, as the sender dated it"""
    quality: Marks
    """(n,) marks of `Quality`"""
    payload: list[bytes]
    """(n,) the record with its typed fields: a JSON object in UTF-8"""

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(
        cls, kind: npt.ArrayLike, time: npt.ArrayLike, payload: list[bytes], quality: npt.ArrayLike | None = None
    ) -> Self:
        """Events from anything array-like; quality defaults to no mark."""
        times = np.asarray(time, np.int64)
        marks = np.zeros(len(times), np.uint16) if quality is None else np.asarray(quality, np.uint16)
        return cls(np.asarray(kind, np.int32), times, marks, payload)

    def take(self, rows: slice) -> Self:
        """The rows of a slice, in that order."""
        return type(self)(self.type[rows], self.time[rows], self.quality[rows], self.payload[rows])


Frame = Batch | Events
"""What the log carries and what is replayed from it: readings and events in one order."""
