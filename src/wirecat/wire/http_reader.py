"""Reads the heads of HTTP/1.x requests and responses from the wire, strictly and within limits (RFC 9112).

A reader takes a message's first line and its fields, and leaves what follows alone; ``wirecat.wire.http_body`` says how
long the body is. Strict means: what two programs could read differently is refused (RFC 9112 section 11.2), but for two
habits that the RFC lets a reader have: a line may end in a bare LF (section 2.2), so that a person can type a request,
and a folded line (section 5.2) becomes one line before anybody looks at its value.

>>> reader = RequestReader()
>>> head = reader.receive(b"GET /tea HTTP/1.1\\r\\nHost: example.org\\r\\n\\r\\nbody")
>>> head.method, head.target, head.version, head.headers.get("host"), reader.rest
('GET', '/tea', (1, 1), 'example.org', b'body')
"""

from __future__ import annotations

from wirecat.errors import HttpError, LineTooLong
from wirecat.wire.framing import ReceiveBuffer, split_ending
from wirecat.wire.http_headers import Headers, is_field_value, is_token
from wirecat.wire.http_message import RequestHead, ResponseHead, is_target

LONGEST_FIRST_LINE = 8192  # bytes; RFC 9112 section 3 recommends to take at least 8000
MOST_FIELD_BYTES = 65536  # all header lines together, their ends included
MOST_FIELDS = 100  # header lines, folded ones counted each
_MOST_EMPTY_LINES = 8  # before a request; RFC 9112 section 2.2 speaks of one


class FieldReader:
    """Reads header lines up to the empty line that ends them: those of a head, or the trailer of a chunked body.

    It takes whole lines from a buffer that others read too, so that nothing behind the fields is touched.
    """

    __slots__ = ("_bytes", "_fields", "_lines", "_strips_names", "_too_large")

    def __init__(self, too_large: int = 431, strips_names: bool = False) -> None:
        """``too_large`` is the status for more than 100 lines or 64 KiB of them.

        ``strips_names`` takes out spaces between a name and its colon, as a proxy must in a response; in a request they
        are an error (RFC 9112 section 5.1).
        """
        self._fields: list[tuple[str, str]] = []
        self._bytes = 0
        self._lines = 0
        self._too_large = too_large
        self._strips_names = strips_names

    def read(self, buffer: ReceiveBuffer) -> Headers | None:
        """The fields, once their end is in the buffer; None while it is not. Raises HttpError."""
        while (line := self._take_line(buffer)) is not None:
            if not line:
                return Headers(self._fields)
            self._read_line(line)
        return None

    def _take_line(self, buffer: ReceiveBuffer) -> str | None:
        try:
            line = buffer.take_line(MOST_FIELD_BYTES - self._bytes)
        except LineTooLong:
            raise HttpError("the header fields are too large", status=self._too_large) from None
        if line is None:
            return None
        self._bytes = min(self._bytes + len(line), MOST_FIELD_BYTES)
        return split_ending(line)[0].decode("latin-1")

    def _read_line(self, line: str) -> None:
        self._lines += 1
        if self._lines > MOST_FIELDS:
            raise HttpError(f"more than {MOST_FIELDS} header lines", status=self._too_large)
        if not is_field_value(line):
            raise HttpError("a control character in a header line")
        if line[0] in " \t":
            if not self._fields:
                raise HttpError("a space before the first header field")
            name, value = self._fields[-1]
            # RFC 9112 section 5.2: a fold becomes a space before the value is read or passed on.
            folded = line.strip(" \t")
            self._fields[-1] = (name, f"{value} {folded}" if value and folded else value or folded)
            return
        name, colon, value = line.partition(":")
        if self._strips_names:
            name = name.rstrip(" \t")
        if not (colon and is_token(name)):
            raise HttpError("a header line that is no field")
        self._fields.append((name, value.strip(" \t")))


