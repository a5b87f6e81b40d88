"""History gives back exactly what was appended, whatever was flushed, compacted, merged or reopened meanwhile."""

import math
import shutil
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cheng.infrastructure.history import History, Shape
from cheng.kernel.observations import BAD, Batch, Events, Quality
from cheng.standards.problems import Refused

DAY = 86_400_000_000
SMALL = Shape(segment_rows=60, fan=3)


def small(directory: Path) -> History:
    return History(directory, chunk_rows=8, flush_rows=24, tail_rows=40, shape=SMALL, fsync=False, background=False)


def plain(table: pa.Table) -> list[tuple[object, ...]]:
    """Rows with NaN made comparable."""
    columns = [column.to_pylist() for column in table.columns]
    return [
        tuple("nan" if isinstance(c, float) and math.isnan(c) else c for c in row) for row in zip(*columns, strict=True)
    ]


def by_thing(row: tuple[int, ...]) -> tuple[int, ...]:
    return row[1], row[3], row[0]


def first_of_each(rows: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    seen: dict[tuple[int, ...], tuple[int, ...]] = {}
    for row in sorted(rows):
        seen.setdefault((row[1], row[2], row[3]), row)
    return sorted(seen.values(), key=by_thing)


reading = st.tuples(
    st.integers(0, 4),
    st.integers(0, 2),
    st.one_of(st.integers(0, 3 * DAY), st.sampled_from([-DAY - 1, -1, 0, DAY - 1, DAY, 900 * DAY])),
    st.floats(-1e6, 1e6),
    st.one_of(st.just(math.nan), st.floats(-90, 90)),
    st.sampled_from([0, 0, int(Quality.CONVERTED), int(Quality.LATE)]),
)


class Machine(RuleBasedStateMachine):
    """The oracle is a list of rows."""

    directory: Path
    runs = 0

    @initialize()
    def begin(self) -> None:
        Machine.runs += 1
        self.home = self.directory / str(Machine.runs)
        self.history = small(self.home)
        self.rows: list[tuple[int, ...]] = []
        self.happened: list[tuple[int, int, int, int, str]] = []
        self.next = 0

    @rule(batch=st.lists(reading, min_size=1, max_size=20))
    def append(self, batch: list[tuple[int, ...]]) -> None:
        assert self.history.append(Batch.of(*zip(*batch, strict=True))) == self.next
        for row in batch:
            shown = tuple("nan" if isinstance(c, float) and math.isnan(c) else c for c in row)
            self.rows.append((self.next, *shown))
            self.next += 1

    @rule(texts=st.lists(st.text(max_size=5), min_size=1, max_size=3), time=st.integers(0, 3 * DAY))
    def happen(self, texts: list[str], time: int) -> None:
        events = Events.of([5] * len(texts), [time] * len(texts), [text.encode() for text in texts])
        assert self.history.append(events) == self.next
        for text in texts:
            self.happened.append((self.next, 5, time, 0, text))
            self.next += 1

    @rule()
    def flush(self) -> None:
        self.history.flush()

    @rule()
    def compact(self) -> None:
        self.history.compact()

    @rule()
    def reopen(self) -> None:
        self.history.close()
        self.history = small(self.home)

    @precondition(lambda self: self.rows)
    @rule(
        things=st.sets(st.integers(0, 5)),
        start=st.integers(-2 * DAY, 3 * DAY),
        days=st.integers(0, 4),
        good=st.booleans(),
    )
    def ask(self, things: set[int], start: int, days: int, good: bool) -> None:
        end = start + days * DAY
        wanted = [r for r in self.rows if r[1] in things and r[2] == 1 and start <= r[3] < end]
        wanted = [r for r in wanted if not (good and r[6] & BAD)]
        found = self.history.readings(sorted(things), [1], start, end, good_only=good)
        assert plain(found) == first_of_each(wanted)
        found = self.history.readings(sorted(things), [1], start, end, good_only=good, dedupe=False, limit=3)
        assert plain(found) == sorted(wanted, key=by_thing)[:3]

    @precondition(lambda self: self.rows)
    @rule(good=st.booleans(), attr=st.one_of(st.none(), st.integers(0, 2)))
    def last(self, good: bool, attr: int | None) -> None:
        last: dict[tuple[int, int], tuple[int, ...]] = {}
        for row in sorted(self.rows, key=lambda row: (row[3], row[0])):
            if attr in (None, row[2]) and not (good and row[6] & BAD):
                last[row[1], row[2]] = (*row[1:], row[0])
        assert plain(self.history.latest(attr, good_only=good)) == [last[key] for key in sorted(last)]

    @rule(start=st.integers(-2 * DAY, 3 * DAY))
    def scan(self, start: int) -> None:
        batches = list(self.history.scan([0, 2], start, 3 * DAY, rows=5))
        found = [time for batch in batches for time in batch.time.tolist()]
        wanted = [r for r in self.rows if r[2] in (0, 2) and start <= r[3] < 3 * DAY]
        assert found == [r[3] for r in sorted(wanted, key=lambda r: (r[3], r[0]))]
        values = [value for batch in batches for value in batch.value.tolist()]
        assert values == [r[4] for r in sorted(wanted, key=lambda r: (r[3], r[0]))]

    @invariant()
    def everything_is_there_once(self) -> None:
        assert self.history.next == self.next
        assert self.history.count() == len(self.rows)
        assert plain(self.history.readings(dedupe=False)) == sorted(self.rows, key=by_thing)
        assert plain(self.history.events()) == sorted(self.happened, key=lambda row: (row[2], row[0]))

    def teardown(self) -> None:
        if hasattr(self, "history"):
            files = {path.name for path in (self.home / "segments").iterdir()}
            assert files == {segment.name for segment in self.history.segments()}
            assert self.history.damages == []
            self.history.close()


def test_history_is_what_was_appended(tmp_path):
    Machine.directory = tmp_path
    run_state_machine_as_test(Machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))


