"""What exists: things of a type, with blanks that say what is known of each and what it reports."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from cheng.kernel.conditions import Happened, Silent
from cheng.kernel.expressions import Field, Hop
from cheng.kernel.specs import Problem, Spec, SpecError, did_you_mean, place_of
from cheng.standards.durations import Duration, seconds
from cheng.standards.units import unit

Level = Literal["public", "internal", "sensitive"]
LATENESS = seconds(30)
"""How late a reading may come and still change what was judged, unless the field says otherwise."""


class Kept(Field):
    """A field with what the house has to know to keep and show it."""

    def __init__(
        self,
        doc: str = "",
        *,
        fixed: bool = False,
        on_change: bool = False,
        lateness: Duration = LATENESS,
        retain: Duration | None = None,
        level: Level = "public",
    ) -> None:
        super().__init__(doc)
        self.live = not fixed
        self.on_change = on_change
        self.lateness = lateness
        self.retain = retain
        self.level = level

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """Code, message and hint of each thing wrong with the field."""
        yield from ()


class Quantity(Kept):
    """A number in a unit, reported over time unless `fixed`."""

    def __init__(
        self,
        unit: str,
        doc: str = "",
        *,
        low: float | None = None,
        high: float | None = None,
        jump: float | None = None,
        **kept: Any,
    ) -> None:
        super().__init__(doc, **kept)
        self.unit = unit
        self.low, self.high, self.jump = low, high, jump

    def faults(self) -> Iterator[tuple[str, str, str]]:
        try:
            unit(self.unit)
        except ValueError as error:
            yield "H005", f"'{self.name}' is in '{self.unit}'", str(error)
        if self.low is not None and self.high is not None and self.low >= self.high:
            yield "H006", f"'{self.name}' has low={self.low:g} and high={self.high:g}", "low has to be below high"


class Choice(Kept):
    """One of a few labels, reported over time unless `fixed`."""

    def __init__(self, *options: str, doc: str = "", **kept: Any) -> None:
        super().__init__(doc, **kept)
        self.options = options

    def faults(self) -> Iterator[tuple[str, str, str]]:
        if len(self.options) < 2 or len(set(self.options)) < len(self.options):
            yield "H007", f"'{self.name}' offers {self.options!r}", "a choice needs two or more different labels"


class Track(Kept):
    """A position that moves: longitude and latitude in degrees, WGS 84."""

    scalar = False

    def __init__(self, doc: str = "", **kept: Any) -> None:
        super().__init__(doc, **kept)


class Text(Kept):
    """Words in the register."""

    scalar = False

    def __init__(self, doc: str = "", *, level: Level = "public") -> None:
        super().__init__(doc, fixed=True, level=level)


class Place(Kept):
    """A point, line or area in the register: GeoJSON, WGS 84."""

    scalar = False

    def __init__(self, doc: str = "", *, level: Level = "public") -> None:
        super().__init__(doc, fixed=True, level=level)


SIGNS = frozenset({"rises", "falls", "rate", "jumps", "silent", "inside", "outside", "is_"})
"""What can be asked of numbers, labels and positions, but of no reference: there the word is a field's."""


class Ref(Kept):
    """Another thing, named by its type; `Truck.permit.route` follows it."""

    scalar = False

    def __init__(self, target: "str | type[Entity]", doc: str = "", *, level: Level = "public") -> None:
        super().__init__(doc, fixed=True, level=level)
        self.target = target if isinstance(target, str) else target.__name__
        self.known = None if isinstance(target, str) else target
        """the type itself, where it was declared before"""

    def __getattr__(self, name: str) -> Hop:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.hop(name)

    def __getattribute__(self, name: str) -> Any:
        if name in SIGNS:
            known = self.__dict__.get("known")
            if known is None or name in known.fields():
                return self.hop(name)
        return super().__getattribute__(name)

    @classmethod
    def hides(cls, target: "type[Entity]") -> list[str]:
        """Fields that no hop reaches, since a reference has an attribute of that name."""
        own = {*dir(cls), *vars(cls("", ""))} - SIGNS - {"level"}
        return [name for name in target.fields() if name in own and name not in target.own]

    def hop(self, name: str) -> Hop:
        """A field of the thing it points to, by its name: `Truck.permit.hop("level")`."""
        known = self.__dict__.get("known")
        if known is not None:
            found = known.fields().get(name)
            if found is None:
                hint = did_you_mean(name, list(known.fields()))
                raise AttributeError(f"{known.__name__} has no field '{name}'; {hint}")
            return Hop(self, found)
        promised = Field()
        promised.name = name
        return Hop(self, promised)


