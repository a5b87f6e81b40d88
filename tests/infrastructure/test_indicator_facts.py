"""What many readings come to for each thing, however they lie in batches."""

from collections.abc import Iterator, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure.indicator_facts import by_thing
from cheng.kernel.observations import BAD, Batch, Quality

SPOILT = next(mark for mark in Quality if mark & BAD)
reading = st.tuples(st.integers(0, 6), st.integers(-50, 50) | st.just(float("nan")), st.booleans())


class Shelf:
    """Readings in batches, one list each."""

    def __init__(self, batches: Sequence[Sequence[tuple[int, float, bool]]]) -> None:
        self.batches = batches

    def scan(self, attrs: Sequence[int] | None = None, start: int = 0, end: int = 0) -> Iterator[Batch]:
        for batch in self.batches:
            things, values, bad = zip(*batch, strict=True) if batch else ((), (), ())
            marks = np.array([int(SPOILT) if each else 0 for each in bad], np.uint16)
            yield Batch.of(things, [0] * len(batch), range(len(batch)), values, quality=marks)


@given(st.lists(st.lists(reading, max_size=12), max_size=4))
def test_each_thing_has_the_count_sum_and_ends_of_its_good_readings(
    batches: list[list[tuple[int, float, bool]]],
) -> None:
    good: dict[int, list[float]] = {}
    for thing, value, bad in (each for batch in batches for each in batch):
        if not bad and value == value:
            good.setdefault(thing, []).append(value)
    wanted = {thing: (len(each), sum(each), min(each), max(each)) for thing, each in good.items()}
    assert by_thing(Shelf(batches), [0], 0, 1) == wanted


def test_without_readings_or_attributes_there_is_nothing() -> None:
    assert by_thing(None, [0], 0, 1) == {}
    assert by_thing(Shelf([[(1, 2.0, False)]]), [], 0, 1) == {}
