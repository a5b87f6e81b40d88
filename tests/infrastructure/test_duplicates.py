"""Cases that are perhaps the same are found by place, time, class, text and photo, on both stores."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cheng.hub import Hub
from cheng.infrastructure.case_rows import Entry
from cheng.infrastructure.clock import ManualClock
from cheng.infrastructure.duplicates import Like
from cheng.infrastructure.report_tables import photo_hashes
from cheng.kernel.standing import Person
from cheng.methods.likeness import GROUP, OTHER, SAME
from cheng.standards.durations import days, hours, minutes
from laboratory import open_laboratory
from photographs import photograph

pytestmark = pytest.mark.backends
FLOW = "laboratory.relieve"
DORA = Person("dora", "Command centre", frozenset({"dispatcher"}))
HERE = (120.600, 31.300)
METRE = 1 / 111_195
TEXT = "东街18号门口有垃圾堆，两天没人清理"


@dataclass
class Street:
    """A hub, and reports about a street."""

    hub: Hub
    clock: ManualClock

    def reports(self, north: float = 0, text: str = TEXT, code: str = "E0102", **more: Any) -> Entry:
        """Somebody reports something so many metres north of here."""
        values = {"class": code, **({"id": more.pop("thing")} if "thing" in more else {})}
        place = (HERE[0], HERE[1] + north * METRE)
        return self.hub.cases.open_case(FLOW, **{"values": values, "text": text, "place": place} | more).entry

    def photo(self, data: bytes | None = None) -> list[dict[str, str]]:
        blob = self.hub.blobs.keep(photograph() if data is None else data, photo=True)
        return [{"kind": "photo", "blob": blob.sha256}]

    def merges(self, newer: Entry, older: Entry) -> None:
        self.hub.cases.act(newer.id, "merge", DORA, {"into": older.id, "reason": "The same heap."})

    def voids(self, entry: Entry) -> None:
        self.hub.cases.act(entry.id, "void", DORA, {"reason": "Nothing was there."})

    def like(self, entry: Entry, limit: int = 5) -> list[Like]:
        return list(self.hub.duplicates.like_case(entry, limit))

    def found(self, entry: Entry) -> list[str]:
        return [like.entry.id for like in self.like(entry)]

    def pairs(self) -> list[tuple[str, str]]:
        self.clock.advance(minutes(2).us)
        return [(pair.older.id, pair.newer.entry.id) for pair in self.hub.duplicates.pairs().pairs]


@pytest.fixture
def street(tmp_path: Path, clock: ManualClock, store_url: str) -> Iterator[Street]:
    hub = open_laboratory(tmp_path, clock, store_url)
    yield Street(hub, clock)
    hub.close()


def test_the_likeliest_comes_first_with_its_reasons(street: Street) -> None:
    far = street.reports(70, "东街有垃圾堆")
    street.clock.advance(hours(2).us)
    near = street.reports(18, "垃圾堆在东街18号门口，没人清理")
    related = street.reports(3, "东街道路不洁", "E0104")
    street.clock.advance(hours(2).us)
    mine = street.reports()
    assert street.found(mine) == [near.id, related.id, far.id]
    first, second, _ = street.like(mine)
    assert first.reasons.away == pytest.approx(18, abs=0.1)
    assert first.reasons.earlier == hours(2).us
    assert (first.reasons.shared, second.reasons.shared) == (SAME, GROUP)
    assert 0.5 < (first.reasons.text or 0) < 1
    assert first.reasons.photo is None
    assert first.chance > 0.4 > second.chance


def test_what_came_later_is_found_too(street: Street) -> None:
    mine = street.reports()
    street.clock.advance(hours(1).us)
    later = street.reports()
    (found,) = street.like(mine)
    assert found.entry.id == later.id
    assert found.reasons.earlier == -hours(1).us


def test_nothing_far_away_in_place_time_or_kind(street: Street) -> None:
    street.reports(code="C0101", text="井盖丢失", north=90)
    street.reports(north=260)
    long_ago = street.reports()
    street.clock.advance(days(91).us)
    mine = street.reports()
    assert street.found(mine) == []
    assert street.found(long_ago) == []


def test_what_was_merged_or_void_or_closed_long_ago_is_not_found(street: Street) -> None:
    older, newer, void = street.reports(), street.reports(1), street.reports(2)
    street.merges(newer, older)
    street.voids(void)
    mine = street.reports(3)
    assert street.found(mine) == [older.id]
    street.hub.cases.act(newer.id, "unmerge", DORA, {"reason": "Another heap."})
    assert set(street.found(mine)) == {older.id, newer.id}


def test_parts_of_a_case_and_other_things_are_other_matters(street: Street) -> None:
    whole = street.reports(thing="valve-1")
    street.reports(1, thing="valve-1", parent=whole.id)
    street.reports(2, thing="valve-2")
    unnamed = street.reports(3)
    assert street.found(whole) == [unnamed.id]
    assert street.found(unnamed)[:1] == [whole.id] or len(street.found(unnamed)) == 2


def test_the_same_photo_says_more_than_words(street: Street) -> None:
    street.reports(40, "这里很脏", "E0101", proof=street.photo())
    street.clock.advance(days(2).us)
    plain = street.reports(text="有人乱扔东西")
    shown = street.reports(text="有人乱扔东西", proof=street.photo(photograph((120.6, 31.3), "2026:11:20 08:00:00")))
    before = {like.entry.id: like for like in street.like(plain)}
    after = {like.entry.id: like for like in street.like(shown)}
    other = next(id_ for id_ in after if id_ not in (plain.id, shown.id))
    assert after[other].reasons.photo == 1
    assert len(after[other].photos) == 1
    assert after[other].chance > 0.3
    assert other not in before or before[other].chance < 0.1


def test_a_photo_is_unpacked_once_and_one_that_is_none_never_matters(street: Street) -> None:
    broken = street.photo(b"\xff\xd8\xff\xe0 no photo at all")
    street.reports(1, proof=[*street.photo(), *broken])
    mine = street.reports(proof=broken)
    for _ in range(2):
        (found,) = street.like(mine)
        assert found.reasons.photo is None
    with street.hub.store.read() as conn:
        kept = {row.sha256: row.hash for row in conn.execute(select(photo_hashes))}
    assert len(kept) == 2
    assert kept[broken[0]["blob"]] is None


def test_before_it_is_reported(street: Street) -> None:
    there = street.reports(5)
    told = ("E0102", "垃圾堆没人清理", (), street.clock.now(), FLOW)
    assert [like.entry.id for like in street.hub.duplicates.like(HERE, *told)] == [there.id]
    assert street.hub.duplicates.like((-70.0, 80.0), *told) == ()
    assert street.hub.duplicates.like(HERE, *told, but=[there.id]) == ()
    assert street.hub.duplicates.like((180.0, 90.0), *told) == ()


def test_a_case_without_a_class_is_of_its_flow(street: Street) -> None:
    first = street.reports(code="")
    (found,) = street.like(street.reports(2, code=""))
    assert found.entry.id == first.id
    assert found.reasons.shared == SAME
    assert all(like.reasons.shared == OTHER for like in street.like(street.reports(3)))


def test_is_it_one_of_these(street: Street) -> None:
    near, nearer = street.reports(30), street.reports(10)
    street.reports(5, code="E0104")
    street.voids(street.reports(1))
    ask = street.hub.duplicates.is_it_one_of_these
    assert [each.number for each in ask(HERE, "E0102", FLOW)] == [nearer.number, near.number]
    assert ask(HERE, "E0102", FLOW, limit=1)[0].away == pytest.approx(10, abs=0.1)
    assert ask(HERE, "E0102", "laboratory.other") == ()
    assert ask(HERE, "", FLOW) == ()
    assert not hasattr(ask(HERE, "E0102", FLOW)[0], "text")


def test_no_place_nothing_alike(street: Street) -> None:
    street.reports()
    assert street.found(street.reports(place=None)) == []
    assert len(street.pairs()) == 0


# -- the whole city


def test_pairs_of_the_city_each_once_the_likeliest_first(street: Street) -> None:
    first = street.reports()
    second = street.reports(30, "垃圾堆")
    third = street.reports(5000, "路灯不亮", "E0201")
    fourth = street.reports(5000, "路灯不亮", "E0201")
    street.reports(2000)
    assert street.pairs() == [(third.id, fourth.id), (first.id, second.id)]


def test_a_merged_pair_is_gone_at_once(street: Street) -> None:
    first, second, third = street.reports(), street.reports(1), street.reports(2)
    assert len(street.pairs()) == 3
    street.merges(third, first)
    left = street.hub.duplicates.pairs().pairs
    assert [(pair.older.id, pair.newer.entry.id) for pair in left] == [(first.id, second.id)]


def test_pairs_across_squares_are_those_of_every_two(street: Street) -> None:
    made = [street.reports(31.0 * n) for n in range(12)]
    pairs = {frozenset(pair) for pair in street.pairs()}
    wanted = {frozenset((a.id, b.id)) for n, a in enumerate(made) for b in made[n + 1 : n + 3]}
    assert pairs == wanted


def test_a_quiet_city_has_none(street: Street) -> None:
    assert street.pairs() == []
    street.reports()
    assert street.pairs() == []
