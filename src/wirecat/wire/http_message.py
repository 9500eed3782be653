"""The heads of HTTP/1.x messages as values: a request's and a response's, and how they are written (RFC 9112).

``wirecat.wire.http_reader`` reads them from the wire, ``wirecat.wire.http_body`` knows how long the body behind them
is, ``wirecat.wire.http_target`` what a request asks for, ``wirecat.wire.http_forwarding`` what a proxy passes on.

>>> RequestHead("GET", "/tea", Headers([("Host", "example.org")])).to_bytes()
b'GET /tea HTTP/1.1\\r\\nHost: example.org\\r\\n\\r\\n'
"""

from __future__ import annotations

from wirecat.errors import UsageError
from wirecat.wire.http_headers import Headers, is_field_value, is_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Version = tuple[int, int]

# RFC 9110 section 15, for the answers that wirecat gives itself.
REASONS = {
    100: "Continue", 200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    407: "Proxy Authentication Required", 408: "Request Timeout", 411: "Length Required", 413: "Content Too Large",
    414: "URI Too Long", 417: "Expectation Failed", 421: "Misdirected Request", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout", 505: "HTTP Version Not Supported", 508: "Loop Detected",
}  # fmt: skip


class _Head:
    """What the heads of requests and of responses have in common."""

    __slots__ = ("headers", "version")

    headers: Headers
    version: Version

    @property
    def persistent(self) -> bool:
        """Whether the sender means to keep the connection open after this message (RFC 9112 section 9.3).

        ``Connection: close`` wins; HTTP/1.1 stays open by itself, HTTP/1.0 with ``keep-alive``. A body that lasts until
        the end of the connection closes it all the same.
        """
        options = self.headers.tokens("connection")
        if "close" in options:
            return False
        return self.version >= (1, 1) or "keep-alive" in options

    def _first_line(self) -> str:
        raise NotImplementedError

    def to_bytes(self) -> bytes:
        """The head as it is sent, up to and with the empty line."""
        return self._first_line().encode("latin-1") + b"\r\n" + self.headers.to_bytes() + b"\r\n"


class RequestHead(_Head):
    """A request's method, target, version and fields. Raises UsageError for what cannot stand in a request line."""

    __slots__ = ("method", "target")

    def __init__(self, method: str, target: str, headers: Headers | None = None, version: Version = (1, 1)) -> None:
        if not is_token(method):
            raise UsageError(f"{method!r} cannot be a method")
        if not is_target(target):
            raise UsageError(f"{target!r} cannot be a request's target")
        self.method = method
        self.target = target
        self.headers = Headers() if headers is None else headers
        self.version = version

    def _first_line(self) -> str:
        return f"{self.method} {self.target} HTTP/{self.version[0]}.{self.version[1]}"

    def __repr__(self) -> str:
        return f"RequestHead({self.method!r}, {self.target!r}, {self.headers!r}, {self.version!r})"


class ResponseHead(_Head):
    """A response's status, reason, version and fields. Raises UsageError for what cannot stand in a status line.

    >>> ResponseHead(407).to_bytes()
    b'HTTP/1.1 407 Proxy Authentication Required\\r\\n\\r\\n'
    """

    __slots__ = ("reason", "status")

    def __init__(
        self, status: int, reason: str | None = None, headers: Headers | None = None, version: Version = (1, 1)
    ) -> None:
        if not 100 <= status <= 999:
            raise UsageError(f"{status} cannot be a status")
        reason = REASONS.get(status, "") if reason is None else reason
        if not is_field_value(reason):
            raise UsageError(f"{reason!r} cannot be a reason")
        self.status = status
        self.reason = reason
        self.headers = Headers() if headers is None else headers
        self.version = version

    def _first_line(self) -> str:
        return f"HTTP/{self.version[0]}.{self.version[1]} {self.status} {self.reason}"

    def __repr__(self) -> str:
        return f"ResponseHead({self.status}, {self.reason!r}, {self.headers!r}, {self.version!r})"


def response(
    status: int, fields: Iterable[tuple[str, str]] = (), body: bytes = b"", version: Version = (1, 1)
) -> bytes:
    """A whole small response of our own, with its length, after which the connection is closed.

    >>> response(400, body=b"no")
    b'HTTP/1.1 400 Bad Request\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nno'
    """
    headers = Headers([*fields, ("Content-Length", str(len(body))), ("Connection", "close")])
    return ResponseHead(status, headers=headers, version=version).to_bytes() + body


def is_target(text: str) -> bool:
    """Whether ``text`` can stand as a target in a request line: visible characters; other bytes pass as they are."""
    return bool(text) and is_field_value(text) and " " not in text and "\t" not in text
