"""The book of alerts: what the judging found, kept once each, grouped, quiet where it was asked to be, and told on."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from cheng.infrastructure.alert_lists import AlertLists
from cheng.infrastructure.bulk import execute_many
from cheng.infrastructure.case_book import CaseBook
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.quiet import Asked, Quiet
from cheng.infrastructure.registration import Thing
from cheng.infrastructure.store import Store, next_numbers
from cheng.infrastructure.tables import alert_notices, alerts, cases
from cheng.infrastructure.things import Things
from cheng.kernel.entities import Choice
from cheng.kernel.flows import Flow
from cheng.kernel.model import Model
from cheng.kernel.rules import Change, Rule
from cheng.kernel.standing import HOUSE

Message = tuple[str, dict[str, Any]]
"""Topic and body for the bus."""
CHUNK = 500
CORRECTED = ("key", "onset", "cleared", "state", "withdrawn_at")
NEW_ALERT, NEW_NOTICE = insert(alerts), insert(alert_notices)
CORRECTION = (
    update(alerts).where(alerts.c.id == bindparam("_id")).values({name: bindparam(f"_{name}") for name in CORRECTED})
)
KEY = list(alerts.c.keys()).index("key")


def chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many at a time as one question may name."""
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


@dataclass(frozen=True)
class Found:
    """A change that the judging found, with the thing it is about."""

    change: Change
    thing: Thing | None


def alert_key(rule: str, thing: Thing | None, onset: int) -> str:
    """What makes an alert fire once."""
    return f"{rule}|{thing.id if thing else ''}|{onset}"


