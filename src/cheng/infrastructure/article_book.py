"""What agents know: questions that callers ask, each with its answer, in versions; found by the words of the caller.

All articles are kept in memory, since they are searched while somebody types.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, func, insert, select

from cheng.infrastructure.clock import Clock
from cheng.infrastructure.hotline_tables import articles
from cheng.infrastructure.store import Store, serialise
from cheng.kernel.needs import clean
from cheng.methods.finding import Finder
from cheng.standards.problems import InputError, Refused

LONGEST = {"question": 200, "answer": 4000, "words": 300, "department": 200, "class_code": 40}
COLUMNS = ("number", "question", "question_zh", "answer", "answer_zh", "words", "department", "class_code", "retired")
"""The head of a table of articles."""
TEXTS = COLUMNS[1:-1]
COUNTS = (1.0, 1.0, 0.9, 0.5, 0.5, 0.4)
"""What question, words of callers, answer and department count in a search."""
YES = ("yes", "true", "1", "是")


@dataclass(frozen=True, slots=True)
class Article:
    """One question with its answer."""

    number: int = 0
    """0: not written yet"""
    version: int = 0
    question: str = ""
    question_zh: str = ""
    answer: str = ""
    answer_zh: str = ""
    words: str = ""
    """what callers say instead of the words of the question"""
    department: str = ""
    class_code: str = ""
    """what a case about it is filed by"""
    retired: bool = False
    at: int = 0
    actor: str = ""

    def same_as(self, other: "Article") -> bool:
        """Whether both say the same, whoever wrote them when."""
        mine = replace(self, version=other.version, at=other.at, actor=other.actor)
        return mine == other

    @property
    def parts(self) -> tuple[str, ...]:
        """What it is found by, as COUNTS counts it."""
        return (self.question, self.question_zh, self.words, self.answer, self.answer_zh, self.department)


@dataclass(frozen=True)
class Known:
    """All articles as they are now."""

    current: tuple[Article, ...]
    finder: Finder


class ArticleBook:
    """Questions and answers. Synchronous, safe to use from many threads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock
        self._known: Known | None = None
        self._turn = 0
        """counts writes; who read while that changed must not be believed later"""
        self._lock = threading.Lock()

    def all(self, retired: bool = False) -> tuple[Article, ...]:
        """The last version of each article that is in use, by number; with `retired` those that no longer are."""
        if not retired:
            return self._now().current
        with self.store.read() as conn:
            return tuple(each for each in last_ones(read(conn)) if each.retired)

    def find(self, words: str, most: int = 10) -> tuple[Article, ...]:
        """Those in use that answer these words, best first."""
        known = self._now()
        return tuple(known.current[found.at] for found in known.finder.find(words, most))

    def versions(self, number: int) -> tuple[Article, ...]:
        """Every version of an article, the first one first. Refused (404) when there is none."""
        with self.store.read() as conn:
            found = tuple(read(conn, number))
        if not found:
            raise Refused("no-article", "There is no article {number}.", {"number": number}, 404)
        return found

    def put(self, conn: Connection, article: Article, actor: str, seen: int | None = None) -> Article:
        """Writes a new version, or a new article for number 0, and returns it; call it inside `store.write()`.

        `seen` is the last version that whoever wrote it knew of. What says the same is not written again. Refused
        (422) for what does not hold together, (409) when somebody else changed it meanwhile.
        """
        told = tidy(article)
        serialise(conn, "articles")
        there = list(read(conn, told.number)) if told.number else []
        last = there[-1].version if there else 0
        if seen is not None and seen != last:
            message = "This article was changed by somebody else meanwhile. Please look at its last version first."
            raise Refused("changed-meanwhile", message)
        if there and told.same_as(there[-1]):
            return there[-1]
        number = told.number or 1 + (conn.execute(select(func.max(articles.c.number))).scalar() or 0)
        written = replace(told, number=number, version=last + 1, at=self.clock.now(), actor=actor)
        conn.execute(insert(articles), [{each.name: getattr(written, each.name) for each in fields(Article)}])
        self.store.afterwards(lambda _: self._forget())
        return written

    def take(self, conn: Connection, rows: Iterable[tuple[int, Mapping[str, str]]], actor: str) -> "Outcome":
        """Takes the rows of a table: (line, cells by column). A row with a number changes that article, one without
        is the article that has the same question, or a new one; what a table has no column for stays as it was."""
        outcome = Outcome()
        there = {each.number: each for each in last_ones(read(conn))}
        asked = {question: each.number for each in there.values() for question in (each.question, each.question_zh)}
        lines: dict[int, int] = {}
        for line, row in rows:
            try:
                article = of_row(row, asked, there)
                before = there.get(article.number)
                if before is not None and article.number in lines and not tidy(article).same_as(before):
                    message = "Line {line} says something else about the same question."
                    raise Refused("twice", message, {"line": lines[article.number]}, 422)
                written = self.put(conn, article, actor)
            except Refused as refused:
                outcome.refused.append((line, refused))
                continue
            same = before is not None and before.version == written.version
            outcome.count("unchanged" if same else "changed" if before else "added")
            there[written.number], lines[written.number] = written, line
            asked |= {written.question: written.number, written.question_zh: written.number}
        return outcome

    def _now(self) -> Known:
        if (known := self._known) is not None:
            return known
        with self._lock:
            turn = self._turn
            with self.store.read() as conn:
                current = tuple(each for each in last_ones(read(conn)) if not each.retired)
            known = Known(current, Finder((each.parts for each in current), COUNTS))
            if turn == self._turn:
                self._known = known
        return known

    def _forget(self) -> None:
        self._turn += 1
        self._known = None


