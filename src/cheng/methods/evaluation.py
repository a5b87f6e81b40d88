"""How urban management is evaluated: rates of counts, scores of posts, areas and the hotline, in exact fractions.

A count is named `what.how`: `handle.due`, `whole.in_time`. The rates are those of GB/T 30428.4 as cities publish them,
the scores those of city handbooks; each is a row of a table here, and `docs/evaluation.md` says where it comes from. A
share stays a fraction of one; whoever shows it multiplies by a hundred, once. With nothing to count there is no value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Counts = Mapping[str, int]

WORDS: dict[str, tuple[str, str]] = {
    "accept.due": ("reports due for acceptance", "应受理数"),
    "accept.in_time": ("reports accepted within the limit", "按时受理数"),
    "accept.done": ("reports accepted", "受理数"),
    "verify.due": ("reports due for verification", "应核实数"),
    "verify.in_time": ("reports verified within the limit", "按时核实数"),
    "file.done": ("filings decided", "立案数"),
    "file.in_time": ("filings decided within the limit", "按时立案数"),
    "file.all": ("cases filed", "立案数（含作废）"),
    "file.kept": ("cases filed and not declared void", "立案数减作废数"),
    "file.missed": ("cases filed that citizens found first", "漏报数"),
    "dispatch.due": ("cases due for dispatch", "应派遣数"),
    "dispatch.in_time": ("cases dispatched within the limit", "按时派遣数"),
    "dispatch.done": ("cases dispatched", "派遣数"),
    "dispatch.right": ("cases due for dispatch without rework", "应派遣数减返工数"),
    "handle.due": ("cases due for handling", "应处置数"),
    "handle.done": ("cases handled", "处置数"),
    "handle.in_time": ("cases handled within the limit", "按期处置数"),
    "handle.extended": ("cases with more time", "延期数"),
    "handle.overdue": ("cases overdue and not handled", "超期待处置数"),
    "check.due": ("cases due for the check", "应核查数"),
    "check.in_time": ("cases checked within the limit", "按时核查数"),
    "send_check.due": ("checks to be sent out", "应派发核查数"),
    "send_check.in_time": ("checks sent out within the limit", "按时派发核查数"),
    "close.due": ("cases due for the last step", "应办结案数"),
    "close.in_time": ("cases whose last step was in time", "按时办结案数"),
    "whole.due": ("cases due for closing", "应结案数"),
    "whole.done": ("cases closed", "结案数"),
    "whole.in_time": ("cases closed with every step in time", "按期结案数"),
    "whole.late": ("cases closed late", "超期结案数"),
    "whole.reworked": ("cases sent back for rework", "返工数"),
    "report.all": ("reports", "上报数"),
    "report.valid": ("reports that were filed", "有效上报数"),
}
"""What stands above and below the lines: a msgid, and what the field calls it."""


@dataclass(frozen=True, slots=True)
class Rate:
    """One share of one count in another."""

    key: str
    name: str
    name_zh: str
    above: str
    below: str
    better: Literal["more", "less"] = "more"

    @property
    def formula(self) -> tuple[str, str]:
        """The msgids of what stands above and below the line."""
        return WORDS[self.above][0], WORDS[self.below][0]


RATES: dict[str, Rate] = {
    rate.key: rate
    for rate in (
        Rate("handled", "Handled", "处置率", "handle.done", "handle.due"),
        Rate("handled_in_time", "Handled in time", "按期处置率", "handle.in_time", "handle.due"),
        Rate("closed", "Closed of those due", "结案率", "whole.done", "whole.due"),
        Rate("closed_in_time", "Closed in time", "按期结案率", "whole.in_time", "whole.due"),
        Rate("closed_late", "Closed late", "超期结案率", "whole.late", "whole.due", "less"),
        Rate("valid_reports", "Reports worth filing", "有效上报率", "report.valid", "report.all"),
        Rate("missed", "Found by citizens first", "漏报率", "file.missed", "file.all", "less"),
        Rate("accepted_in_time", "Verification sent in time", "核实按时派发率", "accept.in_time", "accept.due"),
        Rate("verified_in_time", "Verified in time", "按时核实率", "verify.in_time", "verify.due"),
        Rate("filed_in_time", "Filed in time", "按时立案率", "file.in_time", "file.done"),
        Rate("filed_right", "Filed rightly", "准确立案率", "file.kept", "file.all"),
        Rate("dispatched_in_time", "Dispatched in time", "按时派遣率", "dispatch.in_time", "dispatch.due"),
        Rate("dispatched_right", "Dispatched rightly", "准确派遣率", "dispatch.right", "dispatch.due"),
        Rate("checks_sent_in_time", "Checks sent in time", "核查按时派发率", "send_check.in_time", "send_check.due"),
        Rate("checked_in_time", "Checked in time", "按时核查率", "check.in_time", "check.due"),
        Rate("finished_in_time", "Last step in time", "按时结案率", "close.in_time", "close.due"),
        Rate("reworked", "Reworked", "返工率", "whole.reworked", "whole.due", "less"),
        Rate("extended", "Extended", "延期率", "handle.extended", "handle.due", "less"),
        Rate("overdue", "Overdue and waiting", "超期待处置率", "handle.overdue", "handle.due", "less"),
    )
}


def share(rate: Rate | str, counts: Counts) -> Fraction | None:
    """The rate of these counts; None where nothing stands below the line."""
    told = RATES[rate] if isinstance(rate, str) else rate
    below = counts.get(told.below, 0)
    return Fraction(counts.get(told.above, 0), below) if below else None


# -- scores


@dataclass(frozen=True, slots=True)
class Part:
    """What a score is made of: a rate, or a count by its band, with the points it can bring."""

    points: int
    of: str
    """key of RATES, or the name of a count"""
    less_is_more: bool = False
    """the points are for what is left to a whole"""

    def share(self, counts: Counts) -> Fraction | None:
        """Which part of its points it brings; None without a value."""
        if self.of not in RATES:
            count = counts.get(self.of, 0)
            return Fraction(band(count), 100) if count else None
        value = share(self.of, counts)
        return value if value is None or not self.less_is_more else 1 - value


DISTRICT = (
    Part(30, "handled"),
    Part(20, "handled_in_time"),
    Part(20, "reworked", less_is_more=True),
    Part(20, "overdue", less_is_more=True),
    Part(10, "extended", less_is_more=True),
)
"""A district's, a street's or a department's 100 points."""
POSTS: dict[str, tuple[Part, ...]] = {
    "collector": (
        Part(40, "valid_reports"),
        Part(20, "missed", less_is_more=True),
        Part(20, "verified_in_time"),
        Part(20, "checked_in_time"),
    ),
    "acceptor": (Part(25, "accept.done"), Part(40, "accepted_in_time"), Part(35, "checks_sent_in_time")),
    "shift-leader": (Part(25, "filed_in_time"), Part(40, "filed_right"), Part(35, "finished_in_time")),
    "dispatcher": (Part(20, "dispatch.done"), Part(40, "dispatched_in_time"), Part(40, "dispatched_right")),
    "handler": DISTRICT,
    "checker": (Part(100, "checked_in_time"),),
}
"""Who holds which post is scored by what; a handler like a department, a checker by being in time."""
BANDS = ((2001, 100), (1201, 90), (501, 75), (301, 60), (0, 40))
"""From how many on a count brings how much of its points. Below 301 the handbooks are silent: 40, the lowest D."""