@pytest.fixture
def history(tmp_path):
    history = small(tmp_path / "history")
    yield history
    history.close()


def steady(n: int, thing: int = 1, attr: int = 0, start: int = 0, step: int = 1_000_000) -> Batch:
    return Batch.of([thing] * n, [attr] * n, np.arange(n) * step + start, np.sin(np.arange(n)) * 10)


def test_readers_see_what_was_just_acknowledged(history):
    history.append(steady(3))
    assert history.readings().num_rows == 3
    history.flush()
    history.append(steady(2, thing=2))
    assert history.count() == 5
    assert plain(history.series(2, 0).select(["time"])) == [(0,), (1_000_000,)]


def test_series_keeps_the_extremes_of_every_stretch(history):
    history.append(steady(1000))
    history.compact()
    history.append(steady(1000, start=1000_000_000))
    every = history.series(1, 0)
    few = history.series(1, 0, points=40)
    assert every.num_rows == 2000
    assert 20 <= few.num_rows <= 40
    assert max(few["value"].to_pylist()) == max(every["value"].to_pylist())
    assert min(few["value"].to_pylist()) == min(every["value"].to_pylist())
    assert few["time"].to_pylist() == sorted(few["time"].to_pylist())
    assert set(plain(few)) <= set(plain(every))
    assert plain(history.series(1, 0, points=5000)) == plain(every)
    assert history.series(1, 0, 500_000_000, 510_000_000, points=100).num_rows == 10
    assert history.series(9, 0, points=10).num_rows == 0


def test_a_series_of_nothing_but_gaps_does_not_invent_points(history):
    history.append(Batch.of([1] * 50, [0] * 50, range(50), [math.nan] * 50))
    assert history.series(1, 0).num_rows == 50
    assert history.series(1, 0, points=4).num_rows == 0


def test_buckets_are_counted_from_the_start_asked_for(history):
    history.append(Batch.of([1] * 5, [0] * 5, [100, 160, 110, 219, 220], [1, 2, 3, 4, 5]))
    history.append(Batch.of([1, 1], [0, 0], [115, 118], [99, math.nan], quality=[int(Quality.OUT_OF_RANGE), 0]))
    assert plain(history.buckets(1, 0, 100, 400, 60)) == [
        (100, 2, 1.0, 3.0, 2.0, 3.0),
        (160, 2, 2.0, 4.0, 3.0, 4.0),
        (220, 1, 5.0, 5.0, 5.0, 5.0),
    ]
    assert history.buckets(1, 0, 100, 120, 60, good_only=False)["max"].to_pylist() == [99.0]


def test_of_readings_that_came_twice_the_first_is_shown(history):
    history.append(Batch.of([1, 1, 1], [0, 0, 1], [5, 5, 5], [1.0, 2.0, 3.0]))
    history.compact()
    history.append(Batch.of([1], [0], [5], [4.0]))
    assert history.readings()["value"].to_pylist() == [1.0, 3.0]
    assert history.readings(dedupe=False)["value"].to_pylist() == [1.0, 2.0, 3.0, 4.0]
    assert history.series(1, 0)["value"].to_pylist() == [1.0]
    assert sum(len(batch) for batch in history.scan([0])) == 3


def test_an_empty_choice_is_an_empty_answer(history):
    history.append(steady(3))
    assert history.readings(things=[]).num_rows == 0
    assert history.readings(attrs=[]).num_rows == 0
    assert history.events(types=[]).num_rows == 0
    assert list(history.scan([])) == []


def test_events_are_found_by_type_and_time(history):
    history.append(Events.of([1, 2, 1], [30, 20, 10], [b'{"a": 1}', b"{}", '{"门": "北"}'.encode()], [0, 4, 0]))
    history.flush()
    history.append(Events.of([1], [40], [b"{}"]))
    assert history.events([1], 0, 40)["payload"].to_pylist() == ['{"门": "北"}', '{"a": 1}']
    assert history.events(limit=2)["time"].to_pylist() == [10, 20]
    assert history.events([2])["quality"].to_pylist() == [4]


