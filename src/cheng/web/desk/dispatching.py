"""How good the suggestions of departments and classes are: by month, by class, when they were learnt; learn now."""

from typing import Any

from cheng.infrastructure.dispatch_book import Month, Report
from cheng.methods.dispatching import Score
from cheng.security.permissions import Target
from cheng.web.city.words import name_of
from cheng.web.desk import words
from cheng.web.pages import Answer, Ask, Column, Page, get, post, see_other

CHORE = "house.learn_dispatching"
MONTHS = (
    Column("month", "Month"),
    Column("cases", "Cases", "number"),
    Column("first", "Right at first", "percent"),
    Column("three", "Among three", "percent"),
    Column("majority", "Plain rule", "percent"),
    Column("unseen", "Department without a case before", "percent"),
    Column("texts", "Texts", "number"),
    Column("named", "Class named first", "percent"),
    Column("named_three", "Class among three", "percent"),
)
CLASSES = (
    Column("name", "Class"),
    Column("code", "Code"),
    Column("cases", "Cases", "number"),
    Column("first", "Right at first", "percent"),
    Column("three", "Among three", "percent"),
    Column("majority", "Plain rule", "percent"),
)


def part(count: int, of: int) -> float | None:
    return count / of if of else None


def shares(score: Score) -> dict[str, Any]:
    """How often it was right, as shares of one."""
    counts = {"first": score.first, "three": score.three, "majority": score.majority, "unseen": score.unseen}
    return {"cases": score.cases, **{name: part(count, score.cases) for name, count in counts.items()}}


def month_row(month: Month) -> dict[str, Any]:
    texts, first, three = month.texts
    told = {"texts": texts, "named": part(first, texts), "named_three": part(three, texts)}
    return {"month": month.month, **shares(month.score), **told}


def class_rows(ask: Ask, flow: str, report: Report) -> list[dict[str, Any]]:
    """All judged months together, the classes with most cases first."""
    total: dict[str, Score] = {}
    for month in report.months:
        for code, score in month.classes.items():
            total[code] = total[code] + score if code in total else score
    found = []
    for code, score in sorted(total.items(), key=lambda pair: (-pair[1].cases, pair[0])):
        one = ask.hub.classes.get(flow, code)
        name = words.named(ask, one) if one is not None else code or ask._("Without a class")
        found.append({"name": name, "code": code, **shares(score)})
    return found


def flow_row(ask: Ask, key: str) -> dict[str, Any]:
    report, said = ask.hub.dispatching.report(key), ask.hub.dispatching.report(key).said()
    return {
        "flow": key,
        "name": ask._(name_of(ask.hub.dispatching.flows[key])),
        "trained": report.at or None,
        "in_use_since": report.in_use_since or None,
        "taken": report.taken,
        "closed": report.cases,
        "said": ask._(said.text, **said.values) if report.at else "",
        **shares(report.judged),
        "certain": part(round(report.judged.certain), report.judged.cases),
        "months": [month_row(month) for month in reversed(report.months)],
        "classes": class_rows(ask, key, report),
    }


@get("/desk/dispatching", needs=("see", "suggestion"), entry="Suggestions", order=60)
def suggestions(ask: Ask) -> Page:
    """How good suggestions are, for each flow in which somebody chooses departments."""
    data = {"flows": [flow_row(ask, key) for key in sorted(ask.hub.dispatching.flows)]}
    worker = ask.hub.worker
    extra = {
        "months": MONTHS,
        "classes": CLASSES,
        "may_train": ask.may("run", "suggestion"),
        "under_way": worker is not None and worker.progress(CHORE) is not None,
    }
    return Page("desk/dispatching.html", data, extra=extra)


@post("/desk/dispatching/learn", needs=("run", "suggestion"))
def learn(ask: Ask) -> Answer:
    """Learn anew now instead of at night. The log of the chore has it."""
    ask.require("run", Target("suggestion"))
    if ask.hub.worker is not None:
        ask.hub.worker.run_now(CHORE)
        return see_other(ask, "/desk/dispatching", "It is being learnt; look again in a moment.")
    ask.hub.dispatching.train_all()
    return see_other(ask, "/desk/dispatching", "It was learnt anew.")


routes = [suggestions, learn]
