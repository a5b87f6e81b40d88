"""How unusual a reading is for this thing at this hour of this weekday: a score from 0 to 1, in one pass.

Three questions are asked of every reading. How far is it from what the hour usually has, taken over the last few
readings? Is it outside all that the hour, the one before and the one after have ever had? Do readings differ from one
to the next more, or less, than they do? Each answer is held against its own history in this series, so that one table
of parameters serves every series. What has just been told is not told again: the score is high where something begins.

The state of a series is one row of 200 bytes. What is kept by hour is coded in steps of a power of two, so that
a change of scale shifts the codes. Hours and weekdays are those of the seconds handed in.
"""

from math import exp, exp2, floor, log, log1p, log2
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cheng.kernel.columns import Floats, Rows, Times
from cheng.kernel.compiled import called, compiled

State = npt.NDArray[np.void]
"""(series,) of ROW; zeros are a series of which nothing is known."""
Row = Any
"""One row of a State."""

ROW = np.dtype(
    [
        ("last", np.uint32),  # when the newest reading was taken, seconds
        ("level", np.float32),  # of the series in the long run; the means of the hours are counted from here
        ("width", np.float32),  # usual distance from it
        ("near", np.float32),  # mean of the last few readings
        ("step", np.float32),  # usual distance of the next one from them
        ("lately", np.float32),  # the same, of late
        ("mean", np.float32),  # of the hour that runs
        ("spread", np.float32),  # usual distance from it; negative at the first reading of a new hour
        ("day", np.float32),  # how far the weekday that runs lies above the mean of its hours
        ("usual", np.float32, (2,)),  # a high quantile of the first two answers; that of the third is 0
        ("excess", np.float32, (3,)),  # mean by which answers exceed it, when they do
        ("drift", np.int16),  # 1/256: mean distance from the hour's mean over the last few readings, in spreads
        ("tense", np.uint16),  # 1/256: mean rarity over the last few readings
        ("told", np.uint16),  # 1/256: rarity of the largest thing told, as it had faded when something was told last
        ("tired", np.uint16),  # 1/256: how much had been told, likewise
        ("since", np.uint16),  # readings since something was told
        ("count", np.uint16),  # readings
        ("means", np.int16, (24,)),  # by hour, steps above the level
        ("days", np.uint8),  # with readings, before the day that runs
        ("visit", np.uint8),  # readings in the hour that runs
        ("scale", np.int8),  # a step is 2 ** scale
        ("spreads", np.uint8, (24,)),  # by hour, logarithmic; 0 while the hour has not been seen
        ("above", np.uint8, (24,)),  # furthest above the mean of the hour, logarithmic
        ("below", np.uint8, (24,)),  # furthest below it
        ("weekdays", np.int8, (7,)),  # Monday first, 32 steps
        ("spare", np.uint8, (2,)),  # up to a multiple of four
    ]
)


class Tuning(NamedTuple):
    """The parameters, the same for all series; lengths are readings where nothing else is said."""

    near: float = 2.55  # how many readings the next one is expected from
    step: float = 486.0  # memory of the usual distance between readings
    lately: float = 12.8  # and of that of late
    days: float = 30.0  # memory of what an hour has, in days
    drift: float = 12.7  # readings over which the distance from it is taken
    tail: float = 6000.0  # memory of how large answers usually are
    share: float = 0.11  # of answers above the high quantile
    hour: float = 1.26  # weight of the distance from the hour
    shake: float = 1.38  # of a change of spread
    range: float = 1.84  # of being outside all there was
    pause: float = 112.0  # readings after something was told, when only much more is told
    louder: float = 1.98  # how much that is
    fade: float = 955.0  # memory of what was told
    norm: float = 1.47  # how the three are added: 1 their sum, more the largest
    tense: float = 9.65  # readings over which rarity adds up
    calm: float = 0.384  # weight of that
    clip: float = 3.33  # spreads beyond which a reading is taken for one that does not belong
    told: float = 0.0978  # how much of what was told last is taken off
    tired: float = 0.441  # how much each thing told weakens the next
    rest: float = 477.0  # memory of that
    floor: float = 0.015  # the least spread, in widths
    shrink: float = 0.00123  # how much of its range an hour forgets each time
    width: float = 5000.0  # memory of the width of the series
    level: float = 160.0  # and of its level, in hours
    still: float = 0.05  # weight of a spread that shrinks, a flat line