def test_the_log_is_kept_as_far_back_as_the_checkpoint(tmp_path):
    needed = [0]
    history = History(tmp_path, fsync=False, background=False, roll_bytes=10, checkpoint=lambda: needed[0])
    for start in range(5):
        history.append(steady(2, start=start))
    history.flush()
    assert [first for first, _ in history.replay()] == [0, 2, 4, 6, 8]
    needed[0] = 5
    history.trim()
    assert [first for first, _ in history.replay(5)] == [6, 8]
    history.close()
    history = History(tmp_path, fsync=False, background=False, checkpoint=lambda: needed[0])
    assert history.count() == 10
    history.close()


def test_ingest_reading_and_compaction_at_the_same_time(tmp_path):
    """A reader must never see a number of rows between two acknowledged moments, nor a row twice."""
    shape = Shape(segment_rows=100_000, fan=2)
    history = History(tmp_path, chunk_rows=64, flush_rows=200, tail_rows=1000, shape=shape, fsync=False)
    acknowledged, faults = [0], []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            before = acknowledged[0]
            seqs = history.readings(dedupe=False)["seq"].to_pylist()
            if not before <= len(seqs) == len(set(seqs)):
                faults.append((before, len(seqs), len(set(seqs))))

    def compact() -> None:
        while not done.is_set():
            history.compact()

    threads = [threading.Thread(target=work) for work in (read, read, compact)]
    for thread in threads:
        thread.start()
    for turn in range(150):
        history.append(steady(20, thing=turn % 7, start=turn * DAY // 20))
        acknowledged[0] += 20
    done.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert history.count() == 3000
    history.close()


def test_export_is_one_moment_that_opens_by_itself(tmp_path):
    history = small(tmp_path / "live")
    history.append(steady(30))
    history.compact()
    history.append(steady(5, thing=2, start=9 * DAY))
    assert history.export(tmp_path / "copy's") == 34
    history.append(steady(5, thing=3))
    history.compact()
    copy = small(tmp_path / "copy's")
    assert copy.count() == 35
    assert copy.append(steady(1)) == 35
    assert copy.damages == []
    assert history.count() == 40
    copy.close()
    history.close()


def test_a_full_tail_makes_the_writer_flush(tmp_path):
    history = History(tmp_path, chunk_rows=8, flush_rows=1 << 20, tail_rows=16, fsync=False, background=False)
    history.append(steady(100))
    history.append(steady(100, thing=2))
    assert history.count() == 200
    assert history.bytes() > 0
    history.close()


def shuffled(batch: Batch, dice: np.random.Generator) -> list[Batch]:
    """The same readings in another order and in other deliveries, some of them twice."""
    order = dice.permutation(np.append(np.arange(len(batch)), dice.integers(0, len(batch), 5)))
    cuts = np.sort(dice.integers(0, len(order), dice.integers(1, 6)))
    return [batch.take(rows) for rows in np.split(order, cuts) if len(rows)]


def kept(directory: Path, batches: list[Batch], dice: np.random.Generator) -> str:
    history = small(directory)
    for batch in batches:
        history.append(batch)
        if dice.random() < 0.3:
            history.compact()
    digest = history.digest()
    history.compact()
    assert history.digest() == digest
    history.close()
    shutil.rmtree(directory)
    return digest


def agrees_whatever_the_order(directory: Path, rounds: int) -> None:
    dice = np.random.default_rng(7)
    n = 120
    times = dice.permutation(n // 2) * 1000
    batch = Batch.of(dice.integers(0, 3, n), np.arange(n) % 2, np.repeat(times, 2), dice.integers(0, 99, n) / 10)
    digests = {kept(directory / str(turn), shuffled(batch, dice), dice) for turn in range(rounds)}
    assert len(digests) == 1
    batch.value[5] += 0.1
    assert kept(directory / "other", [batch], dice) not in digests


def test_shuffled_deliveries_make_the_same_history(tmp_path):
    agrees_whatever_the_order(tmp_path, 20)


@pytest.mark.slow
def test_a_thousand_shuffled_deliveries_make_the_same_history(tmp_path):
    agrees_whatever_the_order(tmp_path, 1000)


def test_of_different_values_at_one_time_the_first_to_come_makes_the_digest(tmp_path):
    digests = []
    for values in ([1.0, 2.0], [1.0, 3.0], [2.0, 1.0]):
        history = small(tmp_path / str(values))
        history.append(Batch.of([1, 1], [0, 0], [5, 5], values, quality=[0, int(Quality.DUPLICATE)]))
        digests.append(history.digest())
        history.close()
    assert digests[0] == digests[1] != digests[2]


def test_a_history_in_duckdb_is_not_taken_for_an_empty_one(tmp_path):
    (tmp_path / "history.duckdb").touch()
    with pytest.raises(Refused, match="older"):
        small(tmp_path)
