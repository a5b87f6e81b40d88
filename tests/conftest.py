"""What every test may ask for: a store, a clock, and (by one mark) the same test once per backend.

`@pytest.mark.backends` on a test that uses `store` runs it on SQLite and on PostgreSQL; without it, on SQLite.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.store import Store
from needs import need
from postgres import Postgres, folder_of_binaries, server, user_to_run_as

hypothesis.settings.register_profile("cheng", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("cheng")

START = 1_795_132_800_000_000
"""2026-11-20 08:00 in Shanghai, in microseconds UTC."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "backends: run once per backend of the store, SQLite and PostgreSQL")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Where several processes test, a file stays in one. Browser tests come last, all in one: Playwright keeps a loop
    in the main thread, where no other can run until it ends.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group("browser" if in_browser(item) else str(item.path)))
    yield
    items.sort(key=in_browser)


def in_browser(item: pytest.Item) -> bool:
    return "browser" in item.path.parts


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("backends") is not None
        metafunc.parametrize("backend", ["sqlite", "postgres"] if both else ["sqlite"], scope="session")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; the test is skipped where the machine has none (`CHENG_REQUIRE=postgres` fails it)."""
    binaries = folder_of_binaries()
    need("postgres", binaries is not None, "PostgreSQL's initdb and postgres are not on this machine")
    runs = os.getuid() != 0 or user_to_run_as() is not None
    need("postgres", runs, "PostgreSQL does not run as root, and there is no user postgres or nobody")
    assert binaries is not None
    with server(binaries) as running:
        yield running


@pytest.fixture
def store_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a fresh store lies: with all its tables on PostgreSQL, not yet made on SQLite."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'store' / 'cheng.db'}"
        return
    with request.getfixturevalue("postgres").database() as url:
        yield url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store with all its tables and no rows."""
    opened = Store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at START until the test moves it."""
    return ManualClock(START)
