"""Above 80 for at least 60 s with Home Assistant: one numeric_state trigger over all things.

Its event loop's clock is the event time of the newest reading. Timers that are due fire before a reading is set, as
they would have in real time.
"""

import asyncio
import contextlib
import math
from datetime import timedelta

import orjson
from homeassistant.components.homeassistant.triggers import numeric_state
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import slugify
from measured_job import HOLD, LIMIT, measured

TICK = 0.1
"""Seconds; a hold has ten seconds to spare."""


class EventTime(asyncio.SelectorEventLoop):
    """A loop whose clock is set by hand."""

    now = 0.0

    def time(self):
        return self.now

    def due(self):
        return bool(self._scheduled) and self._scheduled[0].when() < self.now


async def follow(lines, hass):
    """Sets a state for each reading, by arrival; what comes within a TICK is one turn of the loop."""
    loop, names = hass.loop, hass.data["names"]
    for line in lines:
        try:
            said = orjson.loads(line)
            name, time, value = names[said["id"]], said["time"] / 1000, said["value"]
            if not isinstance(value, float | int) or not math.isfinite(value):
                continue
        except (ValueError, KeyError, TypeError):
            continue
        if time >= loop.now + TICK:
            await turn(loop, time)
        hass.states.async_set(name, str(value))
    await turn(loop, loop.now)


async def turn(loop, time):
    """Lets listeners hear of the states set so far, then timers that are due by now."""
    await asyncio.sleep(0)
    loop.now = time
    while loop.due():
        await asyncio.sleep(0)


async def house(things):
    """A Home Assistant that knows the things, watches them all, and writes down which alert."""
    hass = HomeAssistant("")
    names = {thing: f"sensor.{slugify(thing)}" for thing in things}
    known = {name: thing for thing, name in names.items()}
    hass.data["names"], hass.data["alerts"] = names, []
    for name in known:
        hass.states.async_set(name, "0")

    @callback
    def alert(variables, context=None):
        hass.data["alerts"].append(known[variables["trigger"]["entity_id"]])

    wanted = {"entity_id": list(known), "above": LIMIT, "for": timedelta(milliseconds=HOLD)}
    about = {
        "trigger_data": {},
        "variables": {},
        "name": "above",
        "domain": "automation",
        "home_assistant_start": False,
    }
    await numeric_state.async_attach_trigger(hass, wanted, alert, about)
    return hass


def things_of(path):
    """The ids of all readings that can be read."""
    found = set()
    with open(path, "rb") as lines:
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                found.add(orjson.loads(line)["id"])
    return found - {None}


loop = EventTime()


def prepare(path):
    asyncio.set_event_loop(loop)
    return loop.run_until_complete(house(things_of(path)))


def judge(path, lateness, hass):
    with open(path, "rb") as lines:
        loop.run_until_complete(follow(lines, hass))
    return hass.data["alerts"]


measured(judge, prepare)
