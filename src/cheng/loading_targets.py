"""Where a load goes: into a hub in this process, or by HTTP into one that runs elsewhere."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
import pyarrow as pa

from cheng.hub import Hub
from cheng.infrastructure.case_records import CaseRecords
from cheng.infrastructure.class_book import ClassBook
from cheng.infrastructure.class_loading import take_classes, take_responsibilities
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.resolving import resolve
from cheng.kernel.class_rows import day_of, limit_of
from cheng.kernel.columns import Bools, Ints, Rows
from cheng.kernel.observations import Batch
from cheng.kernel.reports import Reports
from cheng.loading import ArticleTable, CaseTable, ClassTable, Taken
from cheng.security import audit
from cheng.security.permissions import Target
from cheng.standards.base_map import Features
from cheng.standards.durations import seconds
from cheng.standards.problems import InputError, Refused

AHEAD = 4
"""Chunks that may be on their way into the hub while the next one is read."""
LOOK_AFTER = seconds(10).us
"""After so long without a chunk others may have sent as much, and history is asked again."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST = 1_000
"""Refused rows of a file that are sent to be kept; the rest is counted in the last."""
NEVER = int(np.iinfo(np.int64).min)
BASE_MAP, PARQUET = "/ingest/base-map", "application/vnd.apache.parquet"
CLASS_TABLE, CASE_TABLE, ARTICLE_TABLE = "/ingest/classes", "/ingest/cases", "/ingest/articles"