class AlertBook(AlertLists):
    """All alerts of the house. One writer at a time calls `apply`; the rest is safe from any thread."""

    def __init__(self, store: Store, model: Model, things: Things, cases: CaseBook, clock: Clock) -> None:
        self.store, self.model, self.things, self.cases, self.clock = store, model, things, cases, clock
        self.quiet = Quiet(store, clock)
        self._started: dict[type[Rule], list[type[Flow]]] = {}
        """by rule: the flows it starts"""
        self._leads: dict[tuple[str, str], tuple[str, int]] = {}
        """by rule and what groups: the alert that leads, and when the last one joined"""
        self._load_leads()

    def _load_leads(self) -> None:
        grouped = {key: rule for key, rule in self.model.rules.items() if rule.group is not None}
        with self.store.read() as conn:
            for key, rule in grouped.items():
                assert rule.group is not None
                recent = select(alerts).where(alerts.c.rule == key).order_by(alerts.c.raised)
                recent = recent.where(alerts.c.raised >= self.clock.now() - rule.group.within.us)
                for row in conn.execute(recent):
                    thing = self.things.find(row.thing_id or "")
                    group = self._group(rule, thing, row.message_values)
                    self._leads[key, group] = (row.group_id or row.id, row.raised)

    # -- what the judging found

    def apply(self, found: Sequence[Found]) -> list[Message]:
        """Writes down what changed, in one transaction, and opens the cases that follow; messages for the bus.

        Doing it again changes nothing: a replay after a crash finds its alerts there.
        """
        messages: list[Message] = []
        if not found:
            return messages
        quiet = self.quiet.now_and_later()
        with self.store.write() as conn:
            for turn in in_turns(found):
                messages += self._raise(conn, [f for f in turn if f.change.kind == "raised"], quiet)
                messages += self._correct(conn, [f for f in turn if f.change.kind != "raised"])
        return messages

    def reconcile(self, standing: Mapping[tuple[str, int], int]) -> list[Message]:
        """After a start: what the book holds for standing and the judging does not is withdrawn.

        standing: the onset of each alert the judging knows, by rule and thing. It can differ when the hub was cut off
        between a reading and the notice it makes, or when a rule reads differently from before. Events are left alone.
        """
        query = select(alerts.c.rule, alerts.c.thing, alerts.c.onset).where(
            alerts.c.cleared.is_(None), alerts.c.withdrawn_at.is_(None), alerts.c.thing.is_not(None)
        )
        with self.store.read() as conn:
            open_ones = conn.execute(query).all()
        lost = [
            Found(Change("withdrawn", rule, -1, onset, self.clock.now(), {}), self.things.by_idx[thing])
            for rule, thing, onset in open_ones
            if rule in self.model.rules
            and not self.model.rules[rule].is_about_events()
            and standing.get((rule, thing)) != onset
        ]
        return self.apply(lost)

    def _raise(self, conn: Connection, found: Sequence[Found], quiet: Asked) -> list[Message]:
        rows, known = self._rows(conn, found)
        restored = self._restore(conn, known)
        if not rows:
            return restored
        first = next_numbers(conn, "alerts", len(rows))
        for number, (row, one) in enumerate(rows, first):
            row["number"] = number
            rule = self.model.rules[row["rule"]]
            row["state"] = quiet.state(row, one.thing, rule)
            row["group_id"] = self._lead(rule, one.thing, row) if row["state"] == "standing" else None
        execute_many(conn, NEW_ALERT, [row for row, _ in rows])
        now = self.clock.now()
        notices = [{"alert": r["id"], "at": now, "kind": "raised", "detail": {"state": r["state"]}} for r, _ in rows]
        execute_many(conn, NEW_NOTICE, notices)
        for row, one in rows:
            if row["state"] == "standing" and "broken" not in row["message_values"]:
                self._start_cases(conn, row, one.thing)
        return [("alerts/raised", self.message(row)) for row, _ in rows if row["state"] == "standing"]

    def _rows(
        self, conn: Connection, found: Sequence[Found]
    ) -> tuple[list[tuple[dict[str, Any], Found]], list[tuple[dict[str, Any], Found]]]:
        """The rows of alerts that are not in the book yet, and those of alerts that had been withdrawn."""
        by_key = {alert_key(f.change.rule, f.thing, f.change.onset): f for f in found}
        states: dict[str, str] = {}
        for keys in chunks(list(by_key)):
            rows = conn.execute(select(alerts.c.key, alerts.c.state).where(alerts.c.key.in_(keys)))
            states |= {key: state for key, state in rows}
        withdrawn = self._known(conn, [key for key, state in states.items() if state == "withdrawn"])
        new = [(self._row(key, one), one) for key, one in by_key.items() if key not in states]
        return new, [(row, by_key[key]) for key, row in withdrawn.items()]

    def _restore(self, conn: Connection, known: Sequence[tuple[dict[str, Any], Found]]) -> list[Message]:
        """Alerts that had been withdrawn and turn out to have been right stand again, and their cases with them."""
        messages: list[Message] = []
        for row, one in known:
            row |= {"state": "standing", "withdrawn_at": None, "cleared": None, "raised": one.change.time}
            names = ("state", "withdrawn_at", "cleared", "raised")
            conn.execute(update(alerts).where(alerts.c.id == row["id"]).values({name: row[name] for name in names}))
            detail = {"state": "standing", "again": True}
            conn.execute(
                insert(alert_notices).values(alert=row["id"], at=self.clock.now(), kind="raised", detail=detail)
            )
            self._start_cases(conn, row, one.thing)
            messages.append(("alerts/raised", self.message(row)))
        return messages

    def _row(self, key: str, one: Found) -> dict[str, Any]:
        change, thing, rule = one.change, one.thing, self.model.rules[one.change.rule]
        return {
            "id": hashlib.sha256(key.encode()).hexdigest()[:20],
            "key": key,
            "rule": change.rule,
            "app": rule.app.__name__,
            "thing": thing.idx if thing else None,
            "thing_id": thing.id if thing else None,
            "onset": change.onset,
            "raised": change.time,
            "cleared": None,
            "level": rule.level,
            "message_values": self.values(rule, thing, change.values),
            "area": thing.areas[-1] if thing and thing.areas else None,
        }

    def values(self, rule: type[Rule], thing: Thing | None, live: Mapping[str, Any]) -> dict[str, Any]:
        """What the text of the rule and the departments of its flows may name: of the register and of the moment."""
        values: dict[str, Any] = self.standing_values(thing) if thing else {}
        for name, value in live.items():
            field = rule.subject.fields().get(name)
            if isinstance(field, Choice) and isinstance(value, float):
                value = None if math.isnan(value) else self.things.label(field, value)
            values[name] = value
        return values

    def standing_values(self, thing: Thing) -> dict[str, Any]:
        """What is known of a thing without looking: its register entry and the names of its areas."""
        areas = [area.name or area.id for area in map(self.things.find, thing.areas) if area]
        own = {"id": thing.id, "name": thing.name or thing.id, "owner": thing.owner, "area": areas[-1] if areas else ""}
        return {**{k: v for k, v in thing.properties.items() if not isinstance(v, dict)}, **own}

    # -- grouping

    def _group(self, rule: type[Rule], thing: Thing | None, values: Mapping[str, Any]) -> str:
        assert rule.group is not None
        if rule.group.field is not None:
            return str(values.get(rule.group.field.name))
        return thing.areas[-1] if thing and thing.areas else ""

    def _lead(self, rule: type[Rule], thing: Thing | None, row: Mapping[str, Any]) -> str | None:
        """The alert that this one joins; None when it stands alone or leads."""
        if rule.group is None:
            return None
        group = (row["rule"], self._group(rule, thing, row["message_values"]))
        lead, last = self._leads.get(group, ("", 0))
        joins = bool(lead) and row["raised"] - last <= rule.group.within.us
        self._leads[group] = (lead if joins else row["id"], row["raised"])
        return lead if joins else None

    # -- cases

    def _start_cases(self, conn: Connection, row: Mapping[str, Any], thing: Thing | None) -> None:
        rule = self.model.rules[row["rule"]]
        text = rule.sentence()
        for flow in self._flows(rule):
            if row["group_id"] is None:
                self.cases.open_in(
                    conn,
                    flow,
                    values=row["message_values"],
                    alert_key=row["key"],
                    rule=row["rule"],
                    thing=row["thing"],
                    level=row["level"],
                    area=row["area"] or "",
                    place=thing.point if thing else None,
                    text=text,
                )
            else:
                lead = conn.execute(select(alerts.c.key).where(alerts.c.id == row["group_id"])).scalar_one()
                case = self._known(conn, [lead])[lead]["case"]
                if case:
                    self._tell_case(conn, case, "alert_joined", {"detail": {"alert": row["id"]}, "text": text})

    def _tell_case(self, conn: Connection, case: str, verb: str, data: dict[str, Any]) -> None:
        self.cases.act_in(conn, case, verb, HOUSE, data)

    # -- corrections

    def _correct(self, conn: Connection, found: Sequence[Found]) -> list[Message]:
        """Ends, moves and withdrawals; what is in the book already is left alone."""
        keys = [alert_key(f.change.rule, f.thing, f.change.onset) for f in found]
        known = self._known(conn, keys)
        now, notices, messages = self.clock.now(), [], []
        touched: dict[str, dict[str, Any]] = {}
        for one, key in zip(found, keys, strict=True):
            row = known.get(key)
            new, kind = correction(one.change, one.thing)
            if row is None or row["state"] == "withdrawn" or all(row[name] == value for name, value in new.items()):
                continue
            row.update(new)
            known[row["key"]] = touched[row["id"]] = row
            detail = {"time": one.change.time, "kind": one.change.kind}
            notices.append({"alert": row["id"], "at": now, "kind": kind, "detail": detail})
            messages.append((f"alerts/{kind}", self.message(row)))
            if row["case"] and one.change.kind != "reopened":
                self._tell_case(conn, row["case"], f"alert_{kind}", {"detail": detail})
        if touched:
            rows = [{"_id": i, **{f"_{name}": row[name] for name in CORRECTED}} for i, row in touched.items()]
            execute_many(conn, CORRECTION, rows)
            execute_many(conn, NEW_NOTICE, notices)
        return messages

    def _known(self, conn: Connection, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The alerts with these keys, and the open case of each."""
        known: dict[str, dict[str, Any]] = {}
        open_case = (cases.c.alert == alerts.c.key) & cases.c.state.in_(("open", "suspended"))
        query = select(alerts, cases.c.id.label("case")).outerjoin(cases, open_case)
        for some in chunks(keys):
            found = conn.execute(query.where(alerts.c.key.in_(some)))
            names = tuple(found.keys())
            known.update({row[KEY]: dict(zip(names, row, strict=True)) for row in found})
        return known

    def end_events(self) -> list[Message]:
        """Alerts that an event raised end with their case, or their group's; without one when somebody has seen them.

        Nothing else could say that it is over.
        """
        about_events = [key for key, rule in self.model.rules.items() if rule.is_about_events()]
        lead = alerts.alias()
        query = (
            select(alerts.c.key, func.coalesce(cases.c.closed, alerts.c.acknowledged_at).label("over"))
            .outerjoin(lead, lead.c.id == alerts.c.group_id)
            .outerjoin(cases, cases.c.alert == func.coalesce(lead.c.key, alerts.c.key))
            .where(alerts.c.rule.in_(about_events), alerts.c.cleared.is_(None), alerts.c.withdrawn_at.is_(None))
            .where(
                cases.c.state.in_(("closed", "void", "merged"))
                | (cases.c.id.is_(None) & alerts.c.acknowledged_at.is_not(None))
            )
        )
        messages: list[Message] = []
        with self.store.write() as conn:
            over = {row.key: row.over or self.clock.now() for row in conn.execute(query)}
            for key, row in self._known(conn, list(over)).items():
                conn.execute(update(alerts).where(alerts.c.key == key).values(cleared=over[key]))
                notice = {"alert": row["id"], "at": self.clock.now(), "kind": "cleared"}
                conn.execute(insert(alert_notices).values(**notice, detail={"time": over[key], "kind": "case"}))
                messages.append(("alerts/cleared", self.message({**row, "cleared": over[key]})))
        return messages

    def message(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """An alert as open pages hear of it."""
        names = ("id", "number", "rule", "thing_id", "level", "state", "onset", "raised", "cleared", "area")
        told = {**{name: row[name] for name in names}, "values": row["message_values"]}
        return {**told, "departments": self.departments(row["rule"], row["message_values"])}

    def _flows(self, rule: type[Rule]) -> list[type[Flow]]:
        if rule not in self._started:
            self._started[rule] = self.model.flows_started_by(rule)
        return self._started[rule]

    def departments(self, rule_key: str, values: Mapping[str, Any]) -> list[str]:
        """Whose business an alert is from the start: the application's, the thing's, and those who get its case."""
        rule = self.model.rules[rule_key]
        first = [d for flow in self._flows(rule) for d in flow.steps[0].departments(values)]
        answers: str = rule.app.owner  # type: ignore[attr-defined]  # a Spec's app is an App
        return list(dict.fromkeys(d for d in (answers, str(values.get("owner") or ""), *first) if d))


def in_turns(found: Sequence[Found]) -> Iterator[list[Found]]:
    """In the order they were found, cut where an alert is raised again after it was corrected."""
    turn: list[Found] = []
    corrected: set[str] = set()
    for one in found:
        key = alert_key(one.change.rule, one.thing, one.change.onset)
        if one.change.kind == "raised" and key in corrected:
            yield turn
            turn, corrected = [], set()
        elif one.change.kind != "raised":
            corrected.add(key)
        turn.append(one)
    yield turn


def correction(change: Change, thing: Thing | None) -> tuple[dict[str, Any], str]:
    """What a change does to the row of its alert, and the kind of notice it makes."""
    if change.kind == "cleared":
        return {"cleared": change.time}, "cleared"
    if change.kind == "reopened":
        return {"cleared": None}, "moved"
    if change.kind == "withdrawn":
        return {"state": "withdrawn", "withdrawn_at": change.time}, "withdrawn"
    return {"onset": change.time, "key": alert_key(change.rule, thing, change.time)}, "moved"


def broken(rules: Iterable[tuple[type[Rule], str]], day: int) -> list[Found]:
    """Alerts of rules about themselves: they could not be judged, and say so once a day."""
    return [
        Found(Change("raised", rule.key(), -1, day, day, {"broken": reason}), None) for rule, reason in rules if reason
    ]
