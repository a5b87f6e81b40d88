"""The state of a judge as arrays and as bytes, and back: so that a start needs to replay only what came since.

A state is taken in parts, some things at a time, each as it is at its moment; nothing in it says where in memory it
lay.
"""

import hashlib
import io
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from cheng.kernel.book import LIVE, SETTLED
from cheng.kernel.columns import NEVER, Rows
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.memory import LISTS
from cheng.kernel.rules import Change, Latch

Frozen = dict[str, npt.NDArray[Any]]
"""Some things of a type: arrays by name."""
RECORD = ("newest", "closed", "looked", "fresh")
VALUES = ("value", "time", "latitude")


def _signature(judged: Judged) -> str:
    """What a rule's state depends on; a rule that reads differently starts afresh."""
    rule = judged.rule
    release = rule.release.words() if rule.release is not None else ""
    return f"{rule.key()}|{judged.when.words()}|{judged.hold}|{release}"


def freeze(judge: Judge, things: Rows, begin: int = 0, end: int | None = None) -> Frozen:
    """The state of the things with slots from begin to end; things (size,) holds the register's index of each slot."""
    judge.grow()
    end = len(things) if end is None else min(end, len(things))
    slots = np.arange(begin, end)
    records, readings = judge.things[begin:end], judge.memory.of(slots)
    frozen: Frozen = {name: records[name].copy() for name in (*RECORD, "count")}
    frozen["ticked"] = judge.clock.of(slots)
    frozen |= {f"reading.{name}": getattr(readings, name) for name in ("field", *VALUES)}
    for name, values in (("now", judge.now), ("base", judge.base)):
        frozen[name] = values.records[begin:end].copy()
    for name in LISTS:
        whose, notes = judge.memory.noted(name, begin, end)
        frozen[f"{name}.slot"] = whose - begin
        frozen |= {f"{name}.{part}": notes[part].copy() for part in ("time", "onset", "rule")}
    for judged in judge.stretched.rules:
        frozen |= _stretched(judged, begin, end)
    frozen |= {name: state[begin:end].copy() for name, state in judge.stretched.habits.parts()}
    frozen["fields"] = np.array([f.name for f in judge.fields])
    frozen["rules"] = np.array([_signature(judged) for judged in judge.planned.rules])
    frozen["things"] = things[begin:end]
    return frozen


def _stretched(judged: Judged, begin: int, end: int) -> Frozen:
    """The same of a rule that is judged over stretches."""
    key, frozen = _signature(judged), Frozen()
    for name in ("live", "settled"):
        latch: Latch = getattr(judged, name)
        slots = latch.slots[(latch.slots >= begin) & (latch.slots < end)]
        since, onset = latch.of(slots)
        frozen |= {f"{name}.slot|{key}": slots - begin, f"{name}.since|{key}": since, f"{name}.onset|{key}": onset}
    believed = sorted(judged.believed.items())
    found = [change for slot, some in believed if begin <= slot < end for change in some]
    changes = [change._replace(slot=change.slot - begin)._asdict() for change in found]
    frozen[f"believed|{key}"] = np.frombuffer(json.dumps(changes).encode(), np.uint8)
    return frozen


def as_bytes(frozen: Frozen) -> bytes:
    out = io.BytesIO()
    named: Any = frozen
    np.savez(out, allow_pickle=False, **named)
    return out.getvalue()


def from_bytes(data: bytes) -> Frozen:
    with np.load(io.BytesIO(data), allow_pickle=False) as kept:
        return dict(kept.items())


# -- and back


