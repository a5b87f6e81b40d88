"""A PostgreSQL server of one test session's own, from the binaries on the machine; gone when the session ends."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from cheng.infrastructure.store import Store

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB")


def folder_of_binaries() -> Path | None:
    """Where `initdb` and the server itself lie side by side; wrappers of distributions lack the one or the other."""
    on_path = shutil.which("initdb")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name, reverse=True)
    return next((each for each in candidates if (each / "initdb").exists() and (each / "postgres").exists()), None)


def user_to_run_as() -> str | None:
    """PostgreSQL refuses to run as root: the user to become, or None for the one we are."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


class Postgres:
    """A running server; `database()` hands out fresh, migrated databases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        self._have_template = False

    def url(self, database: str) -> str:
        return f"postgresql://cheng@/{database}?host={quote(str(self.folder), safe='')}"

    def run(self, statement: str) -> None:
        """Run one statement of administration."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            conn.execute(statement.encode())

    def empty_database(self) -> str:
        """The URL of a database without tables."""
        name = f"empty_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a database with all tables, dropped afterwards."""
        if not self._have_template:
            self.run("CREATE DATABASE template_cheng")
            Store(self.url("template_cheng")).close()
            self._have_template = True
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE template_cheng")
        yield self.url(name)
        self.run(f"DROP DATABASE {name} WITH (FORCE)")


def quick_folder() -> str | None:
    """The machine's memory where it offers some as a folder, else None for the usual place."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2**30 else None


@contextmanager
def server(binaries: Path) -> Iterator[Postgres]:
    """Start a server that listens on a socket in a folder of its own, and stop it in the end."""
    user = user_to_run_as()
    folder = Path(tempfile.mkdtemp(prefix="cheng-pg-", dir=quick_folder()))
    if user:
        shutil.chown(folder, user)
    options: dict[str, Any] = {}
    if user:
        options = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    data = folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "cheng", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        check=True, capture_output=True, cwd=folder, **options,
    )  # fmt: skip
    settings = [word for setting in FAST for word in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", *settings],
            stdout=log, stderr=log, cwd=folder, **options,
        )  # fmt: skip
    postgres = Postgres(folder)
    try:
        wait(postgres, process)
        yield postgres
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def wait(postgres: Postgres, process: subprocess.Popen[bytes]) -> None:
    """Until the server answers; RuntimeError with its log when it does not."""
    deadline = time.monotonic() + 30
    while True:
        try:
            postgres.run("SELECT 1")
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((postgres.folder / "log").read_text()) from None
            time.sleep(0.05)  # the server tells nobody when it is ready
