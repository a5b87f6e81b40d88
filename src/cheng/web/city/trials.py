"""Dry runs as pages ask for them: which numbers are moved, over which time, and what came of it last time."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

from cheng.infrastructure.dry_run import try_rule
from cheng.kernel.conditions import Condition
from cheng.kernel.dry_runs import DryRun, Setting, constants, parts, with_constant
from cheng.kernel.entities import Quantity
from cheng.kernel.expressions import Constant
from cheng.kernel.frames import Blank
from cheng.kernel.rules import Rule
from cheng.standards.durations import days, minutes, seconds
from cheng.standards.problems import Refused
from cheng.web.ask import Ask
from cheng.web.city.periods import RANGES, Period, period
from cheng.web.city.words import condition, field_name, plain, span, symbol

MINUTE = minutes(1).us
LONGEST = days(31).us
KEPT = 64
"""Results kept, so that the chart of an example and a slider that comes back ask history only once."""
PATIENCE = 30.0
"""Seconds a reader waits for the dry run of another."""


@dataclass(frozen=True, slots=True)
class Turned(Setting):
    """A rule with several of its numbers changed; None leaves one as it is."""

    numbers: tuple[float | None, ...] = ()

    def condition(self, rule: type[Rule]) -> Condition:
        changed = rule.when
        for place, number in enumerate(self.numbers):
            if number is not None:
                changed = with_constant(changed, constants(changed)[place], number)
        return changed


@dataclass(frozen=True)
class Asked:
    """What a reader wants to have tried."""

    setting: Turned
    period: Period

    @property
    def changed(self) -> bool:
        """Whether it differs from the rule as it is."""
        return self.setting.hold is not None or any(number is not None for number in self.setting.numbers)


class Results:
    """The last results, and one dry run at a time: it reads much."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, DryRun] = OrderedDict()
        self._turn = threading.Lock()

    def of(self, hub: Any, rule: type[Rule], asked: Asked) -> tuple[DryRun, DryRun]:
        """What the rule would have done as it is, and as it was asked for. Refused (429) when another one is at it."""
        settings = [Turned(), asked.setting] if asked.changed else [Turned()]
        keys = [(rule.key(), setting, asked.period.start, asked.period.end) for setting in settings]
        if not self._turn.acquire(timeout=PATIENCE):
            message = "Another dry run is under way; please try again in a minute."
            raise Refused("busy", message, {"minutes": 1}, status=429)
        try:
            lacking = [n for n, key in enumerate(keys) if key not in self._kept]
            wanted = [settings[n] for n in lacking]
            runs = (
                try_rule(hub.things, hub.history, rule, wanted, asked.period.start, asked.period.end) if wanted else []
            )
            for n, run in zip(lacking, runs, strict=True):
                self._kept[keys[n]] = run
            found = [self._kept[key] for key in keys]
            for key in keys:
                self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        finally:
            self._turn.release()
        return found[0], found[-1]


def results(ask: Ask) -> Results:
    """Those of the application that answers."""
    kept: Results = ask.request.app.state.setdefault("trials", Results())
    return kept


def asked_for(ask: Ask, rule: type[Rule]) -> Asked:
    """The setting and period of the address: `n0=`, `n1=` … for the numbers, `hold=` in minutes."""
    numbers = []
    for place, constant in enumerate(constants(rule.when)):
        told = number(ask, f"n{place}")
        numbers.append(None if told is None or told == constant.number else told)
    told = number(ask, "hold")
    hold = None if told is None else round(told * MINUTE)
    if hold is not None and not 0 <= hold <= LONGEST:
        raise Refused("not-a-hold", "The hold has to be between 0 and 31 days.", status=400)
    setting = Turned(hold=None if hold == rule.hold.us else hold, numbers=tuple(numbers))
    return Asked(setting, whole_minutes(period(ask, "7d", LONGEST)))


def whole_minutes(asked: Period) -> Period:
    """The same period on whole minutes, so that two requests in a row are about the same time."""
    if asked.name == "custom":
        return asked
    end = (asked.end - 1) // MINUTE * MINUTE + 1
    return replace(asked, start=end - RANGES[asked.name].us, end=end)


def number(ask: Ask, name: str) -> float | None:
    """A number from the address. Refused (400) when it is none."""
    text = ask.query(name)
    if not text:
        return None
    try:
        value = float(text.replace(",", "").replace("，", ""))
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e12:
        raise Refused("not-a-number", "{name} has to be a number.", {"name": name}, status=400)
    return value


# -- what can be turned


def knobs(ask: Ask, rule: type[Rule], asked: Asked) -> list[dict[str, Any]]:
    """A slider for each number of the condition and one for the hold, with where each stands."""
    found = []
    for place, constant in enumerate(constants(rule.when)):
        chosen = asked.setting.numbers[place]
        about = compared_with(rule.when, constant)
        field = about if isinstance(about, Quantity) else None
        low, high, step = reach(constant.number, field)
        name = f"n{place}"
        label = (
            ask._("Threshold for {what}", what=field_name(ask, about))
            if about is not None
            else ask._("Number in the rule")
        )
        value = constant.number if chosen is None else chosen
        row = {"name": name, "label": label, "unit": symbol(field), "low": low, "high": high, "step": step}
        found.append({**row, "value": plain_input(value), "present": plain(constant.number)})
    if not rule.is_about_events():
        now = rule.hold.us / MINUTE
        value = now if asked.setting.hold is None else asked.setting.hold / MINUTE
        row = {"name": "hold", "label": ask._("How long it has to last"), "unit": ask._("min"), "low": 0, "step": 0.5}
        high = max(60.0, now * 4)
        found.append({**row, "high": high, "value": plain_input(value), "present": plain(now)})
    return found


def plain_input(value: float) -> str:
    """A number as a field of a form holds it."""
    return repr(int(value)) if value == int(value) else repr(value)


def compared_with(whole: Any, constant: Constant) -> Blank | None:
    """The first field in the comparison that a number stands in: what it is a threshold for."""
    for _, part in parts(whole):
        inner = compared_with(part, constant)
        if inner is not None:
            return inner
    if any(part is constant for _, part in parts(whole)):
        return next(iter(whole.fields()), None)
    return None


def reach(value: float, field: Quantity | None) -> tuple[float, float, float]:
    """Lowest, highest and step of a slider around a threshold."""
    size = abs(value) or 1.0
    low, high = min(0.0, value - 4 * size), value + 4 * size
    if field is not None and field.low is not None:
        low = max(low, field.low)
    if field is not None and field.high is not None:
        high = min(high, field.high)
    step = 10.0 ** (len(str(int(size))) - 2) if size >= 10 else 0.1 if size >= 1 else 0.01
    return low, max(high, value), min(step, 100.0)


def setting_words(ask: Ask, rule: type[Rule], run: DryRun, setting: Turned) -> str:
    """A setting in words: tilt > 10 °, for 2 minutes."""
    text = condition(ask, setting.condition(rule))
    if not run.hold:
        return text
    length = minutes(run.hold / MINUTE) if run.hold % seconds(60).us == 0 else seconds(run.hold / seconds(1).us)
    return ask._("{condition}, for {time}", condition=text, time=span(ask, length))
