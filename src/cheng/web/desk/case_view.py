"""Everything a page says about one case, as plain data: the same for the screen and for its JSON twin."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyproj import Geod
from sqlalchemy import select

from cheng.infrastructure import case_search
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.case_lists import Filters
from cheng.infrastructure.tables import blobs
from cheng.kernel.flows import Flow, Step
from cheng.kernel.standing import Act, Case, Run, lights
from cheng.standards.problems import Refused
from cheng.web.city.words import condition
from cheng.web.desk import filing, words
from cheng.web.desk.cases import case_row, light_text
from cheng.web.desk.seeing import may, scope
from cheng.web.pages import Ask

ANY = ("open", "suspended", "closed", "void", "merged")
HEARD = ("answered", "turned_down", "complete", "note")
"""Acts by which the house writes down what another city says."""
NEIGHBOURS = 5
WGS84 = Geod(ellps="WGS84")


@dataclass
class View:
    """One case with what its page needs."""

    ask: Ask
    filed: Filed
    acts: list[Act]
    people: dict[str, str] = field(default_factory=dict)
    """account → what they are called"""

    @property
    def case(self) -> Case:
        return self.filed.case

    @property
    def flow(self) -> type[Flow] | None:
        found: type[Flow] | None = self.ask.hub.cases.flows.get(self.filed.entry.flow)
        return found

    @classmethod
    def of(cls, ask: Ask, filed: Filed) -> "View":
        """Reads the acts, and what the people in them are called."""
        acts = ask.hub.cases.acts(filed.entry.id)
        names = [filed.case.assignee, *(run.by for run in filed.case.runs)]
        names += [str(act.data["person"]) for act in acts if act.data.get("person")]
        return cls(ask, filed, acts, case_search.names(ask.hub.store, names))

    def data(self) -> dict[str, Any]:
        """For the page and for JSON."""
        ask, entry, case = self.ask, self.filed.entry, self.case
        row = case_row(ask, entry, self.people)
        row |= {"place": place(row.pop("geometry")), "version": case.version}
        light = "grey" if case.state == "suspended" else lights(case, ask.now)
        row |= {"light": light, "light_text": light_text(ask, entry, light), "departments": list(entry.departments)}
        row |= {"overall_due": case.due, "extended": case.extended, "alerts": case.alerts}
        row |= {
            "flow_title": words.flow_title(ask, entry.flow),
            "basis": self.basis(),
            "from_citizen": bool(case.reporters),
        }
        row |= {"source": words.say(ask, entry.source) if entry.source else "", "weight": entry.weight}
        row |= {"text": entry.text, "address": str(entry.values.get("address") or "")}
        row |= {"standard": filing.standard(ask, self.filed)}
        return {"case": row, "steps": self.steps(), "acts": self.timeline(), "related": self.related()}

    def basis(self) -> str:
        rule = self.ask.hub.model.rules.get(self.filed.entry.rule)
        return self.ask._(rule.basis) if rule is not None else ""

    # -- the flow

    def steps(self) -> list[dict[str, Any]]:
        """Each step of the flow with its last pass, in order, and those to come: a part and a record of another
        system begin in the middle, what is over goes no further. The steps of a flow that is gone as they were done."""
        flow, case = self.flow, self.case
        done = {run.step for run in case.runs}
        names = [step.name for step in flow.steps] if flow else []
        to_come = names[names.index(case.step) + 1 :] if case.step in names else []
        ahead = {name for name in to_come if flow and flow.find(name).applies(case.values)}
        names = [name for name in names if name in done or name in ahead]
        names += [run.step for run in case.runs if run.step not in names]
        return [self.step(flow.find(name) if flow else Step(name), case) for name in dict.fromkeys(names)]

    def step(self, step: Step, case: Case) -> dict[str, Any]:
        ask = self.ask
        runs = [run for run in case.runs if run.step == step.name]
        run = runs[-1] if runs else None
        here = run is not None and run is case.run
        length = run.limit if run else step.limit
        planned = step.departments(case.values) if run is None else run.departments
        return {
            "name": step.name,
            "title": words.step_name(ask, step.name),
            "state": "now" if here else run.outcome if run else "ahead",
            "departments": list(planned),
            "department_names": ", ".join(ask._(name) for name in planned),
            "limit": words.limit(ask, length),
            "started": run.started if run else None,
            "due": run.due if run else None,
            "done": run.done if run else None,
            "by": self.people.get(run.by, run.by) if run else "",
            "light": self.light(run, here),
            "late": bool(run and run.done and run.late(ask.now)),
            "excused": bool(run and run.excused),
            "times": len(runs),
            "until": condition(ask, step.until) if step.until is not None else "",
            "proof": [words.say(ask, kind) for kind in step.proofs],
            "another": step.by is not None,
            "post": " / ".join(words.say(ask, post) for post in step.posts),
        }

    def light(self, run: Run | None, here: bool) -> str:
        if run is None or not here:
            return ""
        if self.case.state == "suspended":
            return "grey"
        if run.late(self.ask.now):
            return "red"
        return "yellow" if run.warn is not None and self.ask.now > run.warn else "green"

    # -- what was done

    def timeline(self) -> list[dict[str, Any]]:
        """Every act, the last one first."""
        kinds = media_types(self.ask, (piece["blob"] for act in self.acts for piece in act.data.get("proof") or ()))
        return [self.act(n, act, kinds) for n, act in reversed(list(enumerate(self.acts, 1)))]

    def act(self, n: int, act: Act, kinds: Mapping[str, str]) -> dict[str, Any]:
        ask, data = self.ask, act.data
        citizen = act.actor in self.case.reporters
        who = ask._("the person who reported it") if citizen else act.actor_title or act.actor
        files = [self.file(piece, kinds) for piece in data.get("proof") or ()]
        department = act.facts.get("department", "")
        what = words.done(ask, act.verb)
        if act.by_house:
            who = self.city(n, act) or ask._("the system")
        if act.verb == "open" and data.get("source"):
            what, who = ask._("Reported"), words.say(ask, str(data["source"]))
        return {
            "n": n,
            "at": act.at,
            "verb": act.verb,
            "what": what,
            "step": words.step_name(ask, act.step),
            "who": who,
            "department": "" if citizen or act.by_house or department == who else department,
            "text": self.told(act),
            "facts": self.facts(act),
            "files": files,
            "icon": words.ICONS.get(act.verb, "dot"),
            "level": words.COLOURS.get(act.verb, ""),
        }

    def told(self, act: Act) -> str:
        """What the person wrote; the sentence of a rule stands in the title already."""
        ours = act.by_house and act.verb not in HEARD
        texts = [act.data.get("reason"), None if ours else act.data.get("text")]
        return "\n".join(str(text) for text in texts if text)

    def city(self, n: int, act: Act) -> str:
        """The other city whose word the house passes on with its n-th act; "" for all other acts."""
        told = (each for each in reversed(self.acts[:n]) if each.verb == "pass_on")
        return next((str(each.data["city"]) for each in told), "") if act.verb in HEARD else ""

    def facts(self, act: Act) -> list[str]:
        """What else the act carried, in words."""
        ask, data = self.ask, act.data
        found = []
        if data.get("city"):
            found.append(ask._("to {city}: {service}", city=data["city"], service=data.get("service", "")))
        if data.get("number"):
            found.append(ask._("number there: {number}", number=data["number"]))
        if data.get("person"):
            found.append(ask._("to {person}", person=self.people.get(data["person"], data["person"])))
        if data.get("department"):
            found.append(ask._("to {department}", department=ask._(data["department"])))
        if data.get("departments"):
            found.append(ask._("sent to {departments}", departments=ask._(", ").join(map(ask._, data["departments"]))))
        if act.facts.get("standard"):
            told = act.facts["standard"]
            found.append(words.said(ask, told.get("text", ""), told.get("text_zh", "")))
        for name, word in (data.get("answer") or {}).items():
            found.append(f"{ask._(filing.QUESTIONS[name])} {ask._(filing.ANSWER_WORDS[word])}")
        if data.get("step"):
            found.append(ask._("back to “{step}”", step=words.step_name(ask, data["step"])))
        if data.get("until"):
            found.append(ask._("until {time}", time=ask.local.full(data["until"])))
        return found

    def file(self, piece: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, Any]:
        kind = kinds.get(piece["blob"], "")
        url = self.ask.url(f"/desk/cases/{self.filed.entry.number}/files/{piece['blob']}")
        shown = kind in ("image/jpeg", "image/png", "image/webp")
        told = {"kind": words.say(self.ask, piece["kind"]), "url": url, "media_type": kind, "picture": shown}
        return told | self.taken(piece)

    def taken(self, piece: Mapping[str, str]) -> dict[str, Any]:
        """Where and when a photo was taken, as far as its camera noted it, and how far from the place of the case."""
        where = [float(part) for part in piece["place"].split(",")] if piece.get("place") else None
        at = int(datetime.fromisoformat(piece["taken"]).timestamp() * 1e6) if piece.get("taken") else None
        here = place((self.filed.entry.longitude, self.filed.entry.latitude))
        away = WGS84.inv(where[0], where[1], here[0], here[1])[2] if where and here else None
        return {"place": where, "taken": at, "away": away, "taken_text": words.taken(self.ask, away, at)}

    # -- other cases

    def related(self) -> list[dict[str, Any]]:
        """The case this one was merged into, those it took in, and other open ones about the same thing."""
        ask, case, entry = self.ask, self.case, self.filed.entry
        found = [("into", case.merged_into)] if case.merged_into else []
        found += [("absorbed", id_) for id_ in case.absorbed]
        found += [("whole", entry.parent)] if entry.parent else []
        found += [("part", other.id) for other in ask.hub.cases.list(Filters(states=ANY, parent=entry.id)).entries]
        base = scope(ask)
        if entry.thing_id and base is not None:
            wanted = Filters(base.departments, base.person, ("open", "suspended"), thing_id=entry.thing_id)
            listed = ask.hub.cases.list(wanted, limit=NEIGHBOURS + 1).entries
            found += [("same thing", other.id) for other in listed if other.id != entry.id][:NEIGHBOURS]
        return [row for how, id_ in found if (row := self.other(how, id_)) is not None]

    def other(self, how: str, id_: str) -> dict[str, Any] | None:
        try:
            filed = self.ask.hub.cases.get(id_)
        except Refused:
            return None
        if not may(self.ask, "see", filed):
            return None
        entry = filed.entry
        url = self.ask.url(f"/desk/cases/{entry.number}")
        state = words.say(self.ask, entry.state)
        return {"how": how, "number": entry.number, "title": words.title(self.ask, entry), "state": state, "url": url}


def place(point: Sequence[float | None]) -> list[float] | None:
    """Longitude and latitude, when both are known."""
    return [float(part) for part in point if part is not None] if None not in point else None


def media_types(ask: Ask, shas: Iterable[str]) -> dict[str, str]:
    """What kind of file each of these is, as far as the store knows."""
    wanted = list(dict.fromkeys(shas))[:500]
    if not wanted:
        return {}
    with ask.hub.store.read() as conn:
        query = select(blobs.c.sha256, blobs.c.media_type).where(blobs.c.sha256.in_(wanted))
        return {sha: kind for sha, kind in conn.execute(query)}
