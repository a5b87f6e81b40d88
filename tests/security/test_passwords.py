"""Passwords: Argon2id as strong as it has to be, and none that guessers try first."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheng.security.passwords import LEAST_MEMORY, READABLE, Hasher, check_new, one_time
from cheng.standards.problems import Refused

ROOTS = ("password", "admin", "qwerty", "chongqing", "woaini", "iloveyou", "welcome", "letmein", "operator", "zhongguo")
TAILS = ("2024", "123456", "12345678", "!", "@2026", "123!@#", "1314", "520520", "888888", "666", "1q2w", "abcd1234")
WEAK = [
    "",
    "short",
    "elevenchars",
    "123456789012",
    "000000000000",
    "13812345678901",
    "500101199001011234",
    "abcabcabcabc",
    "qwertyuiop[]",
    "1qaz2wsx3edc4rfv",
    "zxcvbnmasdfgh",
    "a1b2c3d4e5f6",
    "P@ssw0rdP@ssw0rd",
    "p4ssw0rd!2026",
    "我爱你我爱你我爱你我爱你",
    "ｐａｓｓｗｏｒｄ１２３４",
    "liwei19900101",
    "LiWei@LiWei1990",
    "passwordpasswordpassword",
    "lkjhgfdsapoiuytrewq",
]


@pytest.mark.parametrize("password", WEAK)
def test_weak_ones_are_refused(password: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_new(password, "liwei", "Li Wei")
    assert refusal.value.status == 422
    assert str(refusal.value).endswith(".")


def test_a_thousand_weak_ones_are_refused() -> None:
    tried = 0
    for root, tail, again in itertools.product(ROOTS, TAILS, ("", "123", "2025", "!!", "1998", "321", "000", "@")):
        for password in (root + tail + again, root.title() + again + tail):
            with pytest.raises(Refused):
                check_new(password, "liwei", "Li Wei")
            tried += 1
    assert tried > 1000


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "three rivers meet at dawn",
        "龙门阵山城火锅嘉陵江夜雨寄",
        "xK9#vQ2$mL7!",
        "tea-ladder-quartz-moss",
    ],
)
def test_good_ones_are_taken(password: str) -> None:
    check_new(password, "liwei", "Li Wei")


def test_too_long() -> None:
    with pytest.raises(Refused, match="256"):
        check_new("xK9#vQ2$mL7!" * 30)


def test_one_time_passwords_are_long_readable_and_different() -> None:
    made = {one_time() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        check_new(password)
        assert set(password) <= set(READABLE + "-")


def test_below_19_mib_only_for_tests() -> None:
    with pytest.raises(ValueError, match="too weak"):
        Hasher(memory=LEAST_MEMORY - 1)
    assert "m=47104,t=1,p=1" in Hasher().hash("x")


def test_verifies(hasher: Hasher) -> None:
    hashed = hasher.hash("three rivers meet at dawn")
    assert hashed.startswith("$argon2id$")
    assert hashed != hasher.hash("three rivers meet at dawn")
    assert hasher.verify("three rivers meet at dawn", hashed)
    assert not hasher.verify("three rivers meet at dusk", hashed)
    assert not hasher.verify("three rivers meet at dawn", None)
    assert not hasher.verify("x", "no hash at all")
    assert hasher.verify("ｔhree rivers meet at dawn", hashed), "the same signs, typed full-width"


def test_sees_hashes_of_other_parameters(hasher: Hasher) -> None:
    other = Hasher(memory=128, rounds=1, weak_for_tests=True)
    hashed = other.hash("x")
    assert hasher.verify("x", hashed)
    assert hasher.outdated(hashed)
    assert not hasher.outdated(hasher.hash("x"))


@given(st.text(max_size=300))
def test_any_text_is_judged_without_an_error(password: str) -> None:
    with contextlib.suppress(Refused):
        check_new(password, password[:5], "Li Wei")
