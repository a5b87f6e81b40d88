"""Modules found by their folder: what stands in a folder is in use, nobody lists it."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from typing import Any

READERS = "cheng.web"
PROTOCOLS = "cheng.protocols"


def modules_below(package: str, packages_only: bool = False) -> Iterable[str]:
    """Names of all modules in the folder of a package; with `packages_only`, those in its sub-folders alone."""
    path = importlib.import_module(package).__path__
    for found in pkgutil.iter_modules(path, package + "."):
        if found.ispkg:
            yield from modules_below(found.name)
        elif not packages_only:
            yield found.name


def offered(word: str) -> Iterator[Any]:
    """What the modules of the readers' folders and of the protocols hold under a name, one module after the other."""
    for name in (*sorted(modules_below(READERS, packages_only=True)), *sorted(modules_below(PROTOCOLS))):
        found = getattr(importlib.import_module(name), word, None)
        if found is not None:
            yield found