def thaw(judge: Judge, frozen: Frozen, slots: dict[int, int]) -> bool:
    """Takes over frozen things; `slots` gives the slot of each register index today.

    Returns False, and changes nothing, when the fields of the entity are others than they were.
    """
    if frozen["fields"].tolist() != [f.name for f in judge.fields]:
        return False
    judge.grow()
    new = np.array([slots.get(thing, -1) for thing in frozen["things"].tolist()], np.intp)
    known = new >= 0
    at = new[known]
    for name in RECORD:
        judge.things[name][at] = frozen[name][known]
    for name, values in (("now", judge.now), ("base", judge.base)):
        values.records[at] = frozen[name][known]
    judge.clock.take_over(judge.memory, at, frozen["ticked"][known])
    _readings(judge, frozen, new)
    _notes(judge, frozen, new)
    for name, state in judge.stretched.habits.parts():
        if name in frozen and frozen[name].dtype == state.dtype:
            state[at] = frozen[name][known]
    for judged in judge.stretched.rules:
        if f"believed|{_signature(judged)}" in frozen:
            _restretched(judged, frozen, new)
    return True


def _readings(judge: Judge, frozen: Frozen, new: Rows) -> None:
    """Lays the readings of things that are still there into memory."""
    known, count = new >= 0, frozen["count"]
    slots, some = new[known], count[known].astype(np.intp)
    judge.memory.enlarge(slots[some > 0], some[some > 0])
    judge.things["count"][slots] = some
    rows = np.repeat(known, count)
    place = np.repeat(judge.things["start"][slots] - (np.cumsum(some) - some), some) + np.arange(int(some.sum()))
    for name in ("field", *VALUES):
        judge.memory.readings[name][place] = frozen[f"reading.{name}"][rows]


def _notes(judge: Judge, frozen: Frozen, new: Rows) -> None:
    """Notes about rules that read as they did; where any rule does not, all are looked at with the next reading."""
    numbers = {_signature(judged): number for number, judged in enumerate(judge.planned.rules)}
    rule = np.array([numbers.pop(signature, -1) for signature in frozen["rules"].tolist()], np.int64)
    if numbers:
        judge.things["fresh"][new[new >= 0]] = LIVE | SETTLED
    for name in LISTS:
        said = frozen[f"{name}.rule"].astype(np.int64)
        kind = said & 1 if name == "believed" else np.zeros(len(said), np.int64)
        now = np.append(rule, -1)[said >> 1 if name == "believed" else said]
        slots = new[frozen[f"{name}.slot"]]
        some = (now >= 0) & (slots >= 0)
        said = now[some] * 2 + kind[some] if name == "believed" else now[some]
        judge.memory.note(name, slots[some], frozen[f"{name}.time"][some], frozen[f"{name}.onset"][some], said)


def _restretched(judged: Judged, frozen: Frozen, new: Rows) -> None:
    key = _signature(judged)
    for name in ("live", "settled"):
        slots = new[frozen[f"{name}.slot|{key}"]]
        order = np.flatnonzero(slots >= 0)
        order = order[np.argsort(slots[order])]
        latch: Latch = getattr(judged, name)
        latch.put(slots[order], frozen[f"{name}.since|{key}"][order], frozen[f"{name}.onset|{key}"][order])
    changes = [Change(**change) for change in json.loads(frozen[f"believed|{key}"].tobytes())]
    judged.believe([change._replace(slot=int(new[change.slot])) for change in changes if new[change.slot] >= 0])


# -- one number for all of it


def digest(judge: Judge, things: Rows) -> bytes:
    """A hash of the state: the same for the same readings, whatever lots, restarts and orders they came in."""
    judge.grow()
    slots = np.flatnonzero(judge.things["newest"][: len(things)] != NEVER)
    judge.settle(slots, judge.things["newest"][slots])
    frozen = freeze(judge, things)
    for name in ("looked", "fresh", "ticked"):
        del frozen[name]
    for name in LISTS:
        names = [f"{name}.{part}" for part in ("slot", "rule", "time", "onset")]
        order = np.lexsort([frozen[part] for part in reversed(names)])
        frozen |= {part: frozen[part][order] for part in names}
    found = hashlib.sha256()
    for name in sorted(frozen):
        found.update(name.encode())
        found.update(np.ascontiguousarray(frozen[name]).tobytes())
    return found.digest()
