"""What declarations say, in the reader's language: names of fields, conditions, lengths of time, sentences.

Names and sentences of an application are msgids of its own catalogue; what joins them is said here.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cheng.kernel import conditions as c
from cheng.kernel import expressions as e
from cheng.kernel.entities import Choice, Kept, Quantity
from cheng.kernel.frames import Blank, Column
from cheng.kernel.observations import Quality
from cheng.kernel.rules import Rule
from cheng.kernel.specs import Spec, title_of
from cheng.standards.durations import MICROSECONDS, Duration
from cheng.standards.units import unit
from cheng.web.ask import Ask
from cheng.web.local import Local

HIDDEN = "…"
"""What stands in a sentence for something this reader may not see."""
MARKS = {
    Quality.OUT_OF_RANGE: "out of range",
    Quality.CONVERTED: "converted from another unit",
    Quality.FUTURE: "dated in the future",
    Quality.LATE: "came too late",
    Quality.OUT_OF_ORDER: "came out of order",
    Quality.DUPLICATE: "came twice",
    Quality.JUMP: "sudden jump",
    Quality.UNKNOWN_THING: "thing not registered",
    Quality.UNKNOWN_ATTRIBUTE: "field not declared",
    Quality.BAD_SENSOR: "sensor not to be trusted",
}
CLAUSE = re.compile(r"[;；]")
STATES = {
    "registered": "Registered",
    "active": "In use",
    "retired": "Retired",
    "unknown": "Not registered",
}


def kinds_of_marks(ask: Ask) -> dict[int, str]:
    """Bit → words of every quality mark."""
    return {int(bit): ask._(text) for bit, text in MARKS.items()}


def marks(ask: Ask, quality: int) -> str:
    """The marks of one reading in words; "" when it has none."""
    return ", ".join(text for bit, text in kinds_of_marks(ask).items() if quality & bit)


def name_of(spec: type[Spec]) -> str:
    """The msgid people know a declaration by."""
    title = getattr(spec, "title", "")
    return str(title) if isinstance(title, str) and title else title_of(spec.__name__)


def title(ask: Ask, spec: type[Spec]) -> str:
    """What people call a declaration. A rule without a name in the reader's language is called by its condition."""
    name = name_of(spec)
    language = ask.local.language
    if issubclass(spec, Rule) and language.texts and name not in language.texts:
        return condition(ask, spec.when)
    return language.gettext(name)


def named_blanks(ask: Ask, names: Iterable[str], fields: Mapping[str, Blank]) -> dict[str, str]:
    """What stands in the blanks of a sentence where no thing fills them: ‹tilt›."""
    own = {"id": "number", "name": "name", "area": "area", "owner": "department", "time": "time"}
    return {n: f"‹{field_name(ask, fields[n]) if n in fields else ask._(own.get(n, n))}›" for n in names}


def label(local: Local, field: Blank) -> str:
    """The msgid of a field's heading: its name, or, where that has been put into the language, what it means.

    A name alone ("level") may mean something else elsewhere; what the field means is said for this field.
    """
    return field.doc if field.doc and field.doc in local.language.texts else title_of(field.name)


def field_name(ask: Ask, field: Blank) -> str:
    """The field as it is called within a sentence: what it means, without what is added behind a semicolon."""
    text = CLAUSE.split(ask._(label(ask.local, field)))[0]
    return text[:1].lower() + text[1:] if text[1:2].islower() or len(text) == 1 else text


def symbol(field: Any) -> str:
    """The unit people read behind a value; "" for none."""
    return unit(field.unit).symbol if isinstance(field, Quantity) else ""


def plain(number: float) -> str:
    """A number as the declaration wrote it."""
    return f"{number:g}" if abs(number) < 1e6 else f"{number:,.0f}"


def shown(ask: Ask, field: Kept, value: Any, with_unit: bool = True) -> str:
    """A value as people read it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, (list, tuple)) and len(value) == 2:
        return f"{value[0]:.5f}, {value[1]:.5f}"
    if isinstance(value, dict):
        return str(value.get("type", ""))
    if isinstance(field, Choice):
        return ask._(str(value))
    text = ask.local.number(value) if isinstance(value, (int, float)) else str(value)
    return measured(text, symbol(field) if with_unit else "")


def measured(text: str, sign: str) -> str:
    """A number with its unit: 4.5 h, 91.67%."""
    return f"{text}{sign}" if sign == "%" else f"{text} {sign}".strip()


def span(ask: Ask, length: Duration) -> str:
    """A declared length of time: 10 minutes, 3 working days."""
    if length.unit in MICROSECONDS:
        whole = {"second": ("{n} second", "{n} seconds"), "minute": ("{n} minute", "{n} minutes")}
        whole |= {"hour": ("{n} hour", "{n} hours"), "day": ("{n} day", "{n} days")}
        return ask.local.language.ngettext(*whole[length.unit], length.amount)
    if length.unit == "working day":
        return ask.local.language.ngettext("{n} working day", "{n} working days", length.amount)
    return ask.local.language.ngettext("{n} working hour", "{n} working hours", length.amount)


def sentence(ask: Ask, spec: type[Spec], values: Mapping[str, Any] | None = None) -> str:
    """A declaration's sentence, its blanks filled as far as `values` go; the others as dots."""
    text = spec.sentence()
    return ask._(text, **(values or {})) if values is not None else ask._(text)


