"""How readings age: finished days settle, late ones follow, small segments become one, expired ones are rolled up."""

import random
from pathlib import Path

import numpy as np
import pytest

from cheng.infrastructure.history import History, Keep, Shape
from cheng.kernel.observations import Batch, Quality
from cheng.standards.durations import days, hours, minutes

DAY = 86_400_000_000
MINUTE = 60_000_000
SHAPE = Shape(hot_rows=10_000, segment_rows=2_000, day_rows=50, group_rows=64, fan=3)


def small(directory: Path, **settings: object) -> History:
    chosen = {"shape": SHAPE, "flush_rows": 512, "fsync": False, "background": False, "threads": 1} | settings
    return History(directory, **chosen)


@pytest.fixture
def history(tmp_path):
    history = small(tmp_path)
    yield history
    history.close()


def steady(n: int, *, day: int = 0, thing: int = 1, attr: int = 0) -> Batch:
    """A reading a minute from the start of a day."""
    times = np.arange(n) * MINUTE + day * DAY
    return Batch.of([thing] * n, [attr] * n, times, np.arange(n, dtype=float) + thing * 1000)


def shapes(history: History) -> list[tuple[int | None, int]]:
    return sorted(((one.day, one.rows) for one in history.segments()), key=str)


def hot(history: History) -> int:
    return history.count() - sum(one.rows for one in history.segments())


def test_a_finished_day_settles_after_its_grace(history):
    history.append(steady(100))
    history.append(steady(60, day=1))
    assert history.compact(DAY + hours(1).us - 1) == 0
    assert history.compact(DAY + hours(1).us) == 100
    assert shapes(history) == [(0, 100)]
    assert hot(history) == 60
    assert history.count() == 160


def test_late_readings_of_a_settled_day_make_a_further_segment(history):
    history.append(steady(100))
    history.compact(2 * DAY)
    history.append(steady(70, thing=2))
    history.append(steady(3, thing=3))
    history.compact(2 * DAY)
    assert shapes(history) == [(0, 100), (0, 73)]
    assert history.readings()["thing"].to_pylist() == [1] * 100 + [2] * 70 + [3] * 3


def test_small_segments_of_a_day_become_one(history):
    for thing in range(3):
        history.append(steady(60, thing=thing))
        history.compact(2 * DAY)
    assert shapes(history) == [(0, 180)]
    assert [path.name for path in (history.directory / "segments").iterdir()] == [history.segments()[0].name]
    assert history.readings(dedupe=False).num_rows == 180


def test_a_clock_gone_mad_does_not_make_a_file_for_every_day(history):
    history.append(Batch.of([1] * 300, [0] * 300, np.arange(300) * DAY - 100 * DAY, np.arange(300.0)))
    history.compact(400 * DAY)
    assert shapes(history) == [(None, 300)]
    assert history.readings(start=-DAY, end=DAY)["value"].to_pylist() == [99.0, 100.0]


def test_a_full_hot_table_settles_before_the_day_is_over(tmp_path):
    history = small(tmp_path, shape=Shape(hot_rows=200, day_rows=50, segment_rows=150, group_rows=32, fan=9))
    history.append(steady(1000))
    assert history.compact(0) == 899
    assert sum(rows for _, rows in shapes(history)) == 899
    assert all(rows <= 160 for _, rows in shapes(history))
    assert history.readings()["seq"].to_pylist() == list(range(1000))
    history.close()


def test_a_segment_is_sorted_so_that_one_thing_is_one_stretch(history):
    dice = np.random.default_rng(5)
    n = 1500
    history.append(Batch.of(dice.integers(0, 9, n), dice.integers(0, 3, n), dice.integers(0, DAY, n), dice.random(n)))
    history.compact(9 * DAY)
    table = history.readings(dedupe=False)
    assert table.num_rows == n
    (segment,) = history.segments()
    assert (segment.thing_first, segment.thing_last, list(segment.attrs)) == (0, 8, [0, 1, 2])
    assert not segment.may_hold(DAY, 2 * DAY, None, None)
    assert not segment.may_hold(0, DAY, [9], None)
    assert not segment.may_hold(0, DAY, None, [4])
    assert segment.may_hold(0, DAY, [8], [2, 7])


def test_the_last_reading_outlives_the_hot_table(history):
    history.append(steady(60))
    history.append(Batch.of([1], [0], [DAY - 1], [-5.0], quality=[int(Quality.OUT_OF_RANGE)]))
    history.compact(9 * DAY)
    history.retain({0: 0}, 9 * DAY)
    assert history.count() == 0
    assert history.latest()["value"].to_pylist() == [1059.0]
    assert history.latest(good_only=False)["value"].to_pylist() == [-5.0]


