"""Where and when a photo was taken, as its camera noted it (Exif 2.32), and the photo without such notes.

Nothing in a file is believed further than it goes: what is cut off, circular or out of all bounds is as if it were not
there. Pillow takes notes out by encoding a picture anew, which proof must not be, and cannot read HEIC: so no picture
is ever unpacked here, and none can be a bomb.
"""

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

FIRST_YEAR = 2000
"""No camera that sends photos is older; an earlier year is a clock that was never set."""
EXIF = b"Exif\0\0"
ORIENTATION, EXIF_IFD, GPS_IFD = 0x0112, 0x8769, 0x8825
TAKEN, OFFSET = 0x9003, 0x9011
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE, GPS_TIME, GPS_DATE = 1, 2, 3, 4, 7, 29
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
"""Bytes of one value of each type."""
MOST_TAGS, MOST_BYTES = 400, 400
"""Of a directory, and of a value that is read."""
NOTED_IN_JPEG = {0xE1, 0xED, 0xFE}
"""Segments with notes about a photo: Exif and XMP, IPTC, comments."""
NOTED_IN_PNG = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}
NOTED_IN_WEBP = {b"EXIF", b"XMP "}
WEBP_FLAGS = 0b1100
"""Bits of VP8X that promise Exif and XMP."""

Tags = dict[int, tuple[int, bytes]]
"""tag → type, bytes"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a camera noted."""

    place: tuple[float, float] | None = None
    """longitude, latitude in degrees (WGS 84)"""
    at: datetime | None = None


def taken(data: bytes, zone: tzinfo) -> Taken:
    """What is noted in a JPEG, PNG, WebP or HEIC. `zone`: of cameras that do not say which theirs is."""
    start = noted(data)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[start : start + 4]) if start >= 0 else None
    if order is None:
        return Taken()
    notes = data[start : start + 200_000]
    (first,) = struct.unpack_from(order + "I", notes.ljust(8, b"\0"), 4)
    main = directory(notes, first, order)
    exif = directory(notes, pointer(main, EXIF_IFD, order), order)
    gps = directory(notes, pointer(main, GPS_IFD, order), order)
    return Taken(place(gps, order), moment(exif, gps, order, zone))


def as_proof(kind: str, sha256: str, data: bytes, zone: tzinfo, now: datetime) -> dict[str, str]:
    """A file as an act keeps it: {"kind", "blob"}, with where and when it was taken if its camera noted that and it
    can be so."""
    told = {"kind": kind, "blob": sha256}
    found = taken(data, zone)
    if found.place is not None:
        told["place"] = f"{found.place[0]:.7f},{found.place[1]:.7f}"
    latest = now + timedelta(days=1)
    if found.at is not None and FIRST_YEAR <= found.at.year <= latest.year and found.at <= latest:
        told["taken"] = found.at.astimezone(UTC).isoformat()
    return told


def noted(data: bytes) -> int:
    """Where the notes begin; -1 when there are none."""
    if data.startswith(b"\xff\xd8"):
        found = (at + 4 for mark, at, _ in segments(data) if mark == 0xE1 and data[at + 4 : at + 10] == EXIF)
        return next(found, -1 - len(EXIF)) + len(EXIF)
    if data.startswith(b"\x89PNG"):
        return next((at + 8 for kind, at, _ in png_chunks(data) if kind == b"eXIf"), -1)
    if data[8:12] == b"WEBP":
        found = (at + 8 for kind, at, _ in webp_chunks(data) if kind == b"EXIF")
        start = next(found, -1)
        return start + len(EXIF) if start >= 0 and data[start : start + 6] == EXIF else start
    start = data.find(EXIF) if data[4:8] == b"ftyp" else -1
    return start + len(EXIF) if start >= 0 else -1


def bare(data: bytes) -> bytes:
    """The same picture, unchanged to the last pixel and as upright, without what its camera and its owner noted in it.
    HEIC keeps its notes: browsers do not show it, and its parts cannot be taken out."""
    if data.startswith(b"\xff\xd8"):
        return bare_jpeg(data)
    if data.startswith(b"\x89PNG"):
        chunks = png_chunks(data)
        return data[:8] + b"".join(data[at:end] for kind, at, end in chunks if kind not in NOTED_IN_PNG)
    if data[8:12] == b"WEBP":
        kept = b"".join(plain(kind, data[at:end]) for kind, at, end in webp_chunks(data) if kind not in NOTED_IN_WEBP)
        return b"RIFF" + struct.pack("<I", len(kept) + 4) + b"WEBP" + kept
    return data


def bare_jpeg(data: bytes) -> bytes:
    upright, kept, end = 1, [data[:2]], 2
    for mark, at, end in segments(data):
        if mark == 0xE1 and data[at + 4 : at + 10] == EXIF:
            upright = orientation(data[at + 10 : end])
        if mark not in NOTED_IN_JPEG:
            kept.append(data[at:end])
    turned = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, upright, 0, 0)
    if upright != 1:
        kept.insert(1, b"\xff\xe1" + struct.pack(">H", 2 + len(EXIF) + len(turned)) + EXIF + turned)
    return b"".join(kept) + data[end:]


