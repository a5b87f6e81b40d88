"""An application in sentences: what exists, what it means, what is done about it and how well that goes.

The page is drawn from the declarations alone, so it is never behind them. Markdown, in any language of the house.
"""

from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from cheng.kernel.conditions import Condition
from cheng.kernel.entities import Choice, Command, Entity, Event, Kept, Place, Quantity, Ref, Track
from cheng.kernel.flows import ANOTHER, BY_CONDITION, Flow, Step
from cheng.kernel.indicators import Indicator
from cheng.kernel.jobs import Job, Last
from cheng.kernel.model import Model
from cheng.kernel.rules import Rule
from cheng.kernel.specs import App, Spec, title_of
from cheng.standards.durations import Duration
from cheng.web.city.words import condition as words
from cheng.web.city.words import field_name, symbol
from cheng.web.texts import Catalogues, Language

FAMILY_TITLES = {
    "livelihood": "Livelihood",
    "city": "City governance",
    "government": "Government",
    "industry": "Industry",
    "ecology": "Ecology",
    "kernel": "The hub",
}
LEVEL_TITLES = {"notice": "notice", "warning": "warning", "danger": "danger", "emergency": "emergency"}
UNITS = {
    "second": ("{n} second", "{n} seconds"),
    "minute": ("{n} minute", "{n} minutes"),
    "hour": ("{n} hour", "{n} hours"),
    "day": ("{n} day", "{n} days"),
    "working hour": ("{n} working hour", "{n} working hours"),
    "working day": ("{n} working day", "{n} working days"),
}


def tell(model: Model, app: type[App], language: Language) -> str:
    """The page of an application."""
    return "\n".join(Teller(model, language).page(app)) + "\n"


def languages() -> dict[str, Language]:
    """All that the house speaks, by code."""
    return dict(Catalogues.load().languages)


def texts_of(model: Model, app: type[App]) -> Iterator[str]:
    """Every text of an application that people read: msgids that each language needs words for."""
    yield from (app.title, app.sentence(), app.owner)
    for spec in model.of_app(app):
        yield spec.sentence()
        if not issubclass(spec, Rule):
            yield title_of(spec.__name__)
        if issubclass(spec, (Entity, Event)):
            yield from (text for field in spec.fields().values() for text in texts_of_field(field))
        if issubclass(spec, Entity):
            yield from (command.doc for command in spec.commands().values() if command.doc)
        if issubclass(spec, Rule):
            yield spec.basis
        if issubclass(spec, Flow):
            yield from (text for step in spec.steps for text in (step.name, step.done, *step.texts, *step.proofs))


def texts_of_field(field: Kept) -> Iterator[str]:
    if field.doc:
        yield field.doc
    if isinstance(field, Choice):
        yield from field.options


