"""Many commands at once, on both stores: each has the number it is kept under, and old ones go."""

import pytest
from sqlalchemy import select

from cheng.infrastructure.bus import Bus
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.command_book import CommandBook
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.store import Store
from cheng.infrastructure.tables import commands
from cheng.infrastructure.things import Things
from cheng.kernel.model import Model
from works import small_works

pytestmark = pytest.mark.backends


def test_each_command_is_told_by_the_number_it_is_kept_under(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, told = ManualClock(1_000_000), dict[int, str]()
    things, bus = Things(store, Model.of([small_works]), clock), Bus()
    names = [f"p{n}" for n in range(2_500)]
    assert not things.put([NewThing(name, "Pump", properties={"site": "North"}) for name in names], "test").refused
    book = CommandBook(store, things, bus, clock)
    monkeypatch.setattr(bus, "publish", lambda topic, body: told.update({body["id"]: body["thing"]}))
    sent, refused = book.send_all(((name, "run", {"speed": 5, "mode": "soft"}) for name in names), "test")
    assert (sent, refused) == (2_500, [])
    assert list(told.values()) == names
    with store.read() as conn:
        assert {row.id: row.thing for row in conn.execute(select(commands.c.id, commands.c.thing))} == told
    assert book.trim(1_000_000) == 0
    assert book.trim(1_000_001) == 2_500