TUNING: Final = Tuning()
ALARM: Final = 4.0
"""Rarity that is told; its score is 0.5."""
WARM: Final = 21
"""Readings before anything is judged."""
CROWD: Final = 100
"""Readings in an hour that make it known, though it has not ended yet."""
TINY: Final = 1e-30
HUGE: Final = 1e30
OCTAVE: Final = 16
"""Logarithmic codes for a doubling."""


def score(state: State, slot: Rows, time: Times, value: Floats, tuning: Tuning = TUNING) -> Floats:
    """(n,) scores of readings, sorted by time within each series; 0.5 and more is told. Steps the state.

    slot (n,) row of the state, time (n,) microseconds of a local clock, value (n,). NaN where the value is not finite
    or the state has no such row. A reading older than the one before it counts as of the same second.
    """
    scores = np.full(len(slot), np.nan)
    _scan(state, slot, time, value, tuning, scores)
    return scores


@compiled
def _scan(state: State, slot: Rows, time: Times, value: Floats, tuning: Tuning, scores: Floats) -> None:
    for n in range(len(scores)):
        if 0 <= slot[n] < len(state) and np.isfinite(value[n]):
            second = min(max(time[n] // 1_000_000, 0), 4_294_967_295)
            # Rounded as the state is, so that what stays the same has no distance from itself.
            rounded = float(np.float32(min(max(value[n], -HUGE), HUGE)))
            told = step(state[slot[n]], second, rounded, tuning)
            scores[n] = told / (told + ALARM)


@called
def step(row: Row, second: int, value: float, tuning: Tuning) -> float:
    """How much a reading has to tell; the row takes it in."""
    if row["count"] == 0:
        _begin(row, second, value)
    second = max(second, int(row["last"]))
    if second // 3600 != int(row["last"]) // 3600:
        _turn(row, second, tuning)
    row["count"] = min(int(row["count"]) + 1, 65535)
    row["visit"] = min(int(row["visit"]) + 1, 255)
    hour = second // 3600 % 24
    rarity = _rarity(row, hour, value, tuning)
    told = _tell(row, rarity, tuning)
    _learn(row, hour, min((second - int(row["last"])) / 3600.0, 1.0), value, tuning)
    row["last"] = second
    return told


# -- what is asked


@called
def _rarity(row: Row, hour: int, value: float, tuning: Tuning) -> float:
    """How rare the answers to the three questions are together, in units of their usual excess."""
    floor_ = TINY + tuning.floor * float(row["width"])
    drift = beyond = 0.0
    if row["spread"] >= 0:
        drift = float(row["drift"]) / 256
        if row["spreads"][hour] > 0 or row["visit"] > CROWD:
            away = (value - float(row["mean"]) - float(row["day"])) / (float(row["spread"]) + floor_)
            drift += (_soft(away, tuning.clip) - drift) / tuning.drift
            row["drift"] = round(min(max(drift, -127.0), 127.0) * 256)
            beyond = _outside(row, hour, value) / (0.3 * float(row["width"]) + floor_)
    ratio = (float(row["lately"]) + floor_) / (float(row["step"]) + floor_)
    unrest = max(ratio - 1, (1 / ratio - 1) * tuning.still)
    rare = (tuning.hour * _rare(row, 0, abs(drift), tuning)) ** tuning.norm
    rare += (tuning.shake * _rare(row, 1, unrest, tuning)) ** tuning.norm
    rare += (tuning.range * _rare(row, 2, beyond, tuning)) ** tuning.norm
    return rare ** (1 / tuning.norm) if row["count"] > WARM else 0.0


@called
def _soft(number: float, clip: float) -> float:
    """The number; beyond the clip it grows with its logarithm."""
    if abs(number) <= clip:
        return number
    soft = clip * (1 + log(abs(number) / clip))
    return soft if number > 0 else -soft


@called
def _outside(row: Row, hour: int, value: float) -> float:
    """How far a value lies outside all that its hour and the two beside it have had."""
    unit = exp2(row["scale"])
    mean = float(row["mean"])
    highest, lowest = mean + _decoded(row["above"][hour], unit), mean - _decoded(row["below"][hour], unit)
    for beside in ((hour + 23) % 24, (hour + 1) % 24):
        if row["spreads"][beside] > 0:
            mean = float(row["level"]) + row["means"][beside] * unit
            highest = max(highest, mean + _decoded(row["above"][beside], unit))
            lowest = min(lowest, mean - _decoded(row["below"][beside], unit))
    value -= float(row["day"])
    return max(value - highest, lowest - value, 0.0)


@called
def _rare(row: Row, question: int, answer: float, tuning: Tuning) -> float:
    """By how many usual excesses an answer exceeds its high quantile; both follow."""
    size, count = log1p(answer), float(row["count"])
    quantile = float(row["usual"][question]) if question < 2 else 0.0
    excess = float(row["excess"][question])
    rare = max((size - quantile) / (excess + 0.02), 0.0)
    follow = 3 / min(count, tuning.tail)
    if size > quantile:
        rate = max(1 / (count * tuning.share + 2), 1 / (tuning.tail * tuning.share + 1))
        excess += (size - quantile - excess) * rate
        quantile += (1 - tuning.share) * excess * follow if count > WARM else 0.3 * (size - quantile)
        row["excess"][question] = excess
    else:
        quantile -= tuning.share * excess * follow
    if question < 2:
        row["usual"][question] = max(quantile, 0.0)
    return rare


# -- what is told


@called
def _tell(row: Row, rarity: float, tuning: Tuning) -> float:
    """What of a rarity is told: less soon after something was told, and nothing unless it is much larger."""
    tense = float(row["tense"]) / 256
    tense = min(tense + (rarity - tense) / tuning.tense, 250.0)
    row["tense"] = round(tense * 256)
    rarity = min(rarity + tuning.calm * tense, 250.0)
    since = min(int(row["since"]) + 1, 65535)
    last = float(row["told"]) / 256 * exp(-since / tuning.fade)
    tired = float(row["tired"]) / 256 * exp(-since / tuning.rest)
    told = max(rarity - tuning.told * last, 0.0) / (1 + tuning.tired * tired)
    if since < tuning.pause and rarity < last * tuning.louder:
        told = 0.0
    if told >= ALARM:
        since = 0
        row["told"] = floor(max(last, rarity) * 256)
        row["tired"] = floor(min(tired + 1, 250.0) * 256)
    row["since"] = since
    return told


# -- what is learned


@called
def _begin(row: Row, second: int, value: float) -> None:
    row["last"], row["level"], row["near"], row["mean"], row["spread"] = second, value, value, value, -1.0
    row["scale"] = floor(log2(abs(value) + TINY)) - 16
    row["since"] = 65535
    for question in range(3):
        row["excess"][question] = 0.5


@called
def _learn(row: Row, hour: int, passed: float, value: float, tuning: Tuning) -> None:
    """Takes a reading in; passed: what share of an hour it stands for."""
    count, width, usual = float(row["count"]), float(row["width"]), float(row["step"])
    residual = value - float(row["mean"]) - float(row["day"])
    _learn_hour(row, hour, passed, residual, tuning)
    away, jump = abs(value - float(row["level"])), value - float(row["near"])
    row["near"] = float(row["near"]) + jump / min(count, tuning.near)
    row["lately"] = float(row["lately"]) + (abs(jump) - float(row["lately"])) / min(count, tuning.lately)
    if count <= WARM:
        row["width"] = width + (away - width) / count
        row["step"] = usual + (abs(jump) - usual) / count
        return
    limit = tuning.clip * (usual + TINY + tuning.floor * width)
    row["step"] = usual + (min(abs(jump), limit) - usual) / min(count, tuning.step)
    if width > 0:
        row["width"] = width + (min(away, tuning.clip * width) - width) / min(count, tuning.width)
    else:
        row["width"] = away / 99


@called
def _learn_hour(row: Row, hour: int, passed: float, residual: float, tuning: Tuning) -> None:
    if row["spread"] < 0:
        row["mean"], row["spread"] = float(row["mean"]) + residual, row["width"]
        row["above"][hour] = row["below"][hour] = 1
        return
    unit = exp2(row["scale"])
    row["above"][hour] = max(row["above"][hour], _coded(residual, unit, 0.999))
    row["below"][hour] = max(row["below"][hour], _coded(-residual, unit, 0.999))
    days, spread = float(row["days"]), float(row["spread"])
    if days >= 2:
        limit = tuning.clip * (spread + TINY + tuning.floor * float(row["width"]))
        residual = min(max(residual, -limit), limit)
    rate = 1 - exp(-passed / min(days + 0.5, tuning.days))
    row["mean"] = float(row["mean"]) + residual * rate
    row["spread"] = spread + (abs(residual) - spread) * rate * 0.7
    row["day"] = float(row["day"]) + residual * passed / 80


# -- what is kept by hour and weekday


@called
def _decoded(code: int, unit: float) -> float:
    return 0.0 if code <= 1 else unit * exp2(code / OCTAVE)


@called
def _coded(number: float, unit: float, up: float) -> int:
    """The code of a size, 1 to 255; up: the part of a code from which it is rounded up, taken from 1."""
    if number <= unit:
        return 1
    return min(max(floor(log2(number / unit) * OCTAVE + up), 1), 255)


@called
def _whole(number: float, most: int) -> int:
    return floor(min(max(number, -most), most) + 0.5)


@called
def _turn(row: Row, second: int, tuning: Tuning) -> None:
    """An hour has ended: it is written down, and what is known of the one that begins is looked up."""
    ended, day, today = int(row["last"]) // 3600 % 24, int(row["last"]) // 86400, second // 86400
    _rescale(row)
    unit = exp2(row["scale"])
    _relevel(row, unit, tuning)
    # A rounding that differs from day to day is none in the long run.
    up = day * 0.6180339887 % 1.0
    row["means"][ended] = _whole((float(row["mean"]) - float(row["level"])) / unit, 32767)
    row["spreads"][ended] = _coded(float(row["spread"]), unit, up)
    row["above"][ended] = _coded(_decoded(row["above"][ended], unit) * (1 - tuning.shrink), unit, up)
    row["below"][ended] = _coded(_decoded(row["below"][ended], unit) * (1 - tuning.shrink), unit, up)
    if today != day:
        row["days"] = min(int(row["days"]) + 1, 255)
        row["weekdays"][(day + 3) % 7] = _whole(float(row["day"]) / unit / 32, 127)
        row["day"] = row["weekdays"][(today + 3) % 7] * unit * 32
    row["visit"] = 0
    begun = second // 3600 % 24
    row["spread"] = -1.0
    if row["spreads"][begun] > 0:
        row["mean"] = float(row["level"]) + row["means"][begun] * unit
        row["spread"] = _decoded(row["spreads"][begun], unit)


@called
def _rescale(row: Row) -> None:
    """Steps of about 1/256 of the width: when it has doubled or halved, all codes are shifted."""
    if row["width"] < TINY:
        return
    scale, fit = int(row["scale"]), floor(log2(float(row["width"]))) - 8
    if abs(fit - scale) < 2:
        return
    shift = OCTAVE * (fit - scale)
    factor = exp2(scale - fit)
    for hour in range(24):
        if row["spreads"][hour] > 0:
            row["means"][hour] = _whole(row["means"][hour] * factor, 32767)
            row["spreads"][hour] = min(max(int(row["spreads"][hour]) - shift, 1), 255)
        if row["above"][hour] > 0:
            row["above"][hour] = min(max(int(row["above"][hour]) - shift, 1), 255)
            row["below"][hour] = min(max(int(row["below"][hour]) - shift, 1), 255)
    for day in range(7):
        row["weekdays"][day] = _whole(row["weekdays"][day] * factor, 127)
    row["scale"] = fit


@called
def _relevel(row: Row, unit: float, tuning: Tuning) -> None:
    """The level follows the hours, by whole steps."""
    way = (float(row["mean"]) - float(row["level"])) / min(6 + 24.0 * row["days"], tuning.level)
    steps = _whole(way / unit, 30000)
    row["level"] = float(row["level"]) + steps * unit
    for hour in range(24):
        if row["spreads"][hour] > 0:
            row["means"][hour] = _whole(float(row["means"][hour]) - steps, 32767)
