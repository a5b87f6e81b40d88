"""The book of a judge: one array of integers with all that its compiled steps work on.

It holds counts, sizes, and where in memory the other arrays lie, so that a step is called with a few numbers instead
of fifty arrays. `memory.Memory` keeps the book: it enters each array when it is made, and keeps it alive. A kernel
reaches an array by its place in the book and knows from the book, or by construction, how far it goes.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba import from_dtype
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

from cheng.kernel.compiled import called

THING = np.dtype(
    [
        ("newest", np.int64),  # time of its newest good reading
        ("closed", np.int64),  # what lies before is settled; readings from there on may change what was judged
        ("looked", np.int64),  # the last moment at which the clock alone was asked
        ("queued", np.int64),  # when the clock has to be asked again; FAR for never
        ("start", np.int64),  # where its readings begin
        ("count", np.int32),  # how many there are
        ("live", np.int32),  # first note about rules as they are; -1 for none
        ("settled", np.int32),  # the same as of `closed`
        ("believed", np.int32),  # first note of what was reported since then
        ("tail", np.int32),  # last row of a lot; -1 between lots
        ("size", np.int16),  # room for SMALLEST << size readings; -1 for none
        ("fresh", np.int16),  # bits LIVE and SETTLED: its rules have not all been looked at yet
    ]
)
LAST = np.dtype([("value", np.float64), ("latitude", np.float64), ("time", np.int64)])
"""The last reading of a field."""
READING = np.dtype([("time", np.int64), ("value", np.float64), ("latitude", np.float64), ("field", np.int64)])
NOTE = np.dtype([("time", np.int64), ("onset", np.int64), ("rule", np.int32), ("next", np.int32)])
"""A rule that holds since `time` and whose alert stands since `onset`, NEVER where not; or what was reported: then
`rule` is twice its number, and one more for an end."""
DUE = np.dtype([("time", np.int64), ("slot", np.int64)])
EVENT = np.dtype([("onset", np.int64), ("time", np.int64), ("slot", np.int64), ("rule", np.int32), ("kind", np.int32)])
"""An alert that begins or ends, as a kernel tells it."""

LIVE, SETTLED = 1, 2
ARRANGE, ADVANCE, GO_BACK, DONE = range(4)
"""Stages of a lot."""
SMALLEST = 8

# What the steps count: the first free note, and how many are free; the list of notes worked on; whether alerts begin
# and end; how many events were told, and how many more there has to be room for; the last moment the clock was asked
# about; how many moments are queued; readings in use.
FREE, LEFT, HEAD, ALOUD, TOLD, WANTED, LOOKED, QUEUED, USED = range(9)
# Where a lot stands: what is done with it, and with which row; how many rows are newer than all of their things, how
# many are not; how many things lack room, and the one at hand that does, with the readings there has to be room for.
STAGE, AT, PROMPTS, BACKS, CROWDS, CROWDED, LACKING = range(9, 16)
# Sizes: fields, rules, those of them with tables, programs, programs that are always asked; the most rules of a field,
# moments at which programs are asked; whether time alone moves anything; room for events, for readings; things the
# clock follows, where it stands; things in the register; how late readings may come; the most readings of a thing;
# whether there are no other rules, so that things may be settled while a lot is taken.
FIELDS, RULES, TABLES, PROGRAMS, ALWAYS, WIDEST, ASKED, CLOCKED, ROOM, ARENA = range(16, 26)
FOLLOWED, CLOCK, REGISTER, KEEP, MOST, ALONE = range(26, 32)
# Where arrays lie: what is kept,
THINGS, READINGS, NOTES, QUEUE, EVENTS, VALUES, NOW, BASE, SCRATCH, STACK = range(32, 42)
# what the rules say (`plans.Plan`),
EDGES, EDGE_AT, FIRST, WORD_AT, HOLDS, OVER, HOLD, ELAPSES, ABLE = range(42, 51)
CODE, NUMBER, PROGRAM_AT, SILENCE_AT, SILENCE, SPAN, SPOKEN_AT, SPOKEN, LOOK_AT, LOOK, ASK_ALWAYS = range(51, 62)
# and what the register and the clock say; then the first free block of readings by size.
FIXED, REGISTERED, STOPPED, RUNNING = range(62, 66)
BLOCKS = 66
PLACES = BLOCKS + 40

WIDTH = LAST.itemsize


def _array_of(kind: Any) -> Callable[[int], Any]:
    """For kernels: an array of this kind, from where it lies in memory; its end is not known."""
    array = types.Array(from_dtype(np.dtype(kind)), 1, "C")

    def view(typing_context: Any, address: Any) -> Any:
        def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            made = context.make_array(array)(context, builder)
            size = context.get_abi_sizeof(context.get_data_type(array.dtype))
            integer = context.get_value_type(types.intp)
            fill: Any = populate_array
            fill(
                made,
                data=builder.inttoptr(arguments[0], made.data.type),
                shape=[integer(1 << 40)],
                strides=[integer(size)],
                itemsize=integer(size),
                meminfo=None,
            )
            return made._getvalue()

        return array(types.int64), lower

    return cast("Callable[[int], Any]", intrinsic(view))


integers = _array_of(np.int64)
floats = _array_of(np.float64)
words = _array_of(np.uint64)
flags = _array_of(np.uint8)
things_at = _array_of(THING)
readings_at = _array_of(READING)
notes_at = _array_of(NOTE)
events_at = _array_of(EVENT)
queue_at = _array_of(DUE)
last_at = _array_of(LAST)
"""The last readings of a thing by field, from where they begin."""


@called
def row_of(book: Any, place: int, number: int) -> int:
    """Where the last readings of a thing, or the values of an event, begin."""
    return int(book[place] + number * book[FIELDS] * WIDTH)


def address(array: Any) -> int:
    """Where an array lies."""
    return cast(int, array.__array_interface__["data"][0])
