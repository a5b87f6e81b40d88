"""The backups that lie beside the hub: made from the console in the background, read through, fetched, thrown away.

`serve` gives the hub its shelf (`hub.backups`), because pages do not know what stands above them. Whether somebody may
is asked by the page; what was done stands in the log of jobs, where `cheng backup` writes too.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from cheng.backups import back_up, needed, prove
from cheng.beside import Archive
from cheng.hub import Hub
from cheng.infrastructure.job_log import JobLog, JobRun, Said
from cheng.infrastructure.progress import Progress
from cheng.standards.moments import when
from cheng.standards.problems import Refused
from cheng.worker import Worker

BACK_UP, PROVE = "house.back_up", "house.prove_backup"
"""Keys in the log of jobs."""
NAME = re.compile(r"cheng-\d{8}-\d{6}\.tar")
LOOKED_AT = 200
"""Runs in which the verdict on an archive is looked for."""


class BackupShelf:
    """The folder `backups` of the settings."""

    def __init__(self, hub: Hub, worker: Worker) -> None:
        self.hub, self.worker = hub, worker
        self.folder = Path(hub.settings.backups or hub.settings.data / "backups")

    def archives(self) -> list[Archive]:
        """What lies there, the newest first."""
        proved: dict[str, JobRun] = {}
        for run in JobLog(self.hub.store).recent(PROVE, LOOKED_AT):
            proved.setdefault(str(run.said.values.get("file")), run)
        files = [file for file in self.folder.glob("cheng-*.tar") if NAME.fullmatch(file.name)]
        found = [(file, file.stat()) for file in files]
        rows = [Archive(f.name, s.st_size, s.st_mtime_ns // 1000, proved.get(f.name)) for f, s in found]
        return sorted(rows, key=lambda archive: archive.name, reverse=True)

    def room(self) -> tuple[int, int]:
        """(bytes that the next backup needs while it is made, bytes that are free there)."""
        there = next(folder for folder in (self.folder, *self.folder.parents) if folder.is_dir())
        return needed(self.hub), shutil.disk_usage(there).free

    def make(self) -> str:
        """Begins a backup; its name. Refused: one is being made, there is no room, the store is PostgreSQL."""
        if self.hub.store.dialect != "sqlite":
            raise Refused("not-here", "The store is PostgreSQL: back it up with pg_dump, and copy the data folder.")
        wanted, free = self.room()
        if wanted > free:
            values = {"needed": wanted // 10**6, "free": free // 10**6}
            raise Refused("no-room", "There is no room: it needs {needed} MB, {free} MB are free.", values, status=507)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = when(self.hub.clock.now(), self.hub.settings.zone)
        file = self.folder / f"cheng-{made:%Y%m%d-%H%M%S}.tar"
        self.worker.begin(BACK_UP, lambda progress: said(back_up(self.hub, file, progress)))
        return file.name

    def prove(self, name: str) -> None:
        """Begins to read an archive through. Refused (404): there is none; or one is being read."""
        file = self.path(name)
        self.worker.begin(PROVE, reading(file))

    def path(self, name: str) -> Path:
        """Where an archive lies. Refused (404) when there is none of that name."""
        file = self.folder / name
        if not NAME.fullmatch(name) or not file.is_file():
            raise Refused("not-there", "There is no backup {name}.", {"name": name[:80]}, status=404)
        return file

    def remove(self, name: str) -> None:
        """Throws an archive away. Refused (404) when there is none of that name."""
        self.path(name).unlink(missing_ok=True)

    def progress(self) -> dict[str, Progress]:
        """What is under way, by its key."""
        found = {key: self.worker.progress(key) for key in (BACK_UP, PROVE)}
        return {key: progress for key, progress in found.items() if progress is not None}


def reading(file: Path) -> Callable[[Progress], Said]:
    """Reads a file through; the log of either outcome names it."""

    def read(progress: Progress) -> Said:
        try:
            told = prove(file, progress)
        except Refused as refused:
            raise Refused("not-whole", "{file}: {reason}", {"file": file.name, "reason": str(refused)}) from refused
        return Said("{file} is whole; files: {n}.", {"file": file.name, "n": told["files"]})

    return read


def said(told: dict[str, object]) -> Said:
    """What came of a backup, for the log."""
    size = f"{int(str(told['bytes'])) / 1e6:,.1f}"
    return Said(
        "{file} is written; files: {n}, together {size} MB.", {"file": told["file"], "n": told["files"], "size": size}
    )
