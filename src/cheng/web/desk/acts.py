"""Doing something about a case: one form, one act, once, and nothing typed is ever lost."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from cheng.infrastructure.blobs import Blob
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.photos import as_proof
from cheng.infrastructure.tables import blobs
from cheng.kernel.cases import VERBS
from cheng.kernel.flows import ASKS
from cheng.security import audit
from cheng.standards.problems import Refused
from cheng.web.desk import filing, words
from cheng.web.desk.act_forms import ELSEWHERE, Sent
from cheng.web.desk.case import case_page, target
from cheng.web.desk.case_view import View
from cheng.web.desk.seeing import case_of, may, may_do, person
from cheng.web.pages import Answer, Ask, Form, post, see_other

MOST_FILES = 9
PICTURES = ("photo", "after")
"""Kinds of evidence that only a photo can be."""
ROOM = 100_000_000
"""Bytes of one form with its photos; each file has the house's own limit."""
BESIDE = {
    "no-reason": "reason",
    "no-text": "text",
    "no-proof": "proof",
    "bad-proof": "proof",
    "no-person": "person",
    "unknown-person": "person",
    "person-elsewhere": "person",
    "no-target": "department",
    "same-department": "department",
    "too-many-departments": "departments",
    "no-condition": "condition",
    "no-answer": "answer",
    "bad-answer": "answer",
    "no-until": "until",
    "until-past": "until",
    "until-far": "until",
    "no-other": "into",
    "itself": "into",
    "other-over": "into",
    "no-such-step": "step",
}
"""Why an act was not taken → the field to say it at."""
HERE = tuple(verb for verb in VERBS if verb not in ELSEWHERE)
"""What is done by the forms of this page."""
SENTENCES = {
    "take": "The case is with you now.",
    "assign": "The case was assigned.",
    "complete": "This step is done.",
    "return": "The case was sent back.",
    "extend": "More time was asked for; somebody will decide.",
    "note": "Your note was added.",
    "appeal": "Your appeal was handed in.",
    "void": "The case was declared void.",
}


@dataclass
class Evidence:
    """The files of a form: what was sent now, and what is here from an earlier try."""

    pieces: list[dict[str, str]] = field(default_factory=list)
    blobs: list[Blob] = field(default_factory=list)

    @property
    def kept(self) -> list[str]:
        return [f"{piece['kind']}:{piece['blob']}" for piece in self.pieces]


@post("/desk/cases/{number:str}", needs=("enter", "desk"), request_max_body_size=ROOM)
def act(ask: Ask, number: str) -> Answer:
    """What a form of the case's page asks for; the page comes back with a sentence when it cannot be done."""
    filed = case_of(ask, number)
    form = Form(ask)
    verb = form.choice("verb", HERE, required=True) or ""
    if not may_do(ask, verb, filed):
        denied(ask, filed, verb)
    evidence = collect(ask, form)
    data = gather(ask, form, verb, evidence)
    if form.errors:
        keep(ask, evidence)
        return case_page(ask, filed, Sent(verb, form, evidence.kept), 422)
    try:
        done = perform(ask, filed, verb, data, evidence)
    except Refused as refused:
        return not_taken(ask, filed, Sent(verb, form, evidence.kept), refused, evidence)
    tell(ask, done, verb)
    return see_other(ask, f"/desk/cases/{number}", SENTENCES.get(verb, "Done."))


def perform(ask: Ask, filed: Filed, verb: str, data: dict[str, Any], evidence: Evidence) -> Filed:
    """The act, its files and its line in the audit, in one transaction."""
    now = ask.hub.clock.now()

    def also(conn: Connection) -> None:
        for blob in evidence.blobs:
            ask.hub.blobs.record(conn, blob, ask.actor.name, now)
        audit.record(conn, now, ask.actor, "act", target(filed), address=ask.address, detail={"act": verb})

    version = ask.form.get("version")
    seen = int(version) if isinstance(version, str) and version.isdigit() and len(version) < 10 else None
    key = str(ask.form.get("key") or "") or None
    done: Filed = ask.hub.cases.act(filed.entry.id, verb, person(ask.actor), data, version=seen, key=key, also=also)
    return done


def tell(ask: Ask, done: Filed, verb: str) -> None:
    """Open pages hear that the case has changed, and nothing else about it."""
    entry = done.entry
    told = {"id": entry.id, "number": entry.number, "version": entry.version, "state": entry.state, "verb": verb}
    ask.hub.bus.publish("cases/changed", told | {"step": entry.step, "departments": list(entry.departments)})


def not_taken(ask: Ask, filed: Filed, sent: Sent, refused: Refused, evidence: Evidence) -> Answer:
    """The page again, with what was typed, the reason, and the case as it is by now."""
    keep(ask, evidence)
    note(ask, filed, sent.verb, refused)
    fresh: Filed = ask.hub.cases.get(filed.entry.id)
    if not may(ask, "see", fresh):
        raise Refused("gone-on", "This case has gone on to another department meanwhile.", status=409)
    people = View.of(ask, fresh).people
    sentence = words.explain(ask, fresh, refused, people)
    sent.changed = refused.code == "changed"
    name = BESIDE.get(refused.code)
    if name == "department" and sent.verb == "complete":
        name = "departments"
    if name:
        sent.form.errors.setdefault(name, sentence)
    else:
        sent.problem = sentence
    return case_page(ask, fresh, sent, refused.status)


