"""How a case goes: steps, who does each, within which limit, and what has to be shown before the next.

A flow is declared, never run: `cases` moves a case along it, `standing` says where the case stands.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Any, Final, Literal

from cheng.kernel.conditions import Condition
from cheng.kernel.specs import Spec, did_you_mean
from cheng.standards.durations import Duration

ANOTHER = "another person"
BY = (ANOTHER,)
"""Who may do a step, beyond being of its department."""
STARTERS = ("rule",)
"""Kinds whose firing opens a case."""
BY_CONDITION: Final = "by condition"
"""The limit of the filing condition that the case was filed by."""
REST: Final = "rest"
"""What is left of the limit of the step before: whoever confirms the work answers for the time with whoever did it."""
Limit = Duration | Literal["by condition", "rest"]
ASKS = ("condition", "departments")
"""What finishing a step can ask for: the filing condition of the case; the departments that get the next step, the
first of which leads."""
URGENT = "urgent"
"""The value that says "yes" in a case that waits for no office hours."""
PASSED = "passed"
"""The value that says "yes" in a case which another city has, or had until it was done."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
Words = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One step: who does it, within which limit, and what finishing it takes."""

    name: str
    to: str | tuple[str, ...] | None = None
    """Department, or several at once of which one acts; blanks in braces are fields of the thing:
    "{ward} drainage crew". Without it the step stays with the previous department, the first one with the owner
    of the thing."""
    within: Limit | None = None
    """Its limit, on the clock of its unit; BY_CONDITION or REST."""
    urgent: Duration | None = None
    """Its limit in a case that is urgent (a value that says "yes"): day and night."""
    by: str | None = None
    """"another person": whoever finished any earlier step may not do this one."""
    proof: str | tuple[str, ...] | None = None
    """Kinds of evidence that finishing it has to carry: "photo"."""
    until: Condition | None = None
    """What has to be true of the thing before the step can be finished."""
    post: str | tuple[str, ...] | None = None
    """The post that an officer of the department has to hold, or several of which one is enough."""
    only: Words | None = None
    """A case comes by here only with one of these words as a value: {"source": ("citizen", "hotline")}."""
    unless: Words | None = None
    """A case with one of these words as a value passes the step over: {"simple": ("yes",)}."""
    asks: tuple[str, ...] = ()
    """What finishing it has to carry beside evidence, words of ASKS."""
    joins: bool = False
    """It can be finished only when all departments that share the work are done."""
    disputes: bool = False
    """A department may say that the case is not theirs; the clock runs on while a dispatcher decides."""
    voids: bool = False
    """Whoever has the step may declare the case void."""
    done: str = ""
    """What its button says, in the words of whoever presses it: "Passed"; by default "Done"."""
    passes: bool = False
    """Whoever has the step may pass the case on to another city."""
    away: bool = False
    """Another city has the case meanwhile: the department only watches, and its time counts for nobody here."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The departments as declared, blanks unfilled."""
        return (self.to,) if isinstance(self.to, str) else self.to or ()

    @property
    def proofs(self) -> tuple[str, ...]:
        return (self.proof,) if isinstance(self.proof, str) else self.proof or ()

    @property
    def limit(self) -> Duration | None:
        """Its own limit; None without one, and where the case decides."""
        return self.within if isinstance(self.within, Duration) else None

    def limit_of(self, values: Mapping[str, Any]) -> Duration | None:
        """Its limit in a case with these values; None without one, and where the case decides."""
        return self.urgent if self.urgent is not None and values.get(URGENT) == "yes" else self.limit

    @property
    def posts(self) -> tuple[str, ...]:
        return (self.post,) if isinstance(self.post, str) else self.post or ()

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether a case with these values comes by here."""
        has = all(values.get(name) in words for name, words in (self.only or NOTHING).items())
        return has and not any(values.get(name) in words for name, words in (self.unless or NOTHING).items())

    def departments(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Who gets the step; a text whose blanks cannot be filled is left out, a department twice counts once."""
        filled = (_fill(text, values) for text in self.texts)
        return tuple(dict.fromkeys(name for name in filled if name))

    def blanks(self) -> set[str]:
        """The fields of the thing that the departments are named by; call it on texts that `faults` let pass."""
        return {name for text in self.texts for name in _blanks(text)}

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """Code, message and hint of each thing wrong with the step."""
        if not isinstance(self.name, str) or not self.name.strip():
            yield "H031", f"a step is named {self.name!r}", "give every step a short name: Step('handle', …)"
            return
        step = f"step '{self.name}'"
        if self.by is not None and self.by not in BY:
            yield "H032", f"{step} is to be done by={self.by!r}", did_you_mean(str(self.by), list(BY))
        yield from self._limit_faults(step)
        if self.until is not None and not isinstance(self.until, Condition):
            yield "H034", f"{step} has until={self.until!r}", "write a condition over the thing: until=Cover.tilt < 5"
        if not isinstance(self.done, str):
            yield "H031", f"{step} has done={self.done!r}", "write what its button says: done='Passed'"
        if not _words(self.proof):
            yield "H035", f"{step} has proof={self.proof!r}", "write proof='photo' or proof=('photo', 'recorder')"
        yield from self._post_faults(step)
        if not _words(self.to):
            yield "H036", f"{step} goes to={self.to!r}", "write to='{ward} crew' or a tuple of such texts"
        else:
            for text in self.texts:
                yield from _blank_faults(step, text)

    def _limit_faults(self, step: str) -> Iterator[tuple[str, str, str]]:
        if self.urgent is not None and not isinstance(self.urgent, Duration):
            yield "H033", f"{step} has urgent={self.urgent!r}", "write a length of time: urgent=minutes(30)"
        if self.limit is not None and self.limit.amount == 0:
            yield "H033", f"{step} leaves no time at all", "leave 'within' out for a step without a limit"
        elif self.limit is None and self.within not in (None, BY_CONDITION, REST):
            yield "H033", f"{step} has within={self.within!r}", "write a length of time: within=hours(1)"

    def _post_faults(self, step: str) -> Iterator[tuple[str, str, str]]:
        if not _words(self.post):
            yield "H046", f"{step} is for the post {self.post!r}", "write post='collector' or a tuple of such words"
        for ask in self.asks:
            if ask not in ASKS:
                yield "H047", f"{step} asks for {ask!r}", did_you_mean(str(ask), list(ASKS))


