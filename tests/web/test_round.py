"""The round: tasks of one's own posts and department alone, looked at and done once, also when sent twice."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_town import Desk
from street_town import OTHER, PHOTO, at, form_of, open_street, posts, reported, sends, verbs, worked

FOUND = "/desk/round/found"
PLACE = "29.561, 106.551"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_street(tmp_path) as made:
        yield made


def tasks(desk: Desk, name: str) -> list[str]:
    return [row["number"] for row in desk.json(name, "/desk/round.json")["tasks"]]


def task(number: str) -> str:
    return f"/desk/round/{number}"


def test_each_finds_what_is_to_be_done_in_the_street(desk: Desk) -> None:
    number = reported(desk)
    assert tasks(desk, "cai") == [number]
    assert tasks(desk, "chu") == []
    assert sends(desk, "cai", task(number), answer="yes", text="it lies there").status_code == 303
    assert tasks(desk, "cai") == []
    desk.acts("ban", number, "complete", condition="main")
    desk.acts("pai", number, "complete", departments="Cleaning Company")
    assert tasks(desk, "chu") == [number]
    assert sends(desk, "chu", task(number), {"photo": PHOTO}).status_code == 303
    assert at(desk, number) == "feedback"
    assert tasks(desk, "chu") == [], "telling that it is done is work for the desk"
    desk.acts("chu", number, "complete")
    page = desk["ji"].get(task(number)).text
    assert "Closed when" in page
    assert sends(desk, "ji", task(number), {"photo": OTHER}, answer="yes").status_code == 303
    assert at(desk, number) == "close"


@pytest.mark.parametrize("name", ["shou", "ban", "pai", "lena"])
def test_the_round_is_for_those_who_walk(desk: Desk, name: str) -> None:
    assert desk[name].get("/desk/round").status_code == 403
    assert "/desk/round" not in desk[name].get("/desk").text


def test_it_stands_in_the_menu_of_those_who_do(desk: Desk) -> None:
    assert "/desk/round" in desk["cai"].get("/desk").text


def test_nothing_there_is_said_in_the_case(desk: Desk) -> None:
    number = reported(desk)
    sends(desk, "cai", task(number), answer="no", text="swept already")
    assert at(desk, number) == "file"
    assert desk.hub.cases.acts(number)[-1].data["text"] == "Nothing was found on the spot.\nswept already"


def test_work_that_is_not_done_goes_back_with_a_reason(desk: Desk) -> None:
    number = reported(desk)
    sends(desk, "cai", task(number), answer="yes")
    worked(desk, number)
    refused = sends(desk, "ji", task(number), answer="no")
    assert refused.status_code == 422
    assert "what is still to be done" in refused.text
    sends(desk, "ji", task(number), {"photo": PHOTO}, answer="no", text="half of it lies there yet")
    assert at(desk, number) == "handle"
    assert verbs(desk, number)[-1] == "return"


def test_nobody_checks_what_they_looked_at_before(desk: Desk) -> None:
    number = reported(desk)
    sends(desk, "cai", task(number), answer="yes")
    worked(desk, number)
    page = desk["cai"].get(task(number)).text
    assert "You did an earlier step of this case" in page
    assert "data-round-form" not in page


def test_what_is_missing_is_said_and_nothing_is_lost(desk: Desk) -> None:
    number = reported(desk)
    sends(desk, "cai", task(number), answer="yes")
    worked(desk, number)
    answer = sends(desk, "ji", task(number), answer="yes", text="all swept")
    assert answer.status_code == 422
    assert "This step asks for evidence: Photo." in answer.text
    assert "all swept" in answer.text
    answer = sends(desk, "ji", task(number), {"photo": PHOTO}, text="all swept")
    assert "Please say what you found." in answer.text
    assert 'name="kept"' in answer.text, "the photo is here and need not be taken again"


def test_sent_twice_is_done_once_also_when_the_case_has_gone_on(desk: Desk) -> None:
    number = reported(desk)
    fields = form_of(desk, "cai", task(number)) | {"answer": "yes", "text": "so it is"}
    desk["cai"].client.headers["accept"] = "application/json"
    assert posts(desk, "cai", task(number), fields, {"photo": PHOTO}).status_code == 200
    desk.acts("ban", number, "complete", condition="main")
    before = len(desk.hub.cases.acts(number))
    again = posts(desk, "cai", task(number), fields, {"photo": PHOTO})
    assert again.status_code == 200
    assert again.json()["number"] == number
    assert len(desk.hub.cases.acts(number)) == before


def test_somebody_was_quicker(desk: Desk) -> None:
    number = reported(desk)
    fields = form_of(desk, "cai", task(number)) | {"answer": "yes"}
    sends(desk, "ji", task(number), answer="yes")
    page = posts(desk, "cai", task(number), fields)
    assert page.status_code == 409
    assert "Ji has done something about this case meanwhile" in page.text
    desk["cai"].client.headers["accept"] = "application/json"
    problem = posts(desk, "cai", task(number), fields)
    assert (problem.status_code, problem.json()["code"]) == (409, "changed")
    assert "Ji has done something" in problem.json()["detail"]


def test_a_step_of_somebody_else_is_refused(desk: Desk) -> None:
    number = reported(desk)
    fields = form_of(desk, "cai", task(number)) | {"answer": "yes"}
    for wrong in ({"step": "file"}, {"step": ""}, {"version": "new"}):
        assert posts(desk, "cai", task(number), fields | wrong).status_code == 409
    assert desk["chu"].get(task(number)).status_code == 404
    assert at(desk, number) == "verify"


# -- something found


def found(desk: Desk, photos: dict[str, bytes] | None = None, **fields: str) -> Any:
    told = {"class": "E0102", "place": PLACE, "text": "a heap"} | fields
    return sends(desk, "cai", FOUND, {"photo": PHOTO} if photos is None else photos, **told)


def newest(desk: Desk) -> Any:
    return desk.town.cases()[-1]


def test_it_is_asked_whether_it_is_known_already(desk: Desk) -> None:
    number = reported(desk, place=(106.551, 29.5611))
    before = len(desk.town.cases())
    asked = found(desk)
    assert asked.status_code == 200
    assert "Is it one of these?" in asked.text
    assert number in asked.text
    assert "Rubbish before the school" not in asked.text, "what others wrote is not told to everybody"
    assert len(desk.town.cases()) == before
    sent = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.text)
    joined = posts(desk, "cai", FOUND, dict(sent) | {"same": number})
    assert joined.status_code == 303
    again = posts(desk, "cai", FOUND, dict(sent) | {"same": number})
    assert again.headers["location"].startswith("/desk/round")
    assert len(desk.town.cases()) == before
    filed = desk.hub.cases.get(number)
    assert filed.entry.weight == 2
    assert desk.hub.cases.acts(number)[-1].data["proof"][0]["kind"] == "photo", "the photo goes along"
    assert "added to the case" in desk["cai"].get("/desk/round").text


def test_something_new_near_by_is_a_case_of_its_own(desk: Desk) -> None:
    number = reported(desk, place=(106.551, 29.5611))
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found(desk).text))
    back = posts(desk, "cai", FOUND, sent | {"back": "1"})
    assert back.status_code == 200
    assert "29.561, 106.551" in back.text
    assert "a heap" in back.text
    assert 'name="kept"' in back.text
    assert posts(desk, "cai", FOUND, sent | {"new": "1"}).status_code == 303
    assert newest(desk).entry.number != number
    assert newest(desk).entry.weight == 1


def test_a_phone_asks_before_and_is_never_asked_when_it_sends(desk: Desk) -> None:
    number = reported(desk, place=(106.551, 29.5611))
    fields = form_of(desk, "cai", FOUND) | {"class": "E0102", "place": PLACE}
    client = desk["cai"].client
    part = client.post(f"{FOUND}/near", data=fields, files={"x": ("", b"")}, headers={"hx-request": "true"})
    assert number in part.text
    assert "<html" not in part.text
    before = len(desk.town.cases())
    elsewhere = fields | {"place": "29.59, 106.59"}
    part = client.post(f"{FOUND}/near", data=elsewhere, files={"x": ("", b"")}, headers={"hx-request": "true"})
    assert (part.status_code, part.text.strip()) == (200, "")
    assert len(desk.town.cases()) == before
    client.headers["accept"] = "application/json"
    assert posts(desk, "cai", FOUND, fields, {"photo": PHOTO}).status_code == 200
    assert len(desk.town.cases()) == before + 1, "from the queue it is taken, and suggested on the desk"


def test_what_is_put_right_on_the_spot_is_asked_about_nothing(desk: Desk) -> None:
    reported(desk, place=(106.551, 29.5611))
    answer = found(desk, {"photo": PHOTO, "after": OTHER}, simple="1")
    assert answer.status_code == 303


def test_what_a_collector_finds_goes_to_be_filed_at_once(desk: Desk) -> None:
    assert found(desk).status_code == 303
    case = newest(desk)
    assert (case.entry.source, case.case.step, case.entry.class_code) == ("collector", "file", "E0102")
    assert case.case.values["street"] == "River Street"
    assert case.entry.reporter == "cai"


def simple_class(desk: Desk, simple: bool) -> str:
    all_ = desk.hub.classes.all("urban_management.handle_report")
    return next(one.code for one in all_ if any(c.simple for c in one.conditions) == simple)


def test_put_right_on_the_spot_with_a_photo_of_before_and_after(desk: Desk) -> None:
    code = simple_class(desk, simple=True)
    answer = found(desk, simple="1", **{"class": code})
    assert "Please take a photo of how it looks now." in answer.text
    both = {"photo": PHOTO, "after": OTHER}
    assert found(desk, both, simple="1", **{"class": code}).status_code == 303
    case = newest(desk)
    assert case.case.values["simple"] == "yes"
    opened, note = desk.hub.cases.acts(case.entry.id)
    assert [piece["kind"] for piece in opened.data["proof"]] == ["photo"]
    assert [piece["kind"] for piece in note.data["proof"]] == ["after"]
    assert note.data["text"] == "Put right on the spot."


def test_not_everything_is_put_right_by_whoever_finds_it(desk: Desk) -> None:
    code = simple_class(desk, simple=False)
    answer = found(desk, {"photo": PHOTO, "after": OTHER}, simple="1", **{"class": code})
    assert answer.status_code == 422
    assert "nothing to be put right" in answer.text
    assert desk.town.cases() == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"class": ""}, "Please choose what it is."),
        ({"class": "E9999"}, "Please choose one of these."),
        ({"place": ""}, "Please say where it is"),
        ({"place": "by the river"}, "Please write latitude and longitude"),
        ({"place": "29.56, 206.55"}, "Please write latitude and longitude"),
        ({"place": "30.9, 106.55"}, "This place lies outside the city"),
        ({"text": "x" * 5000}, "4"),
    ],
)
def test_a_report_that_is_not_right_comes_back(desk: Desk, fields: dict[str, str], sentence: str) -> None:
    answer = found(desk, **fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert desk.town.cases() == []


@pytest.mark.parametrize("data", [b"", b"<svg onload=alert(1)>", b"%PDF-1.7 no photo"])
def test_what_is_no_photo_is_refused(desk: Desk, data: bytes) -> None:
    assert found(desk, {"photo": data}).status_code == 422
    assert desk.town.cases() == []


def test_a_report_that_is_sent_twice_is_one(desk: Desk) -> None:
    fields = form_of(desk, "cai", FOUND) | {"class": "E0102", "place": PLACE}
    desk["cai"].client.headers["accept"] = "application/json"
    numbers = [posts(desk, "cai", FOUND, fields, {"photo": PHOTO}).json()["number"] for _ in range(2)]
    assert len(set(numbers)) == 1
    assert len(desk.town.cases()) == 1


# -- for being off line


def test_the_worker_may_speak_for_the_round_alone(desk: Desk) -> None:
    answer = desk["cai"].get("/desk/round/worker.js")
    assert answer.status_code == 200
    assert answer.headers["service-worker-allowed"] == "/desk/round"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_who_is_here_is_told_with_the_secret_of_their_forms(desk: Desk) -> None:
    number = reported(desk)
    told = desk["cai"].get("/desk/round/here", headers={"accept": "application/json"}).json()
    assert told["account"] == "cai"
    fields = form_of(desk, "cai", task(number)) | {"answer": "yes", "csrf": ""}
    headers = {"x-csrf-token": told["token"], "accept": "application/json"}
    client = desk["cai"].client
    sent = client.post(task(number), data=fields, files={"x": ("", b"")}, headers=headers)
    assert sent.status_code == 200, sent.text
    assert client.get("/desk/round/here", headers={"cookie": ""}).headers["cache-control"] == "no-store"


def test_strangers_are_told_nothing(desk: Desk) -> None:
    desk.visitors[""] = type(desk["cai"])(desk.app, accept="application/json")
    assert desk[""].get("/desk/round/here").status_code == 401
