"""What agents know: articles to look up, to write and to bring from a table; every version stays."""

import re
from dataclasses import replace
from typing import Any

from litestar.datastructures import FormMultiDict

from cheng.infrastructure.article_book import COLUMNS as HEAD
from cheng.infrastructure.article_book import TEXTS, Article, Outcome
from cheng.kernel.class_rows import rows_of_text
from cheng.security import audit
from cheng.security.permissions import Target
from cheng.standards.problems import InputError, Refused
from cheng.web.desk import call_form
from cheng.web.desk.call_form import article_row
from cheng.web.desk.offices import departments_known
from cheng.web.pages import Answer, Ask, Column, Form, Page, get, post, see_other

COLUMNS = (
    Column("number", "Number"),
    Column("question", "Question"),
    Column("answer", "Answer"),
    Column("department", "Department"),
    Column("class_name", "Class"),
    Column("at", "Written", "moment"),
)
TABLE = tuple(Column(name, name) for name in HEAD)
BESIDE = {"no-question": "question_zh", "no-answer": "answer_zh"}
MOST_ROWS, ROOM = 5000, 5_000_000
ENCODINGS = ("utf-8-sig", "gb18030")


@get("/desk/articles", needs=("see", "article"), entry="Knowledge", order=17, opt={"key": "k"})
def articles(ask: Ask) -> Page:
    """The articles in use, or those that answer `?q=`; `?state=retired` those that no longer are."""
    words, state = ask.query("q"), ask.choice("state", ("", "retired"))
    book = ask.hub.articles
    found = book.find(words, ask.limit()) if words and not state else book.all(retired=state == "retired")
    rows = [article_row(ask, each) for each in found[: ask.limit(200)]]
    extra = {"states": [("", ask._("In use")), ("retired", ask._("Retired"))], "total": len(book.all())}
    data = {"articles": rows}
    return Page(
        "desk/articles.html", data, extra=extra, rows="articles", columns=COLUMNS, keep=("url",), fragment="list"
    )


@get("/desk/articles/table", needs=("see", "article"))
def table(ask: Ask) -> Page:
    """Every article in use in both languages, as a table to edit and bring back."""
    rows = [{name: getattr(each, name) for name in HEAD} for each in ask.hub.articles.all()]
    rows = [row | {"retired": "yes" if row["retired"] else ""} for row in rows]
    return Page(
        "desk/articles.html", {"articles": rows}, rows="articles", columns=TABLE, extra={"states": [], "total": 1}
    )


@get("/desk/articles/{number:int}", needs=("see", "article"))
def article(ask: Ask, number: int) -> Page:
    """One article with its versions."""
    versions = ask.hub.articles.versions(number)
    told = [article_row(ask, each) | {"actor": each.actor} for each in reversed(versions)]
    return Page("desk/article.html", {"article": told[0], "versions": told})


# -- writing


@get(["/desk/articles/new", "/desk/articles/{number:int}/edit"], needs=("edit", "article"))
def edit(ask: Ask, number: int = 0) -> Page:
    """The form for a new article, or for a new version of one."""
    last = ask.hub.articles.versions(number)[-1] if number else Article()
    return edit_page(ask, number, begun(ask, last))


def begun(ask: Ask, last: Article) -> Form:
    """A form that shows an article, not what was sent with this request."""
    fields = {name: getattr(last, name) for name in TEXTS} | {"retired": last.retired, "seen": last.version}
    return Form(replace(ask, form=FormMultiDict([])), fields)


def edit_page(ask: Ask, number: int, form: Form, status: int = 200) -> Page:
    extra = {
        "form": form,
        "seen": form.value("seen") or 0,
        "classes": call_form.choices(ask),
        "departments": departments_known(ask),
    }
    return Page("desk/article_edit.html", {"number": number}, extra=extra, status=status)


@post(["/desk/articles/new", "/desk/articles/{number:int}/edit"], needs=("edit", "article"))
def write(ask: Ask, number: int = 0) -> Answer:
    """Takes an article, or shows the form with what is missing."""
    ask.require("edit", Target("article", str(number or "new")))
    form = Form(ask)
    texts: dict[str, Any] = {name: form.text(name, most=4000) or "" for name in TEXTS}
    texts["class_code"] = form.choice("class_code", call_form.classes_of(ask)) or ""
    seen = form.whole("seen") or 0
    if form.errors:
        return edit_page(ask, number, form, 422)
    try:
        written = put(ask, Article(number=number, retired=form.flag("retired"), **texts), seen)
    except Refused as refused:
        form.wrong(BESIDE.get(refused.code, "question_zh"), refused.message, **refused.values)
        return edit_page(ask, number, form, refused.status)
    told = "The article is written down." if written.version > seen else "Nothing is different."
    return see_other(ask, f"/desk/articles/{written.number}", told)


def put(ask: Ask, article: Article, seen: int) -> Article:
    """Writes a version and its line of the audit in one transaction."""
    with ask.hub.store.write() as conn:
        written: Article = ask.hub.articles.put(conn, article, ask.actor.name, seen=seen)
        target, detail = Target("article", str(written.number)), {"version": written.version}
        audit.record(conn, ask.now, ask.actor, "edit", target, address=ask.address, detail=detail)
    return written


# -- a table


@get("/desk/articles/load", needs=("load", "article"))
def load(ask: Ask) -> Page:
    """Where a table of articles is brought in."""
    return load_page(ask, Form(ask))


def load_page(ask: Ask, form: Form, outcome: Outcome | None = None, status: int = 200) -> Page:
    refused = [{"line": line, "reason": reason_of(ask, why)} for line, why in outcome.refused] if outcome else []
    data = {"counts": outcome.counts if outcome else None, "refused": refused}
    return Page("desk/articles_load.html", data, extra={"form": form, "head": HEAD}, status=status)


@post("/desk/articles/load", needs=("load", "article"), request_max_body_size=ROOM)
def take(ask: Ask) -> Answer:
    """Takes the rows of a table; each that cannot be taken is told with its line, and stops nothing else."""
    ask.require("load", "article")
    form = Form(ask)
    files = form.files("file", required="Please choose a table (CSV).", most=1)
    if form.errors:
        return load_page(ask, form, status=422)
    found = list(rows_of_text(text_of(files[0][1])))
    wrong = [(each.line or 0, each) for each in found if isinstance(each, InputError)]
    rows = [each for each in found if not isinstance(each, InputError)]
    if len(rows) > MOST_ROWS or not any("question_zh" in row or "question" in row for _, row in rows[:1]):
        message = "This is no table of articles: it has the columns {columns}, and {most} rows at most."
        form.wrong("file", message, columns=", ".join(HEAD), most=MOST_ROWS)
        return load_page(ask, form, status=422)
    with ask.hub.store.write() as conn:
        outcome: Outcome = ask.hub.articles.take(conn, rows, ask.actor.name)
        detail = {"file": files[0][0][:200], **outcome.counts}
        audit.record(conn, ask.now, ask.actor, "load", Target("article"), address=ask.address, detail=detail)
    outcome.refused = sorted([*outcome.refused, *wrong], key=lambda each: each[0])
    return load_page(ask, form, outcome)


def reason_of(ask: Ask, why: Refused | InputError) -> str:
    return ask._(why.message, **why.values) if isinstance(why, Refused) else why.reason


def text_of(content: bytes) -> str:
    """The text of a table as spreadsheets save it here."""
    for encoding in ENCODINGS:
        try:
            return re.sub(r"\r\n?", "\n", content.decode(encoding))
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "replace")


routes = [articles, table, article, edit, write, load, take]
