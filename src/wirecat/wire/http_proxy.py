"""A client's way through an HTTP proxy: CONNECT, without I/O (RFC 9110 sections 9.3.6 and 11.7).

The request is the short one of HTTP/1.0 that every proxy knows. After 407 the client answers the best challenge, Digest
before Basic; where the proxy does not say that the connection stays, it asks for a new one (``reconnect``), because
most close it, and not all of them say so.

>>> handshake = ConnectClient("example.org", 443)
>>> handshake.start()
b'CONNECT example.org:443 HTTP/1.0\\r\\n\\r\\n'
>>> handshake.receive(b"HTTP/1.1 200 Connection established\\r\\n\\r\\nHello"), handshake.done, handshake.rest
(None, True, b'Hello')
"""

from __future__ import annotations

from wirecat.errors import HttpError
from wirecat.wire.basic import basic_credentials
from wirecat.wire.digest import DigestClient
from wirecat.wire.handshake import CREDENTIALS_HINT, Handshake
from wirecat.wire.http_body import UntilEndBody, response_body
from wirecat.wire.http_challenge import parse_challenges
from wirecat.wire.http_headers import Headers
from wirecat.wire.http_message import RequestHead
from wirecat.wire.http_reader import ResponseReader
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.errors import ProxyError
    from wirecat.wire.http_body import Body
    from wirecat.wire.http_challenge import Challenge
    from wirecat.wire.http_message import ResponseHead

_LONGEST_BODY = 65536  # of a 407; behind a longer one a new connection is cheaper
_MOST_INTERIM = 8  # responses of 1xx before the one that counts
_LONGEST_REASON = 80  # characters of the proxy's own words in a message


class ConnectClient(Handshake):
    """Asks an HTTP proxy for a tunnel, with a user name and password where the proxy wants them.

    ``auth`` is sent only once the proxy has asked for it, by Digest where it can be. Raises UsageError for a user name
    that neither Basic nor Digest can have. ``bound`` stays None: HTTP does not tell it.
    """

    __slots__ = ("_answer", "_auth", "_body", "_body_bytes", "_digest", "_interim", "_on_old", "_reader", "_tries")

    def __init__(self, host: str, port: int, auth: tuple[str, str] | None = None) -> None:
        super().__init__(host, port)
        self._auth = auth
        self._digest: DigestClient | None = None
        if auth is not None:
            basic_credentials(*auth)  # what it refuses, it refuses now, and not in the middle of a handshake
            self._digest = DigestClient(*auth)
        self._answer: str | None = None  # the value of Proxy-Authorization
        self._tries = 0  # how often credentials were sent
        self._expect(on_old=False)

    def start(self) -> bytes:
        """The request. Call it again on a new connection when ``reconnect`` is true; credentials are in it then."""
        self._reset(self._read_head)
        self._expect(on_old=False)
        return self._request()

    def receive_end(self) -> None:
        """As in Handshake; a proxy that closes an old connection without a word is to be asked on a new one."""
        if self._on_old and not self._reader.begun and not self.done:
            self.reconnect = True
        elif self._body is not None and not self.done:
            self.reconnect = True  # the body of the 407 is of no interest
        super().receive_end()

    def _request(self) -> bytes:
        headers = Headers()
        if self._answer is not None:
            headers.add("Proxy-Authorization", self._answer)
        return RequestHead("CONNECT", self.target, headers, version=(1, 0)).to_bytes()

    def _expect(self, *, on_old: bool) -> None:
        """A response comes next: to the first request of a connection, or to a later one (``on_old``)."""
        self._reader = ResponseReader()
        self._body: Body | None = None  # of a 407, while it is read
        self._body_bytes = 0
        self._interim = 0
        self._on_old = on_old
        self._step = self._read_head

    def _read_head(self) -> bytes | None:
        try:
            head = self._reader.receive(self._buffer.take(len(self._buffer)))
        except HttpError as error:
            message = f"what answers is no HTTP proxy, or its answer is malformed: {error.message}"
            raise self._failed(message, kind="malformed") from None
        if head is None:
            return None
        self._buffer.feed(self._reader.rest)
        if 200 <= head.status < 300:
            self.done = True
            return b""
        if head.status < 200 and head.status != 101:
            self._interim += 1
            if self._interim > _MOST_INTERIM:
                raise self._failed("the proxy does not come to the point", kind="malformed", status=head.status)
            self._reader = ResponseReader()
            return b""
        if head.status != 407:
            raise self._failed(f"the proxy answered {_status_line(head)}", kind="refused", status=head.status)
        return self._take_challenges(head)

    def _take_challenges(self, head: ResponseHead) -> bytes:
        if self._auth is None or self._digest is None:
            raise self._failed(
                "the proxy wants a user name and password", kind="credentials", status=407, hint=CREDENTIALS_HINT
            )
        try:
            challenges = parse_challenges(head.headers.get_all("proxy-authenticate"))
        except HttpError as error:
            raise self._failed(f"the proxy sent {error.message}", kind="malformed", status=407) from None
        digest = self._digest.choose(challenges)
        if self._tries and not (self._tries == 1 and digest is not None and _is_stale(digest)):
            raise self._failed("the proxy refused the user name or password", kind="credentials", status=407)
        self._tries += 1
        if digest is not None:
            self._answer = self._digest.answer(digest, "CONNECT", self.target)
        elif any(each.scheme == "basic" for each in challenges):
            self._answer = basic_credentials(*self._auth)
        else:
            raise self._unknown(challenges)
        self._begin_body(head)
        return b""

    def _begin_body(self, head: ResponseHead) -> None:
        """Go on behind the 407's body where the proxy says that the connection stays; else on a new connection."""
        options = {*head.headers.tokens("connection"), *head.headers.tokens("proxy-connection")}
        if "keep-alive" not in options or "close" in options:
            self.reconnect = True
            return
        try:
            body = response_body(head, "CONNECT")
        except HttpError:
            self.reconnect = True
            return
        if isinstance(body, UntilEndBody) or (body.length or 0) > _LONGEST_BODY:
            self.reconnect = True
            return
        self._body = body
        self._body_bytes = 0
        self._step = self._skip_body

    def _skip_body(self) -> bytes | None:
        body = self._body
        if body is None:
            return None
        data = self._buffer.take(len(self._buffer))
        self._body_bytes += len(data)
        try:
            body.receive(data)
        except HttpError:
            self.reconnect = True
            return b""
        self._body_bytes -= len(body.rest)
        if self._body_bytes > _LONGEST_BODY:
            self.reconnect = True
            return b""
        if not body.done:
            return None
        self._buffer.feed(body.rest)
        self._expect(on_old=True)
        return self._request()

    def _unknown(self, challenges: list[Challenge]) -> ProxyError:
        schemes = ", ".join(dict.fromkeys(printable(each.scheme) for each in challenges))[:_LONGEST_REASON]
        what = f"the proxy wants {schemes}" if schemes else "the proxy does not say how to authenticate"
        return self._failed(f"{what}; known here are Basic and Digest", kind="method", status=407)


def _is_stale(challenge: Challenge) -> bool:
    return (challenge.get("stale") or "").lower() == "true"


def _status_line(head: ResponseHead) -> str:
    return f"{head.status} {printable(head.reason.encode('latin-1'))[:_LONGEST_REASON]}".rstrip()
