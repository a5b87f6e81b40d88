"""The alerts of the desk: what stands, since when, and who has seen it."""

from typing import Any

from cheng.infrastructure import case_search
from cheng.infrastructure.alert_lists import AlertFilters, View
from cheng.kernel.rules import LEVELS
from cheng.web.city.words import name_of
from cheng.web.desk.alert_view import alert_row
from cheng.web.desk.cases import below, choices
from cheng.web.desk.seeing import enter_alerts, whose_alerts
from cheng.web.pages import Ask, Column, Page, get

VIEWS: tuple[View, ...] = ("standing", "quiet", "all")
SEEN = ("yes", "no")
COLUMNS = (
    Column("text", "What"),
    Column("number", "Number"),
    Column("level", "Level", "level"),
    Column("state_text", "State"),
    Column("rule_title", "Rule"),
    Column("thing_name", "Thing"),
    Column("area_name", "Area"),
    Column("onset", "Since", "moment"),
    Column("raised", "Raised", "moment"),
    Column("over", "Over", "moment"),
    Column("acknowledged_by", "Acknowledged by", level="internal"),
    Column("acknowledged_at", "Acknowledged", "moment", level="internal"),
    Column("state", "State's name"),
    Column("rule", "Rule's name"),
    Column("thing", "Thing's id"),
    Column("area", "Area's id"),
)


@get("/desk/alerts", needs=("see", "alert"), entry="Alerts", order=20)
def alerts(ask: Ask) -> Page:
    """Alerts that stand, those that were asked to be quiet, and all there ever were."""
    enter_alerts(ask)
    view = next(each for each in VIEWS if each == ask.choice("view", VIEWS, VIEWS[0]))
    seen = ask.choice("seen", SEEN)
    whose = whose_alerts(ask)
    filters = AlertFilters(
        whose=whose,
        view=view,
        level=ask.choice("level", LEVELS),
        rule=ask.query("rule"),
        thing=ask.query("thing"),
        areas=below(ask, ask.query("area")),
        acknowledged={"yes": True, "no": False}.get(seen),
        text=ask.query("q"),
    )
    page = ask.hub.alerts.list(filters, ask.limit(), ask.query("after"))
    counts = ask.hub.alerts.counts(whose)
    people = case_search.names(ask.hub.store, [each.acknowledged_by for each in page.entries])
    rows = [alert_row(ask, each, people) for each in page.entries]
    data = {"view": view, "counts": counts, "next": page.cursor, "alerts": rows}
    extra = {"choices": options(ask), "filtered": filtered(ask), "standing": sum(counts[level] for level in LEVELS)}
    return Page("desk/alerts.html", data, extra=extra, rows="alerts", columns=COLUMNS, fragment="list")


def filtered(ask: Ask) -> bool:
    return any(ask.query(name) for name in ("level", "rule", "thing", "area", "seen", "q"))


def options(ask: Ask) -> dict[str, Any]:
    """What the filters offer."""
    shared = choices(ask)
    rules = sorted((ask._(name_of(rule)), key) for key, rule in ask.hub.model.rules.items())
    seen = [("", ask._("All")), ("no", ask._("Not yet")), ("yes", ask._("Acknowledged"))]
    rule = [("", ask._("All")), *((key, text) for text, key in rules)]
    return {"level": shared["level"], "area": shared["area"], "rule": rule, "seen": seen}


routes = [alerts]
