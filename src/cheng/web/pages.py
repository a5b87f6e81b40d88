"""How to write a page.

A module in the folder of those who read it (`web/desk/cases.py`), a template of the same name, and nothing else:

    from cheng.web.pages import Answer, Ask, Column, Form, Page, get, post, see_other

    COLUMNS = (Column("number", "Number"), Column("due", "Due", "left"), Column("phone", "Phone", level="sensitive"))

    @get("/desk/cases", needs=("enter", "desk"), entry="Cases", order=10)
    def cases(ask: Ask) -> Page:
        \"\"\"Cases in my department, most urgent first.\"\"\"
        rows = ask.hub.cases.of(ask.actor, state=ask.choice("state", ("open", "closed"), "open"))
        return Page("desk/cases.html", {"cases": rows}, rows="cases", columns=COLUMNS, fragment="list")

    @post("/desk/cases/{number:str}/acts", needs=("act", "case"))
    def act(ask: Ask, number: str) -> Answer:
        form = Form(ask)
        note = form.text("note", required=True, most=2000)
        if form.errors:
            return Page("desk/case.html", case(ask, number), extra={"form": form}, status=422)
        ask.hub.cases.act(number, ask.actor, "note", {"text": note})
        return see_other(ask, f"/desk/cases/{number}", "Your note was added.")

    routes = [cases, act]

* `needs`: PUBLIC, SIGNED_IN or (verb, kind) of `security.permissions`; without it the house does not start. It says
  whether anybody like this reader may come; a single object is decided on in the page: `ask.require("see", target)`,
  buttons by `{% if may("act", target) %}`.
* `shared`: the part for htmx is the same for all with the same roles, department and language, and is drawn once for
  those who ask in the same moment. A function of `ask` names what else it depends on: `everybody`, or who they are.
* `entry`, `order`: a line in the section's menu; on the portal also a card, with `about` (a sentence) and `icon`. The
  section is the first part of the address; `section="portal"` says that a short address belongs to another one.
  Handlers are plain functions and run in a thread: call the store.
* `ask`: `.hub .actor .session .local .form .now .query("q") .whole("page", 1) .choice(…) .limit() .url(…) .here(…)`;
  `ask._("…")` speaks the reader's language.
* `Page(template, data, …)`: the same address with `.json` gives `data`; with `.csv` and `.geojson` its `rows`.
  `columns` cut the rows down to what this reader may see before anything is made of them; times are microseconds in
  columns of kind moment, date, left, ago. What only the template needs goes into `extra`. Times, numbers: `local.…`.
* Refuse by `raise Refused("code", "Sentence with {blanks}.", {…}, status=409)`; it becomes a page or problem details.
* A form is drawn with the macros of `macros/forms.html` and needs `{{ csrf() }}` (the macro `form` has it inside);
  htmx sends the header by itself. Scripts live in `static/<name>.js`, one a feature; nothing inline, neither style.
* Templates begin with `{% extends "base.html" %}` and fill the blocks `title`, `lead`, `actions`, `content`. The
  macros are there without import: `{{ ui.badge("danger") }}` (templates/macros/ui.html: badge, light, tile, facts,
  timeline, empty, table, pager, …) and `{{ forms.text(form, "name", _("Name")) }}` (macros/forms.html).
* A door for programs (no cookies, no form secret): `@get(path, needs=…, api=True)`.
* Texts: English msgids in code and templates, the Chinese in `cheng/locale/zh_CN/<module>.po`.
"""

import functools
import inspect
import re
from collections.abc import Callable, Hashable, Iterable
from typing import Annotated, Any

import anyio.to_thread
from litestar import Response
from litestar import get as litestar_get
from litestar import post as litestar_post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter
from litestar.response import Redirect

from cheng.security.seen import cleared
from cheng.standards.problems import InputError, Refused
from cheng.web.ask import Ask
from cheng.web.fields import Column
from cheng.web.forms import Form
from cheng.web.guards import PUBLIC, SIGNED_IN, Needs
from cheng.web.page import Page, cookie
from cheng.web.people import TAKEN, TOLD
from cheng.web.shared import Shared

