"""What the house does for itself every so often, whatever applications are loaded."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete

from cheng.hub import Hub
from cheng.infrastructure.history import Keep
from cheng.infrastructure.job_log import JobLog
from cheng.infrastructure.storage import StorageBook, measure
from cheng.infrastructure.tables import refused
from cheng.kernel.entities import Quantity
from cheng.standards.durations import MICROSECONDS, Duration, days, hours, minutes, seconds

SECOND = MICROSECONDS["second"]


@dataclass(frozen=True)
class Chore:
    """One of them: `run(hub)` says in a few words what it did, or nothing when there was nothing to do."""

    name: str
    every: Duration
    run: Callable[[Hub], str]

    @property
    def key(self) -> str:
        """house.name, beside the keys of applications' jobs."""
        return f"house.{self.name}"


def settle_history(hub: Hub) -> str:
    """Writes what is held in memory into a sorted segment, and merges small ones."""
    moved = hub.history.compact()
    return f"{moved} readings settled" if moved else ""


def forget(hub: Hub) -> str:
    """Drops or rolls up readings that are older than their attribute, or the house, keeps them."""
    house = seconds(hub.settings.keep_readings / SECOND)
    rolled = seconds(hub.settings.keep_summaries / SECOND)
    policy = {}
    for number, field in enumerate(hub.things.fields):
        raw = house if field is None or field.retain is None else field.retain
        summed_up = field is None or isinstance(field, Quantity)
        policy[number] = Keep(raw, hours(1) if summed_up else None, rolled)
    dropped = hub.history.retain(policy, hub.clock.now(), events=house)
    return f"{dropped} readings rolled up or dropped" if dropped else ""


def prove_history(hub: Hub) -> str:
    """Reads all that is stored against its checksums."""
    damages = hub.history.prove()
    return f"{len(damages)} damaged places: {'; '.join(str(d) for d in damages[:5])}" if damages else ""


def sweep_sessions(hub: Hub) -> str:
    """Ends sessions that are over."""
    gone = hub.sessions.sweep()
    return f"{gone} sessions ended" if gone else ""


def resume_cases(hub: Hub) -> str:
    """Lets suspended cases go on whose time has come."""
    resumed = hub.cases.resume_due()
    return f"{len(resumed)} cases resumed" if resumed else ""


def end_alerts(hub: Hub) -> str:
    """Ends alerts of events whose case is over, and tells open pages."""
    messages = hub.alerts.end_events()
    for topic, body in messages:
        hub.bus.publish(topic, body)
    return f"{len(messages)} alerts ended" if messages else ""


def seal_audit(hub: Hub) -> str:
    """Signs where the audit ends now, so that nobody can shorten or rewrite it unnoticed."""
    seal = hub.seals.seal(hub.store, hub.clock.now())
    return f"sealed up to row {seal.seq}" if seal else ""


def work_out_indicators(hub: Hub) -> str:
    """Keeps the values of the last days of every indicator."""
    kept = hub.indicators.keep_all()
    return f"{kept} indicators worked out" if kept else ""


def note_tokens(hub: Hub) -> str:
    """Writes down when tokens were last used."""
    seen = hub.tokens.write_seen()
    return f"{seen} tokens seen" if seen else ""


def measure_storage(hub: Hub) -> str:
    """Notes how much is kept, so that the console can say when the disk will be full."""
    StorageBook(hub.store).note(measure(hub.clock.now(), hub.store, hub.history, hub.settings.data))
    return ""


def tidy(hub: Hub) -> str:
    """Drops old refused payloads and old runs of jobs."""
    now = hub.clock.now()
    with hub.store.write() as conn:
        gone = conn.execute(delete(refused).where(refused.c.at < now - hub.settings.keep_refused)).rowcount
    gone += JobLog(hub.store).trim(now - hub.settings.keep_logs)
    return f"{gone} old rows dropped" if gone else ""


CHORES = (
    Chore("resume_cases", minutes(1), resume_cases),
    Chore("end_alerts", seconds(10), end_alerts),
    Chore("seal_audit", seconds(10), seal_audit),
    Chore("note_tokens", minutes(5), note_tokens),
    Chore("sweep_sessions", minutes(10), sweep_sessions),
    Chore("settle_history", hours(1), settle_history),
    Chore("measure_storage", hours(1), measure_storage),
    Chore("work_out_indicators", hours(1), work_out_indicators),
    Chore("forget", days(1), forget),
    Chore("tidy", days(1), tidy),
    Chore("prove_history", days(1), prove_history),
)
