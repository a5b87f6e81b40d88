"""Jobs: tables in, readings and commands out, on time, and one that fails hurts nobody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select

from cheng.chores import CHORES, Chore
from cheng.hub import Hub
from cheng.infrastructure import command_book
from cheng.infrastructure.command_book import CommandBook
from cheng.infrastructure.job_log import JobLog, Said
from cheng.infrastructure.job_tables import table_of
from cheng.infrastructure.tables import commands
from cheng.standards.durations import hours, minutes
from cheng.standards.problems import Refused, SpecError
from cheng.testing import Town, city
from cheng.worker import Worker
from works import small_works
from works.small_works import Knock, Pump, cool, means, never


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path, small_works) as town:
        town.register(Pump, "p1", site="North", rated=5.5, at=(106.5, 29.5))
        town.register(Pump, "p2", site="South")
        yield town


@pytest.fixture
def worker(town: Town) -> Iterator[Worker]:
    worker = Worker(town.hub)
    yield worker
    worker.stop()


def table(town: Town, source: Any) -> pa.Table:
    def latitudes(type_name: str, field: str) -> Any:
        judge = town.hub.judges.by_type[type_name]
        return judge.now.latitude[judge.register.columns()[field]]

    return table_of(source, town.hub.things, town.hub.history, latitudes, town.clock.now())


def test_a_thing_is_a_row_with_what_it_is_and_what_it_last_said(town: Town) -> None:
    town.reports("p1", heat=60, state="on", position=[106.6, 29.7])
    first, second = table(town, Pump).to_pylist()
    assert first == {
        "id": "p1",
        "name": "",
        "owner": "Waterworks",
        "longitude": 106.5,
        "latitude": 29.5,
        "site": "North",
        "rated": 5.5,
        "state": "on",
        "heat": 60.0,
        "mean": None,
        "position_longitude": 106.6,
        "position_latitude": 29.7,
    }
    assert second["heat"] is None
    assert second["longitude"] is None


def test_the_last_of_a_field_is_its_good_readings_in_the_span(town: Town) -> None:
    town.reports("p1", heat=10, state="on")
    town.passes(hours(2))
    town.reports("p1", heat=20)
    town.reports("p1", heat=999)  # out of range
    read = means.reads[0]
    assert table(town, read).column("value").to_pylist() == [20.0]
    labels = type(read)(Pump.state, hours(9))
    assert table(town, labels).to_pylist()[0]["value"] == "on"
    tracks = type(read)(Pump.position, hours(9))
    assert table(town, tracks).column_names == ["id", "time", "value", "latitude"]


def test_a_job_writes_readings(town: Town, worker: Worker) -> None:
    town.reports("p1", heat=50)
    town.passes(minutes(10))
    town.reports("p1", heat=70)
    assert str(worker.work_out(means, town.clock.now())) == "Rows read: 2; readings written: 1; refused: 0."
    town.hub.pipeline.drain()
    assert town.current("p1", "mean") == 60


def test_a_job_sends_commands_which_are_checked_and_told(town: Town, worker: Worker) -> None:
    town.reports("p1", heat=95)
    assert str(worker.work_out(cool, town.clock.now())) == "Rows read: 2; commands sent: 1; refused: 0."
    assert town.told("p1") == [("run", {"speed": 50.0, "mode": "soft"})]


def test_a_heavy_job_is_worked_out_in_a_process_of_its_own(town: Town, worker: Worker) -> None:
    assert worker._call(divmod, 10**6, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        worker._call(divmod, 10**6, 7, 0)


def test_everything_comes_to_its_turn_and_is_logged(town: Town, worker: Worker) -> None:
    town.reports("p1", heat=95)
    worker.run_due(town.clock.now())
    journal = JobLog(town.hub.store)
    runs = {run.job: run for run in journal.recent()}
    assert runs["small_works.means"].outcome == "done"
    assert str(runs["small_works.cool"].said) == "Rows read: 2; commands sent: 1; refused: 0."
    assert runs["small_works.never"].outcome == "failed"
    assert "there is no such valve (small_works.py:" in runs["small_works.never"].said.more
    worker.run_due(town.clock.now())
    assert len(journal.recent(job="small_works.cool")) == 1  # a minute has not passed
    town.passes(minutes(1))
    worker.run_due(town.clock.now())
    assert len(journal.recent(job="small_works.cool")) == 2
    assert len(journal.recent(job="small_works.means")) == 1


def test_what_fails_waits_longer_each_time(town: Town, worker: Worker) -> None:
    turn = worker.turns[never.key()]
    worker.turns = {never.key(): turn}
    waits = []
    for _ in range(4):
        now = town.clock.now()
        worker.run_due(now)
        waits.append((turn.due - now) // minutes(1).us)
        town.clock.set(turn.due)
    assert waits == [2, 4, 8, 16]


def test_a_new_start_goes_on_where_the_last_one_was(town: Town, worker: Worker) -> None:
    worker.run_due(town.clock.now())
    again = Worker(town.hub)
    assert again.turns[means.key()].due == town.clock.now() + minutes(5).us
    again.stop()


def test_a_person_can_have_a_job_worked_out_at_once(town: Town, worker: Worker) -> None:
    worker.run_now(cool.key()).result()
    assert len(JobLog(town.hub.store).recent(cool.key())) == 1
    with pytest.raises(Refused, match="no job"):
        worker.run_now("small_works.nothing")


def test_a_table_that_is_something_else_is_the_jobs_own_mistake(town: Town, worker: Worker) -> None:
    class odd(means):
        """Returns another table."""

        run = small_works.slow_down
        reads = (Pump,)

    with pytest.raises(SpecError, match="it needs 'mean'"):
        worker.work_out(odd, town.clock.now())


def test_the_chores_of_the_house_run_on_a_real_hub(town: Town) -> None:
    town.reports("p1", heat=50)
    town.happens(Knock, pump="p1", force=3)
    for chore in CHORES:
        said = chore.run(town.hub)
        assert said is None or str(said), chore.name


def test_a_chore_that_fails_is_told_and_the_others_go_on(town: Town) -> None:
    def fails(hub: Hub) -> Said:
        raise OSError("the disk is gone")

    worker = Worker(town.hub, [Chore("fails", minutes(1), fails), Chore("works", minutes(1), lambda hub: Said("well"))])
    worker.run_due(town.clock.now())
    worker.stop()
    outcomes = {run.job: (run.outcome, str(run.said)) for run in JobLog(town.hub.store).recent()}
    assert outcomes["house.works"] == ("done", "well")
    assert outcomes["house.fails"][0] == "failed"
    assert "the disk is gone" in outcomes["house.fails"][1]


def test_the_clock_starts_the_work_by_itself(town: Town) -> None:
    worker = Worker(town.hub, [])
    begun: list[str] = []
    worker._run = lambda turn: begun.append(turn.key)  # type: ignore[method-assign]  # only whether it is called
    worker.start()
    worker.stop()
    assert sorted(begun) in ([], sorted(worker.turns))  # none, if it was stopped before its first look


@pytest.mark.parametrize(
    ("thing", "command", "arguments", "sentence"),
    [
        ("p9", "run", {}, "no thing p9"),
        ("p1", "rum", {}, "did you mean 'run'"),
        ("p1", "run", {"speed": 200, "mode": "soft"}, "between 0 and 100 %"),
        ("p1", "run", {"speed": "fast", "mode": "soft"}, "a number in % is wanted"),
        ("p1", "run", {"speed": float("nan"), "mode": "soft"}, "a number in % is wanted"),
        ("p1", "run", {"speed": 10, "mode": "gently"}, "choose from soft, hard"),
        ("p1", "run", {"speed": 10}, "needs 'mode'"),
        ("p1", "run", {"speed": 10, "mode": "soft", "colour": "red"}, "no argument 'colour'"),
    ],
)
def test_a_bad_command_is_refused_with_a_sentence(
    town: Town, thing: str, command: str, arguments: dict[str, Any], sentence: str
) -> None:
    book = CommandBook(town.hub.store, town.hub.things, town.hub.bus, town.clock)
    with pytest.raises(Refused) as refused:
        book.send(thing, command, arguments, "tester")
    assert sentence in str(refused.value)
    with town.hub.store.read() as conn:
        assert conn.execute(select(commands)).all() == []


def test_a_command_is_kept_with_what_became_of_it(town: Town) -> None:
    book = CommandBook(town.hub.store, town.hub.things, town.hub.bus, town.clock)
    told = book.send("p1", "run", {"speed": "30", "mode": "hard"}, "tester")
    assert told.arguments == {"speed": 30.0, "mode": "hard"}
    book.mark([told.id], "delivered")
    (kept,) = book.of_thing("p1")
    assert (kept.id, kept.state, kept.by) == (told.id, "delivered", "tester")


def test_many_commands_are_sent_part_by_part_and_others_write_in_between(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_book, "AT_A_TIME", 3)
    book = CommandBook(town.hub.store, town.hub.things, town.hub.bus, town.clock)
    kept: list[int] = []

    def orders() -> Iterator[tuple[str, str, dict[str, Any]]]:
        for n in range(8):
            with town.hub.store.write() as conn:  # would wait for ever, were all sent in one transaction
                kept.append(len(conn.execute(select(commands)).all()))
            yield ("p1" if n % 4 else "p9"), "run", {"speed": n, "mode": "soft"}

    sent, refused = book.send_all(orders(), "tester")
    assert (sent, len(refused)) == (6, 2)
    assert kept == [0, 0, 0, 0, 3, 3, 3, 3]
    assert [told.arguments["speed"] for told in book.of_thing("p1")] == [7, 6, 5, 3, 2, 1]


def test_old_commands_are_dropped_and_younger_ones_stay(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_book, "AT_A_TIME", 2)
    book = CommandBook(town.hub.store, town.hub.things, town.hub.bus, town.clock)
    begun = town.clock.now()
    for n in range(7):
        book.send("p1", "run", {"speed": n, "mode": "soft"}, "tester")
        town.passes(minutes(1))
    assert book.trim(begun + minutes(5).us) == 5
    assert [told.arguments["speed"] for told in book.of_thing("p1")] == [6, 5]
    assert book.trim(begun + minutes(5).us) == 0