__all__ = [
    "PUBLIC",
    "SIGNED_IN",
    "Answer",
    "Ask",
    "Column",
    "Form",
    "InputError",
    "Needs",
    "Page",
    "Refused",
    "cleared",
    "everybody",
    "get",
    "post",
    "see_other",
]

Decorator = Callable[[Callable[..., Any]], HTTPRouteHandler]
IN_PATH = re.compile(r"\{(\w+):")
Answer = Response[Any]
"""What a handler returns that sometimes shows a page and sometimes sends elsewhere."""


def route(
    make: Any, path: str | Iterable[str], needs: Needs, opt: dict[str, Any], options: dict[str, Any]
) -> Decorator:
    """A handler of Litestar with what the house wants to know in its `opt`."""
    paths = [path] if isinstance(path, str) else list(path)
    opt = {"needs": needs, **{key: value for key, value in opt.items() if value}}

    def decorate(function: Callable[..., Any]) -> HTTPRouteHandler:
        mark(function, paths)
        waits = inspect.iscoroutinefunction(function)
        run = function if waits else together(function, opt["shared"]) if opt.get("shared") else in_thread(function)
        made: HTTPRouteHandler = make(paths, opt=opt, **options)(run)
        return made

    return decorate


def in_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same handler run in a thread, so that it may wait for the store. (Litestar's own way wraps it twice when a
    handler is registered in two applications of one process.)"""

    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> Any:
        return await anyio.to_thread.run_sync(functools.partial(drawn, *args, **kwargs))

    def drawn(*args: Any, **kwargs: Any) -> Any:
        answer = function(*args, **kwargs)
        if isinstance(answer, Page) and "ask" in kwargs:
            answer.draw(kwargs["ask"])
        return answer

    return run


def everybody(ask: Ask) -> Hashable:
    """Nothing else: for `shared`."""
    return None


def together(function: Callable[..., Any], who: Callable[[Ask], Hashable]) -> Callable[..., Any]:
    """The same handler, whose part for htmx is drawn once for all readers who may know the same."""
    alone = in_thread(function)

    @functools.wraps(function)
    async def run(ask: Ask) -> Any:
        if not ask.fragment or ask.representation != "html":
            return await alone(ask=ask)
        shared: Shared = ask.request.app.state.shared
        return await shared.get((ask.here(), ask.group, who(ask)), functools.partial(alone, ask=ask))

    return run


def mark(function: Callable[..., Any], paths: list[str]) -> None:
    """Pages say `ask: Ask` and `number: str`; Litestar wants to be told that one is a dependency, one from the path."""
    told = function.__annotations__
    for name in {found for path in paths for found in IN_PATH.findall(path)} & told.keys():
        told[name] = Annotated[told[name], PathParameter()]
    if "ask" in told:
        told["ask"] = NamedDependency[Ask]


def get(
    path: str | Iterable[str],
    *,
    needs: Needs,
    entry: str = "",
    order: int = 100,
    about: str = "",
    icon: str = "",
    section: str = "",
    under: str = "",
    api: bool = False,
    shared: Callable[[Ask], Hashable] | None = None,
    opt: dict[str, Any] | None = None,
    **options: Any,
) -> Decorator:
    """A page under `path`; `under`: the line of the menu it belongs to, where its address does not tell. Further
    options are Litestar's."""
    told = {"entry": entry, "order": order, "about": about, "icon": icon, "api": api, "page": not api, **(opt or {})}
    told |= {"shared": shared, "section": section, "under": under}
    return route(litestar_get, path, needs, told, options)


def post(path: str | Iterable[str], *, needs: Needs, under: str = "", api: bool = False, **options: Any) -> Decorator:
    """What happens when a form is sent to `path`; answers 200 unless the page says otherwise."""
    options.setdefault("status_code", 200)
    return route(litestar_post, path, needs, {"api": api, "page": not api, "under": under}, options)


def see_other(ask: Ask, path: str, told: str = "", /, **query: Any) -> Answer:
    """Send the browser on after a form was taken (303). `told`: one sentence, msgid, shown at the top of that page."""
    answer: Answer = Redirect(ask.url(path, **query), status_code=303)
    answer.cookies.append(cookie(ask, TOLD, ask._(told).encode().hex() if told else TAKEN, 60))
    return answer
