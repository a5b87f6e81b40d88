"""Eight bytes at a time: what compiled kernels read text with. Whoever asks has 8 bytes from there on."""

from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils, types

Text = npt.NDArray[np.uint8]
PAD = b"\n" + bytes(15)
"""What stands behind a text that is read in words: an end of line, then nothing."""


def _word(context: Any, text: Any, at: Any) -> tuple[Any, Callable[..., Any]]:
    def load(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        array = target.make_array(signature.args[0])(target, builder, given[0])
        place = builder.gep(array.data, [given[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(text, types.intp), load


def _byte(context: Any, text: Any, at: Any) -> tuple[Any, Callable[..., Any]]:
    def load(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        array = target.make_array(signature.args[0])(target, builder, given[0])
        return builder.zext(builder.load(builder.gep(array.data, [given[1]])), ir.IntType(64))

    return types.intp(text, types.intp), load


def _zeros(context: Any, bits: Any) -> tuple[Any, Callable[..., Any]]:
    def count(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.cttz(given[0], cgutils.false_bit)

    return types.intp(types.uint64), count


word = cast("Callable[[Text, int], np.uint64]", numba.extending.intrinsic(_word))
"""The 8 bytes of a text from a place on, the first one lowest."""
byte = cast("Callable[[Text, int], int]", numba.extending.intrinsic(_byte))
"""The byte at a place, from 0 to 255; the place is not counted from the end when it is negative."""
zeros = cast("Callable[[np.uint64], int]", numba.extending.intrinsic(_zeros))
"""How many of the lowest bits are 0; 64 when all are."""
