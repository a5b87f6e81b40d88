"""Bars side by side, day by day, drawn on the server: one number as it is, one as it would be."""

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT, FOOT, SIDE = 720, 180, 26, 34
MOST_LABELS = 10


def bars(days: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]], label: str) -> Markup:
    """An inline SVG. `days`: texts below the bars; `rows`: (class of the bars, a number for each day)."""
    top = max((n for _, numbers in rows for n in numbers), default=0) or 1
    room, slot = HEIGHT - FOOT - 14, (WIDTH - SIDE) / max(len(days), 1)
    wide = min(slot * 0.8 / max(len(rows), 1), 40)
    drawn: list[Markup] = []
    for part in (0, top / 2, top) if top > 1 else (0, top):
        y = HEIGHT - FOOT - part / top * room
        drawn.append(Markup('<path class="bars-line" d="M{} {:.1f}H{}"/>').format(SIDE, y, WIDTH))
        drawn.append(
            Markup('<text class="bars-text" x="{}" y="{:.1f}" text-anchor="end">{:g}</text>').format(
                SIDE - 6, y + 4, part
            )
        )
    every = -(-len(days) // MOST_LABELS)
    for place, day in enumerate(days):
        left = SIDE + place * slot + (slot - wide * len(rows)) / 2
        for nth, (kind, numbers) in enumerate(rows):
            high = numbers[place] / top * room
            shape = Markup(
                '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}: {}</title></rect>'
            )
            drawn.append(
                shape.format(kind, left + nth * wide, HEIGHT - FOOT - high, wide * 0.92, high, day, numbers[place])
            )
        if place % every == 0:
            centre = SIDE + (place + 0.5) * slot
            text = Markup('<text class="bars-text" x="{:.1f}" y="{}" text-anchor="middle">{}</text>')
            drawn.append(text.format(centre, HEIGHT - 8, day))
    frame = Markup('<svg class="bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>')
    return frame.format(WIDTH, HEIGHT, label, Markup("").join(drawn))