def note(ask: Ask, filed: Filed, verb: str, refused: Refused) -> None:
    """Who tried what, and why it was refused."""
    at = ask.hub.clock.now()
    detail = {"act": verb}
    ask.hub.store.afterwards(
        lambda conn: audit.record(
            conn,
            at,
            ask.actor,
            "act",
            target(filed),
            "refused",
            reason=refused.code,
            address=ask.address,
            detail=detail,
        )
    )


def denied(ask: Ask, filed: Filed, verb: str) -> None:
    """Always Refused (403): the reader's role does not include this."""
    refused = Refused("not-allowed", "Your role does not include this.", status=403)
    note(ask, filed, verb, refused)
    raise refused


def gather(ask: Ask, form: Form, verb: str, evidence: Evidence) -> dict[str, Any]:
    """What the act carries, from the fields it has; what is missing the flow itself will say."""
    wanted = VERBS.get(verb)
    names = (*wanted.needs, *wanted.takes, *(("proof", "reason") if verb == "complete" else ())) if wanted else ()
    data: dict[str, Any] = {}
    names = (*names, *(ASKS if verb == "complete" else ()))
    for name in ("text", "reason", "person", "department", "step", "class", "condition"):
        if name in names:
            data[name] = form.text(name, most=4000)
    if "until" in names:
        data["until"] = form.moment("until")
    if "urgent" in names and form.flag("urgent"):
        data["urgent"] = "yes"
    if "departments" in names:
        lead = form.text("other", most=200) or form.text("departments", most=200)
        chosen = [lead, *map(str, ask.form.getall("also", []))]
        data["departments"] = [name for name in chosen if name]
    if "answer" in names:
        data["answer"] = filing.answers(form)
    if "into" in names:
        data["into"] = other_case(ask, form)
    if "proof" in names:
        data["proof"] = evidence.pieces
    return {name: value for name, value in data.items() if value not in (None, "", [], {})}


def other_case(ask: Ask, form: Form) -> str | None:
    """The id of the case whose number was written; only one that the reader may see."""
    number = form.text("into", most=200)
    if number is None:
        return None
    try:
        return case_of(ask, number).entry.id
    except Refused as refused:
        form.wrong("into", refused.message, **refused.values)
        return None


# -- files


def collect(ask: Ask, form: Form) -> Evidence:
    """The files of the form, checked and on the disk; a sentence beside the field for each that is none."""
    found = Evidence(kept_before(ask, form))
    for name in sorted({str(key) for key in ask.form}):
        if not name.startswith("proof-"):
            continue
        kind = name.removeprefix("proof-")[:40]
        for filename, content in form.files(name, most=MOST_FILES):
            try:
                blob = ask.hub.blobs.keep(content, filename, photo=kind in PICTURES)
            except Refused as refused:
                form.wrong("proof", refused.message, **refused.values)
                continue
            if all(each["blob"] != blob.sha256 for each in found.pieces):
                found.pieces.append(piece(ask, kind, blob.sha256, content))
                found.blobs.append(blob)
        if name in form.errors:
            form.errors.setdefault("proof", form.errors.pop(name))
    return found


def kept_before(ask: Ask, form: Form) -> list[dict[str, str]]:
    """The reader's files that are here from an earlier try."""
    found = []
    for word in [str(value) for value in ask.form.getall("kept", [])][:MOST_FILES]:
        kind, _, sha256 = word.partition(":")
        if not own(ask, sha256):
            continue
        try:
            found.append(piece(ask, kind[:40], sha256, ask.hub.blobs.read(sha256)))
        except Refused as refused:
            form.wrong("proof", refused.message, **refused.values)
    return found


def piece(ask: Ask, kind: str, sha256: str, content: bytes) -> dict[str, str]:
    """A file as evidence, with where and when it was taken if its camera noted that and it can be so."""
    return as_proof(kind, sha256, content, ask.local.zone, ask.local.when(ask.now))


def own(ask: Ask, sha256: str) -> bool:
    """Whether the reader brought this file: nobody attaches what another person handed in elsewhere."""
    with ask.hub.store.read() as conn:
        return conn.execute(select(blobs.c.by).where(blobs.c.sha256 == sha256)).scalar() == ask.actor.name


def keep(ask: Ask, evidence: Evidence) -> None:
    """The act was not taken, but its photos are not to be chosen again."""
    if not evidence.blobs:
        return
    now = ask.hub.clock.now()
    with ask.hub.store.write() as conn:
        for blob in evidence.blobs:
            ask.hub.blobs.record(conn, blob, ask.actor.name, now)


routes = [act]
