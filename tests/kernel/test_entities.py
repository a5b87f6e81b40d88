"""What exists: fields, references, commands and events, and what is refused."""

import pytest

from cheng.kernel.entities import (
    Choice,
    Command,
    Entity,
    Event,
    Place,
    Quantity,
    Record,
    Ref,
    Text,
    Track,
    happened,
    silence,
)
from cheng.kernel.expressions import Hop
from cheng.standards.durations import hours, seconds
from cheng.standards.problems import SpecError


class Permit(Entity):
    """A haul."""

    route = Place("the approved streets")
    limit = Quantity("t", fixed=True)
    cargo = Choice("sand", "rubble", fixed=True)


class Truck(Entity):
    """A truck."""

    reports = hours(1)
    public = True

    plate = Text("its plate", level="internal")
    spot = Track("where it is", lateness=seconds(60))
    load = Quantity("t", "what it carries", low=0, high=40, jump=20, retain=hours(100))
    door = Choice("open", "shut", doc="its door", on_change=True)
    permit = Ref(Permit, "the permit in force")
    depot = Ref("Depot")
    stop = Command("Stop the engine", after=Quantity("s"), how=Choice("now", "slowly"))


def test_fields_keep_their_order_and_know_their_place() -> None:
    assert Truck.problems == Permit.problems == []
    assert list(Truck.fields()) == ["plate", "spot", "load", "door", "permit", "depot"]
    assert list(Truck.live()) == ["spot", "load", "door"]
    assert list(Truck.fixed()) == ["plate", "permit", "depot"]
    assert list(Truck.commands()) == ["stop"]
    assert (Truck.load.owner, Truck.load.name, repr(Truck.load)) == (Truck, "load", "Truck.load")
    assert (Truck.spot.lateness, Truck.load.lateness) == (seconds(60), seconds(30))
    assert (Truck.door.on_change, Truck.plate.level, Truck.load.jump) == (True, "internal", 20)
    assert [f.scalar for f in Truck.fields().values()] == [False, False, True, True, False, False]
    assert {name: argument.name for name, argument in Truck.stop.arguments.items()} == {"after": "after", "how": "how"}


def test_a_reference_to_a_class_knows_its_fields() -> None:
    hop = Truck.permit.limit
    assert isinstance(hop, Hop)
    assert (hop.ref, hop.field, hop.words()) == (Truck.permit, Permit.limit, "permit.limit")
    assert Truck.permit.cargo.is_("sand").words() == "permit.cargo = sand"
    with pytest.raises(AttributeError, match=r"^Permit has no field 'rout'; did you mean 'route'\?$"):
        _ = Truck.permit.rout


def test_a_reference_to_a_name_promises_its_fields() -> None:
    hop = Truck.depot.capacity
    assert (Truck.depot.target, hop.field.name, hop.words()) == ("Depot", "capacity", "depot.capacity")
    assert list(hop.fields()) == []
    with pytest.raises(TypeError, match=r"the labels of depot\.state are not known here; let Ref name the class"):
        Truck.depot.state.is_("full")


def codes(spec: type[Record]) -> list[tuple[str, str, str]]:
    return [(problem.code, problem.message, problem.hint) for problem in spec.problems]


def test_h005_unknown_unit() -> None:
    class Wet(Entity):
        """A gauge."""

        rain = Quantity("millimetre")

    ((code, message, hint),) = codes(Wet)
    assert (code, message) == ("H005", "'rain' is in 'millimetre' in class Wet")
    assert hint.startswith("'millimetre' is no known unit")


@pytest.mark.parametrize(("low", "high"), [(5, 5), (6, 5)])
def test_h006_low_above_high(low: float, high: float) -> None:
    odd = type("Wet", (Entity,), {"__doc__": "A gauge.", "rain": Quantity("mm", low=low, high=high)})
    problem = f"'rain' has low={low} and high={high} in class Wet"
    assert codes(odd) == [("H006", problem, "low has to be below high")]


@pytest.mark.parametrize("options", [(), ("on",), ("on", "on")])
def test_h007_a_choice_that_is_none(options: tuple[str, ...]) -> None:
    odd = type("Lamp", (Entity,), {"__doc__": "A lamp.", "state": Choice(*options)})
    problem = f"'state' offers {options!r} in class Lamp"
    assert codes(odd) == [("H007", problem, "a choice needs two or more different labels")]


WORDS = (
    *("kind", "fields", "public", "reports", "own", "check", "app", "problems", "blanks", "place", "live", "fixed"),
    *("commands", "taken", "filled", "complain", "sentence", "nameable", "geometry", "areas", "longitude", "url"),
)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("field", [Choice("on", "off"), Text(), Command("Do it")])
def test_h008_a_word_of_the_house(word: str, field: object) -> None:
    with pytest.raises(SpecError) as refusal:
        type("Lamp", (Entity,), {"__doc__": "A lamp.", word: field})
    (problem,) = refusal.value.problems
    assert (problem.code, problem.message) == ("H008", f"Lamp has a field '{word}'")
    assert problem.hint == "the house needs that word; choose another"
    assert problem.place