class Flow(Spec, kind="flow"):
    """What is done about something, step by step. The docstring says it in a sentence."""

    steps: tuple[Step, ...]
    """In their order; finishing the last one closes the case."""
    starts: type[Spec] | tuple[type[Spec], ...] | None = None
    """The rules whose alerts open a case; without them cases are opened by hand."""
    within: Duration | None = None
    """A limit for the whole case, beside those of its steps."""
    reopen: Duration | None = None
    """How long after its close a case may be opened again; without it, at any time."""
    reopen_by_reporter: Duration | None = None
    """How long after its close whoever reported it may open it again; without it, never."""
    reopen_at: str = ""
    """The step at which a case that its reporter opens again goes on; by default the first."""
    classes: str = ""
    """The file beside the application with the classes its cases are filed by; see `kernel.classes`."""

    @classmethod
    def key(cls) -> str:
        """app.flow, unique over the house."""
        return f"{cls.__module__.rsplit('.', 1)[-1]}.{cls.__name__}"

    @classmethod
    def starters(cls) -> tuple[type[Spec], ...]:
        return cls.starts if isinstance(cls.starts, tuple) else (cls.starts,) if cls.starts else ()

    @classmethod
    def step_names(cls) -> list[str]:
        return [step.name for step in cls.steps]

    @classmethod
    def position(cls, name: str) -> int:
        """Where a step stands, from 0; -1 for one that is no longer part of the flow."""
        return cls.step_names().index(name) if name in cls.step_names() else -1

    @classmethod
    def find(cls, name: str) -> Step:
        """The step of that name. A case may stand at one that a new release took away: it then asks for nothing."""
        return next((step for step in cls.steps if step.name == name), Step(name))

    @classmethod
    def first(cls, values: Mapping[str, Any] = NOTHING) -> Step:
        """The first step that a case with these values comes by; the last one when it would come by none."""
        return next((step for step in cls.steps if step.applies(values)), cls.steps[-1])

    @classmethod
    def elsewhere(cls, values: Mapping[str, Any] = NOTHING) -> Step | None:
        """Where a case with these values waits for another city."""
        passed = {**values, PASSED: "yes"}
        return next((step for step in cls.steps if step.away and step.applies(passed)), None)

    @classmethod
    def after(cls, name: str, values: Mapping[str, Any] = NOTHING) -> Step | None:
        """The step that follows for a case with these values, or None when this was the last or is gone."""
        at = cls.position(name)
        return next((step for step in cls.steps[at + 1 :] if step.applies(values)), None) if at >= 0 else None

    @classmethod
    def check(cls) -> None:
        super().check()
        for starter in cls.starters():
            if getattr(starter, "kind", "") not in STARTERS:
                cls.complain("H037", f"flow {cls.__name__} starts with {starter!r}", "name a Rule, or several")
        steps = getattr(cls, "steps", None)
        if not isinstance(steps, tuple) or not all(isinstance(step, Step) for step in steps):
            return
        if not steps:
            cls.complain("H030", f"flow {cls.__name__} has no steps", "add steps = (Step('handle'),)")
        for step in steps:
            faults = list(step.faults())
            for code, message, hint in faults:
                cls.complain(code, f"{message} in flow {cls.__name__}", hint)
            if not faults:
                cls.check_blanks(step)
        cls.check_names(steps)

    @classmethod
    def check_names(cls, steps: tuple[Step, ...]) -> None:
        """Steps are told apart by their names, and named where they are meant."""
        names = [step.name for step in steps]
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            cls.complain("H038", f"flow {cls.__name__} has two steps named '{name}'", "give each step its own name")
        if cls.reopen_at and cls.reopen_at not in names:
            problem = f"flow {cls.__name__} is reopened at '{cls.reopen_at}'"
            cls.complain("H048", problem, did_you_mean(cls.reopen_at, names))
        if any(step.passes for step in steps) and cls.elsewhere() is None:
            problem = f"flow {cls.__name__} passes cases on, and no step says where they wait"
            cls.complain("H049", problem, "add Step('elsewhere', away=True, only={'passed': ('yes',)}, …)")
        if steps and steps[0].by == ANOTHER:
            cls.complain(
                "H039", f"the first step of flow {cls.__name__} asks for another person", "nobody came before it"
            )

    @classmethod
    def check_blanks(cls, step: Step) -> None:
        """The blanks of a step's departments are fields of the things that the rules are about."""
        for subject in {starter.subject for starter in cls.starters() if hasattr(starter, "subject")}:
            known = subject.nameable()
            for name in step.blanks():
                if name not in known:
                    problem = f"step '{step.name}' of flow {cls.__name__} goes to '{{{name}}}'"
                    cls.complain("H036", problem, did_you_mean(name, known))


def _words(value: object) -> bool:
    texts = (value,) if isinstance(value, str) else value
    return texts is None or (
        isinstance(texts, tuple) and bool(texts) and all(isinstance(text, str) and text.strip() for text in texts)
    )


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _blank_faults(step: str, text: str) -> Iterator[tuple[str, str, str]]:
    try:
        blanks = _blanks(text)
    except ValueError as error:
        yield "H036", f"{step} goes to {text!r}, which cannot be read: {error}", "write blanks as {ward}"
        return
    for name in sorted(blanks):
        if not name.isidentifier():
            yield "H036", f"{step} goes to {text!r}", "a blank is the name of one field: {ward}"


def _fill(text: str, values: Mapping[str, Any]) -> str:
    """The text with its blanks filled, or "" when one of them is not known."""
    known = {name: str(values.get(name) or "").strip() for name in _blanks(text)}
    return text.format_map(known).strip() if all(known.values()) else ""
