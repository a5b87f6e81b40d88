"""A small house, its application, and visitors."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from house import SmallHouse, Visitor

from cheng.web.app import Web, create_app


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    """A house with one account a role, all with PASSWORD."""
    opened = SmallHouse.open(tmp_path)
    yield opened
    opened.store.close()


@pytest.fixture
def app(house: SmallHouse) -> Web:
    return create_app(house)


@pytest.fixture
def visitor(app: Web) -> Iterator[Callable[..., Visitor]]:
    """visitor() is a stranger, visitor("officer") somebody who has signed in."""
    everyone: list[Visitor] = []

    def come(role: str = "", **headers: str) -> Visitor:
        new = Visitor(app, **headers)
        everyone.append(new)
        return new.sign_in(role) if role else new

    yield come
    for each in everyone:
        each.client.close()
