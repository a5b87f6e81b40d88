"""Every reason for which something may not be done to a case, and the sentence a person reads then."""

import inspect
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cheng.kernel import cases, guards, needs
from cheng.kernel.cases import HOUSE, Person
from cheng.standards.problems import Refused
from small_flow import (
    CITIZEN,
    DAY,
    DISPATCHER,
    FIRST,
    HOUR,
    LI,
    START,
    STRANGER,
    WU,
    Desk,
    at_check,
    closed,
    officer,
    together,
)

Before = Callable[[], Desk]


def asked_for_more() -> Desk:
    desk = Desk()
    desk.do("extend", LI, reason="More time")
    return desk


def asked_by_dispatcher_of_crew() -> Desk:
    desk = Desk()
    desk.do("extend", officer("both", "East drainage crew", "dispatcher"), reason="More time")
    return desk


def suspended() -> Desk:
    desk = Desk()
    desk.do("suspend", DISPATCHER, until=START + DAY, reason="Waits")
    return desk


def resumed() -> Desk:
    desk = suspended()
    desk.do("resume", DISPATCHER)
    return desk


def with_li() -> Desk:
    desk = Desk()
    desk.do("take", LI)
    return desk


def void() -> Desk:
    desk = Desk()
    desk.do("void", DISPATCHER, reason="Invented")
    return desk


def merged() -> Desk:
    desk = Desk()
    desk.do("merge", DISPATCHER, into="case-2", reason="Same")
    return desk


def overdue() -> Desk:
    desk = Desk()
    desk.now += HOUR
    return desk


def long_closed() -> Desk:
    desk = closed()
    desk.now += 31 * DAY
    return desk


def appealed() -> Desk:
    desk = closed(late=True)
    desk.do("appeal", LI, reason="Flooded")
    return desk


def without_limit() -> Desk:
    desk = Desk(together, DISPATCHER)
    desk.do("complete", officer("ro", "Roads"))
    return desk


def handled() -> Desk:
    desk = Desk()
    desk.do("complete", LI)
    return desk


def without_department() -> Desk:
    desk = Desk()
    desk.case = replace(desk.case, runs=(replace(desk.case.runs[0], departments=()),))
    return desk


BOTH = officer("both", "East drainage crew", "dispatcher")
REVIEWER_OF_CREW = Person("rc", "East drainage crew", frozenset({"reviewer"}))

