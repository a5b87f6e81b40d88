"""Payloads of readings into columns: NDJSON, SenML (RFC 8428) and Arrow. A bad line never takes down a good one."""

from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np

from cheng.kernel.meanings import Meanings
from cheng.kernel.reports import Reports
from cheng.kernel.words import PAD
from cheng.protocols.decoding_arrow import arrow
from cheng.protocols.decoding_ndjson import END, NEW_TEXT, reports_of, room_for, scan, times_in
from cheng.protocols.decoding_rows import LINE, Builder, Decoded, in_order, instant
from cheng.protocols.decoding_senml import senml
from cheng.standards.problems import InputError

NDJSON, SENML, ARROW = "application/x-ndjson", "application/senml+json", "application/vnd.apache.arrow.stream"
WANTED = 'a line is {"id": "…", "attr": "…", "time": …, "value": …}'
NO_MEANINGS = Meanings()


def ndjson(payload: bytes, meanings: Meanings) -> Decoded:
    """Readings of NDJSON: plain lines about what the register knows in one compiled pass, others one by one."""
    text = np.frombuffer(payload + PAD, np.uint8)
    count = times_in(text, len(payload), END) + 1
    to, others = room_for(count), np.empty((count, 3), np.intp)
    names = (meanings.things.table, meanings.attrs.table, meanings.words.table)
    found, left, new = scan(text, len(payload), *names, to, others)
    reports = reports_of(to, found)
    if new:
        put_texts(reports, payload)
    if not left:
        return reports, []
    return in_order(reports, ndjson_lines((line, payload[at:end]) for line, at, end in others[:left].tolist()))


def put_texts(reports: Reports, payload: bytes) -> None:
    """Puts new texts where `scan` says that there are some."""
    numbers: dict[str, int] = {}
    for row in np.flatnonzero(reports.text == NEW_TEXT).tolist():
        at = int(reports.value[row])
        text = payload[at : payload.index(b'"', at)].decode()
        reports.text[row], reports.value[row] = numbers.setdefault(text, len(numbers)), np.nan
    reports.texts = list(numbers)


def ndjson_lines(lines: Iterable[tuple[int, bytes]]) -> Builder:
    """Readings of numbered lines, one by one; a line that was refused is not read again where it is repeated."""
    builder, refused = Builder(), dict[bytes, tuple[str, str]]()
    for line, text in lines:
        if (known := refused.get(text)) is not None:
            builder.errors.append(InputError(*known, line))
            continue
        try:
            said = LINE.decode(text)
            builder.add(line, said.id, said.attr, instant(said.time), said.value, said.unit)
            continue
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if not text.strip():
                continue
            refused[text] = "not-understood", f"{error}; {WANTED}"
        except InputError as error:
            refused[text] = error.code, error.reason
        builder.errors.append(InputError(*refused[text], line))
    return builder


DECODERS: dict[str, Callable[[bytes, Meanings], Decoded]] = {NDJSON: ndjson, SENML: senml, ARROW: arrow}
"""By media type."""


def sniff(payload: bytes) -> str:
    """The media type of a payload that came without one."""
    head = payload[:1]
    return ARROW if payload[:4] == b"\xff\xff\xff\xff" else SENML if head == b"[" else NDJSON


def decode(payload: bytes, media_type: str, meanings: Meanings = NO_MEANINGS) -> Decoded:
    """Readings of a payload; InputError when nothing in it can be understood.

    What `meanings` knows is found at once, and its names come back as numbers (see `Reports`).
    """
    decoder = DECODERS.get(media_type) or DECODERS.get(media_type.split(";")[0].strip().lower())
    if decoder is None:
        raise InputError("media-type", f"'{media_type}' is not taken here; send one of {', '.join(DECODERS)}")
    return decoder(payload, meanings)


def decode_many(
    payloads: Sequence[bytes], media_type: str, meanings: Meanings
) -> tuple[Reports, list[InputError], list[int | InputError]]:
    """Readings of several payloads, one after the other, their lines counted on; and for each payload how many lines
    it has, or why nothing in it could be understood.
    """
    if len(payloads) > 1 and media_type.startswith(NDJSON):
        reports, errors = decode(b"\n".join(payloads), media_type, meanings)
        return reports, errors, [payload.count(b"\n") + 1 for payload in payloads]
    reports, errors = Builder().reports(), []
    lines: list[int | InputError] = []
    end = 0
    for payload in payloads:
        try:
            more, wrong = decode(payload, media_type, meanings)
        except InputError as error:
            lines.append(error)
            continue
        count = max([*more.line[-1:].tolist(), *(fault.line or 0 for fault in wrong)], default=0)
        if end:
            more.line = more.line + np.int32(end)
            for fault in wrong:
                fault.line = (fault.line or 1) + end
        reports, errors = reports.followed_by(more) if len(reports) else more, [*errors, *wrong]
        lines.append(count)
        end += count
    return reports, errors, lines
