"""What a client of Open311 asks for, read from the address: all of it is checked, each mistake has its sentence."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import urlsplit

from cheng.hub import Hub
from cheng.protocols.open311_requests import MOST, STATES, Wanted
from cheng.standards.moments import EPOCH
from cheng.standards.problems import Refused

DAY = 86_400_000_000
SPAN = 90 * DAY
"""The longest range of days that one question may be about, as the specification has it."""
LAST_PAGE = 10_000
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII)
Query = Mapping[str, str]


def jurisdiction(hub: Hub, asked: str) -> None:
    """Refused (404) for another city. Where we do not know our own name on the net, every one is ours."""
    ours = {(urlsplit(hub.settings.public_url).hostname or "").removeprefix("www.")} - {""}
    if asked and ours and asked.lower().removeprefix("www.") not in {*ours, hub.settings.city.lower()}:
        message = "There is no jurisdiction_id {asked} here; leave it out, or send {ours}."
        values = {"asked": asked[:100], "ours": " / ".join(sorted(ours))}
        raise Refused("no-such-jurisdiction", message, values, 404)


def wanted(query: Query, zone: tzinfo, now: int) -> Wanted:
    """Which requests are asked for. Refused (400) for what cannot be read."""
    page = whole(query, "page", 1, LAST_PAGE)
    per_page = whole(query, "per_page" if query.get("per_page") else "page_size", MOST, MOST)
    if numbers := several(query, "service_request_id"):
        return Wanted(numbers=numbers, page=page, per_page=per_page)
    after = moment(query, "updated_after", zone)
    start, end = span(
        moment(query, "start_date", zone), moment(query, "end_date", zone), now, open_ended=after is not None
    )
    if after is not None and after < now - SPAN:
        message = "{name} may lie at most 90 days back."
        raise Refused("too-long-ago", message, {"name": "updated_after"}, 400)
    statuses = several(query, "status")
    if unknown := [word for word in statuses if word not in STATES]:
        message = "{name} is “{value}”; it may be one of {options}."
        values = {"name": "status", "value": unknown[0][:40], "options": ", ".join(STATES)}
        raise Refused("no-such-choice", message, values, 400)
    codes = several(query, "service_code")
    return Wanted(codes, start, end, tuple(dict.fromkeys(statuses)), (), box(query), after, page, per_page)


def span(start: int | None, end: int | None, now: int, open_ended: bool) -> tuple[int | None, int | None]:
    """The range of days: the last 90 when nothing is said, 90 from the one side when only that is."""
    if start is None and end is None:
        return (None, None) if open_ended else (now - SPAN, None)
    start = end - SPAN if start is None and end is not None else start
    end = start + SPAN if end is None and start is not None else end
    assert start is not None
    assert end is not None
    if end < start:
        raise Refused("turned-round", "end_date lies before start_date.", {}, 400)
    if end - start > SPAN:
        message = "From start_date to end_date there may be at most 90 days; ask several times."
        raise Refused("too-long", message, {}, 400)
    return start, end


def several(query: Query, name: str) -> tuple[str, ...]:
    """Values between commas."""
    words = tuple(word for part in query.get(name, "").split(",") if (word := part.replace("\0", "").strip()))
    if len(words) > MOST:
        message = "{name} may name at most {most} at once."
        raise Refused("too-many", message, {"name": name, "most": MOST}, 400)
    return words


def whole(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name, "").strip()
    if not text:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= most:
        message = "{name} has to be a whole number from 1 to {most}."
        raise Refused("not-a-number", message, {"name": name, "most": most}, 400)
    return number


def moment(query: Query, name: str, zone: tzinfo) -> int | None:
    """A moment as W3C writes it, in µs; a day alone begins in the city's zone."""
    text = query.get(name, "").strip().replace(" ", "+")  # a plus in an address is a blank
    if not text:
        return None
    try:
        if not MOMENT.fullmatch(text):
            raise ValueError(text)
        told = datetime.fromisoformat(text)
        passed = (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC) - EPOCH
    except (ValueError, OverflowError):
        message = "{name} is “{value}”; write it with its time zone, like 2026-11-20T08:00:00+08:00."
        raise Refused("not-a-moment", message, {"name": name, "value": text[:40]}, 400) from None
    return passed // timedelta(microseconds=1)


def box(query: Query) -> tuple[float, float, float, float] | None:
    text = query.get("bbox", "").strip()
    if not text:
        return None
    west, south, east, north = (*map(degrees, text.split(",")), *[math.nan] * 4)[:4]
    if text.count(",") != 3 or not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        message = "bbox is west,south,east,north in degrees, like 120.5,31.2,120.7,31.4."
        raise Refused("not-a-box", message, {}, 400)
    return west, south, east, north


def degrees(text: str) -> float:
    """A number, or NaN."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def place(form: Query) -> tuple[float, float] | None:
    """Longitude and latitude of a report; Refused (400) when only one of them is there, or one is no number."""
    latitude, longitude = form.get("lat", "").strip(), form.get("long", "").strip()
    if not latitude and not longitude:
        return None
    found = degrees(longitude), degrees(latitude)
    if not (abs(found[0]) <= 180 and abs(found[1]) <= 90):
        message = "lat and long have to be sent together, in degrees (WGS 84)."
        raise Refused("not-a-place", message, {}, 400)
    return found
