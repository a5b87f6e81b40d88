"""The state of a judge as bytes, and back: so that a start needs to replay only what came since."""

import io
import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from cheng.kernel.columns import Rows
from cheng.kernel.judging import Judge, Judged
from cheng.kernel.rules import Change

Arrays = dict[str, npt.NDArray[Any]]


def _signature(judged: Judged) -> str:
    """What a rule's state depends on; a rule that reads differently starts afresh."""
    rule = judged.rule
    release = rule.release.words() if rule.release is not None else ""
    return f"{rule.key()}|{judged.when.words()}|{judged.hold}|{release}"


def _by_thing(judge: Judge) -> Arrays:
    """Every array of the state whose first axis counts things."""
    arrays: Arrays = {"newest": judge.newest, "closed": judge.closed, "ticked": judge.ticked}
    for name, values in (("now", judge.now), ("base", judge.base)):
        arrays |= {f"{name}.{part}": getattr(values, part).T for part in ("value", "latitude", "time")}
    recents = ("time", "field", "value", "latitude", "count")
    arrays |= {f"recents.{part}": getattr(judge.recents, part) for part in recents}
    for judged in judge.rules:
        for state in ("live", "settled"):
            latch = getattr(judged, state)
            arrays[f"{state}.since|{_signature(judged)}"] = latch.since
            arrays[f"{state}.onset|{_signature(judged)}"] = latch.onset
    return arrays


def _believed(judged: Judged) -> npt.NDArray[np.uint8]:
    """What a rule has reported since its settled state, as JSON."""
    changes = [asdict(change) for changes in judged.believed.values() for change in changes]
    return np.frombuffer(json.dumps(changes).encode(), np.uint8)


def _believe(judged: Judged, frozen: npt.NDArray[np.uint8], slots: dict[int, int]) -> None:
    """Takes over what a rule had reported; `slots` gives today's slot for that of then."""
    changes = [Change(**change) for change in json.loads(frozen.tobytes())]
    judged.believe([replace(change, slot=slots[change.slot]) for change in changes if change.slot in slots])


def freeze(judge: Judge, things: Rows) -> bytes:
    """The state as bytes; things (size,) holds the register's index of each slot."""
    size = len(things)
    arrays = {name: array[:size] for name, array in _by_thing(judge).items()}
    arrays |= {"fields": np.array([f.name for f in judge.fields]), "things": things}
    arrays |= {f"believed|{_signature(judged)}": _believed(judged) for judged in judge.rules}
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()


def thaw(judge: Judge, frozen: bytes, slots: dict[int, int]) -> bool:
    """Takes over a frozen state; `slots` gives the slot of each register index today.

    Returns False, and changes nothing, when the fields of the entity are others than they were.
    """
    with np.load(io.BytesIO(frozen), allow_pickle=False) as kept:
        if kept["fields"].tolist() != [f.name for f in judge.fields]:
            return False
        things = kept["things"].tolist()
        old = np.array([n for n, thing in enumerate(things) if thing in slots], np.intp)
        new = np.array([slots[thing] for thing in things if thing in slots], np.intp)
        judge.recents.make_room(kept["recents.time"].shape[1], kept["recents.time"].shape[1])
        for name, array in _by_thing(judge).items():
            if name in kept.files:
                array[new] = kept[name][old]
        moved = dict(zip(old.tolist(), new.tolist(), strict=True))
        for judged in judge.rules:
            if (name := f"believed|{_signature(judged)}") in kept.files:
                _believe(judged, kept[name], moved)
    return True
