"""Bytes from a peer made safe for a terminal.

A terminal obeys escape sequences: printed raw, a peer's bytes can rewrite the screen, change the title or type
commands. So control characters (C0, DEL, C1), invalid UTF-8 and the characters that reorder text (Unicode TR 9) are
shown as escapes. Only line feed and tab stay; a CR stays where it is half of a CRLF.
"""

from __future__ import annotations

# Unicode's format characters (category Cf), which are invisible or reorder what stands around them: soft hyphen, zero
# width, marks, embeddings, isolates, byte order mark, interlinear annotation, tags, the signs of some scripts; and the
# line and paragraph separators.
_INVISIBLE = (
    (0xAD, 0xAD), (0x600, 0x605), (0x61C, 0x61C), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2),
    (0x180E, 0x180E), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB),
    (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
    (0xE0000, 0xE007F),
)  # fmt: skip
_KEPT = "\n\t"


def _escapes() -> dict[int, str]:
    table = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0)) if chr(code) not in _KEPT}
    table.update({code: f"\\x{code - 0xDC00:02x}" for code in range(0xDC80, 0xDD00)})  # surrogateescape's bytes
    for first, last in _INVISIBLE:
        for code in range(first, last + 1):
            table[code] = f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return table


_ESCAPES = _escapes()


class Printable:
    """Makes pieces of a stream printable; a character that is split between two pieces is put together again.

    >>> Printable().feed(b"caf\\xc3") + Printable().feed(b"\\x1b[2J")
    'caf\\\\x1b[2J'
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b""

    def feed(self, data: bytes) -> str:
        """The next piece as text that a terminal may have."""
        data = self._tail + data
        keep = _incomplete(data)
        self._tail = data[len(data) - keep :]
        if not keep and data[-1:] == b"\r":  # perhaps half of a CRLF
            self._tail = b"\r"
            keep = 1
        return self._show(data[: len(data) - keep])

    def finish(self) -> str:
        """What was held back, at the end of the stream or when nothing more has come for a while."""
        tail, self._tail = self._tail, b""
        return self._show(tail)

    def _show(self, data: bytes) -> str:
        text = data.decode("utf-8", "surrogateescape")
        if text.isprintable():
            # isprintable() is false for all that is escaped here, and far faster than looking at each character.
            return text
        return text.replace("\r\n", "\n").translate(_ESCAPES)


def printable(data: bytes | str) -> str:
    """One whole text made printable, on one line (line feeds and tabs are escaped as well).

    >>> printable(b"hi\\n")
    'hi\\\\n'
    """
    text = data.decode("utf-8", "surrogateescape") if isinstance(data, bytes) else data
    if text.isprintable():
        return text
    text = text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    text = text.translate(_ESCAPES)
    # What is left of lone surrogates cannot be printed either; only a str of the program's own can hold one.
    return text.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(data, str) else text


def _incomplete(data: bytes) -> int:
    """How many bytes at the end are the beginning of a UTF-8 character whose rest has not come (RFC 3629 section 3)."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:  # a continuation byte: look further back for the first
            continue
        needed = 2 if 0xC2 <= byte <= 0xDF else 3 if byte & 0xF0 == 0xE0 else 4 if 0xF0 <= byte <= 0xF4 else 1
        return back if needed > back else 0
    return 0
