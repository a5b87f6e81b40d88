"""Kernels as machine code: loops over arrays that NumPy cannot say in one pass.

A compiled kernel takes arrays and numbers, keeps no state of its own, lets other threads run while it works, and has
a form in NumPy or plain Python beside which a property test holds it. It is compiled once on a machine and kept in
numba's cache.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
from numba.core import types

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code; its arguments are arrays and numbers, its types found at the first call."""
    kernel: Any = numba.njit(cache=True, nogil=True)(function)
    # numba looks at the kernel's own file only; what was laid into it may have changed as well.
    kernel._cache._cache_file._source_stamp = sorted({*_made_of(function, set())})
    return cast("Callable[P, R]", kernel)


def _made_of(function: Callable[..., Any], seen: set[Any]) -> Iterator[tuple[str, ...]]:
    """The files, with their times, of a kernel and all it calls, and the numbers that they take from elsewhere."""
    seen.add(function)
    file = Path(function.__code__.co_filename).stat()
    yield function.__code__.co_filename, str(file.st_mtime_ns), str(file.st_size)
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        called = getattr(value, "py_func", getattr(value, "_defn", None))
        if called is not None and called not in seen:
            yield from _made_of(called, seen)
        elif isinstance(value, (int, float, np.generic)):
            yield name, repr(value)


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A small function that kernels are made of: it is laid into each of them, so that arrays, alone or in a named
    tuple, are handed to it for nothing. It makes no arrays of its own.
    """
    options: dict[str, Any] = {"nogil": True, "forceinline": True, "_nrt": False}
    return cast("Callable[P, R]", numba.njit(**options)(function))


def called(function: Callable[P, R]) -> Callable[P, R]:
    """A function that kernels call. There is one form of it: integers come with 64 bits, whatever they were."""
    options: dict[str, Any] = {"nogil": True, "_nrt": False}
    kernel = numba.njit(**options)(function)
    find = kernel.get_call_template

    def template(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return find(tuple(map(_plain, arguments)), named)

    kernel.get_call_template = template
    return cast("Callable[P, R]", kernel)


def _plain(kind: Any) -> Any:
    """The type of an argument, without its value where that was known, and not narrower than 64 bits."""
    kind = getattr(kind, "literal_type", kind)
    return types.int64 if kind in types.signed_domain else kind
