"""A history in the size of a word: a small line drawn on the server."""

from collections.abc import Sequence

from markupsafe import Markup

WIDTH, HEIGHT, EDGE = 120, 32, 2
DRAWING = Markup(
    '<svg class="spark" viewBox="0 0 {w} {h}" width="{w}" height="{h}" preserveAspectRatio="xMinYMid" '
    'role="img" aria-label="{label}">'
    '<path d="{path}"/><circle cx="{x}" cy="{y}" r="2.5"/></svg>'
)


def spark(
    values: Sequence[float | None], label: str = "", low: float | None = None, high: float | None = None
) -> Markup:
    """An inline SVG of `values` from left to right; None leaves a gap. `label` is read out instead of the picture."""
    numbers = [v for v in values if v is not None and v == v]
    if not numbers:
        return Markup('<span class="spark-empty" role="img" aria-label="{}">–</span>').format(label)
    least = min(numbers) if low is None else low
    most = max(numbers) if high is None else high
    span = (most - least) or 1.0
    step = (WIDTH - 2 * EDGE) / max(len(values) - 1, 1)
    lines: list[list[str]] = [[]]
    for i, value in enumerate(values):
        if value is None or value != value:
            lines.append([])
            continue
        y = HEIGHT - EDGE - (value - least) / span * (HEIGHT - 2 * EDGE)
        lines[-1].append(f"{EDGE + i * step:.1f} {min(max(y, EDGE), HEIGHT - EDGE):.1f}")
    path = " ".join("M" + " L".join(points if len(points) > 1 else points * 2) for points in lines if points)
    end = next(points[-1] for points in reversed(lines) if points).split()
    return DRAWING.format(w=WIDTH, h=HEIGHT, label=label, path=path, x=end[0], y=end[1])
