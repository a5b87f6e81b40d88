"""Covers with a week of readings in a served house, and areas, for what the browser is to look at."""

import numpy as np
from browsing import Served

from cheng.infrastructure.registration import NewThing
from cheng.kernel.observations import Batch

MINUTE = 60_000_000
STEP = 10 * MINUTE


def fill(served: Served) -> str:
    """Registers two covers and reports for them; the id of the one that was tipped now and then."""
    hub = served.hub
    rows = [
        NewThing(f"browsed-{n}", "Cover", name=f"井盖 {n}", owner="Drainage Bureau", properties={"depth": 3.0})
        for n in (1, 2)
    ]
    hub.things.put(rows, "test")
    now = hub.clock.now() // MINUTE * MINUTE
    times = np.arange(now - 7 * 24 * 60 * MINUTE, now, STEP)
    attr = hub.things.attribute("Cover", "tilt")
    for name, tipped in (("browsed-1", True), ("browsed-2", False)):
        values = 2 + np.sin(np.arange(len(times)) / 9)
        if tipped:
            values[::200] = values[1::200] = 12
            values[100::200] = values[101::200] = 30
            values[500] = 999
        thing = hub.things.find(name).idx
        keep = np.ones(len(times), np.bool_)
        keep[300:340] = False
        count = int(keep.sum())
        batch = Batch.of([thing] * count, [attr] * count, times[keep], values[keep])
        hub.pipeline.submit(batch).result(30)
    hub.pipeline.drain()
    return "browsed-1"


def area(code: str, name: str, level: str, west: float, east: float) -> NewThing:
    """A rectangle between two longitudes; streets lie in the district 501."""
    corners = [[west, 29.5], [east, 29.5], [east, 29.6], [west, 29.6], [west, 29.5]]
    properties = {"level": level, "code": code} | ({"parent": "area:501"} if level == "street" else {})
    geometry = {"type": "Polygon", "coordinates": [corners]}
    return NewThing(f"area:{code}", "Area", name, properties=properties, geometry=geometry)
