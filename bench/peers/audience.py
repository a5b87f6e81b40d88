"""Many listeners in one process: what is sent, and when it came to each of them.

Everybody hears everything in the order it was sent, so that the n-th message of a listener is the n-th that was sent.
One thread sends and listens: both ends have one clock, and a read costs a listener about a microsecond.
"""

import select
import socket
import time
from collections.abc import Callable

NAP = 0.005
"""Seconds between two looks while deliveries are only counted: several come in one read, which spares the listener."""


class Audience:
    """Sockets on which a message is known by `mark`; `answers` are sockets whose words are read and not counted."""

    def __init__(self, listeners: list[socket.socket], mark: bytes, answers: list[socket.socket]) -> None:
        self.size, self.mark = len(listeners), mark
        self._poll = select.epoll()
        self._socks = {sock.fileno(): sock for sock in (*listeners, *answers)}
        self._heard = {sock.fileno(): 0 for sock in listeners}
        self._rest = {sock.fileno(): b"" for sock in listeners}
        for number in self._socks:
            self._poll.register(number, select.EPOLLIN)
        self._sent: list[float] = []
        self.waits: list[float] = []
        """seconds from sending to hearing, one for each delivery"""

    def paced(self, send: Callable[[int], None], rate: float, messages: int) -> None:
        """Sends so many a second, whoever has heard what; returns when all have heard all."""
        begun = time.perf_counter()
        while len(self._sent) < messages:
            due = begun + len(self._sent) / rate
            if (now := time.perf_counter()) >= due:
                self._say(send)
            else:
                self._listen(due - now)
        self._until_heard(0)

    def saturated(self, send: Callable[[int], None], window: int, seconds: float, most: float) -> float:
        """Deliveries a second with `window` messages on their way all the time, but at most so many sent a second."""
        begun = time.perf_counter()
        while (now := time.perf_counter()) < begun + seconds:
            if self._sent and (due := self._sent[-1] + 1 / most) > now:  # what was missed is not made up for
                self._listen(due - now)
                continue
            self._say(send)
            self._until_heard(window - 1, NAP)
        self._until_heard(0, NAP)
        return len(self.waits) / (time.perf_counter() - begun)

    def _say(self, send: Callable[[int], None]) -> None:
        self._sent.append(time.perf_counter())
        send(len(self._sent) - 1)

    def _until_heard(self, left: int, nap: float = 0) -> None:
        """Listens until at most so many messages are still on their way."""
        patience = time.perf_counter() + 30
        while len(self._sent) * self.size - len(self.waits) > left * self.size:
            if time.perf_counter() > patience:
                raise RuntimeError(f"{len(self.waits):,} of {len(self._sent) * self.size:,} deliveries came")
            time.sleep(nap)
            self._listen(1)

    def _listen(self, patience: float) -> None:
        for number, _ in self._poll.poll(patience):
            data = self._socks[number].recv(1 << 16)
            if not data:
                raise RuntimeError("the server hung up")
            now = time.perf_counter()
            if number not in self._heard:
                if data.startswith(b"HTTP/1.1 ") and data[9:10] != b"2":
                    raise RuntimeError(f"the server answered {data[:300]!r}")
                continue
            data = self._rest[number] + data
            self._rest[number] = data[1 - len(self.mark) :]
            for _ in range(data.count(self.mark)):
                self.waits.append(now - self._sent[self._heard[number]])
                self._heard[number] += 1
