"""Reporting without an account and without JavaScript: what is taken, what is not, and that nothing is lost."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from portal_town import CLASSES, FAR, HERE, THERE, Reported, open_town, spelled, where
from sqlalchemy import func, select

from cheng.infrastructure.report_tables import reports
from cheng.infrastructure.tables import cases
from cheng.standards.durations import minutes
from cheng.standards.problems import Refused
from cheng.testing import PHOTO
from cheng.web.portal.limits import MOST, SPAN, Limits
from cheng.web.portal.report import ROOM
from photographs import photograph


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Reported]:
    with open_town(tmp_path) as opened:
        yield opened


def count(town: Reported) -> tuple[int, int]:
    """Cases and reports that there are."""
    with town.hub.store.read() as conn:
        numbers = [conn.execute(select(func.count()).select_from(table)).scalar_one() for table in (cases, reports)]
    return numbers[0], numbers[1]


def field_error(page: str, name: str) -> str:
    found = re.search(rf'id="e-{name}"[^>]*>.*?</span>\s*([^<]+)</p>', page, re.S)
    return found[1] if found else ""


def test_a_report_gets_a_number_and_a_page_of_its_own(town: Reported) -> None:
    answer = town.sends(photos=[PHOTO], phone="138 0000 0000")
    number, key = where(answer)
    filed = town.hub.cases.get(number)
    assert filed.entry.source == "portal"
    assert filed.entry.class_code == "C0101"
    assert (filed.entry.longitude, filed.entry.latitude) == HERE
    assert filed.case.values["street"] == "East Street"
    (row,) = town.hub.reports.of_case(filed.entry.id)
    assert (row["phone"], row["text"], row["account"]) == ("13800000000", "The cover is broken", "")
    page = town[""].get(f"/report/{number}", params={"key": key}).text
    assert "Your report has arrived." in page
    assert f"/report/{number}?key={key}" in page
    assert "The cover is broken" in page


def test_the_class_may_be_left_to_those_who_accept_it(town: Reported) -> None:
    number, _ = town.reports(class_="")
    filed = town.hub.cases.get(number)
    assert (filed.entry.class_code, filed.case.step) == ("", "accept")


def test_a_report_without_a_place_has_an_address(town: Reported) -> None:
    number, _ = town.reports(place=None, address="East Street 12")
    assert town.hub.cases.get(number).entry.longitude is None
    answer = town.sends(place=None)
    assert answer.status_code == 422
    assert "Please say where it is" in field_error(answer.text, "address")


def test_the_place_is_what_was_chosen_else_what_the_camera_noted(town: Reported) -> None:
    there = photograph(THERE)
    by_photo, _ = town.reports(place=None, photos=[PHOTO, there])
    entry = town.hub.cases.get(by_photo).entry
    assert (entry.longitude, entry.latitude) == pytest.approx(THERE, abs=1e-5)
    chosen, _ = town.reports(photos=[there])
    assert (town.hub.cases.get(chosen).entry.longitude, 0) == (HERE[0], 0)


def test_a_photo_from_elsewhere_does_not_move_a_report_out_of_the_city(town: Reported) -> None:
    away = photograph(FAR)
    answer = town.sends(place=None, photos=[away])
    assert "The photo was taken outside the city" in field_error(answer.text, "address")
    number, _ = town.reports(place=None, photos=[away], address="East Street 12")
    assert town.hub.cases.get(number).entry.longitude is None


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "outside": ({"place": spelled(FAR)}, "place", "This place lies outside the city"),
    "no text": ({"text": "  "}, "text", "Please say what is wrong."),
    "long text": ({"text": "x" * 2001}, "text", "at most 2000 characters"),
    "no place": ({"place": "behind the church"}, "place", "Please write the place as latitude and longitude"),
    "nowhere": ({"place": "131.3, 220.6"}, "place", "Please write the place as latitude and longitude"),
    "no class": ({"class_": "X9999"}, "class", "Please choose one of these."),
    "not public": ({"class_": "E0401"}, "class", "Please choose one of these."),
    "phone": ({"phone": "call me"}, "phone", "Please write a phone number"),
    "program": ({"website": "https://spam.example"}, "website", "Please leave this field empty"),
}


@pytest.mark.parametrize(("told", "beside", "sentence"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_beside_its_field_and_in_the_summary(
    town: Reported, told: dict[str, Any], beside: str, sentence: str
) -> None:
    answer = town.sends(photos=[PHOTO], **{"name": "Zhou", **told})
    assert answer.status_code == 422
    assert sentence in field_error(answer.text, beside)
    summary = re.search(r'class="error-summary".*?</div>', answer.text, re.S)
    assert summary
    assert f'href="#f-{beside}"' in summary[0]
    assert sentence in summary[0]
    assert 'value="Zhou"' in answer.text, "nothing that was typed is lost"
    assert 'name="kept"' in answer.text, "nor a photo"
    assert count(town) == (0, 0)


HOSTILE = {
    "no photo": (b"GIF89a not one of ours", "This file is not a photo we can keep"),
    "a script": (
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "This file is not a photo",
    ),
    "a page": (b"<!doctype html><script>alert(1)</script>", "This file is not a photo we can keep"),
    "empty": (b"", "This file is empty"),
    "50 MB": (PHOTO + bytes(50_000_000), "This file is larger than"),
}


@pytest.mark.parametrize(("content", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_photo_is_not_taken_and_the_good_one_beside_it_is_kept(
    town: Reported, content: bytes, sentence: str
) -> None:
    answer = town.sends(photos=[PHOTO, content])
    assert answer.status_code == 422
    found = re.search(r'id="f-photos-error"[^>]*>.*?</span>\s*([^<]+)</p>', answer.text, re.S)
    assert found
    assert sentence in found[1]
    assert answer.text.count('name="kept"') == 1
    assert count(town) == (0, 0)


def test_a_photo_that_carries_a_script_is_kept_by_nobody(town: Reported) -> None:
    answer = town.sends(photos=[PHOTO + b"<script>alert(1)</script>"])
    assert answer.status_code == 422
    assert "carries a program" in answer.text
    assert count(town) == (0, 0)


def test_more_than_a_form_may_hold_is_told_in_a_sentence(town: Reported) -> None:
    answer = town.sends(photos=[PHOTO + bytes(ROOM)])
    assert answer.status_code == 413
    assert "too large" in answer.text
    assert count(town) == (0, 0)


def test_kept_photos_go_along_and_nobody_attaches_those_of_another(town: Reported) -> None:
    back = town.sends(text="", photos=[PHOTO])
    (kept,) = re.findall(r'name="kept" value="([^"]+)"', back.text)
    stranger = town.sends("other", hidden=town.form("other") | {"kept": kept, "new": "1"})
    assert not town.hub.cases.acts(where(stranger)[0])[0].data.get("proof")
    number, _ = town.reports(hidden=town.form() | {"kept": kept, "new": "1"})
    assert len(town.hub.cases.acts(number)[0].data["proof"]) == 1


def test_the_same_form_sent_twice_is_one_report(town: Reported) -> None:
    hidden = town.form() | {"new": "1"}
    first, second = (where(town.sends(hidden=hidden, photos=[PHOTO])) for _ in range(2))
    assert first == second
    assert count(town) == (1, 1)


def test_a_form_sent_again_with_other_words_asks_first(town: Reported) -> None:
    hidden = town.form() | {"new": "1"}
    where(town.sends(hidden=hidden))
    answer = town.sends(hidden=hidden, text="And now the lid is gone")
    assert answer.status_code == 422
    assert "A report was sent from this page already" in field_error(answer.text, "text")
    assert count(town) == (1, 1)
    fresh = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    where(town.sends(hidden={**hidden, "key": fresh["key"]}, text="And now the lid is gone"))
    assert count(town) == (2, 2)


def test_two_tabs_are_two_reports_and_the_second_is_asked_whether_it_is_the_first(town: Reported) -> None:
    one, other = town.form(), town.form()
    number, _ = where(town.sends(hidden=one))
    answer = town.sends(hidden=other)
    assert answer.status_code == 200
    assert "Is it one of these?" in answer.text
    assert number in answer.text
    assert count(town) == (1, 1)


def test_me_too_joins_the_case_and_can_be_followed(town: Reported) -> None:
    number, key = town.reports()
    near = town.sends("other", place=spelled((HERE[0] + 0.0005, HERE[1])), photos=[PHOTO], text="Still broken")
    assert "about 50 metres away" in near.text
    assert "The cover is broken" not in near.text, "what others wrote is not public"
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', near.text))
    joined, word = where(town["other"].client.post("/report", data={**hidden, "same": number}, follow_redirects=False))
    assert joined == number
    assert word != key
    filed = town.hub.cases.get(number)
    assert filed.entry.weight == 2
    assert len(town.hub.reports.of_case(filed.entry.id)) == 2
    data = town["other"].get(f"/report/{number}.json", params={"key": word}).json()
    assert (data["text"], len(data["photos"]), data["weight"]) == ("Still broken", 1, 2)
    assert town[""].get(f"/report/{number}.json", params={"key": key}).json()["photos"] == []


def test_what_is_far_away_of_another_class_or_done_is_not_asked_about(town: Reported) -> None:
    number, _ = town.reports()
    assert town.sends("other", place=spelled((HERE[0] + 0.005, HERE[1]))).status_code == 303
    assert town.sends("other", class_="C0106").status_code == 303
    town.works(number)
    assert town.sends("other").status_code == 303


def test_a_case_that_ended_meanwhile_is_not_joined(town: Reported) -> None:
    number, _ = town.reports()
    town.works(number)
    answer = town.sends("other", same=number)
    assert answer.status_code == 409
    assert "is over; please report it anew" in answer.text
    assert count(town) == (1, 1)


def test_one_goes_back_from_the_question_with_everything_filled_in(town: Reported) -> None:
    town.reports()
    near = town.sends("other", photos=[PHOTO], address="East Street 12")
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', near.text))
    back = town["other"].client.post("/report", data={**hidden, "back": "1"}).text
    assert 'value="East Street 12"' in back
    assert '<option value="C0101" selected>' in back
    assert 'name="kept"' in back


def test_a_form_of_another_page_is_not_taken(town: Reported) -> None:
    hidden = {**town.form(), "csrf": "forged"}
    answer = town.sends(hidden=hidden)
    assert answer.status_code == 403
    assert count(town) == (0, 0)


def test_a_program_that_sends_all_day_has_to_wait_and_loses_nothing(town: Reported) -> None:
    for _ in range(MOST["report"]):
        town.reports(place=None, address="East Street 12")
    answer = town.sends(new="1")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "The cover is broken" in answer.text
    town.town.passes(minutes(61))
    town.reports()


def test_a_limit_is_for_a_network_and_for_an_hour() -> None:
    limits = Limits()
    for n in range(MOST["report"]):
        limits.count("report", f"2001:db8::{n:x}", n)
    with pytest.raises(Refused, match="Very much"):
        limits.count("report", "2001:db8::ffff", 100)
    limits.count("report", "2001:db8:0:1::1", 100)
    limits.count("form", "2001:db8::1", 100)
    limits.count("report", "2001:db8::1", SPAN)


def test_classes_are_found_by_a_few_words_in_either_language(town: Reported) -> None:
    def found(words: str, language: str = "en") -> list[str]:
        answer = town[""].get("/report/classes.json", params={"q": words}, headers={"accept-language": language})
        return [each["code"] for each in answer.json()["classes"]]

    assert found("the lamp is dark")[0] == "C0106"
    assert found("上水井盖破了", "zh-CN")[0] == "C0101"
    assert found("门口的垃圾没人管", "zh-CN") == ["E0102"]
    assert found("covers")[0] == "C0101"
    assert found("threat") == []
    assert found("zzz") == []
    listed = town[""].get("/report/classes.json").json()["classes"]
    assert [each["code"] for each in listed] == [each.code for each in CLASSES if each.public]
    page = town[""].get("/report/classes").text
    assert 'href="/report?class=E0102"' in page
    assert '<option value="E0102" selected>' in town[""].get("/report?class=E0102").text


def test_the_portal_leads_to_the_form(town: Reported) -> None:
    page = town[""].get("/portal").text
    assert 'href="/report"' in page
    assert "Report a problem" in page
    assert 'data-section="portal"' in town[""].get("/report").text


def test_a_city_without_classes_says_so(tmp_path: Path) -> None:
    with open_town(tmp_path) as town:
        town.hub.cases.flows = {}
        assert "Nothing can be reported here yet" in town[""].get("/report").text
