"""The clock never goes back, follows a clock set forward, and wakes who waits."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure.clock import Clock, ManualClock, wall

SECOND = 1_000_000


class Machine:
    """A machine whose two clocks the test moves."""

    def __init__(self) -> None:
        self.wall = 1_000 * SECOND
        self.steady = 0

    def pass_by(self, us: int) -> None:
        self.wall += us
        self.steady += us * 1000

    def clock(self, speed: float = 1.0, start: int | None = None) -> Clock:
        return Clock(speed, start, wall=lambda: self.wall, steady=lambda: self.steady)


def test_tells_the_machines_time() -> None:
    before = wall()
    assert before <= Clock().now() <= wall()


def test_goes_on_slower_when_the_machine_is_set_back_until_they_agree() -> None:
    machine = Machine()
    clock = machine.clock()
    start = clock.now()
    machine.wall -= 10 * SECOND
    assert clock.now() == start
    machine.pass_by(SECOND)
    assert clock.now() == start + 900_000
    assert clock.ahead == 9_900_000
    machine.pass_by(99 * SECOND)
    assert clock.ahead == 0
    machine.pass_by(SECOND)
    assert clock.now() == machine.wall


def test_many_looks_do_not_stop_a_clock_that_catches_up() -> None:
    machine = Machine()
    clock = machine.clock()
    start = clock.now()
    machine.wall -= 3600 * SECOND
    for _ in range(10_000):
        machine.pass_by(7)
        clock.now()
    assert clock.now() - start == pytest.approx(63_000, rel=0.2)


def test_follows_a_machine_set_forward() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 3600 * SECOND
    assert clock.now() == machine.wall
    assert clock.ahead == 0


def test_runs_faster_from_a_given_day() -> None:
    machine = Machine()
    clock = machine.clock(60, 5 * SECOND)
    assert clock.now() == 5 * SECOND
    machine.pass_by(SECOND)
    machine.wall -= 77 * SECOND
    assert clock.now() == 65 * SECOND
    assert clock.ahead == 0


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(-(10**12), 10**12)), max_size=50))
def test_never_goes_back(steps: list[tuple[int, int]]) -> None:
    machine = Machine()
    clock = machine.clock()
    last = clock.now()
    for passed, jump in steps:
        machine.pass_by(passed)
        machine.wall += jump
        now = clock.now()
        assert now >= last
        last = now


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_refuses_to_stand_still(speed: float) -> None:
    with pytest.raises(ValueError, match="cannot run"):
        Clock(speed)


def test_waits_at_its_own_speed() -> None:
    async def story() -> int:
        clock = Clock(speed=1000, start=0)
        await clock.sleep(5 * SECOND)  # five milliseconds of ours
        return clock.now()

    assert asyncio.run(story()) >= 5 * SECOND


def test_manual_clock_wakes_in_time() -> None:
    async def story() -> list[str]:
        clock = ManualClock(0)
        woken: list[str] = []

        async def wait(name: str, at: int) -> None:
            await clock.sleep_until(at)
            woken.append(name)

        tasks = [asyncio.create_task(wait("late", 20)), asyncio.create_task(wait("soon", 10))]
        await asyncio.sleep(0)
        await clock.sleep_until(0)
        clock.advance(9)
        await asyncio.sleep(0)
        assert woken == []
        clock.advance(1)
        await tasks[1]
        assert woken == ["soon"]
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        clock.set(100)
        await asyncio.sleep(0)
        return woken

    assert asyncio.run(story()) == ["soon"]


def test_manual_clock_does_not_go_back() -> None:
    clock = ManualClock(5)
    assert clock.set(7) == clock.now() == 7
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)
