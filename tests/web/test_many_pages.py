"""When many pages are open: they are told of changes a few at a time, and what they all ask for is drawn once."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.security.actors import Actor
from cheng.web.city.areas import eyes
from cheng.web.house.changes import STEP, Changes
from cheng.web.shared import Shared

READINGS, ALERTS = frozenset({"readings"}), frozenset({"alerts"})


def test_so_many_at_a_time_and_who_waited_longest_first() -> None:
    changes = Changes[int](2 / STEP)
    changes.add(range(5), READINGS)
    assert changes.take(10) == {READINGS: [0, 1]}
    assert changes.take(10) == {}
    changes.add([0, 2], ALERTS)
    assert changes.due() == 10 + STEP
    assert changes.take(10 + STEP) == {READINGS | ALERTS: [2], READINGS: [3]}
    changes.forget(4)
    assert changes.take(11) == {ALERTS: [0]}
    assert changes.due() == float("inf")


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("abc")), max_size=40))
def test_everybody_hears_of_everything(added: list[tuple[int, str]]) -> None:
    changes, heard = Changes[int](1 / STEP), set[tuple[int, str]]()
    for now, (reader, topic) in enumerate([*added, *[(9, "z")] * 10]):
        changes.add([reader], frozenset(topic))
        heard |= {(who, each) for topics, those in changes.take(now).items() for who in those for each in topics}
    assert heard >= set(added)


def test_what_all_ask_for_is_drawn_once_until_something_happens() -> None:
    drawn: list[str] = []

    async def draw() -> int:
        await asyncio.sleep(0)
        drawn.append("x")
        return len(drawn)

    async def ask() -> None:
        shared = Shared()
        assert await asyncio.gather(*(shared.get("a", draw) for _ in range(5))) == [1] * 5
        assert await shared.get("b", draw) == 2
        leaving = asyncio.ensure_future(shared.get("c", draw))
        staying = asyncio.ensure_future(shared.get("c", draw))
        await asyncio.sleep(0)
        leaving.cancel()
        assert await staying == 3
        shared.changed()
        assert await shared.get("a", draw) == 4

    asyncio.run(ask())


def test_a_part_is_shared_by_those_who_may_know_the_same(visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[Any] = []

    async def get(self: Shared, key: Any, draw: Any) -> Any:
        keys.append(key)
        return await draw()

    monkeypatch.setattr(Shared, "get", get)
    leader, operator = visitor("leader"), visitor("operator")
    for who in (leader, leader, operator):
        assert who.get("/dashboard/happening", headers={"hx-request": "true"}).status_code in (200, 403)
    leader.get("/dashboard/happening")
    leader.get("/dashboard/happening?lang=en", headers={"hx-request": "true"})
    assert keys[0] == keys[1]
    assert len(set(keys)) == len(keys) - 1
    assert visitor().get("/dashboard/happening", headers={"hx-request": "true"}).status_code in (303, 401, 403)


@pytest.mark.parametrize(("role", "whose"), [("leader", None), ("officer", "li.na"), ("citizen", "li.na")])
def test_where_cases_of_their_own_are_among_them_it_is_drawn_for_everyone_alone(role: str, whose: str | None) -> None:
    ask: Any = SimpleNamespace(actor=Actor("li.na", roles=(role,), department="Drainage"))
    assert eyes(ask) == whose


@pytest.mark.parametrize("part", ["numbers", "place", "happening"])
def test_a_part_drawn_once_is_the_part_for_each(visitor: Any, part: str) -> None:
    leader = visitor("leader")
    first, again = (leader.get(f"/dashboard/{part}", headers={"hx-request": "true"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.text == again.text != ""
