"""PostgreSQL: COPY of each delivery in a transaction of its own, on a table that is indexed by thing and time.

The machine's own programs where they are, Debian's package unpacked otherwise. Synced before every answer
(`fsync`, `synchronous_commit`, `full_page_writes` on, as they come), with room: 1 GB of buffers and a write-ahead log
large enough that no checkpoint falls into a run.
"""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.measuring import Durability, free_port, program
from bench.peers import debian
from bench.peers.feeding import Store

SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_buffers": "64MB",
    "jit": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}
TABLE = """
CREATE TABLE readings (thing text COLLATE "C" NOT NULL, time bigint NOT NULL, value double precision NOT NULL);
CREATE INDEX ON readings (thing, time);
"""


class PostgreSQL(Store):
    """The commit waits for the disk; four connections share its syncs."""

    name = "PostgreSQL"
    durability: Durability = "fsync before ack"
    file = "obs.csv"

    def prepare(self, home: Path) -> None:
        own = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
        self.root = None if own else debian.unpack(home, "postgresql-15", "libpq5")
        self.programs = own[-1].parent if own else home / "root" / "usr" / "lib" / "postgresql" / "15" / "bin"

    def version(self) -> str:
        return debian.said([str(self.programs / "postgres"), "--version"], env=self.surroundings())

    def surroundings(self) -> dict[str, str]:
        return debian.surroundings(self.root) if self.root else dict(os.environ)

    @contextmanager
    def serving(self, data: Path) -> Iterator[tuple[int, int]]:
        """PostgreSQL refuses to be run by root: then it is run by somebody who may do nothing."""
        who = next((p.pw_name for p in pwd.getpwall() if p.pw_name in ("postgres", "nobody")), None)
        user = who if os.getuid() == 0 else None
        if user:
            data.chmod(0o755)
        cluster, port = data / "cluster", free_port()
        cluster.mkdir()
        if user:
            shutil.chown(cluster, user)
        how = {"env": self.surroundings(), "user": user, "cwd": cluster}
        words = ["initdb", "-D", str(cluster), "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run([self.programs / words[0], *words[1:]], check=True, stdout=subprocess.DEVNULL, **how)  # type: ignore[call-overload]  # Popen's
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with program([str(self.programs / "postgres"), "-D", str(cluster), "-p", str(port), *options], **how) as server:
            with patient(port) as connection:
                connection.execute(TABLE)
            yield server.pid, port

    def connect(self, port: int) -> Callable[[bytes], None]:
        connection = patient(port)

        def copy(delivery: bytes) -> None:
            with connection.cursor() as cursor, cursor.copy("COPY readings FROM STDIN") as stream:
                stream.write(delivery)
            connection.commit()

        return copy

    def form(self, delivery: bytes) -> bytes:
        """COPY's text format, which it reads faster than CSV."""
        return delivery.replace(b",", b"\t")

    def rows(self, port: int) -> list[tuple[str, int, float]]:
        with patient(port) as connection:
            return connection.execute("SELECT thing, count(*), sum(value) FROM readings GROUP BY thing").fetchall()


def patient(port: int) -> psycopg.Connection[tuple[str, int, float]]:
    """A connection, as soon as the server is up."""
    for _ in range(200):
        try:
            return psycopg.connect(f"host=127.0.0.1 port={port} user=bench dbname=postgres sslmode=disable")
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL does not answer")
