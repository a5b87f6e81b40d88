"""The data folder belongs to one process at a time, which leaves word of where it can be reached."""

import fcntl
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cheng.standards.problems import Problem, SpecError

LOCK = "cheng.lock"
RUNNING = "running.json"


@dataclass(frozen=True, slots=True)
class Running:
    """A hub that runs on this folder. `secret` lets whoever may read the folder speak to it as the house."""

    pid: int
    url: str
    secret: str


class DataFolder:
    """The folder, held for as long as the block lasts. Raises SpecError when it cannot be used or somebody has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = -1

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise unusable(self.folder, error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            self._lock = -1
            there = running(self.folder)
            who = f"by the hub at {there.url} (process {there.pid})" if there else "by another cheng"
            hint = "stop that one first, or name another folder with --data"
            raise SpecError([Problem("S301", f"The data folder is in use {who}", str(self.folder), hint)]) from None
        (self.folder / RUNNING).unlink(missing_ok=True)
        return self

    def announce(self, url: str) -> Running:
        """Leaves word of where the hub answers, readable by the folder's owner alone."""
        told = Running(os.getpid(), url, secrets.token_urlsafe(32))
        fresh = self.folder / f".{RUNNING}"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(told), file)
        fresh.replace(self.folder / RUNNING)
        return told

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock >= 0:
            (self.folder / RUNNING).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1


def unusable(folder: Path, error: OSError) -> SpecError:
    """Why a folder can hold no data."""
    problem = f"The data folder cannot be used: {error.strerror}"
    return SpecError([Problem("S300", problem, str(folder), "name another one with --data, or mend its permissions")])


def running(folder: Path) -> Running | None:
    """The hub that runs on the folder, as it left word; None when none does."""
    try:
        told = json.loads((folder / RUNNING).read_text("utf-8"))
        return Running(int(told["pid"]), str(told["url"]), str(told["secret"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def in_use(folder: Path) -> bool:
    """Whether another process holds the folder now."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