class _HeadReader:
    """Reads one head from pieces; how they are cut makes no difference. What is kept is bounded by the limits above."""

    __slots__ = ("_buffer", "_failure", "_field_reader", "_first_line_read", "_whole")

    def __init__(self, field_reader: FieldReader) -> None:
        self._buffer = ReceiveBuffer()
        self._field_reader = field_reader
        self._first_line_read = False
        self._whole = False
        self._failure: HttpError | None = None

    @property
    def begun(self) -> bool:
        """Whether anything of a head has come: a connection that ends before that has ended in an orderly way."""
        return self._first_line_read or len(self._buffer) > 0

    @property
    def rest(self) -> bytes:
        """What followed the head, once it is whole: the beginning of the body, or of the next message."""
        return self._buffer.peek(len(self._buffer)) if self._whole else b""

    def receive_end(self) -> None:
        """The connection has ended. Raises HttpError where it did so in the middle of a head."""
        if self.begun and not self._whole:
            raise self._wrong("the connection ended in the middle of a head")

    def _read(self, data: bytes) -> bool:
        """Take in a piece; whether the head is whole."""
        if self._failure is not None:
            raise self._failure
        self._buffer.feed(data)
        try:
            while not self._first_line_read:
                self._look_at_beginning(self._buffer.peek(5))
                line = self._take_line()
                if line is None:
                    return False
                self._first_line_read = self._read_first_line(line)
            if not self._whole:
                headers = self._field_reader.read(self._buffer)
                if headers is not None:
                    self._finish(headers)
                    self._whole = True
        except HttpError as error:
            # What comes after a head that was refused is not read as if nothing had been.
            self._failure = self._translate(error)
            raise self._failure from None
        return self._whole

    def _take_line(self) -> str | None:
        try:
            line = self._buffer.take_line(LONGEST_FIRST_LINE)
        except LineTooLong:
            raise HttpError("the first line is too long", status=414) from None
        return None if line is None else split_ending(line)[0].decode("latin-1")

    def _look_at_beginning(self, start: bytes) -> None:
        """Refuse by its first bytes what is no HTTP, rather than wait for the end of its line."""
        raise NotImplementedError

    def _read_first_line(self, line: str) -> bool:
        """Take the first line; False where it was an empty line before it."""
        raise NotImplementedError

    def _finish(self, headers: Headers) -> None:
        """The fields have come."""
        raise NotImplementedError

    def _translate(self, error: HttpError) -> HttpError:
        """The error with the status that this side answers."""
        return error

    def _wrong(self, message: str) -> HttpError:
        return self._translate(HttpError(message))


class RequestReader(_HeadReader):
    """Reads the head of one request.

    Raises HttpError with the status to answer: 400 malformed, 414 the first line has more than 8 KiB, 431 more than 100
    header lines or 64 KiB of them, 505 not HTTP/1. With ``any_version`` a request without a version, or of another major
    version, is taken for one of HTTP/1.0.
    """

    __slots__ = ("_any_version", "_empty_lines", "_head")

    def __init__(self, *, any_version: bool = False) -> None:
        super().__init__(FieldReader())
        self._any_version = any_version
        self._head: RequestHead | None = None
        self._empty_lines = 0

    def receive(self, data: bytes) -> RequestHead | None:
        """Take in a piece; the head, once it is whole. Later pieces go to ``rest``."""
        return self._head if self._read(data) else None

    def _look_at_beginning(self, start: bytes) -> None:
        first = start[:1]
        if first and first not in (b"\r", b"\n") and not is_token(first.decode("latin-1")):
            raise HttpError("no HTTP request")

    def _read_first_line(self, line: str) -> bool:
        if not line:
            self._empty_lines += 1
            if self._empty_lines > _MOST_EMPTY_LINES:
                raise HttpError("no request line")
            return False
        parts = line.split(" ")
        if self._any_version and len(parts) == 2:
            parts.append("HTTP/1.0")
        if len(parts) != 3:
            raise HttpError("no request line of method, target and version")
        method, target, version = parts
        if not (is_token(method) and is_target(target)):
            raise HttpError("a malformed request line")
        number = _version(version)
        if number[0] != 1 and self._any_version:
            number = (1, 0)
        if number[0] != 1:
            raise HttpError(f"HTTP/{number[0]} is not spoken here", status=505)
        self._head = RequestHead(method, target, version=number)
        return True

    def _finish(self, headers: Headers) -> None:
        headers.single("Host")  # two of them are two targets to two readers (RFC 9112 section 3.2)
        if self._head is not None:
            self._head.headers = headers


class ResponseReader(_HeadReader):
    """Reads the head of one response. Raises HttpError, always with 502: it is the server behind that went wrong."""

    __slots__ = ("_head",)

    def __init__(self) -> None:
        super().__init__(FieldReader(strips_names=True))
        self._head: ResponseHead | None = None

    def receive(self, data: bytes) -> ResponseHead | None:
        """Take in a piece; the head, once it is whole. Later pieces go to ``rest``."""
        return self._head if self._read(data) else None

    def _look_at_beginning(self, start: bytes) -> None:
        if not b"HTTP/".startswith(start):
            raise HttpError("no HTTP response")

    def _read_first_line(self, line: str) -> bool:
        version, _, rest = line.partition(" ")
        status, _, reason = rest.partition(" ")
        number = _version(version)
        if number[0] != 1:
            raise HttpError(f"a response in HTTP/{number[0]}")
        if not (len(status) == 3 and status.isascii() and status.isdigit() and status[0] != "0"):
            raise HttpError("no status in the first line")
        if not is_field_value(reason):
            raise HttpError("a control character in the first line")
        self._head = ResponseHead(int(status), reason, version=number)
        return True

    def _finish(self, headers: Headers) -> None:
        if self._head is not None:
            self._head.headers = headers

    def _translate(self, error: HttpError) -> HttpError:
        return HttpError(f"{error.message}, from the server", status=502)


def _version(text: str) -> tuple[int, int]:
    """The numbers of an HTTP version (RFC 9112 section 2.3), which have one digit each."""
    digits = text[5:6] + text[7:]
    if not (
        text.startswith("HTTP/") and text[6:7] == "." and digits.isascii() and digits.isdigit() and len(digits) == 2
    ):
        raise HttpError("no HTTP version in the first line")
    return int(digits[0]), int(digits[1])