def alert_text(ask: Ask, rule: type[Rule] | None, values: Mapping[str, Any], levels: frozenset[str]) -> str:
    """What an alert says, without what this reader may not see."""
    if rule is None:
        return ask._("The application that raised this alert is not installed any more.")
    if "broken" in values:
        return ask._("This rule cannot be judged: {reason}", reason=values["broken"])
    fields = rule.subject.fields()
    filled: dict[str, Any] = {}
    for name in rule.text_blanks():
        field = fields.get(name)
        if field is None:
            filled[name] = values.get(name) or HIDDEN
        elif field.level not in levels:
            filled[name] = HIDDEN
        else:
            filled[name] = shown(ask, field, values.get(name), with_unit=False)
    return ask._(rule.sentence(), **filled)


# -- conditions


def unit_of(column: Column) -> str:
    """The unit a term comes in, as far as one is plain from it."""
    if isinstance(column, Quantity):
        return symbol(column)
    if isinstance(column, e.Hop):
        return symbol(column.field)
    if isinstance(column, (e.Swing, e.Jump)):
        return unit_of(column.of)
    if isinstance(column, e.Arithmetic) and column.sign in "+-":
        return unit_of(column.left) or unit_of(column.right)
    return ""


def term(ask: Ask, column: Column, sign: str = "") -> str:
    """A term in words; `sign`: the unit to write behind a constant."""
    if isinstance(column, e.Constant):
        return f"{plain(column.number)} {sign}".strip()
    if isinstance(column, Blank):
        return field_name(ask, column)
    say = TERMS.get(type(column))
    return say(ask, column) if say else column.words()


def compare(ask: Ask, it: Any) -> str:
    sign = {">=": "≥", "<=": "≤"}.get(it.sign, it.sign)
    return f"{term(ask, it.left, unit_of(it.right))} {sign} {term(ask, it.right, unit_of(it.left))}"


def arithmetic(ask: Ask, it: Any) -> str:
    sign = {"-": "−", "*": "×", "/": "÷"}.get(it.sign, it.sign)
    return f"({term(ask, it.left)} {sign} {term(ask, it.right)})"


def swing(ask: Ask, it: Any) -> str:
    if it.sign > 0:
        return ask._("rise of {what} within {time}", what=term(ask, it.of), time=span(ask, it.span))
    return ask._("fall of {what} within {time}", what=term(ask, it.of), time=span(ask, it.span))


def rate(ask: Ask, it: Any) -> str:
    message = "change of {what} per {per}, over {time}"
    return ask._(message, what=term(ask, it.of), per=span(ask, it.per), time=span(ask, it.span))


def place(ask: Ask, where: Any) -> str:
    if getattr(where, "every", False):
        return ask._("any {what}", what=field_name(ask, where.field))
    if getattr(where, "ref", None) is not None:
        return hop(ask, where)
    return field_name(ask, where.field)


def hop(ask: Ask, it: Any) -> str:
    """A field of another thing; what was only promised is looked up by now."""
    entity = ask.hub.model.entities.get(getattr(it.ref, "target", ""))
    field = entity.fields().get(it.field.name, it.field) if entity is not None else it.field
    return ask._("{field} of the {ref}", field=field_name(ask, field), ref=field_name(ask, it.ref))


def inside(ask: Ask, it: Any) -> str:
    return ask._("{what} lies in {place}", what=field_name(ask, it.position), place=place(ask, it.place))


def negated(ask: Ask, it: Any) -> str:
    if isinstance(it.of, c.Inside):
        inner = it.of
        return ask._("{what} lies outside {place}", what=field_name(ask, inner.position), place=place(ask, inner.place))
    return ask._("not ({what})", what=condition(ask, it.of))


def silent(ask: Ask, it: Any) -> str:
    owners = {field.owner for field in it.of}
    whole = len(it.of) > 1 or all(owner is not None and owner.__name__ == it.what for owner in owners)
    what = ask._(title_of(it.what)) if whole else field_name(ask, next(iter(it.of)))
    return ask._("nothing heard of {what} for {time}", what=what, time=span(ask, it.span))


def one_of(ask: Ask, it: Any) -> str:
    options = " / ".join(ask._(option) for option in it.options)
    return ask._("{what} is {options}", what=term(ask, it.label), options=options)


def counted(ask: Ask, it: Any) -> str:
    message = "how often within {time}: {what}"
    return ask._(message, what=condition(ask, it.condition), time=span(ask, it.span))


Say = Callable[[Ask, Any], str]
TERMS: dict[type, Say] = {
    e.Arithmetic: arithmetic,
    e.Swing: swing,
    e.Jump: lambda ask, it: ask._("jump of {what}", what=term(ask, it.of)),
    e.Rate: rate,
    e.Count: counted,
    e.Hop: hop,
    e.Unusual: lambda ask, it: ask._("how unusual {what} is", what=term(ask, it.of)),
}
CONDITIONS: dict[type, Say] = {
    c.Compare: compare,
    c.OneOf: one_of,
    c.Inside: inside,
    c.Silent: silent,
    c.Both: lambda ask, it: ask._("{left} and {right}", left=condition(ask, it.left), right=condition(ask, it.right)),
    c.Either: lambda ask, it: ask._(
        "({left} or {right})", left=condition(ask, it.left), right=condition(ask, it.right)
    ),
    c.Not: negated,
    c.Happened: lambda ask, it: ask._("every {what}", what=ask._(title_of(it.event.__name__))),
}


def condition(ask: Ask, what: c.Condition) -> str:
    """A condition as a person says it; as the declaration prints it where no words are known for its kind."""
    say = CONDITIONS.get(type(what))
    return say(ask, what) if say else what.words()