class Teller:
    """Tells in one language."""

    def __init__(self, model: Model, language: Language) -> None:
        self.model, self._, self.language = model, language.gettext, language
        local, hub = SimpleNamespace(language=language), SimpleNamespace(model=model)
        self.reader: Any = SimpleNamespace(_=language.gettext, local=local, hub=hub)
        """what the words of the pages need to know of a reader"""

    def page(self, app: type[App]) -> Iterator[str]:
        """The lines of an application's page."""
        _ = self._
        yield f"# {_(app.title)}"
        yield ""
        yield _(app.sentence())
        yield ""
        family = _(FAMILY_TITLES.get(app.family, app.family))
        about = {"owner": _(app.owner), "family": family, "system": app.system}
        yield _("{owner} answers for it. It belongs to {family}, system {system}.", **about)
        kinds: tuple[tuple[str, type[Spec], Callable[[Any], Iterator[str]]], ...] = (
            (_("What exists"), Entity, self.entity),
            (_("What happens"), Event, self.event),
            (_("What is worked out"), Job, self.job),
            (_("What it means"), Rule, self.rule),
            (_("What is done about it"), Flow, self.flow),
            (_("How well it goes"), Indicator, self.indicator),
        )
        for title, kind, lines in kinds:
            specs = [spec for spec in self.model.of_app(app) if issubclass(spec, kind)]
            if specs:
                yield from ("", f"## {title}")
            for spec in specs:
                yield from ("", *lines(spec))

    def head(self, spec: type[Spec], more: str = "") -> str:
        return f"**{self._(title_of(spec.__name__))}**{more} — {self._(spec.sentence())}"

    def span(self, span: Duration) -> str:
        return self.language.ngettext(*UNITS[span.unit], span.amount)

    def condition(self, condition: Condition) -> str:
        return words(self.reader, condition)

    def joined(self, words: Iterable[str]) -> str:
        return self._(", ").join(words)

    # -- what exists

    def entity(self, entity: type[Entity]) -> Iterator[str]:
        yield self.head(entity)
        if entity.reports is not None:
            yield self._("Its device reports every {span}.", span=self.span(entity.reports))
        yield ""
        yield from (self.field(field) for field in entity.fields().values())
        yield from (self.command(command) for command in entity.commands().values())

    def event(self, event: type[Event]) -> Iterator[str]:
        yield self.head(event)
        yield ""
        yield from (self.field(field) for field in event.fields().values())

    def field(self, field: Kept) -> str:
        _ = self._
        kind = self.kind(field)
        if not field.live:
            kind = self.joined((kind, _("in the register")))
        elif field.on_change:
            kind = self.joined((kind, _("reported when it changes")))
        if field.level != "public":
            secrecy = _("internal") if field.level == "internal" else _("sensitive")
            kind = self.joined((kind, secrecy))
        doc = _(field.doc) if field.doc else _(title_of(field.name))
        return f"- `{field.name}` — {doc} ({kind})"

    def kind(self, field: Kept) -> str:
        _ = self._
        if isinstance(field, Quantity):
            unit = symbol(field) or _("a plain number")
            low, high = (None if n is None else f"{n:g}" for n in (field.low, field.high))
            if low is not None and high is not None:
                return _("{unit}, from {low} to {high}", unit=unit, low=low, high=high)
            return unit
        if isinstance(field, Choice):
            return " / ".join(_(option) for option in field.options)
        if isinstance(field, Ref):
            return _("refers to {type}", type=_(title_of(field.target)))
        return _("a moving position") if isinstance(field, Track) else self.still(field)

    def still(self, field: Kept) -> str:
        return self._("a place") if isinstance(field, Place) else self._("text")

    def command(self, command: Command) -> str:
        _ = self._
        arguments = self.joined(f"{name}: {self.kind(field)}" for name, field in command.arguments.items())
        told = _("it can be told so; {arguments}", arguments=arguments or _("without more"))
        return f"- `{command.name}` — {_(command.doc) if command.doc else _(title_of(command.name))} ({told})"

    # -- what it means and what is done

    def rule(self, rule: type[Rule]) -> Iterator[str]:
        _ = self._
        level = _(LEVEL_TITLES[rule.level])
        yield f"**{level}** · `{rule.__name__}` — {_(rule.sentence())}"
        yield ""
        condition = self.condition(rule.when)
        if rule.hold.amount:
            yield "- " + _(
                "When {condition}, for {span} without a break.", condition=condition, span=self.span(rule.hold)
            )
        else:
            yield "- " + _("At once when: {condition}.", condition=condition)
        if rule.release is not None:
            yield "- " + _("It is over when {condition}.", condition=self.condition(rule.release))
        if rule.group is not None:
            what = _("the neighbourhood") if rule.group.field is None else field_name(self.reader, rule.group.field)
            span = self.span(rule.group.within)
            yield "- " + _("Alerts within {span} that share {what} are one case.", span=span, what=what)
        flows = [_(title_of(flow.__name__)) for flow in self.model.flows_started_by(rule)]
        if flows:
            yield "- " + _("It opens a case: {flows}.", flows=self.joined(flows))
        yield "- " + _("It rests on: {basis}", basis=_(rule.basis))

    def flow(self, flow: type[Flow]) -> Iterator[str]:
        _ = self._
        yield self.head(flow)
        yield ""
        yield from (f"{n}. {self.step(step)}" for n, step in enumerate(flow.steps, 1))
        if flow.within is not None:
            yield ""
            yield _("The whole case has {span}.", span=self.span(flow.within))

    def step(self, step: Step) -> str:
        _ = self._
        parts = []
        if step.texts:
            parts.append(_("by {departments}", departments=_(" or ").join(_(text) for text in step.texts)))
        if step.by == ANOTHER:
            parts.append(_("by somebody who did no earlier step"))
        if step.limit is not None:
            parts.append(_("within {span}", span=self.span(step.limit)))
        elif step.within == BY_CONDITION:
            parts.append(_("within the limit of the filing condition"))
        if step.proofs:
            parts.append(_("with {proofs} as proof", proofs=self.joined(_(proof) for proof in step.proofs)))
        if step.until is not None:
            parts.append(_("finished when {condition}", condition=self.condition(step.until)))
        return f"**{_(step.name)}** {self.joined(parts)}".rstrip()

    # -- what is worked out

    def job(self, job: type[Job]) -> Iterator[str]:
        _ = self._
        yield self.head(job)
        yield ""
        yield "- " + _("Every {span}, from {sources}.", span=self.span(job.every), sources=self.sources(job))
        if job.writes is not None:
            yield "- " + _("It writes {field}.", field=f"`{job.writes!r}`")
        if job.sends is not None:
            yield "- " + _("It sends the command {command}.", command=f"`{job.sends.name}`")

    def sources(self, job: type[Job]) -> str:
        told = []
        for source in job.reads:
            if isinstance(source, Last):
                values = {"field": f"`{source.field!r}`", "span": self.span(source.span)}
                told.append(self._("{field} over the last {span}", **values))
            else:
                told.append(self._("every {type}", type=self._(title_of(source.__name__))))
        return self.joined(told)

    def indicator(self, indicator: type[Indicator]) -> Iterator[str]:
        _ = self._
        how = indicator.how()
        yield self.head(indicator)
        yield ""
        formula = _(how.numerator) + (f" ÷ {_(how.denominator)}" if how.denominator else "")
        yield "- " + _("Formula: {formula}", formula=formula)
        if indicator.target is not None:
            share = how.kind == "ratio"
            target = f"{indicator.target:.4g}" if not share else f"{indicator.target * 100:g}"
            unit = "%" if share else how.unit
            values = {"target": f"{target} {unit}".strip()}
            least = how.better == "more"
            yield "- " + (
                _("Target: at least {target}", **values) if least else _("Target: at most {target}", **values)
            )
