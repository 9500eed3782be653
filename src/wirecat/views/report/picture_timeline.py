"""The time line: every connection as a bar from its opening to its end, and how many were open at once."""

from __future__ import annotations

from wirecat.views.report.axis import round_top, time_axis
from wirecat.views.report.picture_sequence import WIDE, wrapped
from wirecat.views.report.sheet import Sheet
from wirecat.views.report.story import RESET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.views.report.story import Story, Talk
    from wirecat.views.report.words import Words

EACH = 40
"""Up to so many connections each has a bar of its own."""

_BANDS = 50
_MARKS = 3000  # pieces that are drawn in all; more would hide each other
_OPEN_HEIGHT = 70.0


def timeline_picture(story: Story, words: Words, width: int = 920) -> Sheet:
    """One bar a connection up to ``EACH`` of them; beyond, one bar for as many as it takes to have 50 bars."""
    sheet = Sheet(width, words("timeline"))
    talks = story.talks
    if not talks:
        sheet.text(width / 2, 30, words("nothing"), "soft", anchor="middle")
        sheet.height = 50
        return sheet
    wide = width >= WIDE
    each = len(talks) <= EACH
    left = (176.0 if wide else 34.0) if each else (70.0 if wide else 40.0)
    line = _Line(sheet, story, left, width - 10.0)
    y = 8.0
    if len(talks) > 1:
        y = _open_at_once(line, words, y)
    top = y
    if each:
        y = _bars(line, words, y, wide)
        captions = [words("timeline_each")]
    else:
        per_band = -(-len(talks) // _BANDS)
        y = _bands(line, talks, per_band, y, words)
        captions = [words("timeline_bands", count=words.number(len(talks)), band=words.number(per_band))]
    time_axis(sheet, line.left, line.right, top, y + 2, line.whole, words.tick)
    y += 26
    y = sheet.caption(y, (text for caption in captions for text in wrapped(caption, width)))
    if each:
        _legend(sheet, words, left, y := y + 18)
    sheet.height = y + 8
    return sheet


class _Line:
    """A sheet with a scale of time."""

    def __init__(self, sheet: Sheet, story: Story, left: float, right: float) -> None:
        self.sheet, self.story, self.left, self.right = sheet, story, left, right
        self.whole = max(1, story.ended - story.started)

    def x(self, time: int) -> float:
        return self.left + (self.right - self.left) * (time - self.story.started) / self.whole

    def end(self, talk: Talk) -> int:
        return self.story.ended if talk.closed is None else talk.closed


def _open_at_once(line: _Line, words: Words, y: float) -> float:
    """The area chart of how many were open; at most one step for each pixel."""
    steps = sorted(
        [(talk.opened, 1) for talk in line.story.talks]
        + [(talk.closed, -1) for talk in line.story.talks if talk.closed is not None]
    )
    top = round_top(max(1, line.story.most_open()), 2)
    base = y + _OPEN_HEIGHT + 14
    heights: dict[int, int] = {}  # the most that were open, for each pixel
    now = 0
    outline: list[tuple[float, float]] = [(line.left, base)]
    pixel = int(line.left)
    for time, step in steps:
        at = int(line.x(time))
        if at != pixel:
            heights[pixel] = max(heights.get(pixel, 0), now)
            for between in range(pixel + 1, at):
                heights[between] = now
            pixel = at
            heights[pixel] = now
        now += step
        heights[pixel] = max(heights.get(pixel, 0), now)
    for between in range(pixel + 1, int(line.right) + 1):
        heights[between] = now
    before = -1
    for at in sorted(heights):
        height = base - _OPEN_HEIGHT * heights[at] / top
        if heights[at] != before:
            if len(outline) > 1:
                outline.append((at, outline[-1][1]))
            outline.append((at, height))
            before = heights[at]
    outline += [(line.right, outline[-1][1]), (line.right, base)]
    line.sheet.text(2, y + 6, words("open_at_once"), "soft small")
    line.sheet.path(outline, "pale", closed=True)
    line.sheet.path(outline[1:-1], "line ask-line")
    for value in (0, top):
        at_y = base - _OPEN_HEIGHT * value / top
        line.sheet.line(line.left, at_y, line.right, at_y, "thin grid")
        line.sheet.text(line.left - 6, at_y + 4, words.number(value), "soft small", anchor="end")
    return base + 16


def _bars(line: _Line, words: Words, y: float, wide: bool) -> float:
    talks = line.story.talks
    height = 16.0 if len(talks) <= 20 else 11.0
    marks_left = _MARKS
    for talk in talks:
        y += height
        start, end = line.x(talk.opened), line.x(line.end(talk))
        room = line.left - 12
        if wide:
            line.sheet.address(line.left - 8, y - 2, talk.client, "mono small soft", room - 26, anchor="end")
            line.sheet.text(24, y - 2, words.number(talk.number), "mono small soft", anchor="end")
        else:
            line.sheet.text(line.left - 8, y - 2, words.number(talk.number), "mono small soft", anchor="end")
        tall = height - 5
        line.sheet.box(start, y - height + 3, max(end - start, 2), tall, "pale", round=2)
        for to_server, kind in ((True, "ask"), (False, "reply")):
            # The client's pieces in the upper half, the server's in the lower.
            upper = y - height + 3 + (0 if to_server else tall / 2)
            places = sorted({round(line.x(turn.time)) for turn in talk.turns if turn.to_server == to_server})
            places = places[: max(0, marks_left)]
            marks_left -= len(places)
            line.sheet.boxes(((min(x, line.right - 1.6), upper, 1.6, tall / 2) for x in places), kind)
        if talk.ending == RESET:
            line.sheet.box(min(end, line.right - 3), y - height + 2, 3, tall + 2, "broken")
    return y + 4


def _bands(line: _Line, talks: Sequence[Talk], per_band: int, y: float, words: Words) -> float:
    height = 6.0
    outer: list[tuple[float, float, float, float]] = []
    inner: list[tuple[float, float, float, float]] = []
    broken: list[tuple[float, float, float, float]] = []
    for first in range(0, len(talks), per_band):
        band = talks[first : first + per_band]
        opened = sorted(talk.opened for talk in band)
        ended = sorted(line.end(talk) for talk in band)
        if (first // per_band) % 10 == 0:
            line.sheet.text(line.left - 6, y + 7, words.number(first + 1), "mono small soft", anchor="end")
        start, end = line.x(opened[0]), line.x(ended[-1])
        outer.append((start, y, max(end - start, 1.5), height - 1))
        half = len(band) // 2
        if ended[half] > opened[half]:
            inner.append((line.x(opened[half]), y, line.x(ended[half]) - line.x(opened[half]), height - 1))
        broken += [(line.x(line.end(talk)) - 1, y, 2, height - 1) for talk in band if talk.ending == RESET][:20]
        y += height
    line.sheet.boxes(outer, "pale")
    line.sheet.boxes(inner, "ask")
    line.sheet.boxes(broken, "broken")
    return y


def _legend(sheet: Sheet, words: Words, x: float, y: float) -> None:
    x = 2.0
    for kind, name in (("ask", "to_server"), ("reply", "to_client"), ("broken", "")):
        text = words(name) if name else "RST"
        sheet.box(x, y - 9, 10, 10, kind, round=2)
        sheet.text(x + 15, y, text, "soft small")
        x += 15 + len(text) * 6.4 + 18
