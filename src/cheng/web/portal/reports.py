"""What was reported in the last weeks, as a list and on a map: what, about where, and how far. No word of anybody."""

from sqlalchemy import ColumnElement, func, select

from cheng.infrastructure.case_rows import Entry, entry
from cheng.infrastructure.tables import cases
from cheng.web.map.page import ground_told
from cheng.web.pages import PUBLIC, Ask, Column, Page, get
from cheng.web.portal.access import STATES
from cheng.web.portal.follow_view import public_row
from cheng.web.portal.kinds import Kind, kinds

WEEKS = 4
DAY = 86_400_000_000
GROUPS = {"open": ("open", "suspended"), "done": ("closed",)}
"""What one can look at → the states it stands for."""
COLUMNS = (
    Column("number", "Number"),
    Column("code", "Code"),
    Column("name", "What it is"),
    Column("street", "Street"),
    Column("state_text", "State"),
    Column("stage", "Stage"),
    Column("opened", "Reported on", "moment"),
    Column("closed", "Closed", "moment"),
    Column("days", "Days taken", "number"),
)


@get(
    "/reports",
    needs=PUBLIC,
    entry="Reports in the city",
    about="What people reported in the last weeks, and what became of it: a list and a map.",
    icon="list",
    order=6,
    section="portal",
)
def reports(ask: Ask) -> Page:
    """Public reports of the last weeks, the last first; `?state=open|done`, `?class=`, `?after=` a number."""
    known = kinds(ask)
    state, code, limit = ask.choice("state", tuple(GROUPS)), ask.query("class"), ask.limit(50)
    wanted = {c: k for c, k in known.items() if code in ("", c)}
    found = listed(ask, wanted, GROUPS.get(state, STATES), limit + 1)
    rows = [public_row(ask, each, known[each.class_code].name) for each in found[:limit]]
    since = ask.now - WEEKS * 7 * DAY
    data = {"since": ask.local.iso(since), "next": found[limit - 1].number if len(found) > limit else "", "rows": rows}
    extra = {
        "state": state,
        "code": code,
        "filtered": bool(state or code),
        "choices": [(c, k.name) for c, k in known.items()],
        "weeks": WEEKS,
        "map": ground_told(ask),
    }
    keep = ("url", "light", "state")
    return Page("portal/reports.html", data, rows="rows", columns=COLUMNS, keep=keep, extra=extra, fragment="list")


def listed(ask: Ask, wanted: dict[str, Kind], states: tuple[str, ...], limit: int) -> list[Entry]:
    """The newest of the cases that anybody may know of. Of one class along the index of classes, of all along that of
    flows; a column whose index would be the long way round is asked as an expression."""
    if not wanted:
        return []
    flows = sorted({kind.flow for kind in wanted.values()})
    one = len(wanted) == 1
    flow: ColumnElement[str] = cases.c.flow.concat("") if one else cases.c.flow
    of_class: ColumnElement[str] = cases.c.class_code if one else cases.c.class_code.concat("")
    query = (
        select(cases)
        .where(flow.in_(flows), cases.c.opened >= ask.now - WEEKS * 7 * DAY, cases.c.state.in_(states))
        .where(of_class.in_(list(wanted)), func.coalesce(cases.c.parent, "") == "")
    )
    if after := ask.query("after"):
        query = query.where(cases.c.number < after)
    query = query.order_by(cases.c.opened.desc(), cases.c.number.desc()).limit(limit)
    with ask.hub.store.read() as conn:
        found = [entry(row) for row in conn.execute(query).mappings()]
    return [each for each in found if wanted[each.class_code].flow == each.flow]


routes = [reports]
