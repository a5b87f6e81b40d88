"""What it costs to make register indexes of a payload: decoding and resolving, in CPU time of one thread."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.json as pj

from bench.gateways import PREFIX, THINGS, Rows, rows
from bench.measuring import Figure, folder, quantiles, report
from bench.peers.lane import workload
from bench.server import model
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.resolving import resolve
from cheng.infrastructure.store import Store
from cheng.infrastructure.things import Things
from cheng.kernel.observations import Batch
from cheng.protocols.decoding import ARROW, NDJSON, SENML, decode

CLAIM = "From bytes to register indexes: NDJSON ≤ 0.12 µs of CPU a reading, SenML ≤ 1, Arrow ≤ 0.05, one alone ≤ 15"
WHY = (
    "some 16 µs a payload are fixed, half of them handing arrays to two kernels (single readings by HTTP and MQTT take "
    "`singles` instead); of a line a third goes into finding its thing by its bytes"
)
ROUNDS, SINGLE = 5, 10_000
Read = Callable[[bytes], Batch]


@contextmanager
def register() -> Iterator[Things]:
    """The things of W1."""
    with folder() as home:
        store = Store(home / "cheng.db")
        things = Things(store, model(1), Clock())
        things.put([NewThing(f"{PREFIX}{n:05d}", "Station") for n in range(THINGS)], "bench")
        yield things
        store.close()


def by_cheng(things: Things, media_type: str) -> Read:
    def read(payload: bytes) -> Batch:
        reports, _ = decode(payload, media_type, things.meanings)
        return resolve(reports, things)[0]

    return read


def by_arrow(things: Things) -> Read:
    """Arrow's JSON reader, then one look-up for each distinct name."""
    kinds = [("id", pa.string()), ("attr", pa.string()), ("time", pa.int64()), ("value", pa.float64())]
    how = pj.ParseOptions(explicit_schema=pa.schema(kinds), unexpected_field_behavior="error")
    attr = things.attribute("Station", "pm10")

    def read(payload: bytes) -> Batch:
        table = pj.read_json(BytesIO(payload), pj.ReadOptions(block_size=len(payload)), how)
        names = table["id"].combine_chunks().dictionary_encode()
        table["attr"].combine_chunks().dictionary_encode()
        thing = things.indexes(names.dictionary.to_pylist())[names.indices.to_numpy()]
        return Batch.of(thing, np.full(len(thing), attr), table["time"].to_numpy() * 1000, table["value"].to_numpy())

    return read


def by_msgspec(things: Things) -> Read:
    """One typed object for each line, with a look-up each."""

    class Line(msgspec.Struct):
        id: str
        attr: str
        time: int
        value: float

    decoder, attr = msgspec.json.Decoder(Line), things.attribute("Station", "pm10")

    def read(payload: bytes) -> Batch:
        lines = decoder.decode_lines(payload)
        thing = things.indexes([line.id for line in lines])
        return Batch.of(
            thing, [attr] * len(lines), [line.time * 1000 for line in lines], [line.value for line in lines]
        )

    return read


def cpu_us(read: Read, payloads: Sequence[bytes], readings: int) -> tuple[list[float], Batch]:
    """CPU µs a reading, round by round, and what all payloads together said."""
    said = Batch.concat([read(payload) for payload in payloads])
    rounds = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        for payload in payloads:
            read(payload)
        rounds.append((time.thread_time() - start) / readings * 1e6)
    return rounds, said


def agree(said: Batch, work: Rows) -> None:
    """The rate does not count unless every thing, time and value is that of the workload."""
    values = np.array(work.value, np.float64)
    same = [np.array_equal(said.thing, work.thing), np.array_equal(said.time, work.ms * 1000)]
    if not all([*same, np.array_equal(said.value, values)]):
        raise SystemExit("not what W1 says: the rate does not count")


def cut(lines: Sequence[bytes], size: int) -> list[bytes]:
    return [b"\n".join(lines[at : at + size]) for at in range(0, len(lines), size)]


def packs(work: Rows, size: int) -> Iterator[bytes]:
    """SenML, every record with its whole name, unit and time."""
    said = (
        f'{{"n":"{PREFIX}{thing:05d}:pm10","u":"ug/m3","t":{ms / 1000:.3f},"v":{value}}}'
        for thing, ms, value in zip(work.thing.tolist(), work.ms.tolist(), work.value, strict=True)
    )
    records = list(said)
    for at in range(0, len(records), size):
        yield f"[{','.join(records[at : at + size])}]".encode()


def streams(work: Rows, size: int, dictionary: bool) -> Iterator[bytes]:
    """Arrow IPC streams, names as they are or in a dictionary."""
    for at in range(0, len(work.thing), size):
        ids = pa.array([f"{PREFIX}{thing:05d}" for thing in work.thing[at : at + size].tolist()])
        attrs = pa.array(["pm10"] * len(ids))
        if dictionary:
            ids, attrs = ids.dictionary_encode(), attrs.dictionary_encode()
        values = np.array(work.value[at : at + size], np.float64)
        table = pa.table({"id": ids, "attr": attrs, "time": work.ms[at : at + size], "value": values})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        yield sink.getvalue().to_pybytes()


def lines_of(things: Things, work: Rows) -> None:
    """W1 and W2 as NDJSON."""
    lines = (workload("w1") / "obs.ndjson").read_bytes().splitlines()
    others = {}
    for name, read in (("Arrow's JSON reader", by_arrow(things)), ("msgspec", by_msgspec(things))):
        found, said = cpu_us(read, cut(lines, 5_000), len(lines))
        agree(said, work)
        others[name] = quantiles(found)[1]
    for size in (1_000, 5_000):
        found, said = cpu_us(by_cheng(things, NDJSON), cut(lines, size), len(lines))
        agree(said, work)
        note = "; ".join(f"{name} {us:.2f}" for name, us in others.items()) if size == 5_000 else ""
        tell(f"NDJSON, {size:,} lines a payload", found, 0.12, note)
    single, _ = cpu_us(by_cheng(things, NDJSON), lines[:SINGLE], SINGLE)
    tell("NDJSON, one line a payload", single, 15, "")
    source = workload("w2")
    bad, expected = (
        (source / "obs.ndjson").read_bytes().split(b"\n")[:-1],
        json.loads((source / "expected.json").read_text()),
    )
    found, said = cpu_us(by_cheng(things, NDJSON), cut(bad, 1_000), len(bad))
    if len(said) != expected["observations"] - expected["malformed"]:
        raise SystemExit(f"{len(said):,} readings of W2: the rate does not count")
    tell("NDJSON of W2, 0.5 % malformed, 1,000 lines a payload", found, 0.2, "")


def tell(what: str, found: list[float], goal: float, note: str) -> None:
    holds = quantiles(found)[1] <= goal
    report(Figure(f"{what}: decoded and resolved", f"≤ {goal:g} µs", "CPU µs a reading", found, holds, note, why=WHY))


def main() -> None:
    work, _ = rows()
    with register() as things:
        lines_of(things, work)
        found, said = cpu_us(by_cheng(things, SENML), list(packs(work, 5_000)), len(work.ms))
        agree(said, work)
        tell("SenML, 5,000 records a payload", found, 1, "")
        for dictionary in (False, True):
            payloads = list(streams(work, 20_000, dictionary))
            found, said = cpu_us(by_cheng(things, ARROW), payloads, len(work.ms))
            agree(said, work)
            tell(f"Arrow, 20,000 rows a payload, names {'in a dictionary' if dictionary else 'plain'}", found, 0.05, "")


if __name__ == "__main__":
    main()