class Command:
    """Something a thing can be told to do, with typed arguments: `Command("Set the light", level=Quantity("%"))`."""

    def __init__(self, doc: str = "", **arguments: Kept) -> None:
        self.doc = doc
        self.name = ""
        self.owner: type | None = None
        self.arguments = arguments
        for name, argument in arguments.items():
            argument.name = name

    def __set_name__(self, owner: type, name: str) -> None:
        if self.owner is None:  # a job that sends it does not make it its own
            self.owner, self.name = owner, name


def is_live(value: Any) -> bool:
    return isinstance(value, Kept) and value.live


class Record(Spec, kind="record"):
    """What entities and events have in common: named fields."""

    public: bool = False
    """Whether citizens may see it."""
    taken: ClassVar[frozenset[str]] = frozenset()
    """Words that pages, files and doors use beside the fields."""

    def __init_subclass__(cls, kind: str = "", **blanks: Any) -> None:
        if not kind:
            cls.refuse_own_words()
        super().__init_subclass__(kind, **blanks)

    @classmethod
    def refuse_own_words(cls) -> None:
        """Raises SpecError at once: with such a field in its place the house could not even look at the class."""
        kinds: list[type[Any]] = [base for base in cls.__mro__[1:] if "kind" in vars(base)]
        of = kinds[0]  # what the class itself says may be wrong
        words = {"app", *of.taken, *of.blanks}.union(*map(vars, kinds))
        found = {name: value for name, value in vars(cls).items() if isinstance(value, (Kept, Command))}
        lost = {"state"} if of.kind == "entity" else set()
        bad = [name for name, value in found.items() if name in words or (name in lost and not is_live(value))]
        if bad:
            place, hint = place_of(cls), "the house needs that word; choose another"
            raise SpecError([Problem("H008", f"{cls.__name__} has a field '{name}'", place, hint) for name in bad])

    @classmethod
    def check_blank(cls, name: str, value: Any) -> None:
        if isinstance(value, (Kept, Command)) and any(name in vars(base) for base in cls.__mro__[1:]):
            cls.complain("H008", f"{cls.__name__} has a field '{name}'", "the house needs that word; choose another")
        if isinstance(value, Kept):
            for code, message, hint in value.faults():
                cls.complain(code, f"{message} in class {cls.__name__}", hint)
        elif not isinstance(value, Command):
            super().check_blank(name, value)

    @classmethod
    def fields(cls) -> dict[str, Kept]:
        """All fields by name, in the order of the class."""
        return {name: value for name, value in cls.filled().items() if isinstance(value, Kept)}

    @classmethod
    def nameable(cls) -> list[str]:
        """What texts about it may name: its fields, what every thing has, and the register of what it happened to."""
        subject = next((field for field in cls.fields().values() if isinstance(field, Ref)), None)
        known = subject.known if subject is not None and cls.kind == "event" else None
        return [*cls.fields(), *(known.fixed() if known else ()), "id", "name", "area", "owner"]

    @classmethod
    def live(cls) -> dict[str, Kept]:
        """The fields reported over time."""
        return {name: field for name, field in cls.fields().items() if field.live}

    @classmethod
    def fixed(cls) -> dict[str, Kept]:
        """The fields written in the register."""
        return {name: field for name, field in cls.fields().items() if not field.live}


class Entity(Record, kind="entity"):
    """A type of thing. Every thing has an id, a name, an owner, a state and a place without being told to."""

    reports: Duration | None = None
    """How often its device is expected to report; three times that without a word makes it silent on the console."""
    own: ClassVar[frozenset[str]] = frozenset({"id", "name", "area", "owner"})
    """What every thing has."""
    taken = frozenset(
        {
            "geometry",
            "areas",
            "longitude",
            "latitude",
            "url",
            "area_name",
            "register_state",
            "last_heard",
            "open_alerts",
        }
    )

    @classmethod
    def commands(cls) -> dict[str, Command]:
        return {name: value for name, value in cls.filled().items() if isinstance(value, Command)}


class Event(Record, kind="event"):
    """Something that happened, a record with typed fields: a gate scan, a camera's capture, a panic call."""

    taken = frozenset({"event", "time"})

    @classmethod
    def subject(cls) -> Ref | None:
        """The reference to the thing it happened to: the first one."""
        return next((field for field in cls.fields().values() if isinstance(field, Ref)), None)


def silence(thing: type[Entity], span: Duration) -> Silent:
    """The thing has reported nothing at all for the time."""
    return Silent(frozenset(thing.live().values()), span, thing.__name__)


def happened(event: type[Event]) -> Happened:
    """Any event of the type: `when = happened(Panic)`."""
    some = next(iter(event.fields().values()), None)
    if some is None:
        raise TypeError(f"event {event.__name__} has no field; say at least to what it happened: thing = Ref(…)")
    return Happened(event, some)
