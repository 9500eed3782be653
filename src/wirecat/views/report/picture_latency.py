"""The distribution of round trips, on a logarithmic axis, with its median, its 99th percentile and its slowest."""

from __future__ import annotations

from math import ceil, floor, log10

from wirecat.views.report.axis import round_top
from wirecat.views.report.picture_sequence import WIDE, wrapped
from wirecat.views.report.sheet import Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wirecat.views.report.story import Story
    from wirecat.views.report.words import Words

_HEIGHT = 150.0
_LEAST = 1000.0  # nanoseconds: what is shorter is drawn there


def percentile(rising: Sequence[int], part: float) -> int:
    """The value that so large a part of the values does not exceed (nearest rank).

    >>> percentile([1, 2, 3, 4], 0.5)
    2
    """
    return rising[min(len(rising) - 1, max(0, ceil(part * len(rising)) - 1))]


def latency_picture(story: Story, words: Words, width: int = 920) -> Sheet:
    """A bar for each tenth (in a narrow picture each fifth) of a power of ten."""
    sheet = Sheet(width, words("latency"))
    trips = story.trips
    if not trips:
        sheet.text(width / 2, 30, words("no_latency"), "soft", anchor="middle", room=width - 4)
        sheet.height = 50
        return sheet
    wide = width >= WIDE
    left, right, top = 52.0, width - 14.0, 52.0
    bottom = top + _HEIGHT
    parts = 10 if wide else 5
    low, high = log10(max(trips[0], _LEAST)), log10(max(trips[-1], _LEAST))
    first, last = floor(low * parts) / parts, (floor(high * parts) + 1) / parts
    while last - first < 0.999:  # at least one power of ten, so that a narrow spread looks narrow
        first, last = first - 1 / parts, last + 1 / parts
    bars = round((last - first) * parts)
    counts = [0] * bars
    for trip in trips:
        counts[min(bars - 1, max(0, int((log10(max(trip, _LEAST)) - first) * parts)))] += 1

    def place(nanoseconds: float) -> float:
        return left + (right - left) * (log10(max(nanoseconds, _LEAST)) - first) / (last - first)

    _axes(sheet, words, (left, right, top, bottom), (first, last), place)
    largest = round_top(max(counts), 3)
    for part in (0.0, 0.5, 1.0):
        y = bottom - _HEIGHT * part
        if part and largest * part == int(largest * part):
            sheet.line(left, y, right, y, "thin grid")
            sheet.text(left - 6, y + 4, words.number(largest * part), "soft small", anchor="end")
    thick = (right - left) / bars
    boxes = []
    for number, count in enumerate(counts):
        if count:
            height = max(1.0, _HEIGHT * count / largest)
            boxes.append((left + number * thick + 0.5, bottom - height, thick - 1, height))
    sheet.boxes(boxes, "ask")
    sheet.line(left, bottom, right, bottom, "thin axis")
    _percentiles(sheet, words, trips, place, (left, right, bottom))
    y = bottom + 24
    sheet.height = sheet.caption(y, wrapped(words("latency_caption", count=words.number(len(trips))), width)) + 8
    return sheet


def _percentiles(
    sheet: Sheet,
    words: Words,
    trips: Sequence[int],
    place: Callable[[float], float],
    frame: tuple[float, float, float],
) -> None:
    """Three dashed lines with a name each; the slowest's name stands highest, so that no line crosses a name left of it."""
    left, right, bottom = frame
    for row, (name, part) in enumerate((("slowest", 1.0), ("p99", 0.99), ("half_within", 0.5))):
        value = percentile(trips, part)
        x = min(right, place(value))
        y = 12.0 + row * 14
        text = words(name, span=words.span(value))
        sheet.line(x, y + 3, x, bottom, "thin reply-line dash")
        before = x - left + 40 > len(text) * 6.2
        sheet.text(
            x + (-3 if before else 4), y + (3 if before else 0), text, "small reply", anchor="end" if before else ""
        )


def _axes(
    sheet: Sheet,
    words: Words,
    frame: tuple[float, float, float, float],
    powers: tuple[float, float],
    place: Callable[[float], float],
) -> None:
    left, right, top, bottom = frame
    first, last = powers
    room = (right - left) / max(last - first, 0.1)  # pixels of a power of ten
    for power in range(floor(first), ceil(last) + 1):
        for factor in (1, 2, 5):
            value = factor * 10.0**power
            if not first - 1e-9 <= log10(value) <= last + 1e-9:
                continue
            x = place(value)
            sheet.line(x, top, x, bottom, "thin grid")
            if factor == 1 or room > 200:
                anchor = "start" if x < left + 12 else "end" if x > right - 20 else "middle"
                sheet.text(x, bottom + 16, words.tick(value), "soft small", anchor=anchor)
