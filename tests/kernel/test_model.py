"""All declarations together: references by word, and what only shows when every type is known."""

from types import ModuleType

import pytest

from cheng.kernel.model import Model
from cheng.standards.problems import Problem, SpecError

SOURCE = '''
from cheng import App, Entity, Place, Quantity, Ref, Rule, Track, by, hours


class hauls(App):
    """Watches hauls."""

    title, owner, system = "Hauls", "Sanitation Bureau", "G5"


class Truck(Entity):
    """A truck."""

    permit = Ref("Permit")
    position = Track("where it is")
    speed = Quantity("km/h")


class odd(Rule):
    """Truck {name} is off."""

    when = WHEN
    basis = "none"


class Permit(Entity):
    """A permit."""

    route = Place("the corridor")
    top = Quantity("km/h", fixed=True)
    FIELD = Quantity("1", fixed=True)
'''


def found(when: str, field: str = "weight") -> list[Problem]:
    module = ModuleType("works.city.hauls")
    exec(SOURCE.replace("WHEN", when).replace("FIELD", field), module.__dict__)
    try:
        Model.of([module])
    except SpecError as error:
        return error.problems
    return []


@pytest.mark.parametrize(
    ("when", "said", "hint"),
    [
        ("Truck.position.outside(Truck.permit.rout)", "rout", "did you mean 'route'?"),
        ("(Truck.speed > 5) & ~(Truck.speed > Truck.permit.tpo * 2)", "tpo", "did you mean 'top'?"),
        ("Truck.speed > Truck.permit.rate", "rate", "did you mean 'route'?"),
    ],
)
def test_h027_a_hop_to_no_field(when: str, said: str, hint: str) -> None:
    (problem,) = found(when)
    assert (problem.code, problem.hint) == ("H027", hint)
    assert problem.message == f"rule odd asks for '{said}' of Permit, which has no such field"
    assert problem.place


def test_hops_that_lead_somewhere() -> None:
    assert found("Truck.position.outside(Truck.permit.route) & (Truck.speed > Truck.permit.top)") == []
    assert found('Truck.speed > Truck.permit.hop("level")', "level") == []


def test_h026_a_field_that_a_reference_hides() -> None:
    (problem,) = found("Truck.speed > 5", "retain")
    assert (problem.code, problem.message) == ("H026", "'permit' of Truck cannot reach 'retain' of Permit")


def test_h028_an_alert_is_one_case() -> None:
    flows = "\n".join(
        f'''
class {name}(Flow):
    """Looks into it."""

    starts = odd
    steps = (Step("look", to="squad"),)
'''
        for name in ("stop", "fine")
    )
    module = ModuleType("works.city.hauls")
    source = SOURCE.replace("WHEN", "Truck.speed > 5").replace("FIELD", "weight")
    source = source.replace("import App,", "import App, Flow, Step,")
    exec(source + flows, module.__dict__)
    with pytest.raises(SpecError) as caught:
        Model.of([module])
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("H028", "rule odd starts hauls.stop and hauls.fine")