def test_expired_readings_go_by_whole_days_and_by_attribute(history):
    for day in range(4):
        for attr in (0, 1):
            history.append(steady(60, day=day, attr=attr))
    history.compact(3 * DAY + hours(2).us)
    assert history.retain({0: days(2), 1: Keep()}, 3 * DAY + hours(5).us) == 60
    assert history.readings(attrs=[0])["time"].to_pylist()[0] == DAY
    assert history.readings(attrs=[1]).num_rows == 240
    assert history.retain({0: days(2)}, 3 * DAY + hours(5).us) == 0
    assert history.retain({0: 0, 1: 0}, 9 * DAY) == 420
    assert history.segments() == ()
    assert list((history.directory / "segments").iterdir()) == []


@pytest.mark.parametrize("settled", [True, False])
def test_expired_readings_are_rolled_up_and_late_ones_join_their_bucket(history, settled):
    keep = {0: Keep(raw=days(1), width=minutes(10), rolled=days(30))}
    batch = steady(120)
    batch.quality[5] = int(Quality.OUT_OF_RANGE)
    history.append(batch)
    if settled:
        history.compact(2 * DAY)
    before = history.buckets(1, 0, 0, DAY, 10 * MINUTE).to_pylist()
    assert history.retain(keep, 3 * DAY) == 120
    assert history.count() == 0
    assert history.buckets(1, 0, 0, DAY, 10 * MINUTE).to_pylist() == before
    assert history.buckets(1, 0, 0, DAY, 60 * MINUTE)["count"].to_pylist() == [59, 60]
    assert history.series(1, 0)["value"].to_pylist() == [bucket["mean"] for bucket in before]

    history.append(Batch.of([1], [0], [MINUTE // 2], [9000.0]))
    history.retain(keep, 3 * DAY)
    (first, *_) = history.buckets(1, 0, 0, DAY, 10 * MINUTE).to_pylist()
    assert (first["count"], first["max"], first["last"]) == (before[0]["count"] + 1, 9000.0, before[0]["last"])

    history.retain(keep, 32 * DAY)
    assert history.buckets(1, 0, 0, DAY, 10 * MINUTE).num_rows == 0


def test_a_reader_keeps_the_files_it_began_with(history):
    for thing in (1, 2):
        history.append(steady(60, thing=thing))
        history.compact(2 * DAY)
    scan = history.scan(rows=10)
    first = next(scan)
    history.append(steady(60, thing=3))
    history.compact(2 * DAY)
    history.retain({0: 0}, 9 * DAY)
    assert history.count() == 0
    assert len(first) + sum(len(batch) for batch in scan) == 120
    history.count()
    assert list((history.directory / "segments").iterdir()) == []


def test_a_flipped_bit_in_a_segment_never_gives_a_wrong_answer_and_costs_one_row_group(tmp_path):
    dice = random.Random(3)
    history = small(tmp_path)
    history.append(steady(600))
    history.compact(2 * DAY)
    history.close()
    (path,) = (tmp_path / "segments").iterdir()
    sound = path.read_bytes()
    kept = []
    for bit in dice.sample(range(len(sound) * 8), 25):
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        image = tmp_path.parent / f"{tmp_path.name}-{bit}"
        source = small(tmp_path)
        source.export(image)
        source.close()
        (image / "segments" / path.name).unlink()
        (image / "segments" / path.name).write_bytes(damaged)
        history = small(image)
        assert history.readings().num_rows == 0
        assert [damage.reason for damage in history.damages] == ["segment"]
        history.compact(2 * DAY)
        left = history.readings()
        assert left["value"].to_pylist() == [1000.0 + seq for seq in left["seq"].to_pylist()]
        assert history.count() == left.num_rows
        assert (image / "damaged" / path.name).exists()
        kept.append(left.num_rows)
        history.close()
    assert max(kept) >= 600 - SHAPE.group_rows
    assert sum(rows >= 600 - SHAPE.group_rows for rows in kept) >= len(kept) // 4


def test_a_missing_segment_is_reported(history):
    history.append(steady(60))
    history.compact(2 * DAY)
    history.append(steady(60, day=1))
    directory = history.directory
    history.close()
    next((directory / "segments").iterdir()).unlink()
    history = small(directory)
    assert history.readings().num_rows == 60
    assert history.damages[0].count == 60
    history.close()


def test_files_in_no_manifest_are_cleared_away(tmp_path):
    small(tmp_path).close()
    (tmp_path / "segments" / "half.tmp").write_bytes(b"PAR1")
    (tmp_path / "segments" / "2026-01-01-0.parquet").write_bytes(b"PAR1")
    history = small(tmp_path)
    assert list((tmp_path / "segments").iterdir()) == []
    history.close()