def band(count: int) -> int:
    """How much of a hundred a number of pieces of work brings."""
    return next(points for least, points in BANDS if count >= least)


def score(parts: Sequence[Part], counts: Counts) -> Fraction | None:
    """0 to 100; a part without a value takes no points away: the others are scaled up. None without any value."""
    found = [(part.points, value) for part in parts if (value := part.share(counts)) is not None]
    total = sum(points for points, _ in found)
    return 100 * sum((points * value for points, value in found), Fraction(0)) / total if total else None


# -- the hotline


@dataclass(frozen=True, slots=True)
class CallBacks:
    """What people said who could be reached and were asked how it went."""

    valid: int = 0
    reached: int = 0
    """the department had been in touch with them"""
    solved: int = 0
    satisfied: int = 0
    mostly: int = 0
    """satisfied in the main, which counts nine tenths"""

    @property
    def response(self) -> Fraction | None:
        return Fraction(self.reached, self.valid) if self.valid else None

    @property
    def solution(self) -> Fraction | None:
        return Fraction(self.solved, self.valid) if self.valid else None

    @property
    def satisfaction(self) -> Fraction | None:
        return (self.satisfied + Fraction(9, 10) * self.mostly) / self.valid if self.valid else None

    @property
    def composite(self) -> Fraction | None:
        """One tenth response, a half solution, four tenths satisfaction."""
        if (response := self.response) is None or (solution := self.solution) is None:
            return None
        return response / 10 + solution / 2 + (self.satisfaction or Fraction(0)) * 4 / 10


REPEATS, MOST_SPOTS = 5, 20
"""A spot with as many reports costs a point; so many points at the most."""


def hotline_points(satisfaction: Fraction | None, days: Fraction | None, spots: int) -> dict[str, Fraction | None]:
    """The hotline's block of a district's score. `days`: mean length of a case; `spots`: places reported repeatedly."""
    cycle = None if days is None else min(max((2 - days) * 10, Fraction(0)), Fraction(10))
    return {
        "satisfaction": None if satisfaction is None else 30 * satisfaction,
        "cycle": cycle,
        "repeats": Fraction(-min(spots, MOST_SPOTS)),
    }
