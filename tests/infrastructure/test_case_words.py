"""Words find every case that has them, on both stores, whatever is looked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.infrastructure import case_words
from cheng.infrastructure.case_words import BETWEEN, folded, number_of, pieces, place, sought, token, wanted, whole
from cheng.infrastructure.store import Store

SIGNS = st.characters(exclude_categories=("Cs", "M"))
TEXTS = st.text(st.sampled_from("路灯井盖坏了 aAbB19-%_\\'\"*:()\n") | SIGNS, max_size=30)


@given(TEXTS, TEXTS, TEXTS)
def test_whatever_has_a_text_in_it_has_its_pieces(before: str, words: str, after: str) -> None:
    whole_text = folded(before) + folded(words) + folded(after)
    assert wanted(folded(words)) <= pieces(whole_text)


@given(TEXTS)
def test_only_blanks_tell_nothing(words: str) -> None:
    assert bool(wanted(folded(words))) == bool(folded(words).strip())


@given(TEXTS)
def test_folded_once_is_folded(words: str) -> None:
    assert not set(folded(words)) & {BETWEEN, "\0", "\n"}
    assert folded(words).split() == folded(words.upper().lower()).split() or not words.isascii()


@given(st.text(st.sampled_from("ab.井 -"), max_size=8), TEXTS)
def test_no_words_are_a_rule(rule: str, words: str) -> None:
    assert whole(rule) not in {token(piece) for piece in pieces(folded(words))}


@given(st.integers(19700101, 99991231), st.integers(1, 10**10 - 1))
def test_a_number_is_a_place(day: int, count: int) -> None:
    number = f"{day}-{count:06d}"
    assert number_of(place(number)) == number


CASES = (
    ("20261120-000001", "井盖 松动，文风路40号 Cover 12/B", ""),
    ("20261120-000002", "路灯不亮 100%", "lamps.dark"),
    ("20261120-1234567", "Ｆｕｌｌ　ｗｉｄｔｈ 井", "lamps.dark_too"),
    ("20261121-000001", 'it\'s a "quoted" text* (NEAR) AND OR NOT', ""),
)


@pytest.mark.backends
@pytest.mark.parametrize(
    ("words", "rules", "found"),
    [
        ("井", [], (0, 2)),
        ("井盖", [], (0,)),
        ("盖 文风", [], (0,)),
        ("cover", [], (0,)),
        ("2/b", [], (0,)),
        ("00%", [], (1,)),
        ("full width", [], (2,)),
        ("it's", [], (3,)),
        ('"quoted"', [], (3,)),
        ("* (near) and or not", [], (3,)),
        ("1234567", [], (2,)),
        ("none", ["lamps.dark"], (1,)),
        ("井盖", ["lamps.dark_too"], (0, 2)),
        ("nothing", ["dark"], ()),
    ],
)
def test_few_are_found(store: Store, words: str, rules: list[str], found: tuple[int, ...]) -> None:
    with store.write() as conn:
        case_words.add(conn, [(number, sought(number, {"name": text}, ""), rule) for number, text, rule in CASES])
    with store.read() as conn:
        numbers = case_words.few(conn, folded(words), rules)
    assert numbers is not None
    assert sorted(numbers) == [CASES[at][0] for at in found]


@pytest.mark.backends
def test_many_are_not_looked_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_words, "RARE", 4)
    with store.write() as conn:
        case_words.add(conn, [(f"20261120-{n:06d}", "路" * n + "灯", "") for n in range(6)])
    with store.read() as conn:
        assert case_words.few(conn, "灯", []) is None
        assert len(case_words.few(conn, "路路路", []) or ()) == 4, "it says what may be, and no less"
        assert case_words.few(conn, "", []) is None
