"""Few points of a long history: the same, whether all of it is opened or only the pages that can matter."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheng.infrastructure import history_thinning
from cheng.infrastructure.history import History
from cheng.infrastructure.history_thinning import extremes
from cheng.kernel.observations import Batch

ONE, OTHER, ATTR = 3, 4, 0
SECOND = 1_000_000
COLUMNS = ("time", "value", "quality")


def batch(thing, time, value):
    n = len(time)
    things = np.full(n, thing, np.int32)
    return Batch(things, np.full(n, ATTR, np.int32), time, value, np.full(n, np.nan), np.zeros(n, np.uint16))


def readings(rng, n, start):
    """A stretch of seconds as devices send them: some late, some twice with another value, some no numbers."""
    time = (start + np.arange(n)) * SECOND
    value = np.round(np.cumsum(rng.normal(0, 1, n)), 1)
    value[rng.random(n) < 0.001] = np.nan
    value[rng.random(n) < 0.001] *= 50
    twice = rng.integers(0, n, n // 200)
    time, value = np.append(time, time[twice]), np.append(value, value[twice] + 1000)
    order = np.argsort(time + rng.integers(0, 40, len(time)) * SECOND * (rng.random(len(time)) < 0.02), kind="stable")
    return time[order], value[order]


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.booleans(), st.booleans())
def test_points_are_the_same_as_if_every_page_were_opened(tmp_path_factory, seed, points, merged, bounded):
    rng = np.random.default_rng(seed)
    history = History(tmp_path_factory.mktemp("h"), chunk_rows=20_000, flush_rows=40_000, fsync=False, background=False)
    for part in range(6):
        history.append(batch(ONE, *readings(rng, 15_000, part * 14_900)))  # parts reach over each other a little
        history.append(batch(OTHER, *readings(rng, 300, part * 14_900)))
    if merged:
        history.compact()
    span = (7_777 * SECOND, 80_001 * SECOND) if bounded else ()
    whole = history.series(ONE, ATTR, *span)
    time, value = whole["time"].to_numpy(), whole["value"].to_numpy()
    kept = extremes(time, value, int(time[0]), int(time[-1]) + 1, max(1, points // 2))
    found = history.series(ONE, ATTR, *span, points=points)
    for name in COLUMNS:
        assert np.array_equal(found[name], whole[name].to_numpy()[kept], equal_nan=True), name
    history.close()


@pytest.fixture
def long(tmp_path: Path):
    history = History(tmp_path, fsync=False, background=False)
    time = np.arange(300_000) * SECOND
    history.append(batch(ONE, time, np.sin(time / 7e9)))
    history.flush()
    yield history
    history.close()


def test_most_pages_stay_closed(long, monkeypatch):
    opened = []
    plain = history_thinning.opened

    def counting(jobs, *rest):
        opened.extend(jobs)
        return plain(jobs, *rest)

    monkeypatch.setattr(history_thinning, "opened", counting)
    assert long.series(ONE, ATTR, points=20).num_rows == 20
    assert 2 <= len(opened) <= 60  # of 293


def test_a_page_that_cannot_be_read_is_told_and_the_rest_is_drawn(long):
    segment = next(path for path in (long.directory / "segments").iterdir())
    data = bytearray(segment.read_bytes())
    data[2_000] ^= 255  # in one of the first pages
    segment.write_bytes(data)
    assert long.series(ONE, ATTR, points=20).num_rows >= 18
    assert len(long.damages) == 1
