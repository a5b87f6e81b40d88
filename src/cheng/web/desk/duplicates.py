"""Cases of the whole city that are perhaps one matter and still separate: looked at in pairs, and merged at once."""

from collections.abc import Iterator
from typing import Any

from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.duplicate_book import Pair
from cheng.standards.problems import Refused
from cheng.web.desk import words
from cheng.web.desk.acts import Evidence, note, perform, tell
from cheng.web.desk.alike import REASON, case_told, like_row, pair, seen
from cheng.web.desk.case_view import View
from cheng.web.desk.seeing import case_of, may_do
from cheng.web.pages import Answer, Ask, Column, Form, Page, get, post, see_other

SHOWN = 30
MOST_MERGED = 50
COLUMNS = (
    Column("older_number", "Older case"),
    Column("newer_number", "Newer case"),
    Column("likely", "How likely"),
    Column("chance", "Chance", "percent"),
    Column("away", "Distance", "number"),
    Column("reasons_text", "What speaks for it"),
)
KEEP = ("older", "newer", "reasons", "pair")


@get("/desk/duplicates", needs=("act", "case"), entry="Duplicates", order=25)
def duplicates(ask: Ask) -> Page:
    """Pairs of open cases, the likeliest first."""
    ask.require("enter", "desk")
    return pairs_page(ask, Form(ask, {"reason": ask._(REASON)}))


def pairs_page(ask: Ask, form: Form, problems: list[str] | None = None, status: int = 200) -> Page:
    found = ask.hub.duplicates.pairs()
    limit, rows, more = ask.limit(SHOWN), list[dict[str, Any]](), False
    for row in visible(ask, found.pairs):
        if len(rows) == limit:
            more = True
            break
        rows.append(row)
    data = {"pairs": rows, "more": more}
    extra = {
        "form": form,
        "problems": problems or [],
        "as_of": found.at,
        "mergeable": any(row["pair"] for row in rows),
        "limit": limit,
    }
    if ask.representation == "json":
        data["pairs"] = words.readable(ask, rows)
    return Page("desk/duplicates.html", data, extra=extra, rows="pairs", columns=COLUMNS, keep=KEEP, status=status)


def visible(ask: Ask, pairs: tuple[Pair, ...]) -> Iterator[dict[str, Any]]:
    """Those whose two cases this reader may see."""
    for each in pairs:
        older, newer = seen(ask, each.older.id), seen(ask, each.newer.entry.id)
        if older is not None and newer is not None:
            yield pair_row(ask, each, older, newer)


def pair_row(ask: Ask, each: Pair, older: Filed, newer: Filed) -> dict[str, Any]:
    told = like_row(ask, each.newer)
    chosen = pair(ask, older, newer, ())
    return {
        "older_number": each.older.number,
        "newer_number": each.newer.entry.number,
        **{key: told[key] for key in ("likely", "chance", "away", "reasons")},
        "reasons_text": ", ".join(told["reasons"]),
        "older": case_told(ask, each.older, each.older_photos),
        "newer": case_told(ask, each.newer.entry, each.newer.photos),
        "pair": chosen,
        "geometry": (each.older.longitude, each.older.latitude),
    }


@post("/desk/duplicates", needs=("act", "case"))
def merge(ask: Ask) -> Answer:
    """The newer case of each pair that was chosen ends, and goes on in the older one."""
    ask.require("enter", "desk")
    form = Form(ask, {"reason": ask._(REASON)})
    chosen = [str(value) for value in ask.form.getall("pair", [])][:MOST_MERGED]
    reason = form.text("reason", required="Please say why they are the same.", most=2000)
    if not chosen:
        form.wrong("pair", "Please choose at least one pair.")
    if form.errors or reason is None:
        return pairs_page(ask, form, status=422)
    problems, last = list[str](), ""
    for each in chosen:
        try:
            last = merged(ask, each, reason)
        except Refused as refused:
            problems.append(ask._("{pair}: {why}", pair=each.replace(":", " · ")[:80], why=told_to(ask, each, refused)))
    if problems:
        return pairs_page(ask, form, problems, 409)
    back = f"/desk/cases/{last}" if ask.form.get("back") == "case" else "/desk/duplicates"
    told = "They are one case now." if len(chosen) == 1 else "The chosen pairs were merged."
    return see_other(ask, back, told)


def merged(ask: Ask, chosen: str, reason: str) -> str:
    """Merges "older:newer"; the number of the case that goes on. Refused when it cannot be."""
    older, _, newer = chosen.partition(":")
    into, filed = case_of(ask, older), case_of(ask, newer)
    while into.case.merged_into:  # an earlier pair of the same form may have merged it
        into = case_of(ask, into.case.merged_into)
    if not may_do(ask, "merge", filed):
        raise Refused("not-allowed", "Your role does not include this.", status=403)
    if into.entry.id == filed.case.merged_into:
        return into.entry.number
    try:
        done = perform(ask, filed, "merge", {"into": into.entry.id, "reason": reason}, Evidence())
    except Refused as refused:
        note(ask, filed, "merge", refused)
        raise
    tell(ask, done, "merge")
    return into.entry.number


def told_to(ask: Ask, chosen: str, refused: Refused) -> str:
    """Why a pair was not merged, with names and words of the newer case where that is known."""
    try:
        filed = case_of(ask, chosen.partition(":")[2])
    except Refused:
        return ask._(refused.message, **refused.values)
    return words.explain(ask, filed, refused, View.of(ask, filed).people)


routes = [duplicates, merge]
