"""What comes in by each input and how long it waits for its acknowledgement; and what waits inside the house."""

from typing import Any

from cheng.infrastructure.alert_writer import ROOM as ALERTS
from cheng.infrastructure.inputs import Input
from cheng.pipeline import AHEAD
from cheng.web.ask import Ask
from cheng.web.pages import Column, Page, get

COLUMNS = (
    Column("key", "Input"),
    Column("rate", "Readings per second", "number"),
    Column("half_ms", "Half wait up to", "number", unit="ms"),
    Column("most_ms", "99% wait up to", "number", unit="ms"),
    Column("refused_share", "Refused", "percent"),
    Column("readings", "Since the start", "number"),
    Column("refused", "Refused since the start", "number"),
    Column("quiet", "Seconds since the last", "number"),
)
TITLES = {
    "single": "HTTP, one reading a post",
    "http": "HTTP, batches and events",
    "mqtt": "MQTT",
    "file": "Files",
    "demo": "The invented city",
}
ALWAYS = ("single", "http", "mqtt", "file")
"""Inputs that are shown though nothing has come by them yet."""
AGAIN = ", again"
"""What `intake_retry` puts behind the door by which a payload came first."""
SENDERS = 20
WAITS_LONG = 2.0
"""Seconds that a reading may wait to be judged before it is worth a look."""
HALF, NEARLY = 0.5, 0.9
"""Of a limit: worth a look, and a danger."""


def input_rows(ask: Ask) -> list[dict[str, Any]]:
    """One row an input, those that are always there first."""
    heard = {one.name: one for one in ask.hub.inputs.now()}
    return [input_row(ask, name, heard.get(name)) for name in dict.fromkeys([*ALWAYS, *heard])]


def input_row(ask: Ask, name: str, told: Input | None) -> dict[str, Any]:
    stem = name.removesuffix(AGAIN)
    title = ask._(TITLES.get(stem, stem))
    row = {"key": name, "name": title if stem == name else ask._("{input}, sent again", input=title)}
    if told is None:
        never = dict.fromkeys(("half_ms", "most_ms", "refused_share", "quiet"))
        return {**row, "rate": 0.0, "rates": [], "readings": 0, "refused": 0, "heard": ask._("never"), **never}
    return row | {
        "rate": round(told.rate, 1),
        "rates": [round(rate, 1) for rate in told.rates],
        "half_ms": milliseconds(told.half),
        "most_ms": milliseconds(told.most),
        "refused_share": told.refused_share,
        "readings": told.readings,
        "refused": told.refused,
        "quiet": round(told.quiet, 1),
        "heard": ask.local.ago(ask.now - int(told.quiet * 1_000_000)),
    }


def milliseconds(seconds: float | None) -> float | None:
    """With as many digits as the histogram is worth."""
    if seconds is None:
        return None
    return round(seconds * 1000, 1 if seconds < 0.1 else 0)


def queue_rows(ask: Ask) -> list[dict[str, Any]]:
    """What waits, with its limit, in the order a reading goes."""
    pipeline, hub, inbox = ask.hub.pipeline, ask.hub, ask.hub.pipeline.inbox
    waiting, lag = inbox.waiting()
    held, most_held = hub.history.held()
    rows = [
        queue("waiting", ask._("Readings that nobody has begun to judge"), waiting, inbox.room),
        queue("lag", ask._("Seconds that the oldest of them has waited"), round(lag, 2), WAITS_LONG),
        queue(
            "under_way",
            ask._("Readings on their way, from arrival to the log"),
            inbox.total,
            inbox.room,
        ),
        queue("lots", ask._("Lots that are judged and not durable yet"), pipeline.ahead(), AHEAD + 1, calm=True),
        queue("alerts", ask._("Changes of alerts not written yet"), pipeline.writer.waiting, ALERTS),
        queue("held", ask._("Readings in the log and memory, not in a segment yet"), held, most_held),
    ]
    if hub.broker is not None:
        pending, most = hub.broker.counters.pending, hub.broker.limits.pending
        rows.append(queue("mqtt", ask._("Bytes by MQTT that wait for an answer"), pending, most))
    return rows


def queue(key: str, name: str, now: float, limit: float, calm: bool = False) -> dict[str, Any]:
    """`calm`: being at its limit is how it works."""
    level = "good" if calm or now < HALF * limit else "warning" if now < NEARLY * limit else "danger"
    return {"key": key, "name": name, "now": now, "limit": limit, "share": min(now / limit, 1.0), "level": level}


def sender_rows(ask: Ask) -> list[dict[str, Any]]:
    """Who has most on the way."""
    held = sorted(ask.hub.pipeline.inbox.under_way().items(), key=lambda pair: -pair[1])[:SENDERS]
    return [{"sender": name or ask._("The house"), "readings": count} for name, count in held]


@get("/console/inputs", needs=("enter", "console"), entry="Inputs", order=10)
def inputs(ask: Ask) -> Page:
    """Inputs, queues, and who has most on the way; `/console/inputs.json` is asked for while somebody looks."""
    data: dict[str, Any] = {"inputs": input_rows(ask), "queues": queue_rows(ask), "senders": sender_rows(ask)}
    data["trouble"] = ask.hub.pipeline.writer.trouble
    keep = ("url", "name", "rates", "heard")
    return Page("console/inputs.html", data, rows="inputs", columns=COLUMNS, keep=keep)


routes = [inputs]
