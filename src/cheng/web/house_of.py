"""What the pages need of the house they stand in."""

from typing import Protocol

from cheng.infrastructure.bus import Bus
from cheng.infrastructure.clock import Clock
from cheng.infrastructure.settings import Settings
from cheng.infrastructure.store import Store
from cheng.security.accounts import Accounts
from cheng.security.sessions import Sessions
from cheng.security.sign_in import Door
from cheng.security.tokens import TokenBook


class House(Protocol):
    """The part of the hub without which no page can be shown; pages reach for more by `ask.hub`."""

    @property
    def settings(self) -> Settings: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def store(self) -> Store: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def door(self) -> Door: ...
    @property
    def tokens(self) -> TokenBook: ...
