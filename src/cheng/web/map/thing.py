"""What the map says of a thing that somebody points at."""

from typing import Any

from cheng.infrastructure.latest import last_values
from cheng.kernel.entities import Track
from cheng.security.seen import fields_seen
from cheng.web.ask import Ask
from cheng.web.city.alerts_of import of_thing
from cheng.web.city.seeing import area_name, levels_of, thing_at
from cheng.web.city.words import STATES, label, shown, title
from cheng.web.pages import get

VALUES, ALERTS = 6, 5
"""The most of each that a card shows."""


@get("/map/thing/{idx:int}", needs=("see", "thing"), api=True)
def card(ask: Ask, idx: int) -> dict[str, Any]:
    """Name, state, last values and standing alerts of a thing, and where its page is. Refused: 404 when there is none,
    403 when it is not for this reader."""
    found, entity = thing_at(ask, idx)
    levels = levels_of(ask)
    fields = {n: f for n, f in fields_seen(entity, levels).items() if f.live and not isinstance(f, Track)}
    last = last_values(ask.hub, found, fields)
    alerts = of_thing(ask, found, entity, levels) or []
    standing = [alert for alert in alerts if alert["cleared"] is None and alert["state"] == "standing"]
    return {
        "id": found.id,
        "name": found.name or found.id,
        "type": title(ask, entity),
        "state": ask._(STATES.get(found.state, found.state)),
        "area": area_name(ask, found.areas[-1]) if found.areas else "",
        "values": [
            {
                "label": ask._(label(ask.local, fields[name])),
                "text": shown(ask, fields[name], known.value),
                "ago": ask.local.ago(known.time),
            }
            for name, known in list(last.items())[:VALUES]
        ],
        "alerts": [{"text": alert["text"], "level": alert["level"]} for alert in standing[:ALERTS]],
        "url": ask.url(f"/things/{found.type}/{found.id}"),
    }


routes = [card]