@pytest.mark.parametrize("word", ["fields", "subject", "app", "check", "public", "time", "event"])
def test_h008_a_word_of_the_house_in_an_event(word: str) -> None:
    with pytest.raises(SpecError, match=f"H008 .*Press has a field '{word}'"):
        type("Press", (Event,), {"__doc__": "A press.", word: Quantity("1")})


def test_h008_a_state_in_the_register_would_hide_the_one_every_thing_has() -> None:
    with pytest.raises(SpecError, match="H008"):
        type("Lamp", (Entity,), {"__doc__": "A lamp.", "state": Text()})
    assert type("Lamp", (Entity,), {"__doc__": "A lamp.", "state": Choice("on", "off")}).problems == []


def test_all_words_of_the_house_at_once_with_their_place() -> None:
    with pytest.raises(SpecError) as refusal:

        class Lamp(Entity):
            """A lamp."""

            own = Text()
            problems = Text()

    assert [problem.code for problem in refusal.value.problems] == ["H008", "H008"]
    assert all(problem.place.startswith("test_entities.py:") for problem in refusal.value.problems)


class Tank(Entity):
    """A tank whose fields are called as a reference's own words."""

    level = Quantity("m", "how full", fixed=True)
    rate = Quantity("L", fixed=True)
    retain = Quantity("L", fixed=True)


class Hose(Entity):
    """A hose."""

    flow = Quantity("L")
    tank = Ref(Tank, level="internal")
    other = Ref("Tank")


def test_fields_that_a_reference_has_words_for() -> None:
    assert Hose.tank.rate.field is Tank.rate
    assert Hose.other.rate.field.name == "rate"
    assert Hose.tank.hop("level").field is Tank.level
    assert Hose.tank.level == Hose.fields()["tank"].level == "internal"
    assert "internal" in frozenset({Hose.tank.level})
    with pytest.raises(TypeError):
        _ = Hose.tank.level > 5
    with pytest.raises(AttributeError):
        Hose.tank.level.is_("full")
    assert Ref.hides(Tank) == ["retain"]


def test_what_is_no_field_has_to_be_a_blank_of_the_kind() -> None:
    odd = type("Lamp", (Entity,), {"__doc__": "A lamp.", "report": hours(1), "reports": 60, "watts": 5})
    assert [(code, message) for code, message, _ in codes(odd)] == [
        ("H002", "unknown attribute 'report' in class Lamp"),
        ("H004", "'reports' of Lamp is 60"),
        ("H002", "unknown attribute 'watts' in class Lamp"),
    ]
    assert odd.problems[0].hint == "did you mean 'reports'?"


class Capture(Event):
    """A camera saw {truck}."""

    finding = Choice("too high", "uncovered")
    truck = Ref(Truck)
    gate = Ref("Gate")
    confidence = Quantity("1")


class Nothing(Event):
    """Nothing."""


def test_an_event_is_about_its_first_reference() -> None:
    assert Capture.subject() is Capture.truck
    assert Nothing.subject() is None
    assert happened(Capture).words() == "any Capture"
    assert {f.name for f in happened(Capture).fields()} == {"finding"}
    with pytest.raises(TypeError, match="event Nothing has no field"):
        happened(Nothing)


def test_silence_of_a_thing_is_about_all_that_it_reports() -> None:
    assert silence(Truck, hours(1)).of == frozenset({Truck.spot, Truck.load, Truck.door})
    assert silence(Truck, hours(1)).words() == "Truck silent for 1 hour"


def test_a_field_stays_its_own_when_others_name_it() -> None:
    class Reader:
        """Names fields and commands in its body, as jobs and indicators do."""

        writes = Truck.load

    assert Reader.writes.owner is Truck
    assert Reader.writes.name == "load"


def test_texts_about_an_event_may_name_the_register_of_what_it_happened_to() -> None:
    class Weighing(Event):
        """{truck} was weighed."""

        truck = Ref(Truck)
        weight = Quantity("t")

    class Elsewhere(Event):
        """Something happened to a thing of another application."""

        thing = Ref("Bridge")

    assert {"truck", "weight", "plate", "id", "name", "area", "owner"} <= set(Weighing.nameable())
    assert "load" not in Weighing.nameable()  # what it reports may have changed meanwhile
    assert Elsewhere.nameable() == ["thing", "id", "name", "area", "owner"]
    assert "load" in Truck.nameable()