def orientation(notes: bytes) -> int:
    """How a picture has to be turned, 1 to 8."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(notes[:4])
    if order is None or len(notes) < 8:
        return 1
    kind, raw = directory(notes, struct.unpack_from(order + "I", notes, 4)[0], order).get(ORIENTATION, (0, b""))
    (told,) = struct.unpack(order + "H", raw[:2]) if kind == 3 and len(raw) >= 2 else (1,)
    return int(told) if 1 <= told <= 8 else 1


def plain(kind: bytes, chunk: bytes) -> bytes:
    """A chunk of a WebP that does not promise notes any more."""
    return chunk[:8] + bytes([chunk[8] & ~WEBP_FLAGS]) + chunk[9:] if kind == b"VP8X" and len(chunk) > 8 else chunk


# -- the parts of a file, as (kind, begin, end), as far as they are whole


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if end > len(data) or end < at + 4:
            return
        yield data[at + 1], at, end
        at = end


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], at, end
        at = end


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        yield data[at : at + 4], at, end
        at = end


# -- what is in the notes


def directory(notes: bytes, start: int, order: str) -> Tags:
    """The tags of one directory, as far as their bytes are there."""
    if not 8 <= start <= len(notes) - 2:
        return {}
    (count,) = struct.unpack_from(order + "H", notes, start)
    found: Tags = {}
    for n in range(min(count, MOST_TAGS, (len(notes) - start - 2) // 12)):
        tag, kind, many = struct.unpack_from(order + "HHI", notes, start + 2 + 12 * n)
        size, at = SIZES.get(kind, MOST_BYTES + 1) * many, start + 10 + 12 * n
        if size > 4:
            (at,) = struct.unpack_from(order + "I", notes, at)
        if size <= MOST_BYTES and at + size <= len(notes):
            found[tag] = (kind, notes[at : at + size])
    return found


def pointer(tags: Tags, tag: int, order: str) -> int:
    kind, raw = tags.get(tag, (0, b""))
    return int(struct.unpack(order + "I", raw)[0]) if kind == 4 and len(raw) == 4 else 0


def text(tags: Tags, tag: int) -> str:
    kind, raw = tags.get(tag, (0, b""))
    return raw.split(b"\0")[0].decode("ascii", "replace").strip() if kind == 2 else ""


def parts(tags: Tags, tag: int, order: str) -> list[float]:
    """Three fractions, as degrees and times of day are told; NaN for what is divided by nothing."""
    kind, raw = tags.get(tag, (0, b""))
    if kind != 5 or len(raw) != 24:
        return [math.nan] * 3
    numbers = struct.unpack(order + "6I", raw)
    return [above / below if below else math.nan for above, below in zip(numbers[::2], numbers[1::2], strict=True)]


def degrees(tags: Tags, tag: int, ref: int, order: str) -> float:
    """Signed degrees; NaN when they are not told, or not in full."""
    whole, minutes, rest = parts(tags, tag, order)
    sign = {"N": 1, "E": 1, "S": -1, "W": -1}.get(text(tags, ref).upper(), math.nan)
    return sign * (whole + minutes / 60 + rest / 3600)


def place(gps: Tags, order: str) -> tuple[float, float] | None:
    """Longitude and latitude; a camera that has not found itself writes zeros."""
    longitude, latitude = (degrees(gps, LONGITUDE, LONGITUDE_REF, order), degrees(gps, LATITUDE, LATITUDE_REF, order))
    there = abs(longitude) <= 180 and abs(latitude) <= 90 and (longitude, latitude) != (0, 0)
    return (round(longitude, 7), round(latitude, 7)) if there else None


def moment(exif: Tags, gps: Tags, order: str, zone: tzinfo) -> datetime | None:
    """By the camera's own clock with its zone, else by the satellites, else by its clock in the given zone."""
    local, offset = clock(text(exif, TAKEN)), re.fullmatch(r"([+-])(\d\d):([0-5]\d)", text(exif, OFFSET))
    if local is not None and offset is not None and int(offset[2]) < 24:
        apart = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return local.replace(tzinfo=timezone(apart if offset[1] == "+" else -apart))
    hours, minutes, rest = parts(gps, GPS_TIME, order)
    day = clock(f"{text(gps, GPS_DATE)} 00:00:00")
    if day is not None and hours < 24 and minutes < 60 and rest < 61:
        return day.replace(tzinfo=UTC) + timedelta(hours=hours, minutes=minutes, seconds=rest)
    return local.replace(tzinfo=zone) if local is not None else None


def clock(told: str) -> datetime | None:
    """2026:11:20 08:00:00, the way Exif writes it."""
    numbers = re.fullmatch(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", told, re.ASCII)
    try:
        return datetime(*map(int, numbers.groups())) if numbers else None  # type: ignore[arg-type] # noqa: DTZ001
    except ValueError:
        return None
