"""How readings age: finished days settle, late ones follow, small segments become one, expired ones are rolled up."""

import random
import time
from pathlib import Path

import numpy as np
import pytest

from cheng.infrastructure import history_reading
from cheng.infrastructure.history import History, Keep, Shape
from cheng.kernel.observations import Batch, Events, Quality
from cheng.standards.durations import days, hours, minutes

DAY = 86_400_000_000
MINUTE = 60_000_000
SHAPE = Shape(segment_rows=2_000, fan=3)


def small(directory: Path, **settings: object) -> History:
    chosen = {"shape": SHAPE, "chunk_rows": 256, "flush_rows": 512, "fsync": False, "background": False} | settings
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


def shapes(history: History) -> list[int]:
    return [one.rows for one in history.segments()]


def files(history: History) -> int:
    return len(list((history.directory / "segments").iterdir()))


def test_neighbours_of_like_size_become_one(history):
    for thing in range(2):
        history.append(steady(60, thing=thing))
        history.compact()
    assert shapes(history) == [60, 60]
    history.append(steady(60, thing=2))
    history.compact()
    assert shapes(history) == [180]
    assert files(history) == 1
    assert history.readings(dedupe=False).num_rows == 180


def test_a_reading_is_written_anew_only_as_often_as_the_history_grows_by_the_factor(tmp_path):
    history = small(tmp_path, shape=Shape(segment_rows=100_000, fan=3))
    written = 0
    for turn in range(81):
        history.append(steady(64, thing=turn))
        before = set(history.segments())
        history.compact()
        written += sum(one.rows for one in set(history.segments()) - before)
    assert sum(shapes(history)) == 81 * 64
    assert len(shapes(history)) <= 8
    assert written <= 81 * 64 * 6
    history.close()


def test_no_segment_grows_beyond_the_largest(tmp_path):
    history = small(tmp_path, shape=Shape(segment_rows=200, fan=2))
    for thing in range(9):
        history.append(steady(60, thing=thing))
        history.compact()
    assert max(shapes(history)) <= 200
    assert len(shapes(history)) <= 5
    assert history.count() == 540
    history.close()


def test_files_are_merged_beside_ingest_without_being_asked(tmp_path):
    history = small(tmp_path, background=True, flush_rows=256)
    for turn in range(40):
        history.append(steady(256, thing=turn))
    for _ in range(2000):
        if len(shapes(history)) < 15 and sum(shapes(history)) > 9000:
            break
        time.sleep(0.005)
    assert len(shapes(history)) < 15
    assert history.count() == 40 * 256
    assert plain_times(history, 39) == [minute * MINUTE for minute in range(256)]
    history.close()


def plain_times(history: History, thing: int) -> list[int]:
    times: list[int] = history.series(thing, 0)["time"].to_pylist()
    return times


def test_a_clock_gone_mad_makes_no_more_files_than_a_sound_one(history):
    history.append(Batch.of([1] * 300, [0] * 300, np.arange(300) * DAY - 100 * DAY, np.arange(300.0)))
    history.compact()
    assert shapes(history) == [300]
    assert history.readings(start=-DAY, end=DAY)["value"].to_pylist() == [99.0, 100.0]
    assert [len(batch) for batch in history.scan()] == [300]


def test_a_slice_of_a_merge_never_tears_a_thing_apart(history, monkeypatch):
    monkeypatch.setattr(history_reading, "SLICE", 1)
    dice = np.random.default_rng(5)
    parts = []
    for _ in range(3):
        n = 5000
        times = dice.integers(0, 400, n)
        parts.append(Batch.of(dice.integers(0, 3, n), dice.integers(0, 2, n), times, dice.random(n)))
        history.append(parts[-1])
        history.flush()
    history.compact()
    whole = Batch.concat(parts)
    order = np.lexsort((np.arange(len(whole)), whole.time, whole.thing, whole.attr))
    slices = history_reading.in_order(history.segments(), pytest.fail)
    found = np.concatenate([rows.seq[order] for rows, order in slices])
    assert np.array_equal(found, order)


def test_the_last_reading_outlives_the_hot_table(history):
    history.append(steady(60))
    history.append(Batch.of([1], [0], [DAY - 1], [-5.0], quality=[int(Quality.OUT_OF_RANGE)]))
    history.compact()
    history.retain({0: 0}, 9 * DAY)
    assert history.count() == 0
    assert history.latest()["value"].to_pylist() == [1059.0]
    assert history.latest(good_only=False)["value"].to_pylist() == [-5.0]


