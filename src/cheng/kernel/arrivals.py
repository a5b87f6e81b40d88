"""A lot of readings dealt out to the types of its things, then brought into the order of the things of one type.

On the way each earns the marks that come from itself and from when it arrived.
"""

from typing import Any

from cheng.kernel.book import BACKS, CROWDS, MOST, PROMPTS, SMALLEST, THINGS, things_at
from cheng.kernel.columns import Floats, Ints, Marks, Rows, Times
from cheng.kernel.compiled import called, compiled
from cheng.kernel.observations import Quality

LATE, OUT_OF_ORDER, DUPLICATE = int(Quality.LATE), int(Quality.OUT_OF_ORDER), int(Quality.DUPLICATE)
OUT_OF_RANGE, FUTURE = int(Quality.OUT_OF_RANGE), int(Quality.FUTURE)


@compiled
def mark(attr: Ints, time: Times, value: Floats, quality: Marks, low: Floats, high: Floats, latest: int) -> None:
    """Marks readings out of range, low and high being by attribute, and those dated after `latest`."""
    for row in range(len(attr)):
        field = attr[row]
        if 0 <= field < len(low) and (value[row] < low[field] or value[row] > high[field]):
            quality[row] |= OUT_OF_RANGE
        if time[row] > latest:
            quality[row] |= FUTURE


@compiled
def kinds_of(
    thing: Ints,
    attr: Ints,
    quality: Marks,
    skipped: int,
    type_of: Ints,
    owner: Ints,
    kinds: Ints,
    edges: Rows,
) -> None:
    """Fills kinds (n,) with the type of each reading's thing, and edges (types + 1,) with where each type begins.

    Readings with a mark in `skipped`, of nothing known, or of a field that their thing does not have are of type 0.
    """
    for row in range(len(thing)):
        one, field, kind = thing[row], attr[row], 0
        if quality[row] & skipped == 0 and 0 <= one < len(type_of) and 0 <= field < len(owner):
            kind = type_of[one] if owner[field] == type_of[one] else 0
        kinds[row] = kind
        edges[kind + 1] += 1
    for kind in range(1, len(edges)):
        edges[kind] += edges[kind - 1]


@compiled
def deal(
    thing: Ints,
    attr: Ints,
    time: Times,
    value: Floats,
    latitude: Floats,
    kinds: Ints,
    edges: Rows,
    slot_of: Ints,
    number_of: Ints,
    rows: Rows,
    slot: Rows,
    field: Ints,
    times: Times,
    values: Floats,
    latitudes: Floats,
) -> None:
    """Lays the readings of each type (but 0) one after the other, in order of arrival: fills the last six, (n,) each.

    rows is where each was in the lot; slot_of is by thing, number_of by attribute.
    """
    places = edges.copy()
    for row in range(len(thing)):
        kind = kinds[row]
        if kind == 0:
            continue
        at = places[kind]
        places[kind] += 1
        rows[at], slot[at], field[at] = row, slot_of[thing[row]], number_of[attr[row]]
        times[at], values[at], latitudes[at] = time[row], value[row], latitude[row]


@called
def chain(things: Any, slot: Rows, following: Rows, begins: Rows) -> int:
    """Links the rows of each thing in order of arrival and returns how many things there are.

    following (n,) the next row of the thing, -1 after the last; begins (n,) filled with the first row of each thing.
    """
    found = 0
    for row in range(len(slot)):
        thing = things[slot[row]]
        following[row] = -1
        if thing.tail < 0:
            begins[found] = row
            found += 1
        else:
            following[thing.tail] = row
        thing.tail = row
    for number in range(found):
        things[slot[begins[number]]].tail = -1
    return found


@called
def pick(
    row: int, field: Ints, time: Times, thing: Any, lateness: Times, following: Rows, marks: Marks, out: Rows, at: int
) -> int:
    """Writes the rows of one thing that are not late to out[at:], by time and field; returns where they end."""
    top = thing.newest
    end = at
    while row >= 0:
        now = time[row]
        if now >= top:
            top = now
        elif now + lateness[field[row]] < top or now < thing.closed:
            marks[row] = LATE
            row = following[row]
            continue
        else:
            marks[row] = OUT_OF_ORDER
        place = end
        while place > at:
            other = out[place - 1]
            if time[other] < now or (time[other] == now and field[other] <= field[row]):
                break
            out[place] = other
            place -= 1
        out[place] = row
        end += 1
        row = following[row]
    return end


@called
def without_twins(field: Ints, time: Times, marks: Marks, rows: Rows, begin: int, end: int) -> int:
    """Marks those of the sorted rows that repeat the one above and takes them out; returns where the rest ends."""
    kept = begin
    for at in range(begin, end):
        row = rows[at]
        if kept > begin and time[rows[kept - 1]] == time[row] and field[rows[kept - 1]] == field[row]:
            marks[row] |= DUPLICATE
        else:
            rows[kept] = row
            kept += 1
    return kept


@called
def arrange(book: Any, slot: Rows, field: Ints, time: Times, lateness: Times, marks: Marks, work: Any) -> bool:
    """Sorts a lot thing by thing into rows newer than all that their things have, and rows of the other things.

    Fills marks (n,); the rows of work (6, n), 2 and 3 with these two, 4 and 5 with things that lack room for what has
    come and how much has; the book, with how many there are of each. False if one thing has too many rows for one go.
    """
    following, begins, prompt, back, crowded, lacking = work[0], work[1], work[2], work[3], work[4], work[5]
    things = things_at(book[THINGS])
    prompts, backs, crowds = 0, 0, 0
    for number in range(chain(things, slot, following, begins)):
        first = begins[number]
        thing = things[slot[first]]
        end = pick(first, field, time, thing, lateness, following, marks, prompt, prompts)
        more = end - prompts
        if more > book[MOST] // 2:
            return False
        if more > 0 and (thing.size < 0 or thing.count + more > SMALLEST << thing.size):
            crowded[crowds], lacking[crowds] = slot[first], more
            crowds += 1
        if more > 0 and time[prompt[prompts]] > max(thing.newest, thing.looked):
            prompts = without_twins(field, time, marks, prompt, prompts, end)
        else:
            for at in range(prompts, end):
                back[backs] = prompt[at]
                backs += 1
    book[PROMPTS], book[BACKS], book[CROWDS] = prompts, backs, crowds
    return True
