"""The whole house, opened: everything that doors and pages need, in one place."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from itertools import count

from cheng.beside import Devices, OtherCities, Retry, Shelf, Works
from cheng.infrastructure.alert_book import AlertBook
from cheng.infrastructure.area_tiles import AreaTiles
from cheng.infrastructure.article_book import ArticleBook
from cheng.infrastructure.base_map import BaseMap
from cheng.infrastructure.blobs import Blobs
from cheng.infrastructure.bus import Bus, open_bus
from cheng.infrastructure.call_book import CallBook
from cheng.infrastructure.case_book import CaseBook
from cheng.infrastructure.class_book import ClassBook
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.dispatch_book import DispatchBook
from cheng.infrastructure.duplicate_book import DuplicateBook
from cheng.infrastructure.evaluation import EvaluationBook
from cheng.infrastructure.grid_book import GridBook
from cheng.infrastructure.history import History
from cheng.infrastructure.indicator_book import IndicatorBook
from cheng.infrastructure.inputs import Inputs
from cheng.infrastructure.judges import Judges
from cheng.infrastructure.live_map import LiveMap
from cheng.infrastructure.loader import load_model
from cheng.infrastructure.machine import Machine
from cheng.infrastructure.passing_book import PassingBook
from cheng.infrastructure.refused_box import RefusedBox
from cheng.infrastructure.report_book import ReportBook
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.store import Store
from cheng.infrastructure.things import Things
from cheng.kernel.model import Model
from cheng.pipeline import Pipeline
from cheng.security.accounts import Accounts
from cheng.security.guard import Guard
from cheng.security.passwords import Hasher
from cheng.security.seals import Seals, key_in
from cheng.security.sessions import Sessions
from cheng.security.sign_in import Door
from cheng.security.tokens import TokenBook
from cheng.standards.calendars import Calendar
from cheng.standards.problems import Problem, SpecError


@dataclass
class Hub:
    """One running house."""

    settings: Settings
    clock: Clock
    model: Model
    calendar: Calendar
    store: Store
    history: History
    blobs: Blobs
    base_map: BaseMap
    area_tiles: AreaTiles
    live_map: LiveMap
    bus: Bus
    things: Things
    judges: Judges
    alerts: AlertBook
    cases: CaseBook
    classes: ClassBook
    reports: ReportBook
    duplicates: DuplicateBook
    dispatching: DispatchBook
    indicators: IndicatorBook
    refused: RefusedBox
    accounts: Accounts
    sessions: Sessions
    door: Door
    tokens: TokenBook
    guard: Guard
    seals: Seals
    pipeline: Pipeline
    inputs: Inputs
    machine: Machine
    worker: Works | None = None
    broker: Devices | None = None
    retry: Retry | None = None
    backups: Shelf | None = None
    cities: OtherCities | None = None

    @cached_property
    def grids(self) -> GridBook:
        """How grids fit, and new ones."""
        return GridBook(self.things, self.base_map)

    @cached_property
    def articles(self) -> ArticleBook:
        """What agents know."""
        return ArticleBook(self.store, self.clock)

    @cached_property
    def calls(self) -> CallBook:
        """What became of calls."""
        return CallBook(self.store, self.clock)

    @cached_property
    def passings(self) -> PassingBook:
        """What is passed on to other cities."""
        return PassingBook(self.store, self.cases, self.reports, self.clock)

    @cached_property
    def evaluation(self) -> EvaluationBook:
        """How well departments, areas and posts do."""
        folder = self.settings.data / "evaluation"
        return EvaluationBook(self.store, self.model.flows, self.calendar, self.clock, folder)

    def counters(self) -> Iterator[tuple[str, str, dict[str, str], float]]:
        """Name, help, labels and value of what the house counts, for /metrics."""
        went, said = self.pipeline.counters, self.bus.counters
        shortened = sum(judge.shortened for judge in self.judges.by_type.values())
        for name, text, value in (
            ("cheng_readings_accepted_total", "Readings and events acknowledged since the start.", went.accepted),
            ("cheng_readings_marked_total", "Readings that carry a quality mark.", went.marked),
            ("cheng_readings_turned_away_total", "Readings that were asked to come again.", went.turned_away),
            ("cheng_commits_total", "Commits of readings.", went.commits),
            ("cheng_payloads_refused_total", "Lines and payloads refused since the start.", self.refused.total),
            ("cheng_alert_notices_total", "Notices of alerts written since the start.", self.pipeline.writer.written),
            ("cheng_alerts_waiting", "Changes of alerts found and not written yet.", self.pipeline.writer.waiting),
            ("cheng_readings_forgotten_early_total", "Readings gone before their lateness was over.", shortened),
            ("cheng_rules_failing", "Rules that cannot be judged at present.", len(self.judges.failing)),
            ("cheng_things", "Things in the register.", len(self.things)),
            ("cheng_things_unknown", "Things that reported without being registered.", self.things.strangers),
            ("cheng_history_readings", "Readings in history.", self.history.count()),
            ("cheng_bus_messages_total", "Messages told inside the house.", said.published),
            ("cheng_bus_cut_off_total", "Listeners cut off because they were too slow.", said.cut_off),
            ("cheng_bus_listeners", "Who listens at present.", said.subscribers),
            ("cheng_calendar_years_ahead", "Years, this one first, whose holidays are known.", self.years_ahead()),
        ):
            yield name, text, {}, float(value)

    def years_ahead(self) -> int:
        """How many years, the present one first, the calendar knows the holidays of without a gap."""
        this = self.calendar.day(self.clock.now()).year
        return next(ahead for ahead in count() if not self.calendar.known(this + ahead))

    def close(self) -> None:
        """Takes what is waiting, writes the state down, and closes everything."""
        self.pipeline.close()
        self.tokens.write_seen()
        self.base_map.close()
        self.history.close()
        self.store.close()


def open_hub(
    settings: Settings, clock: Clock | None = None, model: Model | None = None, hasher: Hasher | None = None
) -> Hub:
    """Opens the house in its data folder and replays what the last run left unfinished.

    Raises SpecError when settings, applications or the store do not hold together.
    """
    check_urls(settings)
    clock, model, hasher = clock or Clock(), model or load_model(), hasher or Hasher()
    with ExitStack() as opened:
        hub = _opened(opened, settings, clock, model, hasher)
        hub.pipeline.start()
        opened.pop_all()
    return hub


def check_urls(settings: Settings) -> None:
    """Raises SpecError with every URL of a part that is not there yet, before anything is opened."""
    problems: list[Problem] = []
    try:
        open_bus(settings.bus).close()
    except SpecError as error:
        problems += error.problems
    if settings.history:
        hint = "leave it empty: history is in the data folder"
        named = settings.history.partition("://")[0]  # the rest may carry a password
        problems.append(Problem("S111", "This history is not there yet", named, hint))
    if problems:
        raise SpecError(problems)


def _opened(opened: ExitStack, settings: Settings, clock: Clock, model: Model, hasher: Hasher) -> Hub:
    """The parts put together; `opened` closes those that hold on to something."""
    wall = clock if clock.speed == 1 else Clock()  # sessions of people do not end faster in a city that is sped up
    calendar = Calendar(settings.timezone)
    store = opened.enter_context(closing(Store(settings.store_url)))
    things = Things(store, model, clock)
    judges = Judges(store, model, things, clock)
    history = opened.enter_context(closing(History(settings.data / "history", checkpoint=lambda: judges.saved + 1)))
    classes = ClassBook(store, model.flows.values(), calendar, clock)
    classes.load_defaults()
    cases = CaseBook(store, model.flows.values(), calendar, clock, truth=judges.truth, standards=classes.facts)
    alerts = AlertBook(store, model, things, cases, clock)
    blobs = Blobs(settings.data / "blobs", settings.upload_limit)
    reports = ReportBook(store, cases, things, blobs, classes.known, key_in(settings.data / "reports.key"))
    bus = open_bus(settings.bus)
    sessions = Sessions(store, wall, settings.session_idle, settings.session_absolute)
    pipeline = Pipeline(judges, history, alerts, bus, clock)
    return Hub(
        settings=settings,
        clock=clock,
        model=model,
        calendar=calendar,
        store=store,
        history=history,
        blobs=blobs,
        base_map=BaseMap(settings.data / "map"),
        area_tiles=AreaTiles(things),
        live_map=LiveMap(things, judges, alerts),
        bus=bus,
        things=things,
        judges=judges,
        alerts=alerts,
        cases=cases,
        classes=classes,
        reports=reports,
        duplicates=DuplicateBook(store, blobs, clock),
        dispatching=DispatchBook(store, model.flows.values(), classes, calendar, clock),
        indicators=IndicatorBook(store, model.indicators.values(), calendar, clock, history),
        refused=RefusedBox(store, clock),
        accounts=Accounts(store, wall, hasher, sessions),
        sessions=sessions,
        door=Door(store, wall, hasher, sessions),
        tokens=TokenBook(store, wall),
        guard=Guard(store, wall),
        seals=Seals(settings.data / "audit.seals", key_in(settings.data / "audit.key")),
        pipeline=pipeline,
        inputs=Inputs(),
        machine=Machine(settings.data),
    )
