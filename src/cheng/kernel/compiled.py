"""Kernels as machine code: loops over arrays that NumPy cannot say in one pass.

A compiled kernel takes arrays and numbers, keeps no state of its own, lets other threads run while it works, and has
a form in NumPy or plain Python beside which a property test holds it. It is compiled once on a machine and kept in
numba's cache.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code; its arguments are arrays and numbers, its types found at the first call."""
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True)(function))


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A small function that kernels are made of: it is laid into each of them, so that arrays, alone or in a named
    tuple, are handed to it for nothing. It makes no arrays of its own.
    """
    options: dict[str, Any] = {"nogil": True, "forceinline": True, "_nrt": False}
    return cast("Callable[P, R]", numba.njit(**options)(function))
