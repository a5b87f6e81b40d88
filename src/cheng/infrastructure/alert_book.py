"""The book of alerts: what the judging found, kept once each, grouped, quiet where it was asked to be, and told on."""

from collections.abc import Iterable, Mapping

from sqlalchemy import func, select

from cheng.infrastructure import alert_rows as rows
from cheng.infrastructure.alert_changes import Episodes, Found
from cheng.infrastructure.alert_groups import Groups
from cheng.infrastructure.alert_lists import AlertLists
from cheng.infrastructure.alert_lot import CLEARED, Heard, Lot, Message
from cheng.infrastructure.alert_wording import Wording
from cheng.infrastructure.case_book import CaseBook
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.quiet import Quiet
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import alerts, cases
from cheng.infrastructure.things import Things
from cheng.kernel.model import Model
from cheng.kernel.rules import Change

TOGETHER = 10_000
"""Alerts that one transaction takes: nobody else waits long for the store."""


def everything(topic: str) -> bool:
    return True


class AlertBook(AlertLists):
    """All alerts of the house. One writer at a time calls `apply` or `write`; the rest is safe from any thread."""

    def __init__(self, store: Store, model: Model, things: Things, cases: CaseBook, clock: Clock) -> None:
        self.store, self.model, self.things, self.cases, self.clock = store, model, things, cases, clock
        self.quiet = Quiet(store, clock)
        self.wording = Wording(model, things)
        self.noticed = 0
        """what was said about alerts since the start"""
        self._groups = Groups()
        self._groups.load(store, model, things, clock.now())

    def apply(self, found: Iterable[Found], heard: Heard = everything) -> list[Message]:
        """Writes down what changed; messages for the bus."""
        return self.write(Episodes(found), heard)

    def write(self, episodes: Episodes, heard: Heard = everything) -> list[Message]:
        """Writes down what a lot of changes comes to, up to TOGETHER alerts in a transaction, and opens the cases.

        Doing it again changes nothing: a replay after a crash finds its alerts there. heard: whether anybody listens to
        a topic; there are messages for those only.
        """
        return [message for part in episodes.parts(TOGETHER) for message in self._write(part, heard)]

    def _write(self, episodes: Episodes, heard: Heard) -> list[Message]:
        quiet = self.quiet.now_and_later()
        with self.store.write() as conn:
            lot = Lot(conn, self.wording, self._groups, self.cases, quiet, self.clock.now(), heard)
            lot.take(episodes)
        self._groups.learn(lot.groups)
        self.noticed += lot.noticed
        return lot.messages

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
        return self.apply(
            Found(Change("withdrawn", rule, -1, onset, self.clock.now(), {}), self.things.by_idx[thing])
            for rule, thing, onset in open_ones
            if rule in self.model.rules
            and not self.model.rules[rule].is_about_events()
            and standing.get((rule, thing)) != onset
        )

    def end_events(self) -> list[Message]:
        """Alerts that an event raised end with their case, or their group's; without one when somebody has seen them.

        Nothing else could say that it is over.
        """
        about_events = [key for key, rule in self.model.rules.items() if rule.is_about_events()]
        lead = alerts.alias()
        query = (
            select(alerts, func.coalesce(cases.c.closed, alerts.c.acknowledged_at).label("over"))
            .outerjoin(lead, lead.c.number == alerts.c.group_id)
            .outerjoin(cases, cases.c.alert == func.coalesce(lead.c.key, alerts.c.key))
            .where(alerts.c.rule.in_(about_events), alerts.c.cleared.is_(None), alerts.c.withdrawn_at.is_(None))
            .where(
                cases.c.state.in_(("closed", "void", "merged"))
                | (cases.c.id.is_(None) & alerts.c.acknowledged_at.is_not(None))
            )
        )
        with self.store.write() as conn:
            ended = [dict(row) for row in conn.execute(query).mappings()]
            now = self.clock.now()
            for row in ended:
                row["cleared"] = row["over"] or now
                rows.over(conn, row["number"], row["cleared"], now, plain=row["written"] is not None)
        self.noticed += len(ended)
        return [(CLEARED, self.wording.message(row)) for row in ended]
