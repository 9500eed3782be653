"""Bytes over time: bars above the line to the server, below it back to the client."""

from __future__ import annotations

from wirecat.views.report.axis import round_top, time_axis
from wirecat.views.report.picture_sequence import wrapped
from wirecat.views.report.sheet import Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.views.report.story import Story
    from wirecat.views.report.words import Words

_HALF = 90.0
_BAR = 4  # pixels, at least


def bytes_picture(story: Story, words: Words, width: int = 920) -> Sheet:
    """Each direction on a scale of its own; slices of time are put together until a bar is at least four pixels wide."""
    sheet = Sheet(width, words("bytes"))
    volume = story.volume
    if not any(volume.asked) and not any(volume.answered):
        sheet.text(width / 2, 30, words("no_bytes"), "soft", anchor="middle")
        sheet.height = 50
        return sheet
    left, right, top = 62.0, width - 10.0, 26.0
    group = max(1, -(-len(volume.asked) * _BAR // int(right - left)))
    asked, answered = _grouped(volume.asked, group), _grouped(volume.answered, group)
    # A download's bytes would hide its requests on one scale.
    largest = {-1: round_top(max(*asked, 1), 3), 1: round_top(max(*answered, 1), 3)}
    middle, bottom = top + _HALF, top + 2 * _HALF
    slice_ = volume.slice * group
    whole = slice_ * len(asked)
    time_axis(sheet, left, right, top, bottom, whole, words.tick)
    for part in (-1.0, -0.5, 0.5, 1.0):
        y = middle - _HALF * part
        sheet.line(left, y, right, y, "thin grid")
        size = round(abs(part) * largest[-1 if part > 0 else 1])
        sheet.text(left - 6, y + 4, words.size(size), "soft small", anchor="end")
    bar = (right - left) / len(asked)
    thick = max(bar - 1, bar * 0.7) if len(asked) > 1 else min(bar, 60.0)
    for values, kind, sign in ((asked, "ask", -1), (answered, "reply", 1)):
        boxes = []
        for number, value in enumerate(values):
            if value:
                height = max(0.8, _HALF * value / largest[sign])
                boxes.append((left + number * bar, middle - height if sign < 0 else middle, thick, height))
        sheet.boxes(boxes, kind)
    sheet.line(left, middle, right, middle, "thin axis")
    sheet.text(left, top - 10, f"↑ {words('to_server')}", "small ask")
    sheet.text(right, top - 10, f"↓ {words('to_client')}", "small reply", anchor="end")
    y = bottom + 22
    sheet.height = sheet.caption(y, wrapped(words("bytes_caption", slice=words.span(slice_)), width)) + 8
    return sheet


def _grouped(values: Sequence[int], group: int) -> list[int]:
    return [sum(values[start : start + group]) for start in range(0, len(values), group)]
