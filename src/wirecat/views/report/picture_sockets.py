"""The socket table as a picture: the listening sockets first, then as many others as a page has room for."""

from __future__ import annotations

from wirecat.views.report.picture_sequence import WIDE, wrapped
from wirecat.views.report.sheet import MONO_CELL, Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wirecat.views.report.story import SocketLine, SocketTable, Story
    from wirecat.views.report.words import Words

SHOWN = 24
_ROW = 19


def fullest(story: Story) -> SocketTable | None:
    """The table with the most sockets: that of the moment when most was going on. None where none was taken."""
    return max(story.tables, key=lambda table: len(table.rows), default=None)


def in_order(rows: Sequence[SocketLine]) -> list[SocketLine]:
    """Listening sockets first; everything else as it stood in the table."""
    return sorted(rows, key=lambda row: row.state != "LISTEN")


def states(rows: Sequence[SocketLine]) -> list[tuple[str, str, int]]:
    """How many sockets are in each state: protocol, state, count; the most frequent first."""
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        counts[row.protocol, row.state] = counts.get((row.protocol, row.state), 0) + 1
    return [(*key, count) for key, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]


def sockets_picture(story: Story, words: Words, width: int = 920) -> Sheet:
    """The table with the most sockets, at most ``SHOWN`` rows of it, and how many there are of each state."""
    sheet = Sheet(width, words("sockets"))
    table = fullest(story)
    if table is None:
        sheet.text(width / 2, 30, words("no_sockets"), "soft", anchor="middle", room=width - 4)
        sheet.height = 50
        return sheet
    rows = in_order(table.rows)[:SHOWN]
    y = _wide(sheet, rows, words) if width >= WIDE else _narrow(sheet, rows)
    if len(table.rows) > len(rows):
        y += 20
        for protocol, state, count in states(table.rows)[:6]:
            sheet.text(8, y, f"{words.number(count):>7}  {protocol:4} {state}", "mono strong ink", room=width - 10)
            y += 17
        text = words("sockets_some", rows=words.number(len(table.rows)), clock=words.clock(table.time), shown=len(rows))
    else:
        text = words("sockets_caption", rows=words.number(len(table.rows)), clock=words.clock(table.time))
    y += 6
    sheet.height = sheet.caption(y, wrapped(text, width)) + 8
    return sheet


def _wide(sheet: Sheet, rows: Sequence[SocketLine], words: Words) -> float:
    room = sheet.width - 16
    columns = [(0.0, "protocol"), (0.09, "local"), (0.37, "remote"), (0.65, "state"), (0.79, "process")]
    y = 16.0
    for place, name in columns:
        sheet.text(8 + room * place, y, words(name), "small strong soft")
    y += 8
    for number, row in enumerate(rows):
        if number % 2 == 0:
            sheet.box(0, y, sheet.width, _ROW, "panel")
        ends = [place for place, _ in columns[1:]] + [1.0]
        for (place, name), end in zip(columns, ends, strict=True):
            kind = "mono reply" if name == "state" and row.state == "LISTEN" else "mono ink"
            # Cut in the middle: of an address the port is seen, of a process the end of its name.
            sheet.address(8 + room * place, y + 14, getattr(row, name), kind, room * (end - place) - MONO_CELL)
        y += _ROW
    return y


def _narrow(sheet: Sheet, rows: Sequence[SocketLine]) -> float:
    y = 4.0
    for number, row in enumerate(rows):
        if number % 2 == 0:
            sheet.box(0, y, sheet.width, 2 * _ROW, "panel")
        kind = "mono reply" if row.state == "LISTEN" else "mono ink"
        sheet.text(6, y + 14, f"{row.protocol:4} {row.state}", kind, room=sheet.width * 0.5)
        sheet.text(sheet.width - 6, y + 14, row.process, "mono soft", anchor="end", room=sheet.width * 0.4)
        half = sheet.width / 2 - 14
        sheet.address(6, y + 31, row.local, "mono small ink", half)
        sheet.text(sheet.width / 2, y + 31, "→", "mono small soft", anchor="middle")
        sheet.address(sheet.width / 2 + 10, y + 31, row.remote, "mono small ink", half)
        y += 2 * _ROW
    return y
