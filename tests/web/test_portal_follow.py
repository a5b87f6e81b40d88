"""Following a report: whoever has its word sees all that is theirs, everybody else exactly what is public."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from portal_town import HERE, SQUAD, Reported, open_town
from test_portal_report import count

from cheng.kernel.standing import Person
from cheng.standards.durations import days
from cheng.testing import PHOTO

DISPATCHER = Person("dora", "Command centre", frozenset({"dispatcher"}))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Reported]:
    with open_town(tmp_path) as opened:
        yield opened


def seen(town: Reported, number: str, key: str = "", name: str = "") -> dict[str, object]:
    answer = town[name].get(f"/report/{number}.json", params={"key": key} if key else {})
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def test_a_report_is_followed_through_its_stages(town: Reported) -> None:
    number, key = town.reports()
    stages = seen(town, number, key)["stages"]
    assert [(each["name"], each["state"]) for each in stages] == [  # type: ignore[attr-defined, index]  # JSON
        ("accept", "now"),
        ("handle", "ahead"),
        ("check", "ahead"),
    ]
    town.works(number, "handle")
    told = seen(town, number, key)
    assert told["standing"] == f"It is with: {SQUAD}. Present stage: Putting it right."
    assert told["due"]
    town.works(number)
    told = seen(town, number, key)
    assert "It is done" in str(told["standing"])
    assert [line["what"] for line in told["story"]] == [  # type: ignore[attr-defined, index]  # JSON
        "The report arrived.",
        "Your report was accepted.",
        "The department says that it is put right.",
        "Somebody else was there and found it in order.",
    ]
    assert len(told["work"]) == 1  # type: ignore[arg-type]  # JSON
    page = town[""].get(f"/report/{number}", params={"key": key}).text
    assert "Photos of the work" in page
    for person in ("acc", "han", "che"):
        assert f">{person}" not in page, "never persons"


def test_without_its_word_a_report_is_its_public_part_and_nothing_else(town: Reported) -> None:
    number, key = town.reports(photos=[PHOTO], name="Zhou Min", phone="13800000000", address="East Street 12")
    town.works(number)
    told = seen(town, number)
    assert set(told) == {"report", "stages", "own", "joined"}
    assert told["report"]["place"] == [round(HERE[0], 3), round(HERE[1], 3)]  # type: ignore[index]  # JSON
    for stranger in ("other", "citi", "acc"):
        for word in ("", "wrong", key[:-1], key.upper()):
            page = town[stranger].get(f"/report/{number}", params={"key": word}).text
            for secret in ("The cover is broken", "Zhou", "13800000000", "East Street 12", SQUAD, "photos/"):
                assert secret not in page
    own = town.hub.cases.acts(number)[0].data["proof"][0]["blob"]
    assert town[""].get(f"/report/{number}/photos/{own}").status_code == 404
    assert town[""].get(f"/report/{number}/photos/{own}", params={"key": key}).status_code == 200


def test_what_is_not_public_answers_like_what_is_not_there(town: Reported) -> None:
    number, key = town.reports(class_="")
    hidden = town["other"].get(f"/report/{number}", params={"key": "wrong"})
    nothing = town["other"].get("/report/20261120-009999", params={"key": "wrong"})
    assert (hidden.status_code, nothing.status_code) == (404, 404)
    assert hidden.text.replace(number, "") == nothing.text.replace("20261120-009999", "")
    assert town[""].get(f"/report/{number}", params={"key": key}).status_code == 200
    id_ = town.hub.cases.get(number).entry.id
    assert town[""].get(f"/report/{id_}").status_code == 404


def test_nobody_else_acts_on_a_report(town: Reported) -> None:
    number, key = town.reports()
    before = len(town.hub.cases.acts(number))
    csrf = town["other"].form("/report")
    for word in ("", "wrong", key[:-1]):
        fields = {"csrf": csrf, "verb": "urge", "secret": word}
        answer = town["other"].client.post(f"/report/{number}", data=fields, follow_redirects=False)
        assert answer.status_code == 404
    assert len(town.hub.cases.acts(number)) == before


def test_its_address_is_kept_from_others(town: Reported) -> None:
    number, key = town.reports()
    headers = town[""].get(f"/report/{number}", params={"key": key}).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert "noindex" in headers["x-robots-tag"]


def test_hurry_and_notes(town: Reported) -> None:
    number, key = town.reports()
    assert town.acts("", number, key, "urge").status_code == 303
    assert town.acts("", number, key, "note", [PHOTO], text="It got worse").status_code == 303
    assert [act.verb for act in town.hub.cases.acts(number)] == ["open", "urge", "note"]
    told = seen(town, number, key)
    assert [line["text"] for line in told["story"]] == ["", "", "It got worse"]  # type: ignore[attr-defined, index]  # JSON
    assert len(told["photos"]) == 1  # type: ignore[arg-type]  # JSON
    empty = town.acts("", number, key, "note", [PHOTO], text=" ")
    assert empty.status_code == 422
    assert "Please write what you want to add." in empty.text
    assert 'name="kept"' in empty.text
    page = town[""].get(f"/report/{number}", params={"key": key}).text
    assert "It got worse" in page


def test_an_act_sent_twice_is_done_once(town: Reported) -> None:
    number, key = town.reports()
    for _ in range(2):
        assert town.acts("", number, key, "note", text="Once", key="one-and-the-same").status_code == 303
    assert [act.verb for act in town.hub.cases.acts(number)] == ["open", "note"]


def test_in_the_end_one_says_how_it_went(town: Reported) -> None:
    number, key = town.reports()
    early = town.acts("", number, key, "rate", reached="yes", solved="yes", satisfied="yes")
    assert early.status_code == 409
    town.works(number)
    partly = town.acts("", number, key, "rate", reached="yes")
    assert partly.status_code == 422
    assert partly.text.count("Please choose one of these.") >= 2
    assert town.acts("", number, key, "rate", reached="yes", solved="no", satisfied="mostly").status_code == 303
    assert seen(town, number, key)["rating"] == {"reached": "yes", "solved": "no", "satisfied": "mostly"}


def test_what_is_not_in_order_is_opened_again_within_the_window(town: Reported) -> None:
    number, key = town.reports()
    town.works(number)
    assert town.acts("", number, key, "reopen").status_code == 422
    assert town.acts("", number, key, "reopen", [PHOTO], reason="It is broken again").status_code == 303
    filed = town.hub.cases.get(number)
    assert (filed.case.state, filed.case.step) == ("open", "handle")
    town.works(number)
    town.town.passes(days(8))
    assert "reopen" not in seen(town, number, key)["next"]  # type: ignore[operator]  # JSON
    late = town.acts("", number, key, "reopen", reason="And again")
    assert late.status_code == 409
    assert "closed too long ago" in late.text
    assert "And again" in late.text, "what was typed is not lost"


def test_a_report_that_was_joined_to_another_one_goes_on_there(town: Reported) -> None:
    one, _ = town.reports()
    other, key = town.reports("other", text="The same cover")
    target = town.hub.cases.get(one).entry.id
    town.hub.cases.act(other, "merge", DISPATCHER, {"into": target, "reason": "the same"})
    told = seen(town, other, key, "other")
    assert told["joined"]
    assert told["report"]["number"] == one  # type: ignore[index]  # JSON
    assert told["text"] == "The same cover"
    page = town["other"].get(f"/report/{other}", params={"key": key}).text
    assert "joined to another one" in page
    assert town[""].get(f"/report/{other}").status_code == 404


def test_what_is_void_tells_its_reason_to_whoever_sent_it(town: Reported) -> None:
    number, key = town.reports()
    town.hub.cases.act(number, "void", DISPATCHER, {"reason": "It lies on private ground."})
    assert "It lies on private ground." in town[""].get(f"/report/{number}", params={"key": key}).text
    assert town[""].get(f"/report/{number}").status_code == 404


def test_whoever_is_signed_in_finds_theirs_again_without_a_word(town: Reported) -> None:
    assert town[""].get("/report/mine").status_code in (302, 303)
    assert "You have reported nothing yet" in town["citi"].get("/report/mine").text
    number, _ = town.reports("citi")
    town.reports("other", class_="C0106")
    rows = town["citi"].get("/report/mine.json").json()["reports"]
    assert [row["number"] for row in rows] == [number]
    assert seen(town, number, name="citi")["text"] == "The cover is broken"
    assert town.acts("citi", number, "", "urge").status_code == 303
    assert count(town) == (2, 2)
