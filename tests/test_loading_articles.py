"""What agents know, from tables and Markdown files: what cannot be taken is told, the rest is found."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cheng.loading import Loaded, load_articles
from cheng.loading_targets import HereTarget, ThereTarget
from cheng.protocols.files_articles import read_articles
from cheng.security.actors import HOUSE
from cheng.standards.problems import InputError, Refused
from cheng.testing import Town, city
from test_loading import Wire
from works import small_works

TABLE = (
    "标题,内容,words,department\r\n"
    "旧沙发怎么扔？,请先预约上门收运。,大件 家具,Sanitation\r\n"
    ",没有问题,,\r\n"
    "路灯不亮找谁？,,,\r\n"
    "多了一格,a,b,c,d\r\n"
    "旧沙发怎么扔？,随便扔。,,\r\n"
)
MAPPING = {"question_zh": "标题", "answer_zh": "内容"}
SOFA = """
---
title: "旧沙发怎么扔？"
keywords: [大件, 家具]
tags:
class: E0102
---

请先**预约**。

然后等待。
"""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path / "data", small_works) as town:
        yield town


@pytest.fixture(params=["here", "there"])
def target(request: pytest.FixtureRequest, town: Town) -> Any:
    return HereTarget(town.hub) if request.param == "here" else ThereTarget(Wire(town), local=True)


def load(target: Any, path: Path, text: str, encoding: str = "utf-8", **mapping: str) -> Loaded:
    path.write_bytes(text.encode(encoding))
    return load_articles(target, path, read_articles(path, mapping), lambda *_: None)


def test_rows_that_cannot_be_taken_are_told_and_a_second_load_changes_nothing(
    town: Town, target: Any, tmp_path: Path
) -> None:
    loaded = load(target, tmp_path / "a.csv", TABLE, "gb18030", **MAPPING)
    assert (loaded.counts["added"], loaded.counts["changed"]) == (1, 0)
    assert [(error.line, error.code) for error in loaded.refused] == [
        (3, "no-question"),
        (4, "no-answer"),
        (5, "cells"),
        (6, "twice"),
    ]
    assert str(loaded.refused[3]) == "line 6: Line 2 says something else about the same question."
    (found,) = town.hub.articles.find("家具")
    assert (found.question_zh, found.department, found.version) == ("旧沙发怎么扔？", "Sanitation", 1)
    again = load(target, tmp_path / "a.csv", TABLE, "gb18030", **MAPPING)
    assert (again.counts["unchanged"], again.counts["added"], len(again.refused)) == (1, 0, 4)
    assert [kept.payload for kept in town.hub.refused.list()]


def test_what_a_table_has_no_column_for_stays(town: Town, target: Any, tmp_path: Path) -> None:
    load(target, tmp_path / "a.csv", TABLE, **MAPPING)
    loaded = load(target, tmp_path / "b.csv", "\ufeffnumber;answer_zh\n1;请预约。\n7;x\n", "utf-8")
    assert (loaded.counts["changed"], [error.line for error in loaded.refused]) == (1, [3])
    (article,) = town.hub.articles.all()
    assert (article.answer_zh, article.words, article.department) == ("请预约。", "大件 家具", "Sanitation")


def test_an_article_a_file_in_markdown(town: Town, target: Any, tmp_path: Path) -> None:
    assert load(target, tmp_path / "sofa.md", SOFA).counts["added"] == 1
    assert load(target, tmp_path / "lamp.md", "# Who mends a lamp?\nThe lighting office.\n").counts["added"] == 1
    assert load(target, tmp_path / "sofa.md", SOFA).counts["unchanged"] == 1
    sofa, lamp = town.hub.articles.all()
    assert (sofa.question, sofa.question_zh) == ("", "旧沙发怎么扔？")
    assert (sofa.answer_zh, sofa.words, sofa.class_code) == ("请先**预约**。\n\n然后等待。", "大件 家具", "E0102")
    assert (lamp.question, lamp.answer) == ("Who mends a lamp?", "The lighting office.")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.csv", "name,answer\nx,y\n", "no column 'question'"),
        ("a.csv", "", "empty"),
        ("a.md", "---\ntitle: x\n", "does not end"),
        ("a.md", "---\nwrong\n---\n", "line 2: 'wrong' in the head"),
        ("a.md", "---\ncolour: red\n---\n# x\n", "line 2: an article has no field 'colour'"),
        ("a.md", "just words", "asks nothing"),
        ("a.md", "", "asks nothing"),
    ],
)
def test_what_is_no_article_is_said(town: Town, tmp_path: Path, name: str, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        load(HereTarget(town.hub), tmp_path / name, text)
    assert sentence in str(refused.value)
    assert town.hub.articles.all() == ()


def test_only_who_may_load_articles_does(town: Town) -> None:
    table = b'{"file": "x.csv", "rows": [[2, {"question": "Who?", "answer": "We."}]]}'
    with pytest.raises(Refused):
        Wire(town, town.hub.tokens.issue(HOUSE, "board", "leader"))("/ingest/articles", table, "application/json")
    assert town.hub.articles.all() == ()
    told = Wire(town, town.hub.tokens.issue(HOUSE, "importer", "dispatcher"))(
        "/ingest/articles", table, "application/json"
    )
    assert told["added"] == 1
    with pytest.raises(Refused, match="wanted is a file and its rows"):
        Wire(town)("/ingest/articles", b"[]", "application/json")
