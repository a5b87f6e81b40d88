"""What is settled in one compiled pass is what the names would have said, for every kind of value, unit and sender."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.registration import NewThing
from cheng.infrastructure.resolving import Scope, resolve
from cheng.infrastructure.store import Store
from cheng.infrastructure.things import Things
from cheng.kernel.observations import Batch, Quality
from cheng.protocols.decoding import NDJSON, NO_MEANINGS, SENML, decode
from cheng.security.actors import Scope as Covered
from cheng.standards.problems import InputError
from laboratory import model

NOW = 1_795_132_800_000


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Things]:
    store = Store(tmp_path_factory.mktemp("register") / "cheng.db")
    register = Things(store, model(), ManualClock(NOW * 1000))
    rows = [NewThing(f"valve-{n}", "Valve", properties={"bench": "A"}) for n in range(3)]
    register.put([*rows, NewThing("van-1", "Van")], "test")
    register.meet(["stranger-1"])
    yield register
    store.close()


def line(thing: str, attr: str, value: object, unit: str = "") -> bytes:
    said = {"id": thing, "attr": attr, "time": NOW, "value": value} | ({"unit": unit} if unit else {})
    return json.dumps(said).encode()


def scope(things: Things, covered: Covered | None) -> Scope | None:
    return None if covered is None else Scope(things, covered.covers, covered.types)


def told(things: Things, payload: bytes, media_type: str, may: Scope | None, named: bool) -> Any:
    """The batch and the refusals, found by numbers or by names."""
    reports, _ = decode(payload, media_type, NO_MEANINGS if named else things.meanings)
    batch, refused = resolve(reports, things, may)
    columns = [column.tolist() for column in (batch.thing, batch.attr, batch.time, batch.value, batch.quality)]
    return columns, np.isnan(batch.latitude).tolist(), [(e.line, e.code, e.reason) for e in refused]


SCOPES = st.sampled_from(
    [
        None,
        Covered(),
        Covered(ids=frozenset({"valve-1", "van-1", "unheard-of"})),
        Covered(prefixes=("valve", "str")),
        Covered(types=frozenset({"Valve"})),
    ]
)
LINES = st.builds(
    line,
    st.sampled_from(["valve-0", "valve-1", "valve-2", "van-1", "stranger-1", "unheard-of"]),
    st.sampled_from(["pressure", "state", "position", "bench", "colour"]),
    st.sampled_from([1.5, -3, 1e300, True, "open", "shut", "opne", "", [106.5, 29.5], [181, 0], [0, 91], [1e300, 0]]),
    st.sampled_from(["", "", "kPa", "MPa", "kg", "nonsense"]),
)


@given(st.lists(LINES, max_size=8), SCOPES)
def test_numbers_and_names_mean_the_same(things: Things, lines: list[bytes], covered: Covered | None) -> None:
    payload = b"\n".join(lines)
    may = scope(things, covered)
    by_numbers = [told(things, payload, NDJSON, may, named=False) for _ in range(2)]
    by_names = told(things, payload, NDJSON, scope(things, covered), named=True)
    assert by_numbers == [by_names, by_names]


@given(
    st.lists(st.tuples(st.sampled_from(["pressure", "state"]), st.sampled_from(["kPa", "MPa", "kg", ""])), max_size=6)
)
def test_units_of_records_mean_the_same(things: Things, said: list[tuple[str, str]]) -> None:
    pack = [{"n": f"valve-1:{attr}", "t": NOW / 1000, "u": unit, "v": 2} for attr, unit in said]
    payload = json.dumps(pack).encode()
    assert told(things, payload, SENML, None, named=False) == told(things, payload, SENML, None, named=True)


def resolved(things: Things, lines: list[bytes], may: Scope | None = None) -> tuple[Batch, list[InputError]]:
    return resolve(decode(b"\n".join(lines), NDJSON, things.meanings)[0], things, may)


def test_a_thing_that_gets_its_type_is_what_it_then_is(things: Things) -> None:
    reading = line("later-1", "pressure", 5.0)
    batch, _ = resolved(things, [reading])
    assert batch.quality.tolist() == [Quality.UNKNOWN_THING | Quality.UNKNOWN_ATTRIBUTE]
    valves = scope(things, Covered(types=frozenset({"Valve"})))
    assert [error.code for error in resolved(things, [reading], valves)[1]] == ["not-yours"]
    things.put([NewThing("later-1", "Valve", properties={"bench": "B"})], "test")
    for may in (None, valves):
        batch, refused = resolved(things, [reading], may)
        assert (batch.quality.tolist(), refused) == ([0], [])


def test_a_sender_of_nothing_is_refused_everything(things: Things) -> None:
    nobody = scope(things, Covered())
    batch, refused = resolved(things, [line("valve-1", "pressure", 1), line("new-1", "x", 1)], nobody)
    assert (len(batch), [error.code for error in refused]) == (0, ["not-yours"] * 2)
    assert things.find("new-1") is None


def test_a_new_attribute_has_one_index_from_then_on(things: Things) -> None:
    batch, _ = resolved(things, [line("valve-1", "brand-new", 1), line("valve-1", "pressure", 1)])
    again, _ = resolved(things, [line("valve-2", "brand-new", 1)])
    assert again.attr[0] == batch.attr[0] == things.attribute("Valve", "brand-new")
    assert again.quality.tolist() == [Quality.UNKNOWN_ATTRIBUTE]
