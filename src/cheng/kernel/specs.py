"""How a thing is declared: a short class with a sentence, and blanks that refuse nonsense.

A *kind* (Entity, Rule, Flow, …) names its blanks as annotations. An application fills them in a subclass. What is
wrong is noted at import with code, place, problem and hint; `Model` raises all of it at once as one SpecError.
"""

import collections.abc
import inspect
import sys
import types
from difflib import get_close_matches
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from cheng.standards.problems import Problem, SpecError

__all__ = ["App", "Problem", "Spec", "SpecError", "did_you_mean", "title_of"]


def title_of(name: str) -> str:
    """Words for a name in code: `make_safe` and `MakeSafe` both read "Make safe"."""
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).replace("_", " ").split()
    return " ".join(words).capitalize()


def did_you_mean(word: str, known: list[str]) -> str:
    """A hint that names the nearest known word, or all of them when none is near."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"known are {', '.join(sorted(known))}"


def _is_class_var(hint: Any) -> bool:
    return hint is ClassVar or get_origin(hint) is ClassVar


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is what a blank's annotation asks for; enough for the annotations kinds use."""
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if origin is tuple:
        inner = get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return isinstance(value, tuple) and all(_fits(v, inner[0]) for v in value)
        return isinstance(value, tuple) and len(value) == len(inner) and all(map(_fits, value, inner))
    if origin is type:
        return isinstance(value, type) and issubclass(value, get_args(hint)[0])
    if origin is not None and str(origin) == "typing.Literal":
        return value in get_args(hint)
    if hint is None or hint is type(None):
        return value is None
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if origin is collections.abc.Callable:
        return callable(value)
    return isinstance(value, hint if origin is None else origin)


def _name_of(hint: Any) -> str:
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_name_of(option) for option in get_args(hint))
    if str(get_origin(hint)) == "typing.Literal":
        return " or ".join(repr(option) for option in get_args(hint))
    if get_origin(hint) is not None:
        return str(hint).replace("typing.", "")
    return str(getattr(hint, "__name__", hint))


def place_of(spec: type) -> str:
    """File and line of a declaration, whatever its fields are called."""
    module = sys.modules.get(spec.__module__)
    file = getattr(module, "__file__", None) or spec.__module__
    try:
        line = inspect.getsourcelines(spec)[1]
    except (OSError, TypeError):
        return str(file).rsplit("/", 1)[-1]
    return f"{str(file).rsplit('/', 1)[-1]}:{line}"


class Spec:
    """A declaration. Direct subclasses are kinds; theirs are what an application declares."""

    kind: ClassVar[str] = ""
    """The word for the kind in texts and addresses: "rule"."""
    blanks: ClassVar[dict[str, Any]] = {}
    """Attribute name to type, from the kind's annotations."""
    problems: ClassVar[list[Problem]] = []
    """What is wrong with this declaration; empty when it holds together."""
    app: ClassVar["type[Spec]"]
    """The application it belongs to; set when the model is built."""

    def __init_subclass__(cls, kind: str = "", **blanks: Any) -> None:
        super().__init_subclass__(**blanks)
        if kind:
            cls.kind = kind
            cls.blanks = {name: hint for name, hint in get_type_hints(cls).items() if not _is_class_var(hint)}
            return
        cls.problems = []
        cls.check()

    @classmethod
    def place(cls) -> str:
        """File and line of the declaration, for messages."""
        return place_of(cls)

    @classmethod
    def complain(cls, code: str, message: str, hint: str = "") -> None:
        cls.problems.append(Problem(code, message, place_of(cls), hint))

    @classmethod
    def filled(cls) -> dict[str, Any]:
        """What the declaration itself says, by name: no dunders, no methods, nothing inherited."""
        return {
            name: value
            for name, value in cls.__dict__.items()
            if not name.startswith("_")
            and name not in {"problems", "app"}
            and not isinstance(value, (classmethod, staticmethod, property))
        }

    @classmethod
    def check(cls) -> None:
        """Compares what was filled in with the blanks of the kind. Kinds add their own checks."""
        if not cls.__dict__.get("__doc__"):
            cls.complain(
                "H001", f"{cls.kind} {cls.__name__} has no sentence", "add a docstring: it is what people read"
            )
        for name, value in cls.filled().items():
            cls.check_blank(name, value)
        for name in cls.blanks:
            if not hasattr(cls, name):
                cls.complain("H003", f"{cls.kind} {cls.__name__} lacks '{name}'", f"add {name} = …")

    @classmethod
    def check_blank(cls, name: str, value: Any) -> None:
        if name not in cls.blanks:
            hint = did_you_mean(name, list(cls.blanks))
            cls.complain("H002", f"unknown attribute '{name}' in class {cls.__name__}", hint)
        elif not _fits(value, cls.blanks[name]):
            wanted = _name_of(cls.blanks[name])
            cls.complain("H004", f"'{name}' of {cls.__name__} is {value!r}", f"it has to be {wanted}")

    @classmethod
    def sentence(cls) -> str:
        """The docstring in one line: the msgid that people read."""
        return " ".join((cls.__doc__ or "").split())


class App(Spec, kind="app"):
    """An application: its docstring says what it does for whom."""

    title: str
    owner: str
    """The department that answers for it."""
    system: str
    """Its place in the 135 architecture: G4."""
    family: ClassVar[str] = ""
    """The folder it lives in: city, livelihood, …; set when the model is built."""

    @classmethod
    def key(cls) -> str:
        """family/name, unique over the house."""
        return f"{cls.family}/{cls.__name__}"
