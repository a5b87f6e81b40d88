"""Every role, every verb, every kind of object, one by one: what is not said here is refused."""

import itertools

import pytest

from cheng.security.actors import ANONYMOUS, HOUSE, Actor, Scope
from cheng.security.permissions import GRANTS, ROWS, VERBS, Target, decide, reach

PEOPLE = {role: Actor(f"the-{role}", role.title(), (role,), "Drainage") for role in ("citizen", "officer", "leader")}
PEOPLE["operator"] = Actor("the-operator", "Operator", ("operator",), "Data Office")
PEOPLE["dispatcher"] = Actor("the-dispatcher", "Dispatcher", ("dispatcher",), "Command centre")
PEOPLE["reviewer"] = Actor("the-reviewer", "Reviewer", ("reviewer",), "Supervision centre")
PEOPLE |= {
    post: Actor(f"the-{post}", post, (post,), "Centre")
    for post in ("acceptor", "agent", "shift-leader", "evaluator", "collector", "checker", "handler")
}
PEOPLE["newcomer"] = Actor("the-newcomer", "Newcomer", ("newcomer",), "Drainage")
PEOPLE["device"] = Actor("token:d", "d", ("device",), "Drainage", "device", Scope(ids=frozenset({"cover-7"})))
PEOPLE["reporter"] = Actor("token:r", "r", ("reporter",), "", "system")
PEOPLE["anonymous"] = ANONYMOUS
PEOPLE["nobody"] = Actor("the-nobody", "Nobody", (), "Drainage")

ALWAYS = {
    "citizen": "enter portal, enter catalogue, report case, upload blob",
    "officer": "enter portal, enter catalogue, enter desk, see thing, see indicator, see rule, report case, upload "
    "blob, try rule, see class, see article",
    "leader": "enter portal, enter catalogue, enter desk, enter dashboard, see thing, see alert, see case, see "
    "dataset, see indicator, see rule, see blob, see job, see command, download dataset, note case, "
    "acknowledge alert, try rule, read-audit audit, act case, see-contact case, see class, "
    "see suggestion, run suggestion, see evaluation, see article",
    "dispatcher": "enter portal, enter catalogue, enter desk, enter dashboard, see thing, see alert, see case, see "
    "indicator, see rule, see blob, see command, act case, note case, report case, acknowledge alert, shelve alert, "
    "upload blob, see-contact case, see class, edit class, load class, "
    "see suggestion, run suggestion, see evaluation, see article, edit article, load article",
    "reviewer": "enter portal, enter catalogue, enter desk, enter dashboard, see thing, see alert, see case, see "
    "indicator, see rule, see blob, see command, act case, note case, upload blob, see class, see evaluation, "
    "see article",
    "operator": "enter portal, enter catalogue, enter dashboard, enter console, enter kiosk, see thing, see alert, "
    "see dataset, see indicator, see rule, see job, see refused, see setting, see command, shelve alert, "
    "maintain thing, register thing, ingest thing, load thing, load dataset, try rule, run job, "
    "retry-refused refused, manage-accounts account, manage-tokens token, read-audit audit, "
    "change-settings setting, backup store, see class, load class, load case, load article",
    "acceptor": "see case, act case, note case, see-contact case, take call, call-back case, edit article",
    "agent": "see case, act case, note case, see-contact case, take call, call-back case, edit article",
    "shift-leader": "see case, act case, note case",
    "evaluator": "see case, see evaluation",
    "collector": "enter round",
    "checker": "enter round",
    "handler": "enter round",
    "newcomer": "",
    "device": "",
    "reporter": "report case, upload blob",
    "nobody": "",
    "anonymous": "enter portal, enter catalogue, report case, upload blob",
}
OWN_DEPARTMENT = {
    "officer": "see alert, see evaluation, see command, see dataset, download dataset, see case, act case, note case, "
    "see blob, acknowledge alert, shelve alert, maintain thing, command thing, register thing",
}
PUBLIC = {
    "citizen": "see thing, see alert, see dataset, see indicator, see blob, see case, download dataset",
    "officer": "see dataset, download dataset, see blob",
}
PUBLIC["anonymous"] = PUBLIC["citizen"]
REPORTED = {"citizen": "see case, see blob, note case", "officer": "see blob"}
ASSIGNED = {"officer": "see case, act case, note case, see blob"}
IN_SCOPE = {"device": "ingest thing, receive thing, see thing"}
OWN_ACCOUNT = dict.fromkeys(
    ("citizen", "officer", "leader", "dispatcher", "reviewer", "operator", "newcomer"), "change-password account"
)
PURPOSE = {"officer": "see-personal thing, see-personal case"}

CELLS = [(verb, kind) for verb, kinds in VERBS.items() for kind in kinds.split()]


def listed(table: dict[str, str], who: str) -> set[tuple[str, str]]:
    said = {tuple(cell.split()) for cell in table.get(who, "").split(", ") if cell}
    assert said <= set(CELLS), said - set(CELLS)
    return said


def allowed(who: str, target: dict[str, object], purpose: str = "") -> set[tuple[str, str]]:
    actor = PEOPLE[who]
    return {(verb, kind) for verb, kind in CELLS if decide(actor, verb, Target(kind, **target), purpose).allowed}


