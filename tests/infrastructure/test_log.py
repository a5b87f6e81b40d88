"""The log keeps what it acknowledged: through kills, torn writes, flipped bits, full and failing disks."""

import errno
import os
import random
import resource
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheng.infrastructure.log import Disk, Log
from cheng.infrastructure.log_frames import SIZE, encode
from cheng.kernel.observations import Batch, Events, Frame
from cheng.standards.problems import Refused


def batch(*values: float, thing: int = 7) -> Batch:
    return Batch.of([thing] * len(values), [1] * len(values), range(len(values)), values)


def happened(*payloads: bytes) -> Events:
    return Events.of([3] * len(payloads), range(len(payloads)), list(payloads), [4] * len(payloads))


def said(frame: Frame) -> list[object]:
    """A frame as plain rows, NaN made comparable."""
    if isinstance(frame, Events):
        columns = [frame.type, frame.time, frame.quality]
        return list(zip(*[c.tolist() for c in columns], frame.payload, strict=True))
    columns = [frame.thing, frame.attr, frame.time, frame.value, frame.latitude, frame.quality]
    return [tuple(str(cell) for cell in row) for row in zip(*[c.tolist() for c in columns], strict=True)]


def rows(log: Log, after: int = -1) -> dict[int, object]:
    found: dict[int, object] = {}
    for first, frame in log.replay(after):
        for offset, row in enumerate(said(frame)):
            assert first + offset not in found
            found[first + offset] = row
    return found


