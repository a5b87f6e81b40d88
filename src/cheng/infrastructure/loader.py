"""Finds the applications: modules under `cheng.apps`, and the entry point group `cheng.apps` of installed packages."""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType

import cheng
from cheng.kernel.model import Model
from cheng.standards.problems import Problem, SpecError


def application_modules() -> Iterator[ModuleType]:
    """Every application module, imported; one that cannot be imported raises SpecError."""
    folder = [f"{path}/apps" for path in cheng.__path__]
    found = [m.name for m in pkgutil.walk_packages(folder, "cheng.apps.") if not m.ispkg]
    found += [point.value for point in entry_points(group="cheng.apps")]
    problems: list[Problem] = []
    for name in sorted(found):
        try:
            yield importlib.import_module(name)
        except SpecError as error:
            problems += error.problems
        except (ImportError, AttributeError, NameError, SyntaxError, TypeError, ValueError) as error:
            problems.append(Problem("H025", f"the application cannot be read: {error}", name, "mend the file"))
    if problems:
        raise SpecError(problems)


def load_model() -> Model:
    """The model of every application found; raises SpecError with every problem of all of them."""
    return Model.of(application_modules())
