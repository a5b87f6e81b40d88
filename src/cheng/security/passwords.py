"""Passwords: hashed with Argon2id, and refused when they are easily guessed."""

import re
import secrets
import unicodedata

import argon2

from cheng.standards.problems import Refused

LEAST_MEMORY = 19 * 1024
"""KiB; below this Argon2id is not what it promises (OWASP)."""
SHORTEST, LONGEST = 12, 256
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody mixes up on paper."""
LOOKALIKES = str.maketrans("013457@$!", "oleastasi")
ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()",
)
COMMON = """
password passwort passw0rd pass letmein welcome admin administrator operator root user login master secret
dragon monkey iloveyou football baseball princess sunshine shadow superman batman trustno changeme default guest
test hello freedom whatever starwars cheng china beijing shanghai chongqing shenzhen guangdong zhongguo woaini
wozuiai aini mima baobao laopo laogong nihao zhimakaimen kaimen wangluo gongan zhengfu summer winter spring
autumn 1314 520 521 168 888 666
"""
UNGUESSED = 6
"""So many signs have to be left when words, rows of keys, years and repetitions are taken away."""


class Hasher:
    """Argon2id with the house's parameters; hashes of other parameters are still verified."""

    def __init__(self, memory: int = 46 * 1024, rounds: int = 1, *, weak_for_tests: bool = False) -> None:
        """`memory` in KiB. Raises ValueError below LEAST_MEMORY, unless tests ask for a weak one in so many words."""
        if memory < LEAST_MEMORY and not weak_for_tests:
            raise ValueError(f"Argon2id with {memory} KiB is too weak; give it at least {LEAST_MEMORY} KiB")
        self._argon2 = argon2.PasswordHasher(time_cost=rounds, memory_cost=memory, parallelism=1)
        self._nobodys = self._argon2.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        return self._argon2.hash(normal(password))

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether `password` made `hashed`. With None it takes as long as with a hash, and is never right."""
        try:
            right = self._argon2.verify(hashed or self._nobodys, normal(password)[: LONGEST * 4])
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return right and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Whether a hash was made with other parameters than ours, and should be made again."""
        return self._argon2.check_needs_rehash(hashed)


def normal(text: str) -> str:
    """The same password typed on another keyboard is the same password."""
    return unicodedata.normalize("NFKC", text).encode("utf-8", "replace").decode()


def check_new(password: str, *names: str) -> None:
    """Refused (422) with a sentence when a new password is too short, too long, or easily guessed.

    `names`: the account's name and the person's; a password must not be made of them.
    """
    password = normal(password)
    if len(password) < SHORTEST:
        values = {"least": SHORTEST}
        raise Refused("too-short", "Please choose a password of at least {least} characters.", values, status=422)
    if len(password) > LONGEST:
        raise Refused(
            "too-long", "This password is too long; {most} characters at most.", {"most": LONGEST}, status=422
        )
    if len(remainder(password, names)) < UNGUESSED:
        message = "This password is easily guessed; three or four words that do not belong together make a good one."
        raise Refused("easily-guessed", message, status=422)


def remainder(password: str, names: tuple[str, ...] = ()) -> str:
    """What is left when everything is taken away that guessers try first; nothing, when no letter is left."""
    plain = password.casefold()
    own = [word for name in names for word in re.split(r"[\W_]+", name.casefold()) if len(word) > 2]
    for word in sorted([*own, *COMMON.split()], key=len, reverse=True):
        plain = plain.replace(word, "")
        plain = cut_lookalike(plain, word)
    plain = re.sub(r"(19|20)\d\d", "", plain)
    for row in ROWS:
        for way in (row, row[::-1]):
            plain = cut_runs(plain, way)
    if all(any(half in row for row in ROWS) for half in (plain[::2], plain[1::2])):  # a1b2c3d4e5f6
        return ""
    plain = re.sub(r"(.+?)\1+", r"\1", plain)
    return plain if any(sign.isalpha() for sign in plain) else ""


def cut_lookalike(plain: str, word: str) -> str:
    """Without `word` also where digits stand for its letters: p4ssw0rd."""
    at = plain.translate(LOOKALIKES).find(word)
    return plain if at < 0 else plain[:at] + plain[at + len(word) :]


def cut_runs(plain: str, row: str) -> str:
    """Without stretches of three or more signs that lie side by side in `row`."""
    kept, at = [], 0
    while at < len(plain):
        run = 1
        while at + run < len(plain) and plain[at : at + run + 1] in row:
            run += 1
        if run < 3:
            kept.append(plain[at])
            run = 1
        at += run
    return "".join(kept)


def one_time() -> str:
    """A password to be read out once and changed at the first sign-in: 25 signs in fives, some 120 bits."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(5)) for _ in range(5))
