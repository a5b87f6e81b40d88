"""Real city data beside the project: never part of it, so tests that use it skip with a plain line where it is not."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1] / ".." / "shared" / "data"


def shared(name: str) -> Path:
    """The file or folder `name` of ../shared/data; skips the test when it is not there."""
    path = (SHARED / name).resolve()
    if not path.exists():
        pytest.skip(f"real city data is not on this machine: ../shared/data/{name}")
    return path
