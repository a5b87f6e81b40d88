"""Large libraries that few ever need: a hub that stands idle does without the memory they take."""

import importlib
from typing import Any


class Library:
    """A library by its name, loaded when something of it is used for the first time."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, word: str) -> Any:
        return getattr(importlib.import_module(self._name), word)
