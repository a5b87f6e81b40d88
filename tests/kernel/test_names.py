"""Names are found by their bytes, whatever they are, however many, and while more come in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.kernel.meanings import holds, with_more
from cheng.kernel.names import Names


@given(st.lists(st.lists(st.text(max_size=20), max_size=30), max_size=4), st.lists(st.text(max_size=20), max_size=10))
def test_names_have_the_numbers_of_a_dictionary(lots: list[list[str]], others: list[str]) -> None:
    names, expected = Names(), dict[str, int]()
    said: list[str] = []
    for lot in lots:
        for number, name in enumerate(lot, len(said)):
            if name:
                expected.setdefault(name, number)
        said += lot
        names.add(lot)
    asked = [*said, *others]
    assert names.find(asked).tolist() == [expected.get(name, -1) for name in asked]
    assert [names.told(number) for number in range(len(names))] == said


@pytest.mark.parametrize("count", [1, 15, 16, 17, 31, 32, 33])
def test_a_full_table_says_of_others_that_they_are_none_of_it(count: int) -> None:
    names = Names()
    names.add([str(n) for n in range(count)])
    assert names.find(["0", str(count)]).tolist() == [0, -1]


def test_a_table_that_was_taken_before_knows_what_it_knew() -> None:
    names = Names()
    names.add(["one", "two"])
    before = names.table
    names.add([f"name-{n:05d}" for n in range(10_000)])
    assert names.table is not before
    assert before.slots[before.slots != 0].size == 2
    assert names.find(["one", "name-00000", "name-09999", "name-10000"]).tolist() == [0, 2, 10_001, -1]


@given(st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=40), max_size=4))
def test_a_set_of_numbers_grows(lots: list[list[int]]) -> None:
    held = np.full(1, -1, np.int32)
    for lot in lots:
        held = with_more(held, np.array(lot, np.int32))
    wanted = {number for lot in lots for number in lot}
    assert set(held[held >= 0].tolist()) == wanted
    assert len(held) > len(wanted)
    for number in [0, 1, 2**31 - 1, *wanted]:
        assert bool(holds(held, number)) == (number in wanted)
