"""One case: what it is about, where it stands, what was done, and what can be done next."""

from typing import Any

from litestar import Response

from cheng.infrastructure import case_search
from cheng.infrastructure.case_book import Filed
from cheng.infrastructure.photos import bare
from cheng.security.permissions import Target
from cheng.standards.problems import Refused
from cheng.web.desk import alert_view, words
from cheng.web.desk.act_forms import Sent, forms, why_not
from cheng.web.desk.alike import separable, suggestions
from cheng.web.desk.case_view import View
from cheng.web.desk.passed import passed_on
from cheng.web.desk.seeing import case_of
from cheng.web.desk.sketch import sketch
from cheng.web.map.page import ground_told
from cheng.web.pages import Answer, Ask, Page, get


@get("/desk/cases/{number:str}", needs=("enter", "desk"))
def case(ask: Ask, number: str) -> Page:
    """The case with that number."""
    return case_page(ask, case_of(ask, number))


def case_page(ask: Ask, filed: Filed, sent: Sent | None = None, status: int = 200) -> Page:
    """The page of a case, with a form that came back when there is one."""
    view = View.of(ask, filed)
    data = view.data()
    offered = forms(ask, filed, sent)
    verbs = [each["verb"] for each in offered]
    data["next"] = [{key: each[key] for key in ("verb", "title", "needs", "fields")} for each in offered]
    data["why_not"] = why_not(ask, filed, verbs, view.people)
    data["alert"] = alert_facts(ask, filed)
    data["passed_on"] = passed_on(ask, filed)
    data["alike"] = suggestions(ask, filed, verbs)
    if ask.representation == "json":
        return Page("desk/case.html", words.readable(ask, data), status=status)
    extra: dict[str, Any] = {
        "forms_offered": offered,
        "sent": sent,
        "lost": sent is not None and sent.verb not in verbs,
        "map": ground_told(ask),
    }
    extra |= {"separable": separable(ask, filed)}
    extra |= {"drawing": drawing(ask, filed), "thing_url": "", "thing_name": filed.entry.thing_id}
    thing = ask.hub.things.find(filed.entry.thing_id) if filed.entry.thing_id else None
    if thing is not None:
        extra |= {"thing_url": alert_view.thing_url(ask, thing), "thing_name": thing.name or thing.id}
    family, _, app = filed.entry.app.partition("/")
    names = [f"desk/case-{family}-{app}.html", f"desk/case-{family}.html", "desk/case.html"]
    return Page(names, data, extra=extra, status=status)


def alert_facts(ask: Ask, filed: Filed) -> dict[str, Any] | None:
    """The alert that opened the case, with the readings of that moment."""
    alert = ask.hub.alerts.by_key(filed.entry.alert) if filed.entry.alert else None
    if alert is None:
        return None
    row = alert_view.alert_row(ask, alert, case_search.names(ask.hub.store, [alert.acknowledged_by]))
    row.pop("geometry")
    seen = ask.may("see", "alert")
    joined = [alert_view.alert_row(ask, each, {}) for each in ask.hub.alerts.led_by(alert.id)]
    return {
        **row,
        "url": row["url"] if seen else "",
        "readings": alert_view.readings(ask, alert),
        "rule": alert_view.meaning(ask, alert),
        "joined": [{key: each[key] for key in ("number", "text", "raised", "state_text")} for each in joined],
    }


def drawing(ask: Ask, filed: Filed) -> Any:
    """A small picture of where it is; "" when nobody knows."""
    entry = filed.entry
    if entry.longitude is None or entry.latitude is None:
        return ""
    area = ask.hub.things.find(entry.area) if entry.area else None
    thing = ask.hub.things.find(entry.thing_id) if entry.thing_id else None
    shape = (area.properties.get("boundary") or area.geometry) if area is not None else None
    label = ask._(
        "Where it is: {latitude}, {longitude}", latitude=f"{entry.latitude:.5f}", longitude=f"{entry.longitude:.5f}"
    )
    return sketch((entry.longitude, entry.latitude), label, shape, thing.geometry if thing is not None else None)


@get("/desk/cases/{number:str}/files/{sha256:str}", needs=("enter", "desk"), opt={"uncompressed": True})
def file(ask: Ask, number: str, sha256: str) -> Answer:
    """A photo or paper handed in with an act of this case, for those who may see the case; its camera's notes are
    taken out."""
    filed = case_of(ask, number)
    handed_in = {piece["blob"] for act in ask.hub.cases.acts(filed.entry.id) for piece in act.data.get("proof") or ()}
    if sha256 not in handed_in:
        raise Refused("no-file", "This file is not there or is damaged.", status=404)
    with ask.hub.store.read() as conn:
        blob = ask.hub.blobs.find(conn, sha256)
    headers = dict(blob.headers)
    media_type = headers.pop("Content-Type")
    return Response(bare(ask.hub.blobs.read(sha256)), media_type=media_type, headers=headers)


def target(filed: Filed) -> Target:
    """The case as the audit names it."""
    return Target("case", filed.entry.number)


routes = [case, file]
