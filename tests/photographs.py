"""Photos as cameras make them, with what they note."""

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image


def photograph(
    place: tuple[float, float] | None = None,
    time: str = "",
    *,
    offset: str = "",
    gps: Mapping[int, Any] | None = None,
    kind: str = "JPEG",
    turned: int = 1,
) -> bytes:
    """A picture with notes: `place` (longitude, latitude), `time` as Exif writes it; `gps`: further or other tags."""
    exif = Image.Exif()
    if place or time:
        exif[0x010F] = "Anna's phone"
    if turned != 1:
        exif[0x0112] = turned
    if time or offset:
        exif.get_ifd(0x8769).update({tag: told for tag, told in ((0x9003, time), (0x9011, offset)) if told})
    if place or gps:
        exif.get_ifd(0x8825).update({**(placed(*place) if place else {}), **(gps or {})})
    sheet = Image.new("RGB", (32, 24))
    sheet.putdata([(x * 8, y * 10, 90) for y in range(24) for x in range(32)])
    out = io.BytesIO()
    sheet.save(out, kind, **({"exif": exif} if len(exif) else {}))
    return out.getvalue()


def placed(longitude: float, latitude: float) -> dict[int, Any]:
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return {1: north, 2: sexagesimal(latitude), 3: east, 4: sexagesimal(longitude)}


def sexagesimal(degrees: float) -> tuple[float, float, float]:
    whole, rest = divmod(abs(degrees), 1)
    minutes, rest = divmod(rest * 60, 1)
    return whole, minutes, round(rest * 60, 4)