class Failing(Disk):
    """Raises what `plan` says at the n-th call of an operation, counted over all operations."""

    def __init__(self, *, plan: dict[int, BaseException], only: set[str] | None = None) -> None:
        self.plan, self.only, self.calls = plan, only, 0

    def _step(self, operation: str) -> None:
        if self.only is None or operation in self.only:
            self.calls += 1
            if self.calls in self.plan:
                raise self.plan[self.calls]

    def create(self, path: Path) -> int:
        self._step("create")
        return super().create(path)

    def write(self, fd: int, data: bytes, offset: int) -> None:
        try:
            self._step("write")
        except BaseException:
            super().write(fd, data[: len(data) // 2], offset)
            raise
        super().write(fd, data, offset)

    def sync(self, fd: int) -> None:
        self._step("sync")
        super().sync(fd)

    def truncate(self, fd: int, size: int) -> None:
        self._step("truncate")
        super().truncate(fd, size)

    def sync_directory(self, path: Path) -> None:
        self._step("sync_directory")
        super().sync_directory(path)


class Crash(BaseException):
    """The process dies here."""


frames = st.one_of(
    st.lists(
        st.tuples(
            st.integers(-(2**31), 2**31 - 1),
            st.integers(-(2**31), 2**31 - 1),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(width=64),
            st.one_of(st.just(float("nan")), st.floats(-90, 90)),
            st.integers(0, 2**16 - 1),
        ),
        max_size=8,
    ).map(lambda r: Batch.of(*(zip(*r, strict=True) if r else [[]] * 6))),
    st.lists(st.text().map(str.encode), max_size=4).map(lambda payloads: happened(*payloads)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(frames, max_size=6), st.integers(100, 2000), st.integers(-1, 40))
def test_replay_gives_back_what_was_appended(tmp_path_factory, given_frames, roll_bytes, after):
    directory = tmp_path_factory.mktemp("log")
    expected: list[object] = []
    log = Log(directory, roll_bytes=roll_bytes, fsync=False)
    for frame in given_frames:
        assert log.append(frame) == len(expected)
        expected += said(frame)
    log.close()
    log = Log(directory, fsync=False)
    assert log.next == len(expected)
    assert rows(log, after) == {i: row for i, row in enumerate(expected) if i > after}
    assert log.damages == []
    log.close()


def test_columns_that_do_not_fit_are_refused_before_anything_is_written(tmp_path):
    log = Log(tmp_path)
    crooked = batch(1, 2)
    crooked.value = np.array([1.0])
    with pytest.raises(ValueError, match="column of shape"):
        log.append(crooked)
    with pytest.raises(ValueError, match="payloads"):
        log.append(Events.of([1, 2], [1, 2], [b"{}"]))
    with pytest.raises(UnicodeDecodeError):
        log.append(happened(b"\xff"))
    assert log.append(batch()) == 0
    assert log.bytes() == 0
    log.close()


def test_concurrent_callers_share_one_order(tmp_path):
    seen: list[int] = []
    log = Log(tmp_path, written=lambda first, frame: seen.append(first))
    answers: dict[float, int] = {}

    def send(worker: int) -> None:
        for turn in range(20):
            value = worker * 1000 + turn
            answers[value] = log.append(batch(value, value))

    threads = [threading.Thread(target=send, args=[worker]) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == list(range(0, 320, 2))
    stored = {first: frame.value[0] for first, frame in log.replay()}
    assert stored == {first: value for value, first in answers.items()}
    log.close()


def test_a_second_process_may_not_write_the_same_log(tmp_path):
    log = Log(tmp_path)
    with pytest.raises(Refused, match="Another process"):
        Log(tmp_path)
    log.close()
    Log(tmp_path).close()


@pytest.mark.parametrize("cut", [1, 10, SIZE - 1, SIZE, SIZE + 5])
def test_a_torn_tail_ends_the_replay_and_its_numbers_are_given_again(tmp_path, cut):
    log = Log(tmp_path)
    log.append(batch(1, 2))
    log.append(batch(3, 4))
    log.close()
    (path,) = tmp_path.glob("*.log")
    frame = SIZE + encode(batch(1, 2)).length
    os.truncate(path, frame + cut)
    log = Log(tmp_path)
    assert [damage.reason for damage in log.damages] == ["torn"]
    assert log.next == 2
    assert log.append(batch(5)) == 2
    assert [row[3] for row in rows(log).values()] == ["1.0", "2.0", "5.0"]
    log.close()
    log = Log(tmp_path)
    assert [row[3] for row in rows(log).values()] == ["1.0", "2.0", "5.0"]
    log.close()


def test_any_flipped_bit_loses_one_frame_at_most_and_is_reported(tmp_path):
    log = Log(tmp_path)
    for value in range(6):
        log.append(batch(value) if value % 2 else happened(b'{"n": %d}' % value))
    whole = rows(log)
    log.close()
    (path,) = tmp_path.glob("*.log")
    sound = path.read_bytes()
    dice = random.Random(7)
    for bit in dice.sample(range(len(sound) * 8), 400):
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        log = Log(tmp_path)
        left = rows(log)
        assert left.items() <= whole.items()
        assert len(left) >= 5
        assert log.damages or left == whole
        log.close()


def test_a_damaged_last_frame_keeps_its_numbers(tmp_path):
    log = Log(tmp_path)
    log.append(batch(1))
    log.append(batch(2, 3))
    log.close()
    (path,) = tmp_path.glob("*.log")
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    reports = []
    log = Log(tmp_path, damaged=reports.append)
    assert log.append(batch(4)) == 3
    assert list(rows(log)) == [0, 3]
    assert [(one.reason, one.first, one.count) for one in reports] == [("payload", 1, 2)]
    log.close()


def test_bytes_of_a_device_never_pass_for_a_frame(tmp_path):
    other = Log(tmp_path / "other")
    other.append(batch(666))
    other.close()
    (forged,) = (tmp_path / "other").glob("*.log")
    smuggled = np.frombuffer(forged.read_bytes().ljust(64, b"\0"), np.float64)
    log = Log(tmp_path / "log")
    log.append(batch(*smuggled))
    log.append(batch(1))
    log.close()
    (path,) = (tmp_path / "log").glob("*.log")
    damaged = bytearray(path.read_bytes())
    damaged[5] ^= 1
    path.write_bytes(damaged)
    log = Log(tmp_path / "log")
    assert list(rows(log)) == [len(smuggled)]
    assert [damage.reason for damage in log.damages] == ["header"]
    log.close()


def test_missing_files_are_reported(tmp_path):
    log = Log(tmp_path, roll_bytes=10)
    for value in range(3):
        log.append(batch(value))
    sorted(tmp_path.glob("*.log"))[1].unlink()
    assert list(rows(log)) == [0, 2]
    assert [(one.reason, one.first, one.count) for one in log.damages] == [("missing", 1, 1)]
    log.close()


def test_truncate_deletes_whole_files_and_keeps_the_count(tmp_path):
    log = Log(tmp_path, roll_bytes=100)
    for value in range(10):
        log.append(batch(value, value))
    files = len(list(tmp_path.glob("*.log")))
    assert log.truncate(7) > 0
    assert min(rows(log, after=6)) == 7
    assert 1 < len(list(tmp_path.glob("*.log"))) < files
    log.truncate(20)
    assert log.bytes() == 0
    assert log.truncate(20) == 0
    log.close()
    log = Log(tmp_path)
    assert log.next == 20
    assert log.append(batch(1)) == 20
    log.close()


def test_numbers_in_use_elsewhere_are_not_given_again(tmp_path):
    log = Log(tmp_path)
    log.append(batch(1))
    log.advance(100)
    log.advance(50)
    assert log.append(batch(2)) == 100
    log.close()
    log = Log(tmp_path)
    assert list(rows(log)) == [0, 100]
    assert log.next == 101
    log.close()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failed_write_is_not_acknowledged_and_cut_off_again(tmp_path, code):
    disk = Failing(plan={2: OSError(code, "no")}, only={"write"})
    log = Log(tmp_path, disk=disk)
    log.append(batch(1))
    size = log.bytes()
    with pytest.raises(Refused) as refused:
        log.append(batch(2, 3))
    assert refused.value.status == (507 if code == errno.ENOSPC else 503)
    assert log.bytes() == size
    assert log.append(batch(4)) == 1
    assert [row[3] for row in rows(log).values()] == ["1.0", "4.0"]
    log.close()


def test_after_a_failed_fsync_the_frame_goes_into_a_new_file(tmp_path):
    log = Log(tmp_path, disk=Failing(plan={2: OSError(errno.EIO, "lost")}, only={"sync"}))
    log.append(batch(1))
    assert log.append(batch(2)) == 1
    assert len(list(tmp_path.glob("*.log"))) == 2
    assert [row[3] for row in rows(log).values()] == ["1.0", "2.0"]
    log.close()


def test_what_a_failing_disk_left_behind_is_void(tmp_path):
    """fsync fails twice and the frames cannot even be cut off: they are on the disk, and yet were never taken."""
    plan: dict[int, BaseException] = {n: OSError(errno.EIO, "lost") for n in (3, 4, 5, 6)}
    log = Log(tmp_path, disk=Failing(plan=plan, only={"sync", "truncate"}))
    log.append(batch(1))
    log.append(batch(2))
    with pytest.raises(Refused, match="failed to keep"):
        log.append(batch(666, 667))
    assert log.append(batch(3)) == 2
    log.close()
    log = Log(tmp_path)
    assert [row[3] for row in rows(log).values()] == ["1.0", "2.0", "3.0"]
    assert log.damages == []
    log.close()


def test_a_real_full_disk_refuses_and_then_goes_on(tmp_path):
    log = Log(tmp_path, roll_bytes=1 << 20)
    kept = [log.append(batch(*range(100)))]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, hard))
    try:
        kept.append(log.append(batch(*range(100))))
        with pytest.raises(Refused, match="disk of the hub is full") as refused:
            log.append(batch(*range(100)))
        assert refused.value.status == 507
        assert len(rows(log)) == len(kept) * 100
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log.append(batch(1)) == len(kept) * 100
    log.close()
    log = Log(tmp_path)
    assert len(rows(log)) == len(kept) * 100 + 1
    assert log.damages == []
    log.close()


def test_a_crash_at_any_call_to_the_disk_loses_nothing_acknowledged(tmp_path_factory):
    """Every operation in turn is the last one; then the log is opened again."""
    for last in range(1, 40):
        directory = tmp_path_factory.mktemp("crash")
        disk = Failing(plan={last: Crash(), 8: OSError(errno.EIO, "lost")} | {n: Crash() for n in range(last, 200)})
        log = Log(directory, disk=disk, roll_bytes=250)
        taken: list[float] = []
        try:
            for value in range(12):
                log.append(batch(value, value))
                taken += [value, value]
        except Crash:
            pass
        log.close()
        log = Log(directory)
        found = [float(row[3]) for row in rows(log).values()]
        assert found[: len(taken)] == taken
        assert len(found) - len(taken) in (0, 2)
        assert {one.reason for one in log.damages} <= {"torn"}
        again = log.append(batch(99))
        assert rows(log)[again][3] == "99.0"
        log.close()
