"""How long an HTTP message's body is, and its bytes without the framing (RFC 9112 sections 6 and 7).

Two programs that disagree about where a body ends can be made to read one request as two. So what may be read in two
ways is refused: two lengths that differ, a length beside chunks in a request, a coding that is not known here.

>>> body = ChunkedBody()
>>> body.receive(b"5\\r\\nHello\\r\\n0\\r\\n\\r\\nGET /"), body.done, body.rest
(b'Hello', True, b'GET /')
"""

from __future__ import annotations

from wirecat.errors import HttpError, LineTooLong
from wirecat.wire.framing import ReceiveBuffer
from wirecat.wire.http_reader import FieldReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.wire.http_headers import Headers
    from wirecat.wire.http_message import RequestHead, ResponseHead

_HEX = frozenset(b"0123456789abcdefABCDEF")
_MOST_SIZE_DIGITS = 15  # 1 EiB - 1; it fits the 63 bits of whoever reads it next
_MOST_LENGTH_DIGITS = 18
_LONGEST_SIZE_LINE = 4096  # with its extensions
_MOST_EXTENSION_BYTES = 65536  # in one body (RFC 9112 section 7.1.1: limit their total)

LAST_CHUNK = b"0\r\n\r\n"


class Body:
    """The body of one message. ``length`` is how many bytes it has, or None where only its end will tell.

    ``done``: it is complete; ``rest`` are the bytes after it, the beginning of the next message.
    """

    __slots__ = ("_rest", "done", "length", "status")

    def __init__(self, length: int | None, status: int) -> None:
        """``status`` is that of the HttpError for a malformed body: 400 in a request, 502 in a response."""
        self.length = length
        self.status = status
        self.done = False
        self._rest = bytearray()

    @property
    def rest(self) -> bytes:
        """What came after the body; empty before it is done."""
        return bytes(self._rest)

    def receive(self, data: bytes) -> bytes:
        """Take in a piece; gives the content in it. Pieces that come after the end go to ``rest``."""
        raise NotImplementedError

    def receive_end(self) -> None:
        """The connection has ended. Raises HttpError if the body is not complete."""
        if not self.done:
            raise HttpError("the connection ended in the middle of a body", status=self.status)


class LengthBody(Body):
    """A body of a known number of bytes, 0 included."""

    __slots__ = ("_missing",)

    def __init__(self, length: int, status: int = 400) -> None:
        super().__init__(length, status)
        self._missing = length
        self.done = length == 0

    def receive(self, data: bytes) -> bytes:
        """As in Body."""
        content = data[: self._missing]
        self._rest += data[self._missing :]
        self._missing -= len(content)
        self.done = self._missing == 0
        return content


class UntilEndBody(Body):
    """A body that lasts until the connection ends: only in responses. A cut connection cannot be told from its end."""

    __slots__ = ()

    def __init__(self, status: int = 502) -> None:
        super().__init__(None, status)

    def receive(self, data: bytes) -> bytes:
        """As in Body: everything is content."""
        return data

    def receive_end(self) -> None:
        """This is how it ends."""
        self.done = True


