"""What history stands on: pieces that lie end to end in the order of their numbers.

First come segments in files, then segments in memory, then chunks that are still to be sorted, and last the open
chunk, which takes in what the log has made durable. A reader takes the list of one moment; nothing in a list ever
changes. Whatever is sorted, written or merged takes the place of what it was made of in one step. Whoever still
reads a file that was replaced reads on: it is deleted, and goes when nobody has it open.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from cheng.infrastructure.history_reading import Piece, in_order, tables
from cheng.infrastructure.history_segments import KINDS, Segment, Writer, opened, range_of, survey, write
from cheng.infrastructure.history_tables import merged_parts
from cheng.infrastructure.history_tail import Chunk
from cheng.infrastructure.log import Disk
from cheng.infrastructure.log_frames import Damage
from cheng.kernel.observations import Frame
from cheng.standards.problems import Refused

NOT_KEPT = (
    "The history of the hub could not be written. What was acknowledged is safe in the log; "
    "make room on the disk, and the hub catches up by itself."
)


class Base:
    """Owns segments/ in `directory`, and what is not there yet."""

    def __init__(self, directory: Path, *, chunk_rows: int, disk: Disk, damaged: Callable[[Damage], None]) -> None:
        self.directory, self.disk, self.chunk_rows = directory, disk, chunk_rows
        self.folder = directory / "segments"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.changing = threading.RLock()
        """held by whatever replaces segments in files"""
        self._flushing, self._lock = threading.RLock(), threading.Lock()
        self._damaged = damaged
        kept, void = survey(self.folder)
        for path in void:
            path.unlink()
        self.segments: tuple[Segment, ...] = tuple(opened(path) for path in kept)
        """those in files"""
        self._held: tuple[Segment | Chunk, ...] = ()
        self.held = 0
        """rows that are in no file yet but the log"""
        self._look_for_gaps()
        self._open = Chunk.sized(self.flushed + 1, chunk_rows)

    def _look_for_gaps(self) -> None:
        following = 0
        for segment in self.segments:
            if segment.first > following:
                count = segment.first - following
                self._damaged(Damage(segment.name, 0, 0, "missing", following, count))
            following = segment.last + 1
            if segment.unreadable:
                self.report(segment, -1)

    def report(self, segment: Segment, entry: int) -> None:
        """Something of a segment cannot be read as it was written; it is left out of answers and mended later."""
        if entry not in segment.damaged:
            segment.damaged.add(entry)
            offset, length, rows = segment.place(entry)
            first = segment.first if entry < 0 else None
            self._damaged(Damage(segment.name, offset, length, "segment", first, None if segment.unreadable else rows))

    @property
    def flushed(self) -> int:
        """Everything up to this number is in segments in files."""
        return self.segments[-1].last if self.segments else -1

    def pieces(self) -> list[Piece]:
        """Everything that was acknowledged before the call, each reading once."""
        with self._lock:
            return [*self.segments, *self._held, self._open.view()]

    # -- taking in

    def add(self, first: int, frame: Frame) -> None:
        """Takes in a frame that is durable; called by one thread at a time."""
        done, total = 0, len(frame)
        while done < total:
            with self._lock:
                step = min(total - done, self._open.room())
                self._open.add(first + done, frame if step == total else frame.take(slice(done, done + step)))
                self.held += step
                if not self._open.room():
                    self._seal()
            done += step

    def _seal(self) -> None:
        if self._open.last >= self._open.first:
            self._held = (*self._held, self._open)
            self._open = Chunk.sized(self._open.last + 1, self.chunk_rows)

    def full(self) -> bool:
        """Is there a chunk to sort?"""
        return any(isinstance(piece, Chunk) for piece in self._held)

    def settle(self) -> None:
        """Sorts the chunks that are full."""
        for piece in self._held:
            if isinstance(piece, Chunk):
                with self._flushing:
                    if piece in self._held:
                        self._put(piece.settled(), piece)

    def _put(self, new: Segment, old: Chunk) -> None:
        with self._lock:
            self._held = tuple(new if piece is old else piece for piece in self._held)

    def relieve(self, rows: int, above: int) -> int:
        """Moves `rows` of what is held into a file, or a few more, if it is more than `above`; how many were moved.

        Refused `history-failed` (507): nothing was moved and nothing is lost, the log still has it.
        """
        with self._flushing:
            return self._write(rows) if self.held >= above else 0

    def flush(self, rows: int) -> int:
        """Moves all that is held now into files of about `rows`; as `relieve`."""
        with self._flushing:
            with self._lock:
                self._seal()
                last = self._open.first
            moved = 0
            while self._held and self._held[0].first < last:
                moved += self._write(rows)
            return moved

    def _write(self, rows: int) -> int:
        pieces: list[Segment] = []
        for piece in self._held:
            if sum(one.holds for one in pieces) < rows:
                pieces.append(piece.settled() if isinstance(piece, Chunk) else piece)
        if not pieces:
            return 0
        segment, moved = self.written(pieces, 0), sum(piece.holds for piece in pieces)
        with self._lock:
            self._held = self._held[len(pieces) :]
            self.segments = (*self.segments, segment)
            self.held -= moved
        return moved

    # -- segments in files

    def written(self, segments: Sequence[Segment], generation: int) -> Segment:
        """A file that holds the same as `segments`, which lie end to end."""

        def fill(writer: Writer) -> None:
            for rows, order in in_order(segments, self.report):
                writer.add(rows, order)
            found = {kind: list(tables(segments, kind, self.report)) for kind in KINDS}
            for part in merged_parts(found):
                writer.add_table(part)

        return self.make(fill, segments, generation)

    def make(self, fill: Callable[[Writer], None], segments: Sequence[Segment], generation: int) -> Segment:
        """A file made by `fill` for the range of `segments`; Refused `history-failed` (507): nothing has changed."""
        try:
            return write(self.folder, self.disk, fill, segments[0].first, segments[-1].last, generation)
        except OSError as error:
            raise Refused("history-failed", NOT_KEPT, status=507) from error

    def replace(self, old: Sequence[Segment], new: Segment) -> None:
        """Puts a file in the place of others that lie end to end; `changing` must be held."""
        with self._lock:
            at = self.segments.index(old[0])
            self.segments = (*self.segments[:at], new, *self.segments[at + len(old) :])
        for segment in old:
            (self.folder / segment.name).unlink(missing_ok=True)

    def prove(self) -> None:
        """Reads every segment and compares it with its check words."""
        segments = self.segments
        for segment in segments:
            if not segment.redundant():
                self.report(segment, -1)
        for _ in in_order(segments, self.report):
            pass
        for kind in KINDS:
            for _ in tables(segments, kind, self.report):
                pass


def following(segment: Segment) -> int:
    """The generation that replaces a segment."""
    return range_of(Path(segment.name))[2] + 1
