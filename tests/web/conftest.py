"""A hub, its web application, and visitors."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from house import Visitor, open_house

from cheng.hub import Hub
from cheng.web.app import Web, create_app


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub with one account a role, all with PASSWORD."""
    opened = open_house(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def app(hub: Hub) -> Web:
    return create_app(hub)


@pytest.fixture
def visitor(app: Web) -> Callable[..., Visitor]:
    """visitor() is a stranger, visitor("officer") somebody who has signed in."""

    def come(role: str = "", **headers: str) -> Visitor:
        new = Visitor(app, **headers)
        return new.sign_in(role) if role else new

    return come
