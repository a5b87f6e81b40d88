"""A report that is for another city is passed on from the desk, followed there, and told to whoever reported it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from passing_town import PHONE, SILENT, THERE, Two, two_cities
from street_town import CENTRE, COMPANY, PHOTO, worked

from cheng.security.actors import HOUSE


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_cities(tmp_path) as both:
        yield both


def case(two: Two, number: str) -> Any:
    return two.ours.hub.cases.get(number)


def citizens_page(two: Two, number: str, secret: str) -> str:
    answer = httpx.get(f"{two.url}/report/{number}", params={"key": secret}, headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer.text


def test_a_case_goes_to_the_other_city_and_comes_to_its_end_there_and_here(two: Two) -> None:
    report = two.reported()
    number = report.number
    assert "Pass on to another city" in two.ours["shou"].get(f"/desk/cases/{number}").text
    assert two.passes("shou", number).status_code == 303
    (theirs,) = two.there()
    assert (theirs.entry.source, theirs.entry.class_code) == ("open311", "E0102")
    assert f"our number {number}" in theirs.entry.text
    assert (theirs.entry.longitude, theirs.entry.latitude) == (106.55, 29.56)
    ours = case(two, number)
    assert (ours.case.step, ours.case.passed.to, ours.case.passed.number) == ("elsewhere", THERE, theirs.entry.number)
    page = citizens_page(two, number, report.secret)
    assert f"It was passed on to {THERE} and has the number {theirs.entry.number} there." in page
    assert "With another city" in page
    assert "days left" not in page, "no promise for others"
    assert "Looking at it on site" not in page

    watching = two.ours["ban"].get(f"/desk/cases/{number}").text
    assert "This is done by itself when they say that it is closed." in watching

    two.theirs.acts("shou", theirs.entry.number, "complete")
    two.theirs.acts("cai", theirs.entry.number, "complete")
    two.later()
    assert "It is under way with Urban Management Supervision Centre" in citizens_page(two, number, report.secret)
    assert two.ours.hub.cases.get(number).case.step == "elsewhere"
    worked(two.theirs, theirs.entry.number)
    two.theirs.acts("ji", theirs.entry.number, "complete", PHOTO)
    two.theirs.town.officer("Second", CENTRE, "shift-leader").completes(theirs_now(two))
    two.later(40)
    two.ours.visitors.clear()  # sessions end meanwhile
    assert case(two, number).case.step == "close"
    page = two.ours["ban"].get(f"/desk/cases/{number}").text
    assert "It was put right and closed on" in page
    two.ours.acts("ban", number, "complete")
    assert case(two, number).entry.state == "closed"
    page = citizens_page(two, number, report.secret)
    assert "The other city has finished it." in page
    assert "It is done: the case was closed" in page
    told = [act.verb for act in two.ours.hub.cases.acts(number)]
    assert told[:3] == ["open", "pass_on", "answered"]
    assert told[-2:] == ["complete", "complete"]
    assert COMPANY not in case(two, number).case.involved


def theirs_now(two: Two) -> Any:
    (found,) = two.there()
    return found


def test_who_reported_it_stays_here_unless_an_officer_says_otherwise(two: Two) -> None:
    first, second = two.reported(), two.reported("A second heap")
    two.passes("shou", first.number)
    two.passes("shou", second.number, personal="1")
    rows = [row for filed in two.there() for row in two.theirs.hub.reports.of_case(filed.entry.id)]
    assert [(row["name"], row["phone"]) for row in rows] == [("", ""), ("Min Zhou", PHONE)]
    for number, personal in ((first.number, False), (second.number, True)):
        (kept,) = two.ours.hub.passings.of_case(case(two, number).entry.id)
        assert kept.personal is personal
        assert PHONE not in json.dumps(dict(kept.form))
        acts = json.dumps([dict(act.data) for act in two.ours.hub.cases.acts(number)])
        assert PHONE not in acts
    assert told_in_audit(two, second.number) == [{"act": "pass_on", "to": THERE, "personal": True}]


def told_in_audit(two: Two, number: str) -> list[Any]:
    with two.ours.hub.store.read() as conn:
        query = "SELECT detail FROM audit WHERE object = ? AND verb = 'act' AND actor = 'shou'"
        return [json.loads(row[0]) for row in conn.exec_driver_sql(query, (f"case:{number}",))]


def test_what_is_known_of_the_person_is_taken_out_of_the_words(two: Two) -> None:
    first, second = two.reported(), two.reported()
    words = {"text": "Call Min Zhou, 138-0000 0000, please.", "address": "1 Bridge Road, min zhou"}
    two.passes("shou", first.number, **words)
    two.passes("shou", second.number, personal="1", **words)
    hidden, told = two.there()
    assert hidden.entry.text.startswith("Call …, …, please.")
    assert hidden.entry.values["address"] == "1 Bridge Road, …"
    assert told.entry.text.startswith(words["text"])


def test_what_they_say_is_text_and_nothing_else(two: Two) -> None:
    report = two.reported()
    two.passes("shou", report.number)
    (row,) = two.ours.hub.passings.of_case(case(two, report.number).entry.id)
    two.ours.hub.passings.heard(row, "open", "<script>alert(1)</script> {who} %s")
    for page in (
        two.ours["ban"].get(f"/desk/cases/{report.number}").text,
        citizens_page(two, report.number, report.secret),
    ):
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {who} %s" in page
        assert "<script>alert(1)" not in page
    told = two.ours.json("ban", f"/desk/cases/{report.number}.json")["passed_on"]
    assert [(each["city"], each["state"], each["personal"]) for each in told] == [(THERE, "sent", False)]
    assert PHONE not in json.dumps(told)


def test_a_shift_leader_who_may_not_know_the_person_does_not_tell_them(two: Two) -> None:
    report = two.reported(source="collector")
    assert "who reported it" in two.page("ban", report.number, city=THERE, service="E0102").text
    assert 'name="personal"' not in two.page("ban", report.number, city=THERE, service="E0102").text
    assert two.passes("ban", report.number, personal="1").status_code == 403
    assert two.there() == []
    assert case(two, report.number).case.step == "file"


@pytest.mark.parametrize("who", ["cai", "chu", "lena", "ban"])
def test_whoever_has_not_the_step_cannot_pass_it_on(two: Two, who: str) -> None:
    number = two.reported().number
    hidden = two.hidden("shou", number) | {"csrf": two.ours[who].form("/account")}
    assert two.page(who, number).status_code in (403, 404)
    assert two.passes(who, number, hidden).status_code in (403, 404)
    assert "pass-on" not in two.ours[who].get(f"/desk/cases/{number}").text
    assert two.there() == []
    assert case(two, number).case.version == 1


def test_the_form_of_the_case_itself_passes_nothing_on(two: Two) -> None:
    number = two.reported().number
    fields = two.ours.form("shou", number, "complete") | {"verb": "pass_on", "city": THERE, "service": "x"}
    assert two.ours.sends("shou", number, fields | {"reason": "x"}).status_code == 422
    assert case(two, number).case.version == 1


def test_a_city_that_cannot_be_reached_is_said_and_nothing_changes(two: Two) -> None:
    number = two.reported().number
    page = two.page("shou", number, city=SILENT)
    assert f"{SILENT} cannot be reached just now." in page.text
    answer = two.passes("shou", number, two.hidden("shou", number) | {"city": SILENT})
    assert answer.status_code == 422
    assert f"{SILENT} cannot be reached just now." in answer.text
    assert case(two, number).case.version == 1
    assert two.ours.hub.passings.of_case(case(two, number).entry.id) == []


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": ""}, "Please write down the reason"),
        ({"text": ""}, "Please say what is wrong."),
        ({"service": "X99"}, "Choose what it is reported as there."),
        ({"city": "Atlantis"}, "Choose the city that is to have this case."),
        ({"about-condition": "nonsense"}, "Please choose one of these."),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_is_kept(two: Two, fields: dict[str, str], sentence: str) -> None:
    number = two.reported().number
    answer = two.passes("shou", number, **({"text": "My <own> words"} | fields))
    assert answer.status_code == 422
    assert sentence in answer.text
    if "text" not in fields and "city" not in fields and "service" not in fields:
        assert "My &lt;own&gt; words" in answer.text
    assert case(two, number).case.version == 1


def test_without_a_place_the_other_city_needs_an_address(two: Two) -> None:
    number = two.reported(place=None, address="").number
    answer = two.passes("shou", number, address="")
    assert answer.status_code == 422
    assert "needs an address" in answer.text
    assert two.passes("shou", number, address="2 Bridge Road").status_code == 303
    (theirs,) = two.there()
    assert theirs.entry.values["address"] == "2 Bridge Road"


def test_the_same_form_sent_twice_is_passed_on_once(two: Two) -> None:
    number = two.reported().number
    hidden = two.hidden("shou", number)
    assert two.passes("shou", number, hidden).status_code == 303
    again = two.passes("shou", number, hidden)
    assert again.status_code in (303, 409)
    assert len(two.there()) == 1
    assert len(two.ours.hub.passings.of_case(case(two, number).entry.id)) == 1


def test_what_they_do_not_take_comes_back_with_their_sentence(two: Two) -> None:
    report = two.reported()
    two.theirs.hub.tokens.revoke(HOUSE, "our city")
    two.passes("shou", report.number)
    back = case(two, report.number)
    assert (back.case.step, back.case.passed, back.entry.state) == ("accept", None, "open")
    assert two.there() == []
    page = two.ours["shou"].get(f"/desk/cases/{report.number}").text
    assert "The other city did not take it" in page
    assert "key" in [act for act in two.ours.hub.cases.acts(report.number)][-1].data["text"]
    assert "It was passed on to" not in citizens_page(two, report.number, report.secret).split("What was done")[0]
    assert "complete" in [each["verb"] for each in two.ours.json("shou", f"/desk/cases/{report.number}.json")["next"]]


def test_a_case_that_is_taken_back_is_ours_again_and_followed_no_more(two: Two) -> None:
    report = two.reported()
    two.passes("shou", report.number)
    (theirs,) = two.there()
    two.ours.acts("ban", report.number, "return", step="accept", reason="It is ours after all.")
    assert case(two, report.number).case.step == "accept"
    two.theirs.acts("pai", theirs.entry.number, "void", reason="So be it.")
    two.later()
    back = case(two, report.number)
    assert (back.case.step, back.case.passed) == ("accept", None)
    (kept,) = two.ours.hub.passings.of_case(back.entry.id)
    assert kept.state == "withdrawn"


def test_a_photo_goes_along_as_a_link_only_where_people_can_reach_us(two: Two, tmp_path: Path) -> None:
    sha = two.ours.hub.blobs.keep(PHOTO, "a.png", photo=True).sha256
    number = two.reported(photos=(sha,)).number
    assert 'name="photo"' not in two.page("shou", number, city=THERE, service="E0102").text
    assert two.passes("shou", number, photo=sha).status_code == 303
    (theirs,) = two.there()
    assert "http" not in theirs.entry.text
    with two_cities(tmp_path / "public", public_url="https://north.example") as open_ones:
        sha = open_ones.ours.hub.blobs.keep(PHOTO, "a.png", photo=True).sha256
        shown, kept = (open_ones.reported(photos=(sha,)).number for _ in range(2))
        assert open_ones.passes("shou", shown, photo=sha).status_code == 303
        assert open_ones.passes("shou", kept, photo="none").status_code == 303
        links = [filed.entry.text.partition("https://north.example")[2] for filed in open_ones.there()]
        assert links[0].startswith("/passed-on/")
        assert links[1] == ""
        nobody = open_ones.ours[""]
        picture = nobody.get(links[0])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
        assert nobody.get("/passed-on/guess").status_code == 404
        assert nobody.get(f"/report/{shown}/photos/{sha}").status_code == 404


def test_others_who_follow_the_case_by_open311_hear_where_it_is(two: Two) -> None:
    report = two.reported()
    two.passes("shou", report.number)
    (told,) = httpx.get(f"{two.url}/open311/v2/requests/{report.number}.json", params={"lang": "en"}).json()
    (theirs,) = two.there()
    assert told["status"] == "open"
    assert (told["agency_responsible"], told["expected_datetime"]) == (THERE, None), "no promise for others"
    assert told["status_notes"].startswith(f"It was passed on to {THERE}, number {theirs.entry.number}.")
