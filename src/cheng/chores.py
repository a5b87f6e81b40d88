"""What the house does for itself every so often, whatever applications are loaded."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete

from cheng.hub import Hub
from cheng.infrastructure.clock import wall
from cheng.infrastructure.command_book import CommandBook
from cheng.infrastructure.history import Keep
from cheng.infrastructure.job_log import JobLog, Said
from cheng.infrastructure.storage import StorageBook, measure
from cheng.infrastructure.tables import refused
from cheng.kernel.entities import Quantity
from cheng.standards.durations import MICROSECONDS, Duration, days, hours, minutes, seconds

UNSENT = days(2)
"""How long a photo waits for the form it was chosen for."""
SECOND = MICROSECONDS["second"]


@dataclass(frozen=True)
class Chore:
    """One of them: `run(hub)` says in a few words what it did, or nothing when there was nothing to do."""

    name: str
    every: Duration
    run: Callable[[Hub], Said | None]

    @property
    def key(self) -> str:
        """house.name, beside the keys of applications' jobs."""
        return f"house.{self.name}"


def settle_history(hub: Hub) -> Said | None:
    """Writes what is held in memory into a sorted segment, and merges small ones."""
    moved = hub.history.compact()
    return Said("Readings settled: {n}.", {"n": moved}) if moved else None


def forget(hub: Hub) -> Said | None:
    """Drops or rolls up readings that are older than their attribute, or the house, keeps them."""
    house = seconds(hub.settings.keep_readings / SECOND)
    rolled = seconds(hub.settings.keep_summaries / SECOND)
    policy = {}
    for number, field in enumerate(hub.things.fields):
        raw = house if field is None or field.retain is None else field.retain
        summed_up = field is None or isinstance(field, Quantity)
        policy[number] = Keep(raw, hours(1) if summed_up else None, rolled)
    dropped = hub.history.retain(policy, hub.clock.now(), events=house)
    return Said("Readings rolled up or dropped: {n}.", {"n": dropped}) if dropped else None


def prove_history(hub: Hub) -> Said | None:
    """Reads all that is stored against its checksums."""
    damages = hub.history.prove()
    listed = "".join(f"\n{damage}" for damage in damages[:5])
    return Said("Damaged places: {n}.", {"n": len(damages)}, listed) if damages else None


def sweep_sessions(hub: Hub) -> Said | None:
    """Ends sessions that are over."""
    gone = hub.sessions.sweep()
    return Said("Sessions ended: {n}.", {"n": gone}) if gone else None


def sweep_photos(hub: Hub) -> Said | None:
    """Takes away photos of forms that were never sent."""
    gone = hub.blobs.sweep(hub.store, (wall() - UNSENT.us) / SECOND)
    return Said("Photos of forms never sent taken away: {n}.", {"n": gone}) if gone else None


def resume_cases(hub: Hub) -> Said | None:
    """Lets suspended cases go on whose time has come."""
    resumed = hub.cases.resume_due()
    return Said("Cases resumed: {n}.", {"n": len(resumed)}) if resumed else None


def pass_on(hub: Hub) -> Said | None:
    """Sends what cases pass on to other cities."""
    sent = hub.cities.send() if hub.cities is not None else 0
    return Said("Passed on to other cities: {n}.", {"n": sent}) if sent else None


def follow_passed_on(hub: Hub) -> Said | None:
    """Asks other cities how far they have come with what was passed on to them."""
    heard = hub.cities.follow() if hub.cities is not None else 0
    return Said("Heard of from other cities: {n}.", {"n": heard}) if heard else None


def end_alerts(hub: Hub) -> Said | None:
    """Ends alerts of events whose case is over, and tells open pages."""
    messages = hub.alerts.end_events()
    for topic, body in messages:
        hub.bus.publish(topic, body)
    return Said("Alerts ended: {n}.", {"n": len(messages)}) if messages else None


def seal_audit(hub: Hub) -> Said | None:
    """Signs where the audit ends now, so that nobody can shorten or rewrite it unnoticed."""
    seal = hub.seals.seal(hub.store, hub.clock.now())
    return Said("Sealed up to row {n}.", {"n": seal.seq}) if seal else None


def work_out_indicators(hub: Hub) -> Said | None:
    """Keeps the values of the last days of every indicator."""
    kept = hub.indicators.keep_all()
    return Said("Indicators worked out: {n}.", {"n": kept}) if kept else None


def keep_evaluation(hub: Hub) -> Said | None:
    """Brings what evaluation counts up to date, so that nobody waits for it."""
    count = hub.evaluation.keep()
    return Said("Cases ready to be evaluated: {n}.", {"n": count}) if count else None


def note_tokens(hub: Hub) -> Said | None:
    """Writes down when tokens were last used."""
    seen = hub.tokens.write_seen()
    return Said("Tokens seen: {n}.", {"n": seen}) if seen else None


def measure_storage(hub: Hub) -> Said | None:
    """Notes how much is kept, so that the console can say when the disk will be full."""
    StorageBook(hub.store).note(measure(hub.clock.now(), hub.store, hub.history, hub.settings.data))
    return None


def tidy(hub: Hub) -> Said | None:
    """Drops old refused payloads, old runs of jobs and old commands."""
    now = hub.clock.now()
    with hub.store.write() as conn:
        gone = conn.execute(delete(refused).where(refused.c.at < now - hub.settings.keep_refused)).rowcount
    gone += JobLog(hub.store).trim(now - hub.settings.keep_logs)
    gone += CommandBook(hub.store, hub.things, hub.bus, hub.clock).trim(now - hub.settings.keep_logs)
    return Said("Old rows dropped: {n}.", {"n": gone}) if gone else None


def learn_dispatching(hub: Hub) -> Said | None:
    """Learns from closed cases which department cases go to and which class a text means; says how good that is."""
    said = [report.said() for report in hub.dispatching.train_all().values()]
    more = "".join(f"\n{each}" for each in said[1:])
    return Said(said[0].text, said[0].values, more) if said else None


CHORES = (
    Chore("resume_cases", minutes(1), resume_cases),
    Chore("pass_on", minutes(1), pass_on),
    Chore("follow_passed_on", minutes(5), follow_passed_on),
    Chore("end_alerts", seconds(10), end_alerts),
    Chore("seal_audit", seconds(10), seal_audit),
    Chore("note_tokens", minutes(5), note_tokens),
    Chore("sweep_sessions", minutes(10), sweep_sessions),
    Chore("settle_history", hours(1), settle_history),
    Chore("measure_storage", hours(1), measure_storage),
    Chore("work_out_indicators", hours(1), work_out_indicators),
    Chore("keep_evaluation", hours(1), keep_evaluation),
    Chore("sweep_photos", days(1), sweep_photos),
    Chore("forget", days(1), forget),
    Chore("tidy", days(1), tidy),
    Chore("learn_dispatching", days(1), learn_dispatching),
    Chore("prove_history", days(1), prove_history),
)
