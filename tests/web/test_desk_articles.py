"""What agents know: articles with versions, written on the desk or brought as a table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_town import PASSWORD, Desk

from cheng.apps.city import urban_management
from cheng.security.actors import HOUSE
from cheng.testing import city
from cheng.web.app import create_app

CENTRE = "Urban Management Supervision Centre"
PEOPLE = {"ada": ["officer", "agent"], "dora": ["officer", "dispatcher"], "paul": ["officer"]}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with city(tmp_path, urban_management) as town:
        for name, roles in PEOPLE.items():
            town.hub.accounts.create(HOUSE, name, name.title(), roles, CENTRE, PASSWORD)
        yield Desk(town, create_app(town.hub))


class TestArticles:
    def write(self, desk: Desk, name: str = "ada", page: str = "/desk/articles/new", **fields: str) -> Any:
        return desk[name].send(page, **({"question_zh": "大件垃圾怎么扔？", "answer_zh": "请先预约。"} | fields))

    def test_versions_stay(self, desk: Desk) -> None:
        assert self.write(desk).headers["location"] == "/desk/articles/1"
        self.write(desk, "dora", "/desk/articles/1/edit", seen="1", answer_zh="请预约上门收运。")
        assert "Write a new version" in desk["ada"].get("/desk/articles/1").text
        told = desk.json("ada", "/desk/articles/1.json")
        assert [(each["version"], each["answer"], each["actor"]) for each in told["versions"]] == [
            (2, "请预约上门收运。", "dora"),
            (1, "请先预约。", "ada"),
        ]
        assert ("dora", "edit", "allowed", "") in desk.audit("article:1")

    def test_somebody_was_quicker(self, desk: Desk) -> None:
        self.write(desk)
        self.write(desk, "dora", "/desk/articles/1/edit", seen="1", answer_zh="请预约上门收运。")
        answer = self.write(desk, page="/desk/articles/1/edit", seen="1", answer_zh="随便扔。")
        assert answer.status_code == 409
        assert "随便扔。" in answer.text

    def test_needs_a_question_and_an_answer(self, desk: Desk) -> None:
        assert self.write(desk, question_zh="").status_code == 422
        assert self.write(desk, answer_zh=" ").status_code == 422
        assert desk.hub.articles.all() == ()

    def test_retired_nobody_finds_it(self, desk: Desk) -> None:
        self.write(desk)
        self.write(desk, page="/desk/articles/1/edit", seen="1", retired="1")
        assert desk.json("ada", "/desk/articles.json?q=大件垃圾")["articles"] == []
        assert len(desk.json("ada", "/desk/articles.json?state=retired")["articles"]) == 1

    def test_a_table_is_brought_twice_and_taken_once(self, desk: Desk) -> None:
        table = "question_zh,answer_zh,department\n大件垃圾怎么扔？,请先预约。,环卫处\n,没有问题,\n"
        for added, unchanged in ((1, 0), (0, 1)):
            files = {"file": ("a.csv", table.encode("gb18030"), "text/csv")}
            page = "/desk/articles/load"
            answer = desk["dora"].client.post(page, data={"csrf": desk["dora"].form(page)}, files=files)
            assert f"{added} added, 0 changed, {unchanged} as they were." in answer.text
            assert "Line 3: Please write the question" in answer.text
        (article,) = desk.hub.articles.all()
        assert (article.question_zh, article.department) == ("大件垃圾怎么扔？", "环卫处")

    def test_comes_back_as_it_went(self, desk: Desk) -> None:
        self.write(desk, words="沙发 床垫", question="Where do I put a sofa?", answer="Please book a pick-up.")
        table = desk["dora"].get("/desk/articles/table.csv").content
        page = "/desk/articles/load"
        files = {"file": ("a.csv", table, "text/csv")}
        answer = desk["dora"].client.post(page, data={"csrf": desk["dora"].form(page)}, files=files)
        assert "0 added, 0 changed, 1 as they were." in answer.text

    def test_what_is_no_table(self, desk: Desk) -> None:
        page = "/desk/articles/load"
        files = {"file": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
        answer = desk["dora"].client.post(page, data={"csrf": desk["dora"].form(page)}, files=files)
        assert answer.status_code == 422

    def test_who_may(self, desk: Desk) -> None:
        self.write(desk)
        assert desk["paul"].get("/desk/articles").status_code == 200
        assert desk["paul"].get("/desk/articles/new").status_code == 403
        assert desk["ada"].get("/desk/articles/load").status_code == 403