SENTENCES: dict[str, tuple[int, str]] = {
    "unknown-verb": (422, "Nobody can “shout” a case."),
    "not-officer": (403, "Only officers handle cases."),
    "other-department": (403, "This step is for East drainage crew, and you work for Parks."),
    "no-department": (409, "No department has this case yet; a dispatcher has to say which one."),
    "taken": (409, "This case is already with li."),
    "with-another": (403, "This case is with li; have it assigned to you first."),
    "person-elsewhere": (422, "stranger is no officer of East drainage crew, whose turn it is."),
    "no-person": (422, "Choose the person who is to do this."),
    "unknown-person": (422, "Nobody here is called “nobody”."),
    "no-proof": (422, "This step asks for evidence: photo. Please attach it."),
    "bad-proof": (422, "The evidence could not be read; please attach it again."),
    "not-until": (409, "This step is not finished while “tilt < 5” does not hold; the readings say that it does not."),
    "no-reason": (422, "Please write down the reason: it stays with the case."),
    "first-step": (
        409,
        "This is the first step; there is none to return to. A dispatcher can move the case elsewhere.",
    ),
    "no-such-step": (422, "Choose a step to go back to: dispatch, handle."),
    "no-limit": (409, "This step has no limit, so there is nothing to extend."),
    "asked-already": (409, "More time has been asked for already, and nobody has decided yet."),
    "too-late": (409, "This step is overdue; more time can only be asked for before that."),
    "none-asked": (409, "Nobody has asked for more time."),
    "not-decider": (403, "Only a dispatcher or a reviewer decides about more time."),
    "own-request": (403, "You asked for this yourself; somebody else has to decide."),
    "not-dispatcher": (403, "Only a dispatcher may do this."),
    "no-until": (422, "Say until when the case is suspended."),
    "until-past": (422, "A case is suspended until a moment that is still to come."),
    "until-far": (422, "A case is suspended for one year at most."),
    "paused-before": (409, "This case was suspended once; it cannot be again."),
    "not-suspended": (409, "This case is not suspended."),
    "suspended": (409, "This case is suspended; a dispatcher has to resume it first."),
    "no-target": (422, "Choose the department that is to have this case."),
    "same-department": (422, "East drainage crew has this case already."),
    "closed": (409, "This case is closed; a dispatcher can reopen it."),
    "not-closed": (409, "This case is not closed yet."),
    "not-late": (409, "Your department was not late in this case; there is nothing to appeal against."),
    "not-involved": (403, "Only an officer of a department that had this case may appeal."),
    "appealed-already": (409, "Your department has appealed once; there is no second appeal."),
    "not-reviewer": (403, "Only reviewers decide about appeals."),
    "own-appeal": (403, "This appeal comes from your own department; somebody else has to decide."),
    "no-appeal": (409, "There is no appeal to decide about."),
    "not-waiting": (403, "Only a dispatcher, a leader or the person who reported it may urge a case."),
    "not-leader": (403, "Only a leader may do this."),
    "no-text": (422, "Please write something first."),
    "not-involved-note": (403, "Only departments that had this case and the person who reported it may write to it."),
    "no-other": (422, "Choose the case that this one belongs to."),
    "itself": (422, "A case cannot be merged into itself."),
    "not-merged": (409, "This case was not merged into another one."),
    "merged": (409, "This case was merged into another one; go on there, or separate them first."),
    "void": (409, "This case was declared void; nothing more is done about it."),
    "closed-for-good": (409, "This case was closed too long ago to be reopened; open a new one."),
    "house-only": (403, "Only the system itself does this."),
    "opened": (409, "This case was opened already."),
    "unknown-field": (422, "“{field}” does not belong to this act."),
    "own-work": (403, "{who} did an earlier step of this case; somebody else has to do this one."),
}

