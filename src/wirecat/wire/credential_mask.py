"""Credentials masked in what an HTTP client sends to a proxy, for those who only look on: logs and recordings."""

from __future__ import annotations

#: The field whose value is masked (RFC 9110 section 11.7.2). It is for the proxy alone, which does not pass it on.
NAME = b"proxy-authorization"
_MASK = bytes(byte if byte in b"\t\r :" else ord("*") for byte in range(256))


class CredentialMask:
    """Bytes in as they arrive, in pieces of any size; the same bytes out, with ``*`` for those of credentials.

    A piece keeps its length, and none is held back, so counts, offsets and times stay what they were. What follows a
    request's head is masked too where it looks like that field: a mask too many hides a line, one too few a password.

    >>> CredentialMask().feed(b"Host: x\\r\\nProxy-Authorization: Basic bWU6d29yZA==\\r\\n\\r\\n")
    b'Host: x\\r\\nProxy-Authorization: ***** ************\\r\\n\\r\\n'
    """

    __slots__ = ("_begun", "_masking")

    def __init__(self) -> None:
        self._begun: bytes | None = b""  # the part of the field's name that the present line began with; None: another
        self._masking = False

    def feed(self, data: bytes) -> bytes:
        """The next piece."""
        lowered = data.lower()
        if not self._masking and not self._begun and NAME not in lowered:
            self._follow(lowered)
            return data
        out = bytearray(data)
        place = 0
        while place < len(data):
            if self._masking:
                place = self._mask(data, out, place)
            elif self._begun is None:
                end = data.find(b"\n", place)
                place, self._begun = (len(data), None) if end < 0 else (end + 1, b"")
            else:
                piece = lowered[place : place + len(NAME) - len(self._begun)]
                if NAME.startswith(self._begun + piece):
                    self._begun += piece
                    place += len(piece)
                    self._masking = self._begun == NAME
                elif self._begun == b"" and piece[:1] == b"\n":
                    place += 1
                else:
                    self._begun = None
        return bytes(out)

    def _follow(self, lowered: bytes) -> None:
        """Remember how the last line of a piece begins in which the field does not stand."""
        _, newline, line = lowered.rpartition(b"\n")
        if newline or self._begun is not None:
            self._begun = line if NAME.startswith(line) else None

    def _mask(self, data: bytes, out: bytearray, place: int) -> int:
        """Mask to the end of the field's line, which a line that begins with a blank continues (RFC 9112 section 5.2)."""
        if self._begun == b"" and data[place] not in b" \t":
            self._masking = False
            return place
        end = data.find(b"\n", place)
        stop = len(data) if end < 0 else end
        out[place:stop] = data[place:stop].translate(_MASK)
        self._begun = NAME if end < 0 else b""
        return stop if end < 0 else stop + 1
