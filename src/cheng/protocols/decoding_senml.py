"""SenML (RFC 8428) into columns."""

import msgspec
import numpy as np

from cheng.kernel.meanings import Meanings
from cheng.kernel.words import PAD
from cheng.protocols.decoding_ndjson import OPEN, reports_of, room_for, times_in
from cheng.protocols.decoding_packs import LATEST, RELATIVE, record_of_zeros, room_beside, scan_pack
from cheng.protocols.decoding_rows import Builder, Decoded, in_order
from cheng.standards.problems import InputError


class SenMLRecord(msgspec.Struct):
    """One record of a SenML pack; base fields hold for all that follow (RFC 8428, section 4.1)."""

    bn: str | None = None
    bt: float | None = None
    bu: str | None = None
    bv: float | None = None
    n: str = ""
    t: float = 0
    u: str | None = None
    v: float | None = None
    vs: str | None = None
    vb: bool | None = None


UNDATED = "the record has no absolute time; send bt or t"
SENML_PACK = msgspec.json.Decoder(list[SenMLRecord])


def senml(payload: bytes, meanings: Meanings) -> Decoded:
    """Readings of a SenML pack: the name up to its last `/`, or without one its last `:`, is the thing, the rest the
    attribute.

    Times below 2**28 are relative to now in SenML; the hub wants them dated and refuses such records.
    """
    if not payload.isascii():
        return one_by_one(payload)
    text = np.frombuffer(payload + PAD, np.uint8)
    count = times_in(text, len(payload), OPEN)
    record, to, found = record_of_zeros(), room_for(count), room_beside(count)
    names = (meanings.things.table, meanings.attrs.table, meanings.words.table)
    if not scan_pack(text, len(payload), *names, record, to, found):
        return one_by_one(payload)
    rows, timeless, others, units = record.so_far.tolist()
    said = [payload[begin:end].decode() for begin, end in record.units[:units].tolist()]
    reports = reports_of(to, rows)
    reports.units, reports.unit = said, found.unit[:rows] if said else None
    builder = Builder()
    builder.errors += [InputError("bad-time", UNDATED, line) for line in found.undated[:timeless].tolist()]
    for other, value in zip(found.others[:others].tolist(), found.values[:others].tolist(), strict=True):
        line, bn, bn_end, n, n_end, vs, vs_end, unit, time = other
        thing, attr = parts((payload[bn:bn_end] + payload[n:n_end]).decode())
        word = payload[vs:vs_end].decode() if vs_end >= 0 else value
        builder.add(line, thing, attr, time, word, said[unit] if unit >= 0 else "")
    return in_order(reports, builder)


def one_by_one(payload: bytes) -> Decoded:
    """Readings of any pack, record by record."""
    try:
        pack = SENML_PACK.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("not-understood", f"this is no SenML pack: {error}") from error
    builder = Builder()
    base = SenMLRecord()
    for line, record in enumerate(pack, 1):
        base.bn = record.bn if record.bn is not None else base.bn
        base.bt = record.bt if record.bt is not None else base.bt
        base.bu = record.bu if record.bu is not None else base.bu
        base.bv = record.bv if record.bv is not None else base.bv
        said = next((v for v in (record.v, record.vs, record.vb) if v is not None), None)
        if said is None:
            continue
        if record.v is not None:
            said = record.v + (base.bv or 0)
        thing, attr = parts((base.bn or "") + record.n)
        time = (base.bt or 0) + record.t
        if not RELATIVE <= time <= LATEST:
            builder.errors.append(InputError("bad-time", UNDATED if time < RELATIVE else "there is no such time", line))
            continue
        builder.add(line, thing, attr, round(time * 1_000_000), said, record.u or base.bu or "")
    return builder.reports(), builder.errors


def parts(name: str) -> tuple[str, str]:
    """Thing and attribute of a whole name."""
    thing, _, attr = name.rpartition("/" if "/" in name else ":")
    return thing, attr