REFUSED: list[tuple[Before, str, Person, dict[str, Any], str]] = [
    (Desk, "shout", LI, {}, "unknown-verb"),
    (Desk, "take", CITIZEN, {}, "not-officer"),
    (Desk, "take", STRANGER, {}, "other-department"),
    (without_department, "take", LI, {}, "no-department"),
    (with_li, "take", WU, {}, "taken"),
    (with_li, "complete", WU, {}, "with-another"),
    (at_check, "take", LI, {}, "own-work"),
    (at_check, "assign", DISPATCHER, {"target": LI}, "own-work"),
    (Desk, "assign", DISPATCHER, {"target": STRANGER}, "person-elsewhere"),
    (Desk, "assign", DISPATCHER, {}, "no-person"),
    (Desk, "assign", DISPATCHER, {"person": "nobody"}, "unknown-person"),
    (handled, "complete", LI, {}, "no-proof"),
    (handled, "complete", LI, {"proof": [{"kind": "photo"}]}, "bad-proof"),
    (handled, "complete", LI, {"proof": "photo"}, "bad-proof"),
    (at_check, "complete", WU, {"holds": False}, "not-until"),
    (at_check, "complete", WU, {}, "no-reason"),
    (Desk, "return", LI, {"step": "dispatch", "reason": "x"}, "first-step"),
    (at_check, "return", WU, {"step": "check", "reason": "x"}, "no-such-step"),
    (at_check, "return", WU, {"step": ["handle"], "reason": "x"}, "no-such-step"),
    (at_check, "return", WU, {"step": "handle", "reason": " \x00 "}, "no-reason"),
    (without_limit, "extend", officer("ro", "Roads"), {"reason": "x"}, "no-limit"),
    (asked_for_more, "extend", LI, {"reason": "x"}, "asked-already"),
    (overdue, "extend", LI, {"reason": "x"}, "too-late"),
    (Desk, "allow", DISPATCHER, {}, "none-asked"),
    (asked_for_more, "allow", WU, {}, "not-decider"),
    (asked_by_dispatcher_of_crew, "allow", BOTH, {}, "own-request"),
    (Desk, "suspend", LI, {}, "not-dispatcher"),
    (Desk, "suspend", DISPATCHER, {"reason": "x"}, "no-until"),
    (Desk, "suspend", DISPATCHER, {"reason": "x", "until": START - 1}, "until-past"),
    (Desk, "suspend", DISPATCHER, {"reason": "x", "until": START + 367 * DAY}, "until-far"),
    (resumed, "suspend", DISPATCHER, {"reason": "x", "until": START + DAY}, "paused-before"),
    (Desk, "resume", DISPATCHER, {}, "not-suspended"),
    (suspended, "complete", LI, {}, "suspended"),
    (Desk, "move", DISPATCHER, {"reason": "x"}, "no-target"),
    (Desk, "move", DISPATCHER, {"reason": "x", "department": "East drainage crew"}, "same-department"),
    (closed, "complete", LI, {}, "closed"),
    (Desk, "appeal", LI, {"reason": "x"}, "not-closed"),
    (closed, "appeal", LI, {"reason": "x"}, "not-late"),
    (closed, "appeal", STRANGER, {"reason": "x"}, "not-involved"),
    (appealed, "appeal", WU, {"reason": "x"}, "appealed-already"),
    (appealed, "uphold", LI, {}, "not-reviewer"),
    (appealed, "uphold", REVIEWER_OF_CREW, {}, "own-appeal"),
    (closed, "uphold", FIRST, {}, "no-appeal"),
    (Desk, "urge", LI, {}, "not-waiting"),
    (Desk, "supervise", DISPATCHER, {"reason": "x"}, "not-leader"),
    (Desk, "note", LI, {}, "no-text"),
    (Desk, "note", STRANGER, {"text": "x"}, "not-involved-note"),
    (Desk, "merge", DISPATCHER, {"reason": "x"}, "no-other"),
    (Desk, "merge", DISPATCHER, {"reason": "x", "into": "case-1"}, "itself"),
    (Desk, "unmerge", DISPATCHER, {"reason": "x"}, "not-merged"),
    (merged, "take", LI, {}, "merged"),
    (void, "reopen", DISPATCHER, {}, "void"),
    (long_closed, "reopen", DISPATCHER, {"step": "handle", "reason": "x"}, "closed-for-good"),
    (Desk, "alert_cleared", DISPATCHER, {}, "house-only"),
    (Desk, "open", HOUSE, {}, "opened"),
    (Desk, "take", LI, {"holds2": True}, "unknown-field"),
    (Desk, "take", LI, {"facts": {"department": "x"}}, "unknown-field"),
]


@pytest.mark.parametrize(("before", "verb", "actor", "data", "code"), REFUSED)
def test_every_refusal_is_a_sentence(before: Before, verb: str, actor: Person, data: dict[str, Any], code: str) -> None:
    desk = before()
    with pytest.raises(Refused) as refused:
        desk.do(verb, actor, **data)
    status, sentence = SENTENCES[code]
    assert (refused.value.code, refused.value.status) == (code, status)
    who = data["target"].name if "target" in data else "You"
    assert str(refused.value) == sentence.replace("{who}", who).replace("{field}", next(iter(data), ""))


def test_no_refusal_is_left_out() -> None:
    """Each code in the sources is in the table, or in test_cases, _filed and _passed with those that need a story."""
    told = {"other-post", "person-post", "parts-open", "no-dispute", "disputed-already", "disputed-once"}
    told |= {"none-disputed", "not-asked", "no-answer", "bad-answer", "no-condition", "too-many-departments"}
    told |= {"not-opened", "not-opener", "not-a-form", "extended-enough", "appeal-open", "already-decided"}
    told |= {"not-passed-on", "not-away"}
    modules = [cases, guards, needs]
    codes = {code for module in modules for code in re.findall(r'refuse\("([a-z-]+)"', inspect.getsource(module))}
    codes |= {code for table in (cases.NOT_NOW, cases.NOT_YET) for code, _ in table.values()}
    split = {code for module in modules for code in re.findall(r'refuse\(\s+"([a-z-]+)"', inspect.getsource(module))}
    assert codes | split == SENTENCES.keys() | told
    assert {code for *_, code in REFUSED} == SENTENCES.keys()
