"""Numbers, strings and times of JSON where they stand in a payload, as compiled kernels read them.

Each gives the place behind what it read, or -1 for what is not plain: that is left to the decoder that knows it all.
All stop at the latest at the end of line that stands behind the payload (`kernel.words.PAD`).
"""

import numpy as np

from cheng.kernel.columns import NEVER, Times
from cheng.kernel.compiled import compiled, part
from cheng.kernel.words import Text, byte, word, zeros

TAB, RETURN, SPACE = 9, 13, 32
MINUS, PLUS, POINT, ZERO, NINE, COLON, DASH = 45, 43, 46, 48, 57, 58, 45
QUOTE, CAPITAL_T, CAPITAL_Z = 34, 84, 90
NEGATIVE, BROKEN = 1, 2
"""What `number_at` says of a number: it has a minus; it has a fraction or an exponent."""
EXACT = 1 << 53
"""Below it every whole number is a float, and so is every power of ten up to 22: their product is rounded once."""
POWERS = 10.0 ** np.arange(23)
ONES, HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
DIGITS, BEYOND = ONES * np.uint64(ZERO), ONES * np.uint64(0x76)
PAIRS, FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
TENS_OF_1, TENS_OF_2, TENS_OF_4 = np.uint64(10 << 8 | 1), np.uint64(100 << 16 | 1), np.uint64(10_000 << 32 | 1)
"""Neighbours become one number: digits pairs, pairs fours, and fours the eight."""
WHOLE_POWERS = 10 ** np.arange(9)
QUOTES, BACKSLASHES, SPACES = ONES * np.uint64(34), ONES * np.uint64(92), ONES * np.uint64(32)
DAYS_BEFORE = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
DAYS_OF = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@part
def after_space(text: Text, at: int) -> int:
    """Behind spaces and tabs; an end of line ends a line."""
    while byte(text, at) <= SPACE and byte(text, at) in (SPACE, TAB, RETURN):
        at += 1
    return at


@part
def stops(eight: np.uint64) -> np.uint64:
    """A bit in each byte that is a quote, a backslash or below a space; only the lowest one is surely right."""
    quotes, escapes = eight ^ QUOTES, eight ^ BACKSLASHES
    found = ((quotes - ONES) & ~quotes) | ((escapes - ONES) & ~escapes) | ((eight - SPACES) & ~eight)
    return found & HIGHS


@part
def string_end(text: Text, at: int) -> int:
    """The closing quote of a string without escapes that begins behind its opening quote at `at`; -1 for others."""
    found = stops(word(text, at))
    while found == 0:
        at += 8
        found = stops(word(text, at))
    at += zeros(found) >> 3
    return at if byte(text, at) == QUOTE else -1


@part
def digits_at(text: Text, at: int, so_far: int) -> tuple[int, int]:
    """Behind the digits that stand there, and the number they go on from; it means nothing beyond 18 digits."""
    count = 8
    while count == 8:
        eight = word(text, at) ^ DIGITS
        others = (((eight & ~HIGHS) + BEYOND) | eight) & HIGHS
        count = zeros(others) >> 3
        if count:
            pairs = ((eight << np.uint64(64 - 8 * count)) * TENS_OF_1) >> np.uint64(8)
            fours = ((pairs & PAIRS) * TENS_OF_2) >> np.uint64(16)
            so_far = so_far * WHOLE_POWERS[count] + np.int64(((fours & FOURS) * TENS_OF_4) >> np.uint64(32))
            at += count
    return at, so_far


@part
def exponent_at(text: Text, at: int) -> tuple[int, int]:
    """Behind an exponent whose `e` was read, and the exponent; -1 for one without digits or with many."""
    minus = byte(text, at) == MINUS
    if minus or byte(text, at) == PLUS:
        at += 1
    end, power = digits_at(text, at, 0)
    if end == at or end - at > 4:
        return -1, 0
    return end, -power if minus else power


