"""Line charts as SVG text: no library, the same bytes for the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, LEGEND = 420, 260, 60, 40, 160
COLOURS = ("#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72", "#6940a5", "#64473a", "#e03e3e", "#787774")

Lines = Mapping[str, Sequence[float]]


def chart(panels: Sequence[tuple[str, Lines]], xs: Sequence[float], ticks: Sequence[str], below: str) -> str:
    """Panels side by side over the same `xs`, from zero, and one legend: every panel has the same names."""
    width = len(panels) * (LEFT + WIDTH + 20) + LEGEND
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 50}" '
        'font-family="sans-serif" font-size="12" fill="#37352f">',
        f'<rect width="{width}" height="{TOP + HEIGHT + 50}" fill="#ffffff"/>',
    ]
    for number, (title, lines) in enumerate(panels):
        out += _panel(number * (LEFT + WIDTH + 20) + LEFT, title, lines, xs, ticks, below)
    for number, name in enumerate(panels[0][1]):
        x, y = width - LEGEND + 10, TOP + 20 * number + 6
        out.append(f'<rect x="{x}" y="{y - 8}" width="14" height="4" fill="{_colour(number)}"/>')
        out.append(f'<text x="{x + 20}" y="{y}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>", ""])


def _panel(left: int, title: str, lines: Lines, xs: Sequence[float], ticks: Sequence[str], below: str) -> Iterator[str]:
    top = _round_up(max(max(values) for values in lines.values()))
    far = max(xs)

    def at(x: float, y: float) -> str:
        return f"{left + WIDTH * x / far:.1f},{TOP + HEIGHT * (1 - y / top):.1f}"

    yield f'<text x="{left}" y="{TOP - 16}" font-weight="bold">{escape(title)}</text>'
    for step in range(5):
        y = TOP + HEIGHT * (1 - step / 4)
        yield f'<path d="M{left},{y:.1f}h{WIDTH}" stroke="#e3e2e0"/>'
        yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{top * step / 4:g}</text>'
    for x, tick in zip(xs, ticks, strict=True):
        place = f'x="{left + WIDTH * x / far:.1f}" y="{TOP + HEIGHT + 18}"'
        yield f'<text {place} text-anchor="middle">{escape(tick)}</text>'
    yield f'<text x="{left + WIDTH / 2:.1f}" y="{TOP + HEIGHT + 38}" text-anchor="middle">{escape(below)}</text>'
    for number, values in enumerate(lines.values()):
        points = " ".join(at(x, y) for x, y in zip(xs, values, strict=True))
        yield f'<polyline points="{points}" fill="none" stroke="{_colour(number)}" stroke-width="2"/>'
        for point in points.split():
            x, y = point.split(",")
            yield f'<circle cx="{x}" cy="{y}" r="3" fill="{_colour(number)}"/>'


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _round_up(value: float) -> float:
    """The next number with one digit and zeros that four steps divide well."""
    size = 1.0
    while size * 10 < value:
        size *= 10
    while size > value:
        size /= 10
    return next(size * step for step in (1, 2, 4, 6, 8, 10) if size * step >= value)
