"""The bus: in order, from any thread, and nobody waits for who is slow."""

import asyncio
import threading

import pytest

from cheng.infrastructure.bus import CUT_OFF, Bus, Message, Subscription, open_bus
from cheng.standards.problems import SpecError


async def take(subscription: Subscription, count: int) -> list[Message]:
    return [await anext(subscription) for _ in range(count)]


def test_everyone_hears_what_they_asked_for_in_order() -> None:
    async def story() -> None:
        bus = Bus()
        alerts, everything = bus.subscribe("alerts/*", "cases/closed"), bus.subscribe("*")
        for topic in ("alerts/raised", "cases/opened", "cases/closed"):
            bus.publish(topic, {"about": topic})
        heard = [message.topic for message in await take(alerts, 2)]
        assert heard == ["alerts/raised", "cases/closed"]
        assert [message.number for message in await take(everything, 3)] == [1, 2, 3]
        assert (bus.counters.published, bus.counters.delivered, bus.counters.subscribers) == (3, 5, 2)
        bus.close()
        assert [message async for message in alerts] == []
        assert bus.counters.subscribers == 0

    asyncio.run(story())


def test_several_are_taken_at_once_but_no_more_than_asked_for() -> None:
    async def story() -> None:
        bus = Bus()
        heard = bus.subscribe("t/*")
        for n in range(5):
            bus.publish("t/1", {"n": n})
        assert [message.body["n"] for message in await heard.several(3)] == [0, 1, 2]
        assert [message.body["n"] for message in await heard.several()] == [3, 4]
        bus.close()
        assert await heard.several() == []

    asyncio.run(story())


def test_from_many_threads_nothing_is_lost_and_each_keeps_its_order() -> None:
    async def story() -> None:
        bus = Bus(limit=10_000)

        def shout(who: int) -> None:
            for n in range(500):
                bus.publish(f"t/{who}", {"n": n})

        async with bus.subscribe("t/*") as heard:
            threads = [threading.Thread(target=shout, args=(who,)) for who in range(4)]
            for thread in threads:
                thread.start()
            messages = await take(heard, 2000)
            for thread in threads:
                thread.join()
        assert [message.number for message in messages] == sorted(message.number for message in messages)
        for who in range(4):
            assert [m.body["n"] for m in messages if m.topic == f"t/{who}"] == list(range(500))

    asyncio.run(story())


def test_who_is_slow_is_cut_off_and_told_and_the_others_go_on() -> None:
    async def story() -> None:
        bus = Bus()
        slow, quick = bus.subscribe("t", limit=3), bus.subscribe("t")
        for n in range(6):
            bus.publish("t", {"n": n})
        assert [message.body["n"] for message in await take(quick, 6)] == list(range(6))
        told = [message async for message in slow]
        assert [(message.topic, message.body) for message in told] == [(CUT_OFF, {"missed": 4})]
        assert (bus.counters.cut_off, bus.counters.subscribers) == (1, 1)
        quick.close()

    asyncio.run(story())


def test_closing_ends_an_iteration_that_waits() -> None:
    async def story() -> None:
        bus = Bus()
        subscription = bus.subscribe("t")
        waiting = asyncio.create_task(anext(subscription, None))
        await asyncio.sleep(0)
        subscription.close()
        assert await waiting is None
        bus.publish("t", {})
        assert bus.counters.delivered == 0

    asyncio.run(story())


def test_a_listener_whose_loop_is_gone_disturbs_nobody() -> None:
    bus = Bus(limit=2)
    left: list[Subscription] = []

    async def listen() -> None:
        left.append(bus.subscribe("t"))

    asyncio.run(listen())
    for _ in range(5):
        bus.publish("t", {})
    assert bus.counters.subscribers == 0


def test_topics_with_ids_do_not_fill_the_memory() -> None:
    bus = Bus()
    for n in range(10_100):
        bus.publish(f"things/{n}", {})
    assert len(bus._interested) < 10_100


def test_says_what_it_wants_to_hear() -> None:
    with pytest.raises(ValueError, match="what it wants"):
        Bus().subscribe()


def test_other_buses_are_refused() -> None:
    assert isinstance(open_bus("memory://"), Bus)
    with pytest.raises(SpecError, match="not there yet"):
        open_bus("nats://localhost")
