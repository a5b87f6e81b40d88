"""What a text means by its signs: from the words of classes on the first day, from filed texts later."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import wording as bench
from cheng.methods.wording import Wording, judge, runs_of, train
from shared_data import shared

NAMES = [("上水井盖", "C0101"), ("暴露垃圾", "E0102"), ("Uncollected rubbish", "E0102"), ("道路不洁", "E0104")]


def test_a_class_is_found_by_its_own_words() -> None:
    known = train(NAMES)
    assert known.suggest("学校门口的井盖不见了")[0][0] == "C0101"
    assert known.suggest("门口一大堆垃圾")[0][0] == "E0102"
    assert known.suggest("RUBBISH lies there")[0][0] == "E0102"


def test_filed_texts_teach_words_that_no_class_has() -> None:
    assert train(NAMES).suggest("好臭") == ()
    assert train([*NAMES, ("好臭，没人收", "E0102")]).suggest("小区里好臭")[0][0] == "E0102"


def test_a_text_of_which_nothing_is_known_gets_no_answer() -> None:
    assert train(NAMES).suggest("!!! ???") == ()
    assert train([]).suggest("井盖") == ()


def test_runs_of_chinese_and_words_of_other_scripts() -> None:
    assert runs_of("井盖破") == {"井", "盖", "破", "井盖", "盖破", "井盖破"}
    assert runs_of("Ｒoad, roads!") == {"road", "roads"}
    assert runs_of("道road路") == {"道", "路", "road"}


@given(st.lists(st.tuples(st.text("井盖垃圾道路 ab", min_size=1), st.sampled_from("XYZ")), max_size=20), st.text())
def test_chances_are_chances_and_always_the_same(texts: list[tuple[str, str]], asked: str) -> None:
    known = train(texts)
    found = known.suggest(asked, 10)
    assert found == train(texts).suggest(asked, 10)
    assert [chance for _, chance in found] == sorted((chance for _, chance in found), reverse=True)
    assert not found or sum(chance for _, chance in found) == pytest.approx(1)


def test_it_can_be_written_down() -> None:
    known = train(NAMES)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(known), type=Wording) == known


def test_the_score_counts_first_and_among_three() -> None:
    known = train(NAMES)
    assert judge(known, [("井盖", frozenset({"C0101"})), ("井盖", frozenset({"E9999"}))]) == (2, 1, 1)


def test_real_names_never_seen() -> None:
    shared("service_requests/tipdm2020_c")
    pairs = bench.pairs_of(bench.TAXONOMY, "三级分类", ("一级分类",))
    cases, first, three, _ = bench.held_out(pairs)
    assert first > 0.45 * cases > 3 * bench.most_frequent(pairs) / 100 * cases
    assert three > 0.7 * cases