@pytest.mark.parametrize("who", PEOPLE)
def test_matrix(who: str) -> None:
    always = listed(ALWAYS, who)
    assert allowed(who, {}) == always
    assert allowed(who, {"department": "Roads", "assignee": "x", "reporter": "y", "id": "z", "type": "t"}) == always
    assert allowed(who, {"department": "Drainage"}) == always | listed(OWN_DEPARTMENT, who)
    assert allowed(who, {"public": True}) == always | listed(PUBLIC, who)
    assert allowed(who, {"reporter": f"the-{who}"}) == always | listed(REPORTED, who)
    assert allowed(who, {"assignee": f"the-{who}"}) == always | listed(ASSIGNED, who)
    assert allowed(who, {"id": "cover-7"}) == always | listed(IN_SCOPE, who)
    assert allowed(who, {"id": f"the-{who}"}) == always | listed(OWN_ACCOUNT, who)
    own = always | listed(OWN_DEPARTMENT, who) | listed(PURPOSE, who)
    assert allowed(who, {"department": "Drainage"}, "calling the resident") == own
    assert allowed(who, {"department": "Drainage"}, "  ") == own - listed(PURPOSE, who)


def test_the_house_may() -> None:
    assert all(decide(HOUSE, verb, kind).allowed for verb, kind in CELLS)


def test_every_grant_is_in_the_matrix() -> None:
    roles = {role for role, _, _ in GRANTS}
    assert roles == (PEOPLE.keys() | {"house"}) - {"anonymous", "nobody"}
    assert all(row[3:] for row in ROWS), "a line without a condition would grant nothing"


def test_operators_run_the_house_and_decide_no_case() -> None:
    deciders = {role for role, verb, _ in GRANTS if verb == "act"}
    assert deciders == {"officer", "dispatcher", "reviewer", "leader", "house", "acceptor", "agent", "shift-leader"}
    assert not decide(PEOPLE["operator"], "act", Target("case", department="Drainage", assignee="the-operator")).allowed


def test_an_actor_without_a_name_or_department_owns_nothing() -> None:
    empty = Actor("", "", ("citizen", "officer", "device"))
    for verb, kind in [
        ("see", "case"),
        ("act", "case"),
        ("note", "case"),
        ("ingest", "thing"),
        ("change-password", "account"),
    ]:
        assert not decide(empty, verb, Target(kind)).allowed


def test_roles_add_up() -> None:
    both = Actor("wang", "Wang", ("citizen", "leader"))
    assert decide(both, "see", "case").allowed
    assert decide(both, "report", "case").allowed


@pytest.mark.parametrize(
    ("who", "verb", "target", "code"),
    [
        ("officer", "act", Target("case", department="Roads"), "assigned"),
        ("officer", "manage-accounts", Target("account"), "not-allowed"),
        ("officer", "see-personal", Target("case", department="Drainage"), "own-department-with-a-purpose"),
        ("device", "ingest", Target("thing", "cover-8"), "in-scope"),
        ("anonymous", "see", Target("case", "c1"), "sign-in-needed"),
        ("newcomer", "enter", Target("desk"), "change-password"),
        ("nobody", "see", Target("thing"), "not-allowed"),
    ],
)
def test_refusals_say_why(who: str, verb: str, target: Target, code: str) -> None:
    decision = decide(PEOPLE[who], verb, target)
    assert not decision.allowed
    assert decision.code == code
    assert decision.reason.endswith(".")


@pytest.mark.parametrize(("verb", "kind"), [("fly", "case"), ("see", "moon"), ("act", "alert"), ("", "")])
def test_mistakes_in_programs_are_no_refusals(verb: str, kind: str) -> None:
    with pytest.raises(ValueError, match="nobody can"):
        decide(HOUSE, verb, kind)


def test_reach_is_what_a_list_may_show() -> None:
    assert reach(PEOPLE["officer"], "see", "case") == {"own department", "assigned"}
    assert reach(PEOPLE["leader"], "see", "case") == {"any"}
    assert reach(PEOPLE["citizen"], "see", "case") == {"public", "reported"}
    assert reach(PEOPLE["operator"], "see", "case") == frozenset()


@pytest.mark.parametrize("who", PEOPLE)
def test_reach_and_decide_agree(who: str) -> None:
    yes = {"department": "Drainage", "public": True, "assignee": f"the-{who}", "reporter": f"the-{who}"}
    for (verb, kind), id_ in itertools.product(CELLS, ("cover-7", f"the-{who}")):
        decision = decide(PEOPLE[who], verb, Target(kind, id_, **yes), "why")
        if decision.allowed:
            assert decision.reason in reach(PEOPLE[who], verb, kind)


def test_scopes() -> None:
    scope = Scope.of({"ids": ["a", ""], "prefixes": ["cover-", ""], "types": ["Lamp", ""]})
    assert Scope.of(scope.told()) == scope
    inside = [("a", ""), ("cover-9", ""), ("x", "Lamp")]
    outside = [("b", ""), ("", ""), ("x", ""), ("Cover-9", ""), ("x", "lamp")]
    assert [scope.covers(*asked) for asked in inside + outside] == [True] * 3 + [False] * 5
    assert not Scope().covers("anything", "Anything")
    assert not Scope().covers("", "")


def test_targets_from_rows() -> None:
    thing = Target.of("thing", {"id": "c", "type": "Cover", "owner": "Drainage", "department": None, "name": "x"})
    assert thing == Target("thing", "c", "Drainage", "Cover")
    case = Target.of("case", {"id": "c1", "department": "Roads", "assignee": None, "reporter": "wang", "public": 1})
    assert case == Target("case", "c1", "Roads", reporter="wang")
    assert [str(case), str(Target("case"))] == ["case:c1", "case"]
