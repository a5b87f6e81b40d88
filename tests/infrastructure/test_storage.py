"""Storage: its course is kept, and the day the disk is full follows from it."""

from pathlib import Path

import pytest

from cheng.infrastructure.history import History
from cheng.infrastructure.storage import DAY, FINE, HOUR, Sizes, StorageBook, forecast, measure, thinned
from cheng.infrastructure.store import Store

GB = 10**9
NOW = 1_000 * DAY


def sizes(at: int, **given: int) -> Sizes:
    return Sizes(**{"at": at, "store": 0, "log": 0, "segments": 0, "blobs": 0, "free": 100 * GB, **given})


def test_what_is_kept_is_measured_and_its_course_kept(tmp_path: Path) -> None:
    store, history = Store(tmp_path / "cheng.db"), History(tmp_path / "history", background=False)
    try:
        book = StorageBook(store)
        assert book.samples() == []
        now = measure(NOW, store, history, tmp_path)
        assert now.store > 0
        assert now.free > 0
        book.note(now)
        book.note(sizes(NOW + HOUR))
        assert book.samples() == [now, sizes(NOW + HOUR)]
    finally:
        history.close()
        store.close()


def test_older_days_keep_one_sample_each() -> None:
    samples = [sizes(NOW - hour * HOUR) for hour in range(10 * 24, 0, -1)]
    kept = thinned(samples, NOW)
    old = [one for one in kept if one.at < NOW - FINE]
    assert len(old) == len({one.at // DAY for one in old}) == 7
    assert len(kept) - len(old) == 72


def test_the_disk_is_full_when_the_growth_has_used_the_room() -> None:
    before, now = sizes(NOW - DAY), sizes(NOW, segments=GB, store=GB // 2, blobs=GB // 2)
    told = forecast(now, [before, now], NOW - DAY, NOW, 400 * DAY)
    assert told.growth == {"segments": GB, "store": GB // 2, "blobs": GB // 2}
    assert told.full == pytest.approx(NOW + 50 * DAY, rel=1e-6)


def test_history_grows_no_more_once_readings_go() -> None:
    before, now = sizes(NOW - DAY), sizes(NOW, segments=GB)
    assert forecast(now, [before], NOW - 20 * DAY, NOW, 60 * DAY).full is None
    growing = sizes(NOW, segments=GB, store=GB)
    told = forecast(growing, [before], NOW - 20 * DAY, NOW, 30 * DAY)
    assert told.retention == NOW + 10 * DAY
    assert told.full == pytest.approx(NOW + 90 * DAY, rel=1e-6)


def test_a_young_hub_is_judged_by_the_days_of_its_readings() -> None:
    told = forecast(sizes(NOW, segments=10 * GB), [], NOW - 10 * DAY, NOW, 400 * DAY)
    assert told.growth == {"segments": GB, "store": None, "blobs": None}
    assert told.full == pytest.approx(NOW + 100 * DAY, rel=1e-6)
    assert forecast(sizes(NOW), [sizes(NOW - HOUR // 2)], None, None, DAY).full is None


def test_what_shrinks_fills_nothing() -> None:
    told = forecast(sizes(NOW, store=GB), [sizes(NOW - DAY, store=3 * GB)], None, None, DAY)
    assert told.growth["store"] == -2 * GB
    assert told.full is None
