"""Backups on the console: made in the background, read through, fetched and thrown away, by operators alone."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from house import Visitor
from sqlalchemy import select
from waterworks import open_waterworks, report

from cheng.backup_shelf import BACK_UP, PROVE, BackupShelf
from cheng.backups import restore
from cheng.errands import backup
from cheng.hub import Hub
from cheng.infrastructure.job_log import JobLog
from cheng.infrastructure.progress import Progress
from cheng.infrastructure.tables import audit
from cheng.standards.problems import Refused
from cheng.worker import Worker

Come = Callable[..., Visitor]
PAGE = "/console/backups"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    opened = open_waterworks(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def shelf(hub: Hub) -> Iterator[BackupShelf]:
    """As `serve` gives it to the hub."""
    worker = Worker(hub)
    hub.worker, hub.backups = worker, BackupShelf(hub, worker)
    yield hub.backups
    worker.stop()


def deeds(hub: Hub) -> list[str]:
    with hub.store.read() as conn:
        rows = conn.execute(select(audit.c.detail).where(audit.c.verb == "backup")).scalars()
        return [row["deed"] for row in rows]


def told(visitor: Visitor) -> Any:
    answer = visitor.get(PAGE + ".json")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ended(shelf: BackupShelf) -> None:
    shelf.worker._hands.shutdown(wait=True)


def test_nobody_but_an_operator_comes_near(shelf: BackupShelf, visitor: Come) -> None:
    for role in ("citizen", "officer", "leader"):
        someone = visitor(role)
        assert someone.get(PAGE).status_code == 403
        assert someone.send(PAGE, "/account/password").status_code == 403
        assert someone.get(f"{PAGE}/cheng-20261120-080000.tar/download").status_code == 403


def test_a_process_without_a_shelf_says_so(visitor: Come) -> None:
    operator = visitor("operator")
    assert operator.get(PAGE).status_code == 200
    assert operator.send(PAGE, "/account/password").status_code == 409


def test_a_backup_is_made_fetched_and_whole(hub: Hub, shelf: BackupShelf, visitor: Come, tmp_path: Path) -> None:
    report(hub, "hydrant-1", [20.0])
    operator = visitor("operator")
    assert told(operator)["backups"] == []
    assert operator.send(PAGE).status_code == 303
    ended(shelf)
    (row,) = told(operator)["backups"]
    assert row["name"] == "cheng-20261120-080000.tar"
    assert row["restore"].startswith("cheng restore ")
    answer = operator.get(f"{PAGE}/{row['name']}/download")
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    assert len(answer.content) == row["bytes"]
    archive = tmp_path / "fetched.tar"
    archive.write_bytes(answer.content)
    restore(archive, tmp_path / "again")
    assert (tmp_path / "again" / "cheng.db").is_file()
    assert not (tmp_path / "again" / "backups").exists()
    assert deeds(hub) == ["make", "download"]
    (run,) = JobLog(hub.store).recent(BACK_UP)
    assert run.outcome == "done"
    assert operator.get("/console.json").json()["backup"] == run.started
    assert "cheng-20261120-080000.tar" in operator.get("/console/jobs/house.back_up").text


def test_a_backup_is_read_through(hub: Hub, shelf: BackupShelf, visitor: Come) -> None:
    operator, name = visitor("operator"), "cheng-20261120-080000.tar"
    shelf.make()
    ended(shelf)
    shelf.worker = Worker(hub)
    assert operator.send(f"{PAGE}/{name}/prove", PAGE).status_code == 303
    ended(shelf)
    assert told(operator)["backups"][0]["state"] == "whole"
    file = shelf.path(name)
    data = bytearray(file.read_bytes())
    at = data.index(b"SQLite format 3")
    data[at + 40] ^= 0xFF
    file.write_bytes(data)
    shelf.worker = Worker(hub)
    shelf.prove(name)
    ended(shelf)
    assert told(operator)["backups"][0]["state"] == "damaged"
    assert "cheng.db in it is damaged" in str(JobLog(hub.store).recent(PROVE, 1)[0].said)


def test_a_backup_is_thrown_away(hub: Hub, shelf: BackupShelf, visitor: Come) -> None:
    operator = visitor("operator")
    name = shelf.make()
    ended(shelf)
    assert operator.send(f"{PAGE}/{name}/remove", PAGE).status_code == 303
    assert told(operator)["backups"] == []
    assert operator.send(f"{PAGE}/{name}/remove", PAGE).status_code == 404
    assert deeds(hub) == ["remove"]


@pytest.mark.parametrize("name", ["..%2Fcheng.db", "cheng.db", "cheng-20261120-080000.tar", "cheng-1.tar"])
def test_nothing_but_backups_is_given_out(shelf: BackupShelf, visitor: Come, name: str) -> None:
    assert visitor("operator").get(f"{PAGE}/{name}/download").status_code == 404


def test_without_room_nothing_is_begun(shelf: BackupShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "room", lambda: (2_000_000, 1_000_000))
    with pytest.raises(Refused, match="it needs 2 MB, 1 MB are free"):
        shelf.make()


def test_what_is_under_way_tells_how_far_it_is(shelf: BackupShelf, visitor: Come) -> None:
    told_so, goes_on = threading.Event(), threading.Event()

    def work(progress: Progress) -> str:
        progress.tell("Writing the archive")
        progress.done(1, 4)
        told_so.set()
        goes_on.wait(20)
        return "done"

    shelf.worker.begin(BACK_UP, work)
    told_so.wait(20)
    operator = visitor("operator")
    seen = told(operator)["under_way"][BACK_UP]
    assert (seen["step"], seen["share"], len(seen["steps"])) == ("正在写入归档文件", 0.25, 1)
    assert "正在写入归档文件" in operator.get(f"/console/jobs/{BACK_UP}").text
    assert operator.get("/console.json").json()["jobs"][0]["under_way"]["share"] == 0.25
    with pytest.raises(Refused, match="just now"):
        shelf.make()
    goes_on.set()
    ended(shelf)
    assert shelf.progress() == {}


def test_what_the_command_makes_stands_in_the_log_too(
    hub: Hub, shelf: BackupShelf, visitor: Come, tmp_path: Path
) -> None:
    backup(hub, str(tmp_path / "mine.tar"))
    with pytest.raises(Refused, match="there already"):
        backup(hub, str(tmp_path / "mine.tar"))
    assert [run["outcome"] for run in told(visitor("operator"))["runs"]] == ["failed", "done"]
