"""A peer's bytes as text that is safe in HTML, in SVG and on paper, and how wide it is.

Beyond what a terminal must not get (``wire.printable``), XML has characters that it forbids (U+FFFE, U+FFFF: XML 1.0
section 2.2), letters may carry any number of accents that paint over their neighbours, and right-to-left letters
reorder what stands beside them: the last are harmless only in an element of their own, see ``sheet`` and ``style``.
"""

from __future__ import annotations

import unicodedata

from wirecat.wire.printable import printable

_MOST_ACCENTS = 2


def harmless(data: bytes | str, cells: int | None = None) -> str:
    """One line of text: control and format characters, what is no UTF-8 and what fonts cannot show become escapes.

    ``cells`` is how many columns it may take; what is cut off is shown by an ellipsis.

    >>> harmless(b"Hi\\x1b[2J<b>\\n", 9)
    'Hi\\\\x1b[2…'
    """
    if cells is not None:
        # A character takes at least half a cell here, and at most 4 bytes: no need to look at megabytes of it.
        data = data[: cells * 12 + 12]
    text = printable(data)
    if not text.isascii():
        text = _tamed(text)
    return text if cells is None else fitted(text, cells)


def fitted(text: str, cells: int) -> str:
    """``text`` cut to so many columns, with an ellipsis where it was cut."""
    if len(text) <= cells and text.isascii():
        return text
    if width(text) <= cells:
        return text
    used = 0
    for place, character in enumerate(text):
        used += _cells(character)
        if used > cells - 1:
            return text[:place] + "…"
    return text


def shortened(text: str, cells: int) -> str:
    """``text`` cut in its middle to so many columns: an address keeps its port.

    >>> shortened("[2001:db8:1234:5678::1]:50000", 15)
    '[2001:d…]:50000'
    """
    if width(text) <= cells:
        return text
    tail = ""
    for character in reversed(text):
        if width(tail) + _cells(character) > cells // 2:
            break
        tail = character + tail
    return fitted(text, cells - width(tail)) + tail


def width(text: str) -> int:
    """Columns that the text takes in a terminal or a monospaced font: wide characters take two, accents none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if character < "\u0300":
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _tamed(text: str) -> str:
    pieces = []
    accents = 0
    for character in text:
        accents = accents + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if accents > _MOST_ACCENTS or not character.isprintable():
            code = ord(character)
            pieces.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
        else:
            pieces.append(character)
    return "".join(pieces)
