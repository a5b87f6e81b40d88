"""Backups: begun here and made in the background, read through, fetched, thrown away; how one is restored is told."""

from typing import Any

from litestar.response import File

from cheng.beside import Archive, Shelf
from cheng.infrastructure.job_log import JobLog, JobRun
from cheng.security.permissions import Target
from cheng.standards.durations import days
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.noting import note
from cheng.web.console.works import under_way, words
from cheng.web.pages import Answer, Column, Page, get, post, see_other

COLUMNS = (
    Column("name", "Backup"),
    Column("at", "Made", "moment"),
    Column("bytes", "Size", "size"),
    Column("state", "Read through"),
)
RUNS = 20
MADE = "house.back_up"
"""The key in the log of jobs under which backups stand, those by `cheng backup` too."""
OLD = days(7).us
"""When the last backup is older than this, the overview says so."""


def needed(ask: Ask) -> Shelf:
    """Where backups lie. Refused (409) in a process without a shelf."""
    if ask.hub.backups is None:
        raise Refused("no-backups", "Backups cannot be made from this process.", status=409)
    return ask.hub.backups


def last_made(ask: Ask) -> JobRun | None:
    """The last backup that was made, from here or by `cheng backup`."""
    return next((run for run in JobLog(ask.hub.store).recent(MADE, RUNS) if run.outcome == "done"), None)


@get("/console/backups", needs=("backup", "store"), entry="Backups", order=17)
def backups(ask: Ask) -> Page:
    """What lies on the shelf, what is under way, and how it is restored."""
    there = ask.hub.backups
    archives = there.archives() if there is not None else []
    rows = [row_of(ask, archive) for archive in archives]
    running = {key: under_way(ask, progress) for key, progress in there.progress().items()} if there is not None else {}
    runs = [run_row(ask, run) for run in JobLog(ask.hub.store).recent(MADE, RUNS)]
    data: dict[str, Any] = {"backups": rows, "under_way": running, "runs": runs}
    if there is not None:
        data["needs"], data["free"] = there.room()
        data["folder"] = str(there.folder.absolute())
    extra = {"can": there is not None and ask.hub.store.dialect == "sqlite", "beside": beside(ask)}
    return Page("console/backups.html", data, rows="backups", columns=COLUMNS, keep=("url", "restore"), extra=extra)


def beside(ask: Ask) -> bool:
    """Whether backups lie on the same disk as what they are backups of."""
    there, data = ask.hub.backups, ask.hub.settings.data
    return there is not None and (not there.folder.is_dir() or there.folder.stat().st_dev == data.stat().st_dev)


def row_of(ask: Ask, archive: Archive) -> dict[str, Any]:
    run = archive.proved
    state = "" if run is None else "under way" if not run.outcome else "whole" if run.outcome == "done" else "damaged"
    command = f"cheng restore {needed(ask).folder.absolute() / archive.name} --data NEW-FOLDER"
    return {
        "name": archive.name,
        "at": archive.at,
        "bytes": archive.bytes,
        "state": state,
        "restore": command,
        "url": ask.url(f"/console/backups/{archive.name}/download"),
    }


def run_row(ask: Ask, run: JobRun) -> dict[str, Any]:
    took = None if run.finished is None else run.finished - run.started
    return {"started": run.started, "took": took, "outcome": run.outcome or "under way", "log": words(ask, run.said)}


@post("/console/backups", needs=("backup", "store"))
def make(ask: Ask) -> Answer:
    """Begin a backup."""
    name = needed(ask).make()
    note(ask, "backup", Target("store"), deed="make", file=name)
    return see_other(ask, "/console/backups", "The backup has begun; the hub goes on meanwhile.")


@post("/console/backups/{name:str}/prove", needs=("backup", "store"))
def prove(ask: Ask, name: str) -> Answer:
    """Begin to read a backup through."""
    needed(ask).prove(name)
    note(ask, "backup", Target("store"), deed="prove", file=name)
    return see_other(ask, "/console/backups", "The backup is being read through.")


@post("/console/backups/{name:str}/remove", needs=("backup", "store"))
def remove(ask: Ask, name: str) -> Answer:
    """Throw a backup away."""
    needed(ask).remove(name)
    note(ask, "backup", Target("store"), deed="remove", file=name)
    return see_other(ask, "/console/backups", "The backup was thrown away.")


@get("/console/backups/{name:str}/download", needs=("backup", "store"), api=True, opt={"uncompressed": True})
def download(ask: Ask, name: str) -> File:
    """The archive itself. It holds everything, personal details and hashes too; the audit keeps who had it."""
    file = needed(ask).path(name)
    note(ask, "backup", Target("store"), deed="download", file=name)
    return File(file, filename=name, media_type="application/x-tar", headers={"Cache-Control": "no-store"})


routes = [backups, make, prove, remove, download]