class HereTarget:
    """A hub in this process. Readings that are in its history already are passed over."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._waiting: deque[Future[int]] = deque()
        self._newest: dict[tuple[int, int], int] | None = None
        """by thing and attribute: the time of the newest reading that is there"""
        self._looked = 0

    def things(self, rows: Sequence[NewThing], actor: str) -> Taken:
        outcome = self.hub.things.put(rows, actor)
        counts = {"added": outcome.added, "changed": outcome.changed, "unchanged": outcome.unchanged}
        return Taken(Counter(counts), outcome.refused)

    def readings(self, reports: Reports) -> Taken:
        batch, refused = resolve(reports, self.hub.things)
        if refused:
            self.hub.inputs.took("file", 0, len(refused))
        fresh = self._unknown(batch)
        taken = Taken(Counter(known=int(len(batch) - fresh.sum())), refused)
        batch = batch.take(fresh)
        while len(self._waiting) >= AHEAD:
            taken.counts["marked"] += self._waiting.popleft().result()
        if len(batch):
            self._hand_in(batch, taken)
            taken.counts["accepted"] += len(batch)
        return taken

    def _hand_in(self, batch: Batch, taken: Taken) -> None:
        """Hands in a batch; when the hub is full, waits for what is on its way and tries again."""
        while True:
            try:
                future = self.hub.pipeline.submit(batch)
            except Refused:
                if not self._waiting:
                    raise
                taken.counts["marked"] += self._waiting.popleft().result()
            else:
                self._waiting.append(future)
                future.add_done_callback(partial(self._count, len(batch), monotonic()))
                return

    def _count(self, readings: int, began: float, _: Future[int]) -> None:
        self.hub.inputs.took("file", readings, seconds=monotonic() - began)

    def features(self, source: str, features: Features) -> Taken:
        refused = self.hub.base_map.put(source, features)
        return Taken(Counter(drawn=len(features) - len(refused)), refused)

    def classes(self, table: ClassTable, actor: str) -> Taken:
        book = self.hub.classes
        flow = flow_of(book, table.flow)
        since = day_of(table.since) if table.since else book.today()
        with self.hub.store.write() as conn:
            if table.kind == "classes":
                outcome = take_classes(book, conn, flow, table.rows, since, actor)
            else:
                outcome = take_responsibilities(book, self.hub.things, conn, flow, table.rows, since, actor)
            told = {"flow": flow, "kind": table.kind, "since": since.isoformat(), **outcome.counts}
            audit.record(conn, self.hub.clock.now(), actor, "load", Target("class", flow), detail=told)
        return Taken(outcome.counts, outcome.refused)

    def cases(self, table: CaseTable, actor: str) -> Taken:
        hub, limit = self.hub, limit_of(*table.limit)
        flow = flow_of(hub.classes, table.flow)
        records = CaseRecords(hub.store, hub.cases, hub.classes, hub.things, flow, limit, table.system)
        written = records.take(table.records, actor)
        told = {"flow": flow, "kind": "cases", "system": table.system, **written.counts}
        if written.counts["added"] or written.counts["changed"]:
            with hub.store.write() as conn:
                audit.record(conn, hub.clock.now(), actor, "load", Target("case", flow), detail=told)
        return Taken(written.counts, written.refused)

    def articles(self, table: ArticleTable, actor: str) -> Taken:
        hub = self.hub
        with hub.store.write() as conn:
            outcome = hub.articles.take(conn, table.rows, actor)
            told = {"file": table.file, **outcome.counts}
            audit.record(conn, hub.clock.now(), actor, "load", Target("article"), detail=told)
        refused = [InputError(why.code, str(why), line) for line, why in outcome.refused]
        return Taken(Counter(outcome.counts), refused)

    def finish(self) -> Taken:
        taken = Taken()
        while self._waiting:
            taken.counts["marked"] += self._waiting.popleft().result()
        return taken

    def keep(self, file: str, errors: Sequence[tuple[InputError, bytes]]) -> None:
        self.hub.refused.keep("file", file, errors)

    def _unknown(self, batch: Batch) -> Bools:
        """(n,) readings that history does not hold yet; most are newer than all of their series."""
        fresh = np.ones(len(batch), np.bool_)
        now = self.hub.clock.now()
        if self._newest is None or now - self._looked > LOOK_AFTER:
            self._newest = self._latest()
        self._looked = now
        pair = (batch.thing.astype(np.int64) << 32) | batch.attr
        distinct, inverse = np.unique(pair, return_inverse=True)
        newest = np.array([self._newest.get((p >> 32, p & 0xFFFFFFFF), NEVER) for p in distinct.tolist()], np.int64)
        old = np.flatnonzero(batch.time <= newest[inverse])
        np.maximum.at(newest, inverse, batch.time)
        self._newest |= {(p >> 32, p & 0xFFFFFFFF): t for p, t in zip(distinct.tolist(), newest.tolist(), strict=True)}
        if len(old):
            fresh[old] = ~self._there(batch.take(old))
        return fresh

    def _latest(self) -> dict[tuple[int, int], int]:
        table = self.hub.history.latest(good_only=False)
        columns = (table[name].to_pylist() for name in ("thing", "attr", "time"))
        newest: dict[tuple[int, int], int] = {}
        for thing, attr, time in zip(*columns, strict=True):
            newest[thing, attr] = max(time, newest.get((thing, attr), time))
        return newest

    def _there(self, batch: Batch) -> Bools:
        """(n,) whether history holds a reading of the same thing, attribute and time."""
        things, attrs = np.unique(batch.thing).tolist(), np.unique(batch.attr).tolist()
        start, end = int(batch.time.min()), int(batch.time.max()) + 1
        kept = self.hub.history.readings(things, attrs, start, end).select(["thing", "attr", "time"])
        names = ["thing", "attr", "time"]
        mine = pa.table({n: pa.array(getattr(batch, n), kept.schema.field(n).type) for n in names})
        mine = mine.append_column("row", pa.array(np.arange(len(batch))))
        there = np.zeros(len(batch), np.bool_)
        there[mine.join(kept, names, join_type="left semi")["row"].to_numpy()] = True
        return there


def flow_of(book: ClassBook, told: str) -> str:
    """The flow whose classes are meant: by key, by name, or the only one that has classes. Refused otherwise."""
    known = [key for key, flow in book.flows.items() if flow.classes or book.codes(key)]
    named = [key for key in known if told in ("", key, key.rpartition(".")[2])]
    if len(named) == 1:
        return named[0]
    values = {"flows": ", ".join(known) or "-"}
    raise Refused("no-flow", "Say whose classes these are; ways of work with classes are {flows}.", values, status=422)


class RefusedRow(msgspec.Struct):
    """A row of a file that could not be taken."""

    code: str
    reason: str
    line: int | None = None
    payload: str = ""
    """what stood in the file"""


class RefusedRows(msgspec.Struct):
    """What is sent to `/ingest/refused`."""

    file: str
    rows: list[RefusedRow]


Post = Callable[[str, bytes, str], dict[str, Any]]
"""Sends a payload of a media type to a path of the hub and returns its answer; Refused when it says no."""


class ThereTarget:
    """A hub reached by HTTP. `local`: it runs on a folder of this machine, and asks who loads for what it refuses."""

    def __init__(self, post: Post, local: bool = False) -> None:
        self.post, self.local = post, local
        self.path = "/local/readings" if local else "/ingest/observations"
        self._kept_there: list[InputError] = []

    def things(self, rows: Sequence[NewThing], actor: str) -> Taken:
        lines = b"\n".join(map(msgspec.json.encode, rows))
        return self._taken(self.post("/ingest/things", lines, "application/x-ndjson"), None)

    def readings(self, reports: Reports) -> Taken:
        taken = Taken()
        plain = (reports.text < 0) & np.isnan(reports.latitude)
        for rows, media_type, encode in (
            (np.flatnonzero(plain), "application/vnd.apache.arrow.stream", as_arrow),
            (np.flatnonzero(~plain), "application/x-ndjson", as_ndjson),
        ):
            if len(rows):
                answer = self.post(self.path, encode(reports, rows), media_type)
                taken.add(self._taken(answer, reports.line[rows]))
        return taken

    def _taken(self, answer: dict[str, Any], lines: Ints | None) -> Taken:
        refused = []
        for error in answer.pop("refused", ()):
            line = error["line"]
            if lines is not None and line is not None:
                line = int(lines[line - 1])
            refused.append(InputError(error["code"], error["reason"], line))
        if not self.local:
            self._kept_there += refused
        return Taken(Counter({name: int(count) for name, count in answer.items()}), refused)

    def features(self, source: str, features: Features) -> Taken:
        answer = self.post(f"{BASE_MAP}?source={quote(source, safe='')}", features.parquet(), PARQUET)
        return self._taken(answer, None)

    def classes(self, table: ClassTable, actor: str) -> Taken:
        return self._taken(self.post(CLASS_TABLE, msgspec.json.encode(table), "application/json"), None)

    def cases(self, table: CaseTable, actor: str) -> Taken:
        return self._taken(self.post(CASE_TABLE, msgspec.json.encode(table), "application/json"), None)

    def articles(self, table: ArticleTable, actor: str) -> Taken:
        return self._taken(self.post(ARTICLE_TABLE, msgspec.json.encode(table), "application/json"), None)

    def finish(self) -> Taken:
        return Taken()

    def keep(self, file: str, errors: Sequence[tuple[InputError, bytes]]) -> None:
        """Sends refused rows with what stood in the file; but for those that the hub refused and kept by itself."""
        there = {id(error) for error in self._kept_there}
        mine = [(error, text) for error, text in errors if id(error) not in there]
        self._kept_there.clear()
        rows = [RefusedRow(e.code, e.reason, e.line, text.decode()) for e, text in mine[:MOST]]
        if more := len(mine) - len(rows):
            rows[-1].reason += f" (and {more} more lines of the same file)"
        if rows:
            self.post("/ingest/refused", msgspec.json.encode(RefusedRows(file, rows)), "application/json")


def as_arrow(reports: Reports, rows: Rows) -> bytes:
    """Plain numbers as an Arrow stream."""
    table = pa.table(
        {
            "id": pa.DictionaryArray.from_arrays(pa.array(reports.id[rows]), pa.array(reports.ids, pa.string())),
            "attr": pa.DictionaryArray.from_arrays(pa.array(reports.attr[rows]), pa.array(reports.attrs, pa.string())),
            "time": pa.array(reports.time[rows]).cast(pa.timestamp("us", "UTC")),
            "value": pa.array(reports.value[rows]),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def as_ndjson(reports: Reports, rows: Rows) -> bytes:
    """Labels and positions as lines of JSON."""
    lines = []
    for row in rows.tolist():
        word = reports.text[row] >= 0
        position = [float(reports.value[row]), float(reports.latitude[row])]
        line = {
            "id": reports.ids[reports.id[row]],
            "attr": reports.attrs[reports.attr[row]],
            "time": (EPOCH + timedelta(microseconds=int(reports.time[row]))).isoformat(),
            "value": reports.texts[reports.text[row]] if word else position,
        }
        lines.append(msgspec.json.encode(line))
    return b"\n".join(lines)