@part
def number_at(text: Text, at: int) -> tuple[int, int, int, int]:
    """Behind a number; its digits, the power of ten they are multiplied by, and NEGATIVE and BROKEN."""
    form = NEGATIVE if byte(text, at) == MINUS else 0
    begin = at + form
    at, mantissa = digits_at(text, begin, 0)
    power = 0
    if at == begin or (byte(text, begin) == ZERO and at > begin + 1):
        return -1, 0, 0, 0
    if byte(text, at) == POINT:
        form |= BROKEN
        point = at
        at, mantissa = digits_at(text, at + 1, mantissa)
        power = point + 1 - at
        if power == 0:
            return -1, 0, 0, 0
    if at - begin > 18:
        return -1, 0, 0, 0
    if byte(text, at) == 101 or byte(text, at) == 69:
        form |= BROKEN
        at, more = exponent_at(text, at + 1)
        power += more
    return at, mantissa, power, form


@part
def float_at(text: Text, at: int) -> tuple[int, float]:
    """Behind a number, and the number, rounded right."""
    at, mantissa, power, form = number_at(text, at)
    if at < 0 or mantissa >= EXACT or power > 22 or power < -22:
        return -1, 0.0
    if form == NEGATIVE:
        return at, float(-mantissa)  # a whole number first: -0 is 0
    found = mantissa / POWERS[-power] if power < 0 else mantissa * POWERS[power]
    return at, -found if form & NEGATIVE else found


@part
def whole_us(time: int) -> int:
    """Microseconds of a whole epoch number: s, ms, µs or ns by its size."""
    size = abs(time)
    if size < 100_000_000_000:
        return time * 1_000_000
    if size < 100_000_000_000_000:
        return time * 1_000
    return time if size < 100_000_000_000_000_000 else time // 1_000


@compiled
def all_whole_us(times: Times) -> None:
    """`whole_us` of a column, in its place."""
    for row in range(len(times)):
        times[row] = whole_us(times[row])


@part
def pair(text: Text, at: int) -> int:
    """The number of two digits; far below 0 for anything else."""
    tens, ones = byte(text, at) - ZERO, byte(text, at + 1) - ZERO
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -1_000_000


@part
def day_at(text: Text, at: int) -> int:
    """Days since 1970 of a date YYYY-MM-DD; NEVER for none."""
    year, month, day = pair(text, at) * 100 + pair(text, at + 2), pair(text, at + 5), pair(text, at + 8)
    if year < 1 or not 1 <= month <= 12 or byte(text, at + 4) != DASH or byte(text, at + 7) != DASH:
        return NEVER
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= day <= DAYS_OF[month] + (1 if leap and month == 2 else 0):
        return NEVER
    before = year - 1
    days = int(before * 365 + before // 4 - before // 100 + before // 400 + DAYS_BEFORE[month] + day - 719_163)
    return days + 1 if leap and month > 2 else days


@part
def clock_at(text: Text, at: int) -> int:
    """Seconds of a time of day HH:MM:SS; NEVER for none."""
    hour, minute, second = pair(text, at), pair(text, at + 3), pair(text, at + 6)
    if byte(text, at + 2) != COLON or byte(text, at + 5) != COLON:
        return NEVER
    fits = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60
    return hour * 3_600 + minute * 60 + second if fits else NEVER


@part
def zone_at(text: Text, at: int, end: int) -> int:
    """Seconds that a zone, Z or ±HH:MM, is ahead; NEVER for what is neither."""
    if end - at == 1 and byte(text, at) == CAPITAL_Z:
        return 0
    if end - at != 6 or byte(text, at + 3) != COLON or (byte(text, at) != PLUS and byte(text, at) != MINUS):
        return NEVER
    hours, minutes = pair(text, at + 1), pair(text, at + 4)
    if not 0 <= hours < 24 or not 0 <= minutes < 60:
        return NEVER
    ahead = hours * 3_600 + minutes * 60
    return ahead if byte(text, at) == PLUS else -ahead


@part
def moment_at(text: Text, at: int, end: int) -> int:
    """Microseconds of YYYY-MM-DDTHH:MM:SS with up to 6 more digits and its zone; NEVER for what is not quite that."""
    if end - at < 20 or byte(text, at + 10) != CAPITAL_T:
        return NEVER
    days, seconds = day_at(text, at), clock_at(text, at + 11)
    at, us = at + 19, 0
    if byte(text, at) == POINT:
        begin = at + 1
        at, us = digits_at(text, begin, 0)
        if not 1 <= at - begin <= 6:
            return NEVER
        for _ in range(6 - (at - begin)):
            us *= 10
    ahead = zone_at(text, at, end)
    if days == NEVER or seconds == NEVER or ahead == NEVER:
        return NEVER
    return (days * 86_400 + seconds - ahead) * 1_000_000 + us
