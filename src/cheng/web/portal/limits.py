"""How often one address may send something: many people share one, a program that sends all day is none of them."""

import threading
from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address

from cheng.standards.problems import Refused

MINUTE = 60_000_000
SPAN = 60 * MINUTE
MOST = {"form": 120, "photo": 90, "report": 30}
"""What is counted → how often within an hour. Forms that come back with an error are forms, too, and their
photos lie on our disk."""
REMEMBERED = 10_000
"""Addresses kept in memory; who was not seen for longest is forgotten first."""


class Limits:
    """What each address has sent within the last hour. In memory: after a restart everybody begins anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: OrderedDict[tuple[str, str], deque[int]] = OrderedDict()

    def count(self, kind: str, address: str, now: int) -> None:
        """One more. Refused (429) when it was one too many; that one does not count. `now` in µs."""
        with self._lock:
            key = (kind, network(address))
            sent = self._sent.setdefault(key, deque())
            self._sent.move_to_end(key)
            while len(self._sent) > REMEMBERED:
                self._sent.popitem(last=False)
            while sent and sent[0] <= now - SPAN:
                sent.popleft()
            if len(sent) >= MOST[kind]:
                minutes = -(-(sent[0] + SPAN - now) // MINUTE)
                message = "Very much has been sent from your connection; please try again in {minutes} minutes."
                raise Refused("too-many", message, {"minutes": minutes}, status=429)
            sent.append(now)


def network(address: str) -> str:
    """Whose address it is: with IPv6 everybody has some billions of their own."""
    try:
        told = ip_address(address)
    except ValueError:
        return address
    return str(int(told) >> 64) if isinstance(told, IPv6Address) else address
