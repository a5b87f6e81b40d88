"""What agents answer, from a file into a hub, here and by HTTP, and a second time for nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cheng.apps.city import urban_management
from cheng.loading import Loaded, Taken, load_articles
from cheng.loading_targets import HereTarget, ThereTarget
from cheng.protocols.files_articles import read_articles
from cheng.standards.problems import InputError
from cheng.testing import Town, city
from test_loading import Wire

TABLE = """question_zh,answer_zh,words,department
大件垃圾怎么扔？,送到社区堆放点，或预约上门。,沙发 床垫,环卫所
路灯不亮找谁？,,,照明所
,没有问题的答案,,
"""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with city(tmp_path / "data", urban_management) as town:
        yield town


@pytest.fixture(params=["here", "there"])
def target(request: pytest.FixtureRequest, town: Town) -> Any:
    return HereTarget(town.hub) if request.param == "here" else ThereTarget(Wire(town), local=True)


def load(target: Any, folder: Path, text: str, encoding: str = "gb18030", **mapping: str) -> Loaded:
    file = folder / "articles.csv"
    file.write_bytes(text.encode(encoding))

    def told(rows: int, total: int, taken: Taken) -> None:
        assert rows == total

    return load_articles(target, file, read_articles(file, mapping), told)


def test_a_table_is_taken_row_by_row_and_a_second_time_for_nothing(target: Any, town: Town, tmp_path: Path) -> None:
    loaded = load(target, tmp_path, TABLE)
    assert loaded.counts["added"] == 1
    assert [(error.line, error.code) for error in loaded.refused] == [(3, "no-answer"), (4, "no-question")]
    assert [article.question_zh for article in town.hub.articles.find("沙发")] == ["大件垃圾怎么扔？"]
    assert len(town.refused()) == 2
    again = load(target, tmp_path, TABLE)
    assert (again.counts["unchanged"], again.counts["added"]) == (1, 0)
    changed = load(target, tmp_path, "问,答\n大件垃圾怎么扔？,请预约。\n", "utf-8", question_zh="问", answer_zh="答")
    assert changed.counts["changed"] == 1
    assert [article.version for article in town.hub.articles.all()] == [2]


def test_a_file_without_questions_is_no_table_of_articles(town: Town, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no column 'question_zh'"):
        load(HereTarget(town.hub), tmp_path, "标题,正文\n一,二\n")
    assert town.hub.articles.all() == ()
