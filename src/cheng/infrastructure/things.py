"""The register: what exists, kept in the store and held in memory, where each reading finds its thing at once."""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from sqlalchemy import Connection, bindparam, insert, select, update

from cheng.infrastructure.area_checks import check_grids
from cheng.infrastructure.area_lookup import AREA, AreaLookup, counted
from cheng.infrastructure.bulk import insert_all
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.registered import stored_things
from cheng.infrastructure.registration import UNKNOWN, NewThing, Outcome, Thing, checked, differs, row_of, snapshot
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import attributes, labels, thing_versions, things
from cheng.infrastructure.type_register import TypeRegister
from cheng.kernel.columns import Floats, Ints
from cheng.kernel.entities import Choice, Kept
from cheng.kernel.frames import Blank
from cheng.kernel.meanings import Meanings
from cheng.kernel.model import Model
from cheng.standards.areas import AreaIndex
from cheng.standards.problems import InputError

EVENTS = "@events"
"""Where event types are numbered among the attributes."""
AT_A_TIME = 5_000
"""Rows of one write: however much is registered, others write in between."""


class Things:
    """All things, by id and by index. Safe to read from any thread; writes go one at a time."""

    def __init__(self, store: Store, model: Model, clock: Clock) -> None:
        self.store, self.model, self.clock = store, model, clock
        self.by_idx: list[Thing] = []
        self._by_id: dict[str, Thing] = {}
        self.slot: Ints = np.zeros(0, np.int32)
        """(things,) place among its type, by index"""
        self.type_number: Ints = np.zeros(0, np.int32)
        self.types = [UNKNOWN, *model.entities]
        self.every_type = np.ones(len(self.types), np.bool_)
        self._meanings, self._unlearnt = Meanings(self.types), True
        self._registers = {name: TypeRegister(entity, self) for name, entity in model.entities.items()}
        self.attributes: dict[tuple[str, str], int] = {}
        self.fields: list[Kept | None] = []
        """by attribute index; None for attributes that no entity declares"""
        self._codes: dict[int, dict[str, int]] = {}
        self.values: Callable[[str, str], Floats] | None = None
        """current values of a live field by slot; set by the pipeline"""
        self.strangers = 0
        """how many things reported without being registered"""
        self._lock = threading.RLock()
        self.lookup = AreaLookup(lambda: self.of_type(AREA))
        """which areas, and which grids of all classes, hold a place"""
        self._inside: dict[str, Ints] | None = None
        self._load()

    # -- reading

    def find(self, thing_id: str) -> Thing | None:
        return self._by_id.get(thing_id)

    def indexes(self, ids: Sequence[str]) -> Ints:
        """(n,) the index of each id; -1 for those nobody knows."""
        found = map(self._by_id.get, ids)
        return np.fromiter((-1 if thing is None else thing.idx for thing in found), np.int32, len(ids))

    @property
    def inside(self) -> dict[str, Ints]:
        """Area's id → the indexes of the things that lie in it, rising; areas with nothing in them are not there."""
        found = self._inside
        if found is None:
            lists: dict[str, list[int]] = {}
            for thing in list(self.by_idx):
                for area in thing.areas:
                    lists.setdefault(area, []).append(thing.idx)
            found = self._inside = {area: np.array(idxs, np.int32) for area, idxs in lists.items()}
        return found

    @property
    def meanings(self) -> Meanings:
        """What names mean, for kernels that look them up where they stand in a payload."""
        if self._unlearnt:
            with self._lock:
                self._unlearnt = False
                self._meanings.learn(self.attributes, self.fields, self._codes)
        return self._meanings

    def of_type(self, name: str) -> list[Thing]:
        return self._registers[name].members

    def register(self, name: str) -> TypeRegister:
        return self._registers[name]

    def current(self, type_name: str, field: str) -> Floats:
        """(size of the type,) the last value of a live field; NaN where it has not reported."""
        size = self._registers[type_name].size()
        return np.full(size, np.nan) if self.values is None else self.values(type_name, field)[:size]

    def attribute(self, type_name: str, name: str) -> int:
        """The index of an attribute; one that nobody declared gets a new one."""
        known = self.attributes.get((type_name, name))
        if known is not None:
            return known
        with self._lock, self.store.write() as conn:
            return self._new_attribute(conn, type_name, name)

    def event_number(self, event: str) -> int:
        """The index of an event type, the same for as long as the store lives."""
        return self.attribute(EVENTS, event)

    def event_name(self, number: int) -> str:
        """The event type behind an index; "" for none."""
        return next((name for (kind, name), n in self.attributes.items() if n == number and kind == EVENTS), "")

    def attribute_of(self, field: Blank) -> int:
        assert field.owner is not None
        return self.attributes[field.owner.__name__, field.name]

    def code(self, field: Blank, label: str) -> float:
        """The code of a label of a Choice; NaN for a label it does not offer."""
        if field.owner is None or not isinstance(field, Choice):
            return float("nan")
        return float(self._codes[self.attribute_of(field)].get(label, np.nan))

    def codes(self, attribute: int) -> dict[str, int]:
        return self._codes.get(attribute, {})

    def label(self, field: Blank, code: float) -> str | None:
        """The label behind a code."""
        number = -1 if math.isnan(code) else int(code)
        return next((text for text, c in self.codes(self.attribute_of(field)).items() if c == number), None)

    def __len__(self) -> int:
        return len(self.by_idx)

    # -- loading

    def _load(self) -> None:
        with self.store.write() as conn:
            for row in conn.execute(select(attributes).order_by(attributes.c.idx)):
                self._know_attribute(row.type, row.name, row.idx)
            for entity in self.model.entities.values():
                for name, field in entity.fields().items():
                    if (entity.__name__, name) not in self.attributes and (field.live or isinstance(field, Choice)):
                        self._new_attribute(conn, entity.__name__, name)
            for row in conn.execute(select(labels)):
                self._codes.setdefault(row.attr, {})[row.text] = row.code
            self._new_labels(conn)
            for thing in stored_things(conn):
                self._admit(thing)
        self._resize()

    def _new_attribute(self, conn: Connection, type_name: str, name: str) -> int:
        idx = len(self.fields)
        conn.execute(insert(attributes).values(idx=idx, type=type_name, name=name))
        return self._know_attribute(type_name, name, idx)

    def _know_attribute(self, type_name: str, name: str, idx: int) -> int:
        entity = self.model.entities.get(type_name)
        self.fields += [None] * (idx + 1 - len(self.fields))
        self.fields[idx] = entity.fields().get(name) if entity else None
        self.attributes[type_name, name] = idx
        self._unlearnt = True
        return idx

    def _new_labels(self, conn: Connection) -> None:
        for idx, choice in enumerate(self.fields):
            if not isinstance(choice, Choice):
                continue
            known = self._codes.setdefault(idx, {})
            for option in choice.options:
                if option not in known:
                    known[option] = len(known)
                    conn.execute(insert(labels).values(attr=idx, code=known[option], text=option))

    def _admit(self, thing: Thing) -> None:
        """Takes a thing into memory; its index is the next one, or gaps are filled with nothing."""
        while len(self.by_idx) < thing.idx:
            self.by_idx.append(Thing(len(self.by_idx), "", UNKNOWN, state="retired"))
        self.by_idx.append(thing)
        self._join(thing)

    def _join(self, thing: Thing) -> None:
        register = self._registers.get(thing.type)
        if register is not None:
            thing.slot = register.size()
            register.members.append(thing)

    def _resize(self) -> None:
        """Brings the arrays up to the list; new arrays take the place of old ones, readers see either. Then names."""
        numbers = {name: number for number, name in enumerate(self.types)}
        fresh = self.by_idx[len(self.slot) :]
        self.slot = np.append(self.slot, np.array([t.slot for t in fresh], np.int32))
        self.type_number = np.append(self.type_number, np.array([numbers.get(t.type, 0) for t in fresh], np.int32))
        self._meanings.add_things([thing.id for thing in fresh])
        self._by_id.update((thing.id, thing) for thing in fresh if thing.id)

    # -- writing

    def put(self, rows: Iterable[NewThing], actor: str) -> Outcome:
        """Registers new things and brings known ones up to date; what did not change is left alone.

        A row that cannot be taken is refused with its reason and stops no other. Reports come back as InputError.
        Many rows are written part by part, so that others get to write, and to register, in between.
        """
        outcome, seen = Outcome(), set[str]()
        parted: tuple[list[NewThing], list[NewThing]] = ([], [])
        for row in rows:
            if row.id in seen:
                error = InputError("twice", f"the id '{row.id}' stands twice in this load", row.line)
                outcome.refused.append(error)
                continue
            seen.add(row.id)
            parted[row.type != AREA].append(row)
        areas, others = parted
        if any([self._put(part, actor, outcome) for part in parts_of(areas)]):  # they go first: the others lie in them
            self._place_again()
        for part in parts_of(others):
            self._put(part, actor, outcome)
        outcome.refused.sort(key=lambda error: error.line or 0)
        return outcome

    def _put(self, rows: Iterable[NewThing], actor: str, outcome: Outcome) -> bool:
        """Takes rows of different things in one write; whether any area changed that things are counted by."""
        with self._lock:
            fresh, altered = self._checked(rows, outcome)
            self._place([*fresh, *altered])
            self._save(fresh, altered, actor)
            self._adopt(fresh, altered)
        outcome.added += len(fresh)
        outcome.changed += len(altered)
        return any(counted(thing) for thing in (*fresh, *altered))

    def _checked(self, rows: Iterable[NewThing], outcome: Outcome) -> tuple[list[Thing], list[Thing]]:
        """The things that are new and those that are not what they were."""
        found: list[tuple[NewThing, Thing]] = []
        for row in rows:
            try:
                thing = checked(row, self.model.entities, self._by_id.get(row.id), self.clock.now())
            except InputError as error:
                outcome.refused.append(error)
                continue
            found.append((row, thing))
        if found and found[0][1].type == AREA:
            refused = check_grids(found, self.of_type(AREA))
            outcome.refused += refused.values()
            found = [pair for pair in found if pair[1].id not in refused]
        fresh: list[Thing] = []
        altered: list[Thing] = []
        for _, thing in found:
            old = self._by_id.get(thing.id)
            if old is None:
                thing.idx = len(self.by_idx) + len(fresh)
                fresh.append(thing)
            elif differs(old, thing):
                thing.idx, thing.version, thing.registered = old.idx, old.version + 1, old.registered
                altered.append(thing)
            else:
                outcome.unchanged += 1
        return fresh, altered

    def _place_again(self) -> None:
        """After areas have changed, every thing finds its areas anew."""
        change = update(things).where(things.c.idx == bindparam("_idx")).values(areas=bindparam("_areas"))
        for start in range(0, len(self.by_idx), AT_A_TIME):
            with self._lock:
                placed = [thing for thing in self.by_idx[start : start + AT_A_TIME] if thing.point is not None]
                before = [thing.areas for thing in placed]
                self._place(placed)
                moved = [thing for thing, areas in zip(placed, before, strict=True) if thing.areas != areas]
                self._inside = None
                if moved:
                    with self.store.write() as conn:
                        conn.execute(change, [{"_idx": thing.idx, "_areas": thing.areas} for thing in moved])

    def _place(self, changed: Sequence[Thing]) -> None:
        """Finds the areas each thing lies in, largest first."""
        index = self.area_index()
        placed = [thing for thing in changed if thing.point is not None]
        if index is None or not placed:
            return
        points = np.array([thing.point for thing in placed])
        found = np.stack(index.locate(points[:, 0], points[:, 1]), axis=1)
        said: dict[tuple[str, ...], list[str]] = {}
        for thing, hits in zip(placed, found.tolist(), strict=True):
            areas = tuple(index.ids[hit] for hit in hits if hit >= 0 and index.ids[hit] != thing.id)
            thing.areas = said.setdefault(areas, list(areas))  # neighbours share one list

    def area_index(self) -> AreaIndex | None:
        """The areas down to the grids that somebody answers for, by boundary; None while there are none."""
        return self.lookup.areas()

    def _save(self, fresh: Sequence[Thing], altered: Sequence[Thing], actor: str) -> None:
        if not fresh and not altered:
            return
        now = self.clock.now()
        new, changed = ([row_of(thing, now) for thing in some] for some in (fresh, altered))
        versions = [
            {"idx": t.idx, "version": t.version, "at": now, "actor": actor, "snapshot": snapshot(t)}
            for t in (*fresh, *altered)
        ]
        with self.store.write() as conn:
            insert_all(conn, things.name, new)
            for row in changed:
                conn.execute(update(things).where(things.c.idx == row["idx"]).values(row))
            insert_all(conn, thing_versions.name, versions)

    def _adopt(self, fresh: Sequence[Thing], altered: Sequence[Thing]) -> None:
        for thing in fresh:
            self._admit(thing)
        self._resize()
        for thing in altered:
            old = self.by_idx[thing.idx]
            thing.slot = old.slot
            self.by_idx[thing.idx] = self._by_id[thing.id] = thing
            if old.type == thing.type:
                self._registers[thing.type].members[thing.slot] = thing
            else:
                self._join(thing)
                self.slot[thing.idx], self.type_number[thing.idx] = thing.slot, self.types.index(thing.type)
        self.lookup.forget(thing for thing in (*fresh, *altered) if thing.type == AREA)
        if fresh or altered:
            self._inside = None
        touched = {thing.type for thing in (*fresh, *altered)}
        for name, register in self._registers.items():
            if name in touched or not touched.isdisjoint(register.refers_to):
                register.changed()

    def meet(self, names: Iterable[str]) -> None:
        """Things that reported without being registered: known from now on, of no type, until somebody does."""
        with self._lock:
            now = self.clock.now()
            new = [name for name in dict.fromkeys(names) if name not in self._by_id]
            fresh = [
                Thing(len(self.by_idx) + n, name, UNKNOWN, state="unknown", registered=now)
                for n, name in enumerate(new)
            ]
            self._save(fresh, [], "")
            self._adopt(fresh, [])
            self.strangers += len(fresh)


def parts_of(rows: Sequence[NewThing]) -> Iterator[Sequence[NewThing]]:
    """The same rows, so many at a time that writing them takes no longer than others can wait."""
    return (rows[start : start + AT_A_TIME] for start in range(0, len(rows), AT_A_TIME))