def test_expired_readings_go_by_whole_days_and_by_attribute(history):
    for day in range(4):
        for attr in (0, 1):
            history.append(steady(60, day=day, attr=attr))
    history.compact()
    assert history.retain({0: days(2), 1: Keep()}, 3 * DAY + hours(5).us) == 60
    assert history.readings(attrs=[0])["time"].to_pylist()[0] == DAY
    assert history.readings(attrs=[1]).num_rows == 240
    assert history.retain({0: days(2)}, 3 * DAY + hours(5).us) == 0
    assert history.retain({0: 0, 1: 0}, 9 * DAY) == 420
    assert shapes(history) == [0] * files(history)


@pytest.mark.parametrize("settled", [True, False])
def test_expired_readings_are_rolled_up_and_late_ones_join_their_bucket(history, settled):
    keep = {0: Keep(raw=days(1), width=minutes(10), rolled=days(30))}
    batch = steady(120)
    batch.quality[5] = int(Quality.OUT_OF_RANGE)
    history.append(batch)
    if settled:
        history.compact()
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
        history.compact()
    scan = history.scan(rows=10)
    first = next(scan)
    history.append(steady(60, thing=3))
    history.compact()
    history.retain({0: 0}, 9 * DAY)
    assert history.count() == 0
    assert len(first) + sum(len(batch) for batch in scan) == 120
    assert files(history) == len(shapes(history))


def test_a_flipped_bit_in_a_segment_never_gives_a_wrong_answer_and_costs_one_page(tmp_path):
    dice = random.Random(3)
    history = small(tmp_path / "sound", flush_rows=4000)
    history.append(steady(3000))
    history.close()
    (path,) = (tmp_path / "sound" / "segments").iterdir()
    sound = path.read_bytes()
    for bit in dice.sample(range(len(sound) * 8), 60):
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        image = tmp_path / str(bit)
        (image / "segments").mkdir(parents=True)
        (image / "segments" / path.name).write_bytes(damaged)
        history = small(image)
        left = history.readings()
        assert left["value"].to_pylist() == [1000.0 + seq for seq in left["seq"].to_pylist()]
        assert left.num_rows >= 3000 - 1024
        assert {damage.reason for damage in history.prove()} == {"segment"}
        history.compact()
        assert history.readings().drop_columns("latitude").equals(left.drop_columns("latitude"))
        assert history.count() == left.num_rows
        assert (image / "damaged" / path.name).read_bytes() == damaged
        before = len(history.damages)
        assert len(history.prove()) == before
        history.close()


def test_a_segment_without_head_and_index_is_left_out_and_kept_aside(history):
    for day in range(2):
        history.append(steady(60, day=day))
        history.flush()
    directory = history.directory
    history.close()
    path = min((directory / "segments").iterdir())
    path.write_bytes(bytes(64) + path.read_bytes()[64:-64] + bytes(64))
    history = small(directory)
    assert history.damages[0].reason == "segment"
    assert history.readings()["time"].to_pylist()[0] == DAY
    history.compact()
    assert (directory / "damaged" / path.name).exists()
    assert history.count() == 60
    history.close()


def test_a_missing_segment_is_reported(history):
    history.append(steady(60))
    history.compact()
    history.append(steady(60, day=1))
    directory = history.directory
    history.close()
    min((directory / "segments").iterdir()).unlink()
    history = small(directory)
    assert history.readings().num_rows == 60
    assert history.damages[0].count == 60
    history.close()


def test_files_that_were_never_finished_or_are_replaced_are_cleared_away(tmp_path):
    history = small(tmp_path)
    history.append(steady(60))
    history.flush()
    history.append(steady(60, day=1))
    history.flush()
    folder = tmp_path / "segments"
    old = {path.name: path.read_bytes() for path in folder.iterdir()}
    history.append(steady(60, day=2))
    history.compact()
    history.close()
    (merged,) = folder.iterdir()
    for name, data in old.items():
        (folder / name).write_bytes(data)
    (folder / "half.tmp").write_bytes(b"CHG")
    history = small(tmp_path)
    assert list(folder.iterdir()) == [merged]
    assert history.count() == 180
    history.close()


def test_events_are_merged_and_forgotten_like_readings(history):
    for day in range(4):
        texts = [f'{{"n": {day}}}'.encode()] * 30
        history.append(Events.of([day % 2] * 30, np.arange(30) * MINUTE + day * DAY, texts))
        history.append(steady(10, day=day))
        history.compact()
    assert files(history) < 4
    assert history.events([1], 0, 3 * DAY)["payload"].to_pylist() == ['{"n": 1}'] * 30
    assert history.retain({}, 4 * DAY, events=days(2)) == 60
    assert history.events()["time"].to_pylist()[0] == 2 * DAY
    assert history.count() == 40
    assert history.retain({}, 4 * DAY, events=days(2)) == 0
