"""What is perhaps the same stands on the page of a case and in a list of the city; there it is merged, or separated."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_town import PASSWORD, Desk
from house import Visitor

from cheng.apps.city import urban_management
from cheng.security.actors import HOUSE
from cheng.standards.durations import hours, minutes
from cheng.testing import city
from cheng.web.app import create_app
from photographs import photograph

CENTRE = "Urban Management Supervision Centre"
FLOW = "urban_management.handle_report"
HERE = (120.600, 31.300)
PEOPLE: dict[str, tuple[list[str], str]] = {
    "dora": (["dispatcher"], "Command centre"),
    "ada": (["officer", "acceptor"], CENTRE),
    "li": (["officer", "handler"], CENTRE),
    "paul": (["officer"], "Parks"),
    "lena": (["leader"], "City hall"),
    "citi": (["citizen"], ""),
}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with city(tmp_path, urban_management) as town:
        for name, (roles, department) in PEOPLE.items():
            town.hub.accounts.create(HOUSE, name, name.title(), roles, department, PASSWORD)
        yield Desk(town, create_app(town.hub))


def report(desk: Desk, north: float = 0, text: str = "A heap of rubbish on East Street", **more: Any) -> str:
    """Somebody reports something, metres north of here; the number of the case, an hour before whatever comes next."""
    blob = desk.hub.blobs.keep(photograph(), photo=True)
    with desk.hub.store.write() as conn:
        desk.hub.blobs.record(conn, blob, "somebody", desk.town.clock.now())
    about = {
        "values": {"class": "E0102", "source": "citizen", "street": "East"},
        "text": text,
        "place": (HERE[0], HERE[1] + north / 111_195),
        "source": "citizen",
        "proof": [{"kind": "photo", "blob": blob.sha256}],
    }
    filed = desk.hub.cases.open_case(FLOW, **about | more)
    desk.town.passes(hours(1))
    return str(filed.entry.number)


def state(desk: Desk, number: str) -> str:
    return str(desk.hub.cases.get(number).entry.state)


def alike(desk: Desk, name: str, number: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.json(name, f"/desk/cases/{number}.json")["alike"]
    return found


def pairs(desk: Desk, name: str) -> list[dict[str, Any]]:
    desk.town.passes(minutes(2))
    found: list[dict[str, Any]] = desk.json(name, "/desk/duplicates.json")["pairs"]
    return found


def merge(desk: Desk, name: str, *chosen: str, page: str = "/desk/duplicates", **fields: Any) -> Any:
    told = {"reason": "The same heap.", "pair": list(chosen)} | fields
    return desk[name].send("/desk/duplicates", page, **told)


class TestCase:
    def test_suggests_with_reasons_distance_and_photo(self, desk: Desk) -> None:
        older = report(desk, 18)
        newer = report(desk)
        (told,) = alike(desk, "dora", newer)
        assert told["number"] == older
        assert told["away"] == pytest.approx(18, abs=0.1)
        assert told["reasons"] == ["18 m away", "1 hour earlier", "same class", "text 100% alike", "photo 100% alike"]
        assert told["likely"] == "very likely the same"
        assert told["pair"] == f"{older}:{newer}"
        assert desk["dora"].get(told["photo"]).status_code == 200

    def test_in_chinese(self, desk: Desk) -> None:
        report(desk, 18)
        number = report(desk)
        text = Visitor(desk.app, **{"accept-language": "zh-CN"}).sign_in("dora").get(f"/desk/cases/{number}").text
        assert "可能是同一件事" in text
        assert "相距 18 米，早 1 小时，类别相同，文字相似 100%，照片相似 100%" in text

    def test_the_newer_one_goes_on_in_the_older_one(self, desk: Desk) -> None:
        older = report(desk)
        newer = report(desk, 3)
        text = desk["dora"].get(f"/desk/cases/{older}").text
        form = re.search(r'<form[^>]*action="/desk/duplicates".*?</form>', text, re.S)
        assert form is not None
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
        reason = re.search(r"<textarea[^>]*>([^<]+)<", form[0])
        assert reason is not None
        answer = desk["dora"].client.post(
            "/desk/duplicates", data=fields | {"reason": reason[1]}, follow_redirects=False
        )
        assert answer.headers["location"] == f"/desk/cases/{older}"
        assert (state(desk, older), state(desk, newer)) == ("open", "merged")
        assert desk.hub.cases.get(older).entry.weight == 2
        assert alike(desk, "dora", older) == []
        assert ("dora", "act", "allowed", "") in desk.audit(f"case:{newer}")

    def test_is_separated_again(self, desk: Desk) -> None:
        older = report(desk)
        newer = report(desk, 3)
        merge(desk, "dora", f"{older}:{newer}")
        text = desk["dora"].get(f"/desk/cases/{older}").text
        assert "Separate again" in text
        answer = desk["dora"].send(
            f"/desk/cases/{newer}", f"/desk/cases/{older}", verb="unmerge", reason="Another heap."
        )
        assert answer.status_code == 303
        assert (state(desk, older), state(desk, newer)) == ("open", "open")
        assert desk.hub.cases.get(older).entry.weight == 1
        assert [each["number"] for each in alike(desk, "dora", older)] == [newer]

    def test_an_acceptor_merges_and_a_handler_does_not(self, desk: Desk) -> None:
        report(desk)
        number = report(desk, 3)
        assert alike(desk, "ada", number)[0]["pair"]
        assert alike(desk, "li", number)[0]["pair"] == ""
        assert 'action="/desk/duplicates"' not in desk["li"].get(f"/desk/cases/{number}").text

    def test_a_leader_looks_only(self, desk: Desk) -> None:
        report(desk)
        number = report(desk, 3)
        assert alike(desk, "lena", number)[0]["pair"] == ""


class TestCity:
    def test_pairs_with_both_cases(self, desk: Desk) -> None:
        older, newer = report(desk), report(desk, 12)
        report(desk, 900)
        (told,) = pairs(desk, "dora")
        assert (told["older_number"], told["newer_number"]) == (older, newer)
        assert told["older"]["text"] == "A heap of rubbish on East Street"
        text = desk["dora"].get("/desk/duplicates").text
        assert f'value="{older}:{newer}"' in text
        assert text.count("<img") == 2

    def test_many_at_once_also_in_a_row(self, desk: Desk) -> None:
        first, second, third = report(desk), report(desk, 1), report(desk, 2)
        others = [report(desk, 4000, "The lamp is out"), report(desk, 4000, "Lamp out")]
        answer = merge(desk, "ada", f"{first}:{second}", f"{second}:{third}", ":".join(others))
        assert answer.status_code == 303
        assert [state(desk, number) for number in (first, second, third, *others)] == [
            *("open", "merged", "merged"),
            *("open", "merged"),
        ]
        assert desk.hub.cases.get(third).entry.merged_into == desk.hub.cases.get(first).entry.id
        assert pairs(desk, "dora") == []
        assert "Nothing is here twice" in desk["dora"].get("/desk/duplicates").text

    def test_sent_twice_it_is_done_once(self, desk: Desk) -> None:
        older, newer = report(desk), report(desk, 1)
        page = f"/desk/cases/{older}"
        assert merge(desk, "dora", f"{older}:{newer}").status_code == 303
        assert merge(desk, "dora", f"{older}:{newer}", page=page).status_code == 303
        assert [act.verb for act in desk.hub.cases.acts(older)] == ["open", "absorb"]

    def test_says_what_is_missing(self, desk: Desk) -> None:
        older, newer = report(desk), report(desk, 1)
        nothing = merge(desk, "dora")
        assert nothing.status_code == 422
        assert "choose at least one pair" in nothing.text
        silent = merge(desk, "dora", f"{older}:{newer}", reason=" ")
        assert silent.status_code == 422
        assert f'value="{older}:{newer}" checked' in silent.text
        assert state(desk, newer) == "open"

    @pytest.mark.parametrize("chosen", ["x", "::", "20200101-000001:20200101-000002", "{older}:{older}", "{older}:"])
    def test_a_pair_that_is_none_changes_nothing(self, desk: Desk, chosen: str) -> None:
        older, newer = report(desk), report(desk, 1)
        answer = merge(desk, "dora", chosen.format(older=older))
        assert answer.status_code == 409
        assert "were not merged" in answer.text
        assert (state(desk, older), state(desk, newer)) == ("open", "open")

    def test_whoever_may_not_cannot_by_hand_either(self, desk: Desk) -> None:
        older, newer = report(desk), report(desk, 1)
        for name in ("li", "lena"):
            assert merge(desk, name, f"{older}:{newer}", page=f"/desk/cases/{older}").status_code == 409
        assert merge(desk, "paul", f"{older}:{newer}", page="/account").status_code == 409
        assert state(desk, newer) == "open"
        assert ("lena", "act", "refused", "not-dispatcher") in desk.audit(f"case:{newer}")

    def test_whose_cases_they_are_not_see_no_pairs(self, desk: Desk) -> None:
        report(desk), report(desk, 1)
        assert len(pairs(desk, "li")) == 1
        assert pairs(desk, "paul") == []
        assert desk["citi"].get("/desk/duplicates").status_code == 403
        assert desk[""].get("/desk/duplicates").status_code in (302, 303, 401)

    def test_twins(self, desk: Desk) -> None:
        report(desk), report(desk, 12)
        desk.town.passes(minutes(2))
        text = desk["dora"].get("/desk/duplicates.csv").text
        assert "12 m away, 1 hour later, same class" in text
        assert desk["dora"].get("/desk/duplicates.geojson").json()["features"][0]["geometry"]["type"] == "Point"