class ChunkedBody(Body):
    """A body in chunks (RFC 9112 section 7.1). ``trailers`` are the fields after the last chunk, once they have come.

    Extensions are dropped. Sizes have at most 15 hex digits, their lines 4 KiB, all extensions and the trailer 64 KiB.
    """

    __slots__ = ("_buffer", "_extension_bytes", "_failure", "_field_reader", "_missing", "_step", "trailers")

    def __init__(self, status: int = 400) -> None:
        super().__init__(None, status)
        self._buffer = ReceiveBuffer()
        self._failure: HttpError | None = None
        self._field_reader = FieldReader(too_large=431 if status == 400 else status)
        self._missing = 0
        self._extension_bytes = 0
        self._step = self._read_size
        self.trailers: Headers | None = None

    def receive(self, data: bytes) -> bytes:
        """As in Body. Raises HttpError for malformed chunks, and the same one at each later call."""
        if self.done:
            self._rest += data
            return b""
        if self._failure is not None:
            raise self._failure
        self._buffer.feed(data)
        content = bytearray()
        try:
            while not self.done and self._step(content):
                pass
        except HttpError as error:
            status = error.status if self.status == 400 else self.status
            self._failure = HttpError(error.message, status=status)
            raise self._failure from None
        if self.done:
            self._rest += self._buffer.take(len(self._buffer))
        return bytes(content)

    # Each step takes what it can from the buffer, and tells whether it went on to the next one.

    def _read_size(self, content: bytearray) -> bool:
        try:
            line = self._buffer.take_line(_LONGEST_SIZE_LINE)
        except LineTooLong:
            raise HttpError("the line of a chunk's size is too long") from None
        if line is None:
            return False
        if not line.endswith(b"\r\n"):
            raise HttpError("the line of a chunk's size does not end in CRLF")
        self._missing = self._parse_size(line[:-2])
        self._step = self._read_data if self._missing else self._read_trailers
        return True

    def _parse_size(self, line: bytes) -> int:
        digits, _, extension = line.partition(b";")
        if extension or b";" in line:
            digits = digits.rstrip(b" \t")
            self._extension_bytes += len(line) - len(digits)
            if self._extension_bytes > _MOST_EXTENSION_BYTES:
                raise HttpError("too many chunk extensions")
            if any((byte < 0x20 and byte != 0x09) or byte == 0x7F for byte in extension):
                raise HttpError("a control character in a chunk extension")
        if not digits or not _HEX.issuperset(digits):
            raise HttpError("a chunk's size is no hexadecimal number")
        if len(digits) > _MOST_SIZE_DIGITS:
            raise HttpError("a chunk's size has too many digits")
        return int(digits, 16)

    def _read_data(self, content: bytearray) -> bool:
        taken = self._buffer.take(self._missing)
        content += taken
        self._missing -= len(taken)
        if self._missing:
            return False
        self._step = self._read_chunk_end
        return True

    def _read_chunk_end(self, content: bytearray) -> bool:
        end = self._buffer.peek(2)
        if not b"\r\n".startswith(end):
            raise HttpError("a chunk is longer than its size")
        if len(end) < 2:
            return False
        self._buffer.take(2)
        self._step = self._read_size
        return True

    def _read_trailers(self, content: bytearray) -> bool:
        self.trailers = self._field_reader.read(self._buffer)
        self.done = self.trailers is not None
        return self.done


def encode_chunk(data: bytes) -> bytes:
    """``data`` as one chunk; nothing for no data, because an empty chunk would end the body (that is LAST_CHUNK).

    >>> encode_chunk(b"Hello")
    b'5\\r\\nHello\\r\\n'
    """
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def content_length(headers: Headers) -> int | None:
    """The number in Content-Length, or None without one.

    The same number several times is one (RFC 9112 section 6.3). Raises HttpError: 400 for numbers that differ and for
    what is none, 413 for more than 18 digits.
    """
    values = [part.strip(" \t") for value in headers.get_all("content-length") for part in value.split(",")]
    if not values:
        return None
    digits = values[0]
    if not (digits.isascii() and digits.isdigit()):
        raise HttpError("Content-Length is no number")
    if any(other != digits for other in values):
        raise HttpError("more than one Content-Length, and they differ")
    if len(digits) > _MOST_LENGTH_DIGITS:
        raise HttpError("Content-Length is too large", status=413)
    return int(digits)


def request_body(head: RequestHead) -> Body:
    """The body that follows a request's head (RFC 9112 section 6.3); without framing it is empty.

    Raises HttpError: 400 where its end could be read in two ways, 501 for a transfer coding other than chunked.
    """
    if "transfer-encoding" not in head.headers:
        return LengthBody(content_length(head.headers) or 0)
    codings = head.headers.tokens("transfer-encoding")
    if head.version < (1, 1):
        raise HttpError("HTTP/1.0 has no Transfer-Encoding")
    if "content-length" in head.headers:
        raise HttpError("both Transfer-Encoding and Content-Length")
    if codings.count("chunked") != 1 or codings[-1] != "chunked":
        raise HttpError("a Transfer-Encoding that does not end in chunked")
    if len(codings) > 1:
        raise HttpError(f"the transfer coding {codings[0]!r} is not known here", status=501)
    return ChunkedBody()


def response_body(head: ResponseHead, method: str) -> Body:
    """The body that follows the head of the response to a request of ``method`` (RFC 9112 section 6.3).

    None, whatever the fields say, after HEAD, 1xx, 204 and 304; after a CONNECT that succeeded comes the tunnel. Chunks
    win over a length, which whoever passes the response on must drop. Raises HttpError (502) for framing that is wrong.
    """
    if method == "CONNECT" and 200 <= head.status < 300:
        return UntilEndBody()
    if method == "HEAD" or head.status < 200 or head.status in (204, 304):
        return LengthBody(0, 502)
    if "transfer-encoding" in head.headers:
        if head.version < (1, 1) or head.headers.tokens("transfer-encoding") != ["chunked"]:
            raise HttpError("a Transfer-Encoding from the server that is not known here", status=502)
        return ChunkedBody(502)
    try:
        length = content_length(head.headers)
    except HttpError as error:
        raise HttpError(f"{error.message}, from the server", status=502) from None
    return UntilEndBody() if length is None else LengthBody(length, 502)
