"""One task of the round on a phone: what was reported, what it has to look like in the end, and what somebody found."""

import secrets
from collections.abc import Sequence
from typing import Any

from litestar import Response

from cheng.infrastructure.case_book import Filed
from cheng.kernel.flows import Flow, Step
from cheng.standards.problems import Refused
from cheng.web.desk import filing, words
from cheng.web.desk.act_forms import why_not
from cheng.web.desk.acts import ROOM, Evidence, collect, denied, keep, note, perform, tell
from cheng.web.desk.case_view import View
from cheng.web.desk.round import kind_of, street_steps, task_row, told
from cheng.web.desk.seeing import case_of, may_do, person
from cheng.web.errors import answer as problem_of
from cheng.web.map.page import ground_told
from cheng.web.pages import Answer, Ask, Form, Page, get, post, see_other

SENTENCES = {
    "look": "What did you find?",
    "check": "Is it done as it should be?",
    "work": "What did you do?",
    "nothing": "Nothing was found on the spot.",
    "complete": "Case {number}: your part is done.",
    "return": "Case {number} was sent back to be done again.",
}
TITLES = {
    "look-yes": "It is so",
    "look-no": "There is nothing",
    "check-yes": "It is done",
    "check-no": "It is not done",
}
ANSWERS = {"look": ("yes", "no"), "check": ("yes", "no"), "work": ()}
"""Kind of task → what can be said about it."""
FIELDS = {"no-proof": "proof", "bad-proof": "proof", "no-reason": "text", "no-text": "text"}


@get("/desk/round/{number:str}", needs=("enter", "round"))
def task(ask: Ask, number: str) -> Page:
    """The case with that number, as far as one needs to know it in the street."""
    return task_page(ask, case_of(ask, number), Form(ask))


def task_page(ask: Ask, filed: Filed, form: Form, kept: Sequence[str] = (), problem: Refused | None = None) -> Page:
    """The task, with a form that came back when there is one."""
    view = View.of(ask, filed)
    row = task_row(ask, filed.entry, view.people)
    step = step_here(ask, filed)
    offered = [option.verb for option in ask.hub.cases.next_acts(filed.entry.id, person(ask.actor))]
    mine = step is not None and "complete" in offered and may_do(ask, "complete", filed)
    acts = view.timeline()
    data = {
        "task": row | {"version": filed.case.version, "text": filed.entry.text, "kind": kind_of(step) if step else ""},
        "standard": filing.standard(ask, filed),
        "files": [shot(act, file) for act in acts for file in act["files"]],
        "said": [act for act in acts if act["text"]],
        "why_not": "" if mine else why_not(ask, filed, offered, view.people),
    }
    if ask.representation == "json":
        return Page("desk/round_task.html", words.readable(ask, data))
    sentence = words.explain(ask, filed, problem, view.people) if problem else ""
    extra = {"form": form, "mine": mine, "kept": kept, "once": secrets.token_hex(16), "problem": sentence, "step": step}
    extra |= {"questions": questions(ask, step), "map": ground_told(ask), "round": told(ask)}
    status = problem.status if problem else 422 if form.errors else 200
    return Page("desk/round_task.html", data, extra=extra, status=status, headers={"Round-Mark": row["mark"]})


def shot(act: dict[str, Any], file: dict[str, Any]) -> dict[str, Any]:
    """A photo with whose it is, and of which step."""
    return file | {"what": act["step"] or act["what"], "who": act["who"], "at": act["at"]}


def questions(ask: Ask, step: Step | None) -> tuple[str, list[tuple[str, str]]]:
    """What is asked at a step, and the answers to choose from."""
    kind = kind_of(step) if step else "work"
    return ask._(SENTENCES[kind]), [(word, ask._(TITLES[f"{kind}-{word}"])) for word in ANSWERS[kind]]


def step_here(ask: Ask, filed: Filed) -> Step | None:
    """The step at which the case stands, when it is one of the reader's round."""
    flow = ask.hub.cases.flows.get(filed.entry.flow)
    return named_step(ask, flow, filed.case.step) if flow is not None and filed.case.run is not None else None


def named_step(ask: Ask, flow: type[Flow], name: str) -> Step | None:
    return next((step for step in street_steps(ask, flow) if step.name == name), None)


def work_before(flow: type[Flow], step: Step) -> str:
    """Where a case goes back to when a check finds the work not done: the last step before that hands in evidence of
    its own department, else the one just before."""
    before = flow.steps[: flow.position(step.name)]
    works = [each.name for each in before if each.proofs and not each.posts]
    return works[-1] if works else before[-1].name if before else step.name


@post("/desk/round/{number:str}", needs=("enter", "round"), request_max_body_size=ROOM)
def done(ask: Ask, number: str) -> Answer:
    """What somebody found or did. By the step that the form was about and not by where the case stands by now: what is
    sent again after a lost answer has to mean the same."""
    filed = case_of(ask, number)
    form = Form(ask)
    flow = ask.hub.cases.flows.get(filed.entry.flow)
    step = named_step(ask, flow, str(ask.form.get("step") or "")) if flow is not None else None
    if flow is None or step is None or not str(ask.form.get("version") or "").isdigit():
        raise Refused("not-your-round", "This task is not, or no longer, one of your round.", status=409)
    verb, data = gather(ask, form, flow, step)
    if not may_do(ask, verb, filed):
        denied(ask, filed, verb)
    evidence = collect(ask, form)
    if form.errors:
        keep(ask, evidence)
        return came_back(ask, filed, form, evidence)
    data = {name: value for name, value in (data | {"proof": evidence.pieces}).items() if value}
    try:
        after = perform(ask, filed, verb, data, evidence)
    except Refused as refused:
        keep(ask, evidence)
        note(ask, filed, verb, refused)
        return came_back(ask, ask.hub.cases.get(filed.entry.id), form, evidence, refused)
    tell(ask, after, verb)
    sentence = ask._(SENTENCES[verb], number=number)
    if ask.representation == "json":
        return Response({"number": number, "sentence": sentence})
    return see_other(ask, "/desk/round", sentence)


def gather(ask: Ask, form: Form, flow: type[Flow], step: Step) -> tuple[str, dict[str, Any]]:
    """What is done about the case, and what the act carries."""
    kind, text = kind_of(step), form.text("text", most=3900) or ""
    known = ANSWERS[kind]
    answer = form.choice("answer", known, required="Please say what you found.") if known else "yes"
    if answer != "no":
        return "complete", {"text": text}
    if kind == "look":
        nothing = ask._(SENTENCES["nothing"])
        return "complete", {"text": f"{nothing}\n{text}" if text else nothing}
    if not text:
        form.wrong("text", "Please write what is still to be done: it goes back with the case.")
    return "return", {"step": work_before(flow, step), "reason": text}


def came_back(ask: Ask, filed: Filed, form: Form, evidence: Evidence, refused: Refused | None = None) -> Answer:
    """The form again with what was written; for the phone's queue the sentence alone."""
    if ask.representation == "json":
        people = View.of(ask, filed).people
        if refused is None:
            return problem_of(ask, 422, "not-complete", " ".join(form.errors.values()), {})
        return problem_of(ask, refused.status, refused.code, words.explain(ask, filed, refused, people), {})
    if refused is not None and refused.code in FIELDS:
        form.errors.setdefault(FIELDS[refused.code], words.explain(ask, filed, refused, {}))
        refused = None
    return task_page(ask, filed, form, evidence.kept, refused)


routes = [task, done]