class Outcome:
    """What became of the rows of a table."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {"added": 0, "changed": 0, "unchanged": 0}
        self.refused: list[tuple[int, Refused | InputError]] = []
        """line, and why it was not taken"""

    def count(self, what: str) -> None:
        self.counts[what] += 1


def read(conn: Connection, number: int | None = None) -> Iterator[Article]:
    """Every version, by number."""
    query = select(articles).order_by(articles.c.number, articles.c.version)
    if number is not None:
        query = query.where(articles.c.number == number)
    for row in conn.execute(query).mappings():
        yield Article(**row)


def last_ones(versions: Iterable[Article]) -> Sequence[Article]:
    return tuple({each.number: each for each in versions}.values())


def of_row(row: Mapping[str, str], asked: Mapping[str, int], there: Mapping[int, Article]) -> Article:
    """The article that a row of a table tells; Refused for a number that is none."""
    cells: dict[str, Any] = {name: (row[name] or "").strip() for name in COLUMNS if row.get(name) is not None}
    number = cells.pop("number", "")
    if number and not (number.isascii() and number.isdigit() and len(number) < 9):
        raise Refused("no-article", "There is no article {number}.", {"number": number[:40]}, 404)
    questions = [cells[name] for name in ("question_zh", "question") if cells.get(name)]
    known = int(number or next((asked[question] for question in questions if question in asked), 0))
    if number and known not in there:
        raise Refused("no-article", "There is no article {number}.", {"number": known}, 404)
    if "retired" in cells:
        cells["retired"] = cells["retired"].casefold() in YES
    return replace(there.get(known, Article()), number=known, **cells)


def tidy(article: Article) -> Article:
    """The article without blanks around its words. Refused for one without question or answer, or too long."""
    kept: dict[str, Any] = {name: str(clean(getattr(article, name))).strip() for name in TEXTS}
    if not (kept["question"] or kept["question_zh"]):
        raise Refused("no-question", "Please write the question, in one of the two languages.", {}, 422)
    if not (kept["answer"] or kept["answer_zh"]):
        raise Refused("no-answer", "Please write the answer, in one of the two languages.", {}, 422)
    for name, text in kept.items():
        most = LONGEST.get(name.removesuffix("_zh"), 200)
        if len(text) > most:
            message = "Please write at most {most} characters ({field})."
            raise Refused("too-long", message, {"most": most, "field": name}, 422)
    return replace(article, **kept)
