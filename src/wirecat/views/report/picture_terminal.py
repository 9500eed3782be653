"""The windows side by side: the server's and the clients', with the author's name and the time."""

from __future__ import annotations

from wirecat.views.report.harmless import fitted, width
from wirecat.views.report.picture_sequence import WIDE, wrapped
from wirecat.views.report.sheet import MONO_CELL, Sheet
from wirecat.views.report.windows import Window, client_windows, server_window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.views.report.story import Story
    from wirecat.views.report.words import Words

_LINE = 16
_BAR = 26  # the title's
_GAP = 10
_SERVER_LINES, _CLIENT_LINES = 26, 11
_CLIENTS_WIDE, _CLIENTS_NARROW = 6, 2


def terminal_picture(story: Story, words: Words, width: int = 920) -> Sheet:
    """Wide: one or two clients beside the server, or up to 6 below it. Narrow: up to 2 clients below the server."""
    sheet = Sheet(width, words("terminal"))
    wide = width >= WIDE
    windows = client_windows(story, words, _CLIENTS_WIDE if wide else _CLIENTS_NARROW)
    server = server_window(story, words)
    stamp = words.stamp(story.started) if story.talks else ""
    # Two texts: a name that is written from right to left must not mingle with the date.
    sheet.text(2, 15, story.author or stamp, "strong ink", room=width / 2 if story.author else width - 4)
    if story.author:
        sheet.text(width - 2, 15, stamp, "ink", anchor="end", room=width / 2 - 8 if wide else width * 0.62)
    top = 26.0
    beside = wide and len(windows) <= 2
    columns = 1 if beside else 3 if wide else 1
    server_wide = (width - _GAP) / 2 if beside else float(width)
    left = server_wide + _GAP if beside else 0.0
    each = (width - left - _GAP * (columns - 1)) / columns
    rows = [windows[start : start + columns] for start in range(0, len(windows), columns)]
    tall = [_tall(row, each, _CLIENT_LINES) for row in rows]
    server_tall = _tall([server], server_wide, _SERVER_LINES if beside else _SERVER_LINES - 10)
    if beside:
        clients_tall = sum(tall) + _GAP * (len(rows) - 1)
        server_tall = max(server_tall, clients_tall)
        tall = [one * (server_tall - _GAP * (len(rows) - 1)) / max(1, sum(tall)) for one in tall]
    _draw(sheet, server, 1, top, server_wide - 2, server_tall, story.author, words)
    y = top if beside else top + server_tall + _GAP
    for row, height in zip(rows, tall, strict=True):
        for column, window in enumerate(row):
            _draw(sheet, window, left + 1 + column * (each + _GAP), y, each - 2, height, story.author, words)
        y += height + _GAP
    y = top + server_tall if beside else y - _GAP
    if len(story.talks) > len(windows):
        text = words("terminal_some", shown=len(windows), count=words.number(len(story.talks)))
    else:
        text = words("terminal_all")
    y += 6
    sheet.height = sheet.caption(y, wrapped(text, width)) + 8
    return sheet


def _tall(windows: Sequence[Window], pixels: float, most: int) -> float:
    """How tall windows that stand beside each other are, for at most so many lines."""
    lines = max((_lines(window, pixels) for window in windows), default=0)
    return _BAR + max(2, min(most, lines)) * _LINE + 12.0


def _lines(window: Window, pixels: float) -> int:
    """Lines that a window would show, long ones folded."""
    cells = _cells(pixels)
    return sum(len(_folded(text, cells)) for _, text in _content(window))


def _cells(pixels: float) -> int:
    return max(10, int((pixels - 18) / MONO_CELL))


def _content(window: Window) -> list[tuple[str, str]]:
    return [("typed", f"$ {window.command}"), *window.lines] if window.command else window.lines


def _folded(text: str, cells: int) -> list[str]:
    """A line as a terminal folds it, at most three times."""
    lines: list[str] = []
    while text and len(lines) < 3:
        if width(text) <= cells:
            return [*lines, text]
        if len(lines) == 2:
            return [*lines, fitted(text, cells)]
        cut = min(len(text), cells)
        while width(text[:cut]) > cells:
            cut -= 1
        lines.append(text[: max(1, cut)])
        text = text[max(1, cut) :]
    return lines or [""]


def _draw(
    sheet: Sheet, window: Window, x: float, y: float, wide: float, tall: float, author: str, words: Words
) -> None:
    sheet.box(x, y, wide, tall, "window", round=7)
    for number in range(3):
        sheet.box(x + 10 + number * 13, y + 9, 8, 8, "dim", round=4)
    title = f"{window.title} · {author}" if author else window.title
    sheet.text(x + 54, y + 17, title, "small dim", room=wide - 60)
    cells = _cells(wide)
    lines = [(kind, part) for kind, text in _content(window) for part in _folded(text, cells)]
    room = max(2, int((tall - _BAR - 8) / _LINE))
    if window.above or len(lines) > room:  # as a terminal shows them: the last ones; the first tells what is above
        kept = lines[len(lines) - min(len(lines), room - 1) :]
        lines = [("dim", words.count("more_lines", window.above + len(lines) - len(kept))), *kept]
    for number, (kind, text) in enumerate(lines):
        sheet.text(x + 9, y + _BAR + 14 + number * _LINE, text, f"mono {kind}", room=wide - 14)
