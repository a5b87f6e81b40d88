"""All that was declared, put together: who is what to whom, checked as a whole before anything runs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from cheng.kernel import house
from cheng.kernel.entities import Entity, Event, Record, Ref
from cheng.kernel.flows import Flow
from cheng.kernel.indicators import Indicator
from cheng.kernel.jobs import Job
from cheng.kernel.rules import Rule
from cheng.kernel.specs import App, Problem, Spec, SpecError, did_you_mean

KINDS: tuple[type[Spec], ...] = (App, Entity, Event, Rule, Flow, Job, Indicator)


def declared_in(module: ModuleType) -> list[type[Spec]]:
    """The declarations that a module defines itself, in the order of the file."""
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, KINDS) and value.__module__ == module.__name__
    ]


@dataclass
class Model:
    """Everything declared, by name. Entities and events by class name; the rest by application and name."""

    apps: dict[str, type[App]] = field(default_factory=dict)
    entities: dict[str, type[Entity]] = field(default_factory=dict)
    events: dict[str, type[Event]] = field(default_factory=dict)
    rules: dict[str, type[Rule]] = field(default_factory=dict)
    flows: dict[str, type[Flow]] = field(default_factory=dict)
    jobs: dict[str, type[Job]] = field(default_factory=dict)
    indicators: dict[str, type[Indicator]] = field(default_factory=dict)

    @classmethod
    def of(cls, modules: Iterable[ModuleType]) -> "Model":
        """Builds the model from application modules (and the house's own); raises SpecError with every problem."""
        model, problems = cls(), list[Problem]()
        for module in (house, *modules):
            problems += model._add(module)
        problems += [problem for record in model.records() for problem in model._references(record)]
        problems += [problem for rule in model.rules.values() for problem in model._hops(rule)]
        problems += [problem for flow in model.flows.values() for problem in model._starts(flow)]
        problems += [problem for rule in model.rules.values() for problem in model._one_flow(rule)]
        if problems:
            raise SpecError(problems)
        return model

    def records(self) -> list[type[Record]]:
        return [*self.entities.values(), *self.events.values()]

    def specs(self) -> list[type[Spec]]:
        """Every declaration."""
        kinds = (self.apps, self.entities, self.events, self.rules, self.flows, self.jobs, self.indicators)
        return [spec for kind in kinds for spec in kind.values()]

    def of_app(self, app: type[App]) -> list[type[Spec]]:
        """The declarations of one application, in the order of its file."""
        return [spec for spec in self.specs() if spec is not app and spec.app is app]

    def flows_started_by(self, rule: type[Rule]) -> list[type[Flow]]:
        return [flow for flow in self.flows.values() if rule in flow.starters()]

    def rules_about(self, record: type[Record]) -> list[type[Rule]]:
        return [rule for rule in self.rules.values() if rule.subject is record]

    def _add(self, module: ModuleType) -> list[Problem]:
        declared = declared_in(module)
        problems = [problem for spec in declared for problem in spec.problems]
        apps = [spec for spec in declared if issubclass(spec, App)]
        if len(apps) != 1:
            hint = "declare one class …(App) with title, owner and system"
            return [*problems, Problem("H020", f"the file declares {len(apps)} applications", module.__name__, hint)]
        app = apps[0]
        app.family = module.__name__.rsplit(".", 2)[-2]
        for spec in declared:
            spec.app = app
            shelf, key = self._shelf(spec)
            if key in shelf:
                problem = f"{spec.kind} {key} is declared twice"
                problems.append(Problem("H021", problem, spec.place(), f"the other one is at {shelf[key].place()}"))
            shelf[key] = spec
        return problems

    def _shelf(self, spec: type[Spec]) -> tuple[dict[str, Any], str]:
        shelves: dict[type[Spec], dict[str, Any]] = {
            App: self.apps,
            Entity: self.entities,
            Event: self.events,
            Rule: self.rules,
            Flow: self.flows,
            Job: self.jobs,
            Indicator: self.indicators,
        }
        kind = next(kind for kind in KINDS if issubclass(spec, kind))
        if issubclass(spec, App):
            return self.apps, spec.key()
        name = spec.__name__
        return shelves[kind], name if issubclass(spec, Record) else f"{spec.app.__name__}.{name}"

    def _references(self, record: type[Record]) -> Iterable[Problem]:
        for ref in (f for f in record.fields().values() if isinstance(f, Ref)):
            if ref.target not in self.entities:
                problem = f"'{ref.name}' of {record.__name__} refers to '{ref.target}'"
                yield Problem("H022", problem, record.place(), did_you_mean(ref.target, list(self.entities)))
            elif issubclass(record, Entity):
                for name in ref.hides(self.entities[ref.target]):
                    problem = f"'{ref.name}' of {record.__name__} cannot reach '{name}' of {ref.target}"
                    hint = "a reference has a word of that name itself; choose another for the field"
                    yield Problem("H026", problem, self.entities[ref.target].place(), hint)
        for name in record.own & record.fields().keys() if issubclass(record, Entity) else ():
            yield Problem(
                "H023", f"{record.__name__} declares '{name}'", record.place(), "every thing has that already"
            )

    def _hops(self, rule: type[Rule]) -> Iterable[Problem]:
        """References by word are known only now."""
        for hop in rule.hops() if not rule.problems else ():
            target = self.entities.get(hop.ref.target) if isinstance(hop.ref, Ref) else None
            if target is not None and hop.field.name not in target.fields():
                problem = (
                    f"rule {rule.__name__} asks for '{hop.field.name}' of {target.__name__}, which has no such field"
                )
                yield Problem("H027", problem, rule.place(), did_you_mean(hop.field.name, list(target.fields())))

    def _one_flow(self, rule: type[Rule]) -> Iterable[Problem]:
        """An alert is one case."""
        flows = [flow.key() for flow in self.flows_started_by(rule)]
        if len(flows) > 1:
            hint = "let one flow do it, with a step that goes to several departments at once: to=('…', '…')"
            yield Problem("H028", f"rule {rule.__name__} starts {' and '.join(flows)}", rule.place(), hint)

    def _starts(self, flow: type[Flow]) -> Iterable[Problem]:
        for rule in flow.starters():
            if rule not in self.rules.values():
                problem = f"flow {flow.__name__} starts by {rule!r}"
                yield Problem("H024", problem, flow.place(), "name a rule of a loaded application")
