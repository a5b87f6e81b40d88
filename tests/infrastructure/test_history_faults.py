"""What was acknowledged is in history once: through kill -9, crashes at any step, and full disks."""

import contextlib
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cheng.infrastructure.history import History, Shape
from cheng.infrastructure.log import Disk
from cheng.kernel.observations import Batch, Events
from cheng.standards.problems import Refused

DAY = 86_400_000_000
SHAPE = Shape(segment_rows=5_000, fan=3)
ROWS = 50

CHILD = """
import sys, threading
from pathlib import Path
import numpy as np
from cheng.infrastructure.history import History, Shape
from cheng.kernel.observations import Batch

history = History(Path(sys.argv[1]), chunk_rows=300, flush_rows=1000, shape=Shape(segment_rows=5000, fan=3))
number = int(sys.argv[2])
threading.Thread(target=lambda: [history.compact() for n in range(100_000)], daemon=True).start()
while True:
    times = np.arange(50) * 1000 + number * 10_000_000
    history.append(Batch.of([number % 7] * 50, [0] * 50, times, [number] * 50))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    number += 1
"""


def small(directory: Path, **settings: object) -> History:
    chosen = {"shape": SHAPE, "chunk_rows": 300, "flush_rows": 1000, "fsync": False, "background": False} | settings
    return History(directory, **chosen)


def numbered(number: int) -> Batch:
    return Batch.of([number % 7] * ROWS, [0] * ROWS, np.arange(ROWS) + number * DAY // 20, [number] * ROWS)


def stored(history: History) -> dict[int, int]:
    """How many rows of each numbered batch there are; every sequence number must be there once."""
    table = history.readings(dedupe=False)
    seqs = table["seq"].to_pylist()
    assert len(seqs) == len(set(seqs)) == history.count()
    return Counter(int(value) for value in table["value"].to_pylist())


def test_kill_9_in_the_middle_of_ingest_flush_and_compaction(tmp_path):
    dice = random.Random(11)
    acknowledged = 0
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "history"), str(acknowledged)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(dice.randint(20, 250))]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
        said = [int(line) for line in lines if line.endswith("\n")]
        assert len(said) >= 20
        child.stdout.close()
        child.wait()
        history = small(tmp_path / "history")
        there = stored(history)
        assert set(there.values()) <= {ROWS}
        assert set(range(said[-1] + 1)) <= set(there)
        assert {damage.reason for damage in history.damages} <= {"torn"}
        acknowledged = max(there, default=-1) + 1
        assert set(there) == set(range(acknowledged))
        history.close()
    assert acknowledged > 100


class Photographer(Disk):
    """Copies the directory at every call to the disk: each copy is what a crash at that moment leaves behind."""

    def __init__(self, directory: Path, album: Path) -> None:
        self.directory, self.album, self.taken = directory, album, 0
        self.acknowledged = 0
        self.known: list[int] = []

    def _picture(self) -> None:
        shutil.copytree(self.directory, self.album / str(self.taken))
        self.known.append(self.acknowledged)
        self.taken += 1

    def write(self, fd: int, data: bytes, offset: int) -> None:
        super().write(fd, data[: len(data) // 2], offset)
        self._picture()
        super().write(fd, data, offset)

    def sync(self, fd: int) -> None:
        self._picture()

    def sync_directory(self, path: Path) -> None:
        self._picture()


def test_a_crash_at_any_step_between_log_hot_table_and_segments(tmp_path):
    disk = Photographer(tmp_path / "live", tmp_path / "album")
    history = small(tmp_path / "live", disk=disk, chunk_rows=50, flush_rows=120, checkpoint=lambda: 0)
    for number in range(12):
        history.append(numbered(number))
        disk.acknowledged = number + 1
        if number % 3 == 2:
            history.compact()
    history.close()
    assert any((tmp_path / "album").glob("*/segments/*.tmp"))
    assert any((tmp_path / "album").glob("*/segments/*.seg"))
    for picture in range(disk.taken):
        history = small(tmp_path / "album" / str(picture))
        there = stored(history)
        assert set(there.values()) <= {ROWS}
        assert len(there) - disk.known[picture] in (0, 1)
        assert set(range(disk.known[picture])) <= set(there)
        history.compact()
        assert stored(history) == there
        history.close()


def test_readings_and_events_flushed_before_the_crash_are_not_flushed_again(tmp_path):
    history = small(tmp_path / "live", checkpoint=lambda: 0)
    history.append(numbered(0))
    history.append(Events.of([1], [1], [b"{}"]))
    history.flush()
    history.append(numbered(1))
    shutil.copytree(tmp_path / "live", tmp_path / "copy")
    history.close()
    history = small(tmp_path / "copy", checkpoint=lambda: 0)
    assert stored(history) == {0: ROWS, 1: ROWS}
    assert history.events().num_rows == 1
    assert sum(len(frame) for _, frame in history.replay()) == 2 * ROWS + 1
    history.close()


def test_numbers_go_on_when_the_log_is_lost(tmp_path):
    history = small(tmp_path)
    history.append(numbered(0))
    history.close()
    shutil.rmtree(tmp_path / "log")
    history = small(tmp_path)
    assert history.append(numbered(1)) == ROWS
    assert stored(history) == {0: ROWS, 1: ROWS}
    history.close()


@pytest.mark.parametrize("limit", [60_000, 300_000])
def test_a_full_disk_refuses_keeps_reading_and_goes_on_when_there_is_room(tmp_path, limit):
    history = small(tmp_path, roll_bytes=1 << 30, checkpoint=lambda: 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    taken = 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with contextlib.suppress(Refused):
            while taken < 2000:
                history.append(numbered(taken))
                taken += 1
        with pytest.raises(Refused) as refused:
            fill(history)
        assert refused.value.status == 507
        there = history.count()
        assert there >= taken * ROWS
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert history.count() == there
    history.append(numbered(5000))
    history.flush()
    assert history.trouble is None
    history.close()
    history = small(tmp_path)
    assert history.count() == there + ROWS
    assert set(range(taken)) <= set(stored(history))
    assert history.damages == []
    history.close()


def fill(history: History) -> None:
    for _ in range(1000):
        history.append(numbered(4000))
        history.flush()


def test_a_compaction_that_finds_no_room_changes_nothing(tmp_path):
    history = small(tmp_path, flush_rows=1 << 20)
    for number in range(60):
        history.append(numbered(number))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(Refused, match="could not be written"):
            history.compact()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert history.segments() == ()
    assert list((tmp_path / "segments").iterdir()) == []
    assert history.count() == 60 * ROWS
    assert history.trouble is not None
    assert history.compact() == 60 * ROWS
    assert history.trouble is None
    assert stored(history) == dict.fromkeys(range(60), ROWS)
    history.close()


def test_everything_stored_can_be_proved(tmp_path):
    history = small(tmp_path, checkpoint=lambda: 0)
    history.append(numbered(0))
    history.compact()
    history.append(numbered(1))
    assert history.prove() == []
    (segment,) = (tmp_path / "segments").iterdir()
    segment.write_bytes(segment.read_bytes()[:-1])
    (log,) = (tmp_path / "log").glob("*.log")
    log.write_bytes(log.read_bytes()[:40] + b"?" + log.read_bytes()[41:])
    assert {damage.reason for damage in history.prove()} == {"segment", "payload"}
    history.close()
