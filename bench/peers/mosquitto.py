"""mosquitto 2.0: a broker that stores nothing, with no limits of its own in the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measuring import Durability, free_port, program, wait_for
from bench.peers import debian

SETTINGS = """
listener {port} 127.0.0.1
allow_anonymous true
persistence false
log_type none
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 0
"""


class Mosquitto:
    """Its acknowledgements promise nothing: what it holds is gone with it, by default for 30 minutes even if stored."""

    name = "mosquitto"
    durability: Durability = "volatile"

    def prepare(self, home: Path) -> None:
        libraries = ("libcjson1", "libdlt2", "libwrap0")
        self.root = debian.unpack(home, "mosquitto", *libraries)

    def version(self) -> str:
        return debian.version(self.root, "mosquitto")

    @contextmanager
    def serving(self, data: Path) -> Iterator[tuple[int, int]]:
        """A broker: its process and its port."""
        port = free_port()
        settings = data / "mosquitto.conf"
        settings.write_text(SETTINGS.format(port=port))
        words = [str(self.root / "usr" / "sbin" / "mosquitto"), "-c", str(settings)]
        own = debian.surroundings(self.root)
        with program(words, env=own) as broker:
            wait_for(port)
            yield broker.pid, port
