"""An HTTP proxy (RFC 9110 section 7.6): CONNECT for tunnels, and requests for http:// that it passes on.

Whoever can reach it can reach what this machine can, its own loopback included. So with a user name and password
clients have to say who they are (Basic or Digest), and in wirecat's own verbs it is opened to others by a word more.
"""

from __future__ import annotations

import os

from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints import open_stream
from wirecat.errors import ConnectionBroken, ConnectionClosed, DeadlineExpired, HandlerError, HttpError, WirecatError
from wirecat.pump import pump
from wirecat.secret import Secret
from wirecat.server.credential_handler import CredentialHandler
from wirecat.server.http_exchange import Exchange
from wirecat.server.own_address import leads_back
from wirecat.server.proxy_limits import ProxyLimits, parse_limits
from wirecat.stream import PartnerLost
from wirecat.wire.http_body import request_body
from wirecat.wire.http_forwarding import came_through
from wirecat.wire.http_message import ResponseHead, response
from wirecat.wire.http_reader import RequestReader
from wirecat.wire.http_target import request_target
from wirecat.wire.proxy_authentication import ProxyAuthenticator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wirecat.wire.http_message import RequestHead, Version
    from wirecat.wire.http_target import Target

#: The methods of RFC 9110 and RFC 5789. TRACE is left out: it shows what a client's browser would hide.
METHODS = ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


class Proxy(CredentialHandler):
    """Serves each connection its requests, one after the other.

    ``accounts`` has the passwords of those who may use it by user name (none: everybody may), ``realm`` the words they
    are asked with. ``methods`` are those it takes. ``via`` is the name by which it knows a request that comes round to
    it again (default: a random one; empty: no Via field, and only its addresses tell). ``version`` is the HTTP version
    of its answers; ``keep`` lets a connection stay open for another request. ``unreachable`` is the status for a server
    that cannot be connected to (default: 504 for silence, else 502), ``no_length`` that for a POST without a length
    (default: none, it has no body). ``tunnels_to_itself`` lets CONNECT lead to the proxy's own address; a client then
    has to send a request for each further tunnel, so none of them runs in a circle. Other requests for there are always
    refused (403). ``limits`` are how long it waits for either side.
    ``statuses`` are other statuses for requests that cannot be read (``{431: 413}``). ``any_version`` takes a
    request without an HTTP version, or of another major version, for one of HTTP/1.0.
    """

    def __init__(
        self,
        accounts: Mapping[str, str] | None = None,
        *,
        realm: str = "wirecat",
        methods: Iterable[str] = METHODS,
        via: str | None = None,
        version: Version = (1, 1),
        keep: bool = True,
        unreachable: int | None = None,
        no_length: int | None = None,
        tunnels_to_itself: bool = False,
        limits: ProxyLimits | None = None,
        statuses: Mapping[int, int] | None = None,
        any_version: bool = False,
    ) -> None:
        self._gate = ProxyAuthenticator(realm, accounts) if accounts else None
        self._methods = tuple(methods)
        self._via = f"wirecat-{os.urandom(4).hex()}" if via is None else via
        self._version = version
        self._keep = keep
        self._unreachable = unreachable
        self._no_length = no_length
        self._tunnels_to_itself = tunnels_to_itself
        self._limits = limits or ProxyLimits()
        self._statuses = statuses or {}
        self._any_version = any_version
        self._addresses: tuple[Address, ...] = ()

    def listening(self, addresses: tuple[Address, ...]) -> None:
        """Take note of the proxy's own addresses. Called by the server."""
        self._addresses = addresses

    def __call__(self, connection: Connection) -> None:
        """Serve one client until its end, or until an answer that ends it."""
        rest: bytes | None = b""
        first = True
        while rest is not None:
            head = None
            try:
                head, rest = _read_head(connection, rest, first, self._limits.head, self._any_version)
                if head is None:
                    return
                rest = self._serve(connection, head, rest)
            except HttpError as error:
                self._answer(connection, head, self._statuses.get(error.status, error.status), error.message)
                return
            first = False

    def _answer(
        self,
        connection: Connection,
        head: RequestHead | None,
        status: int,
        message: str,
        fields: Iterable[tuple[str, str]] = (),
    ) -> None:
        body = b"" if head is not None and head.method == "HEAD" else f"{message}\n".encode("utf-8", "surrogateescape")
        fields = [*fields, ("Content-Type", "text/plain; charset=utf-8")]
        connection.send(response(status, fields, body, self._version))

    def _serve(self, connection: Connection, head: RequestHead, rest: bytes) -> bytes | None:
        """Answer one request; the beginning of the next, or None when there is to be none."""
        if self._gate is not None:
            verdict = self._gate.check(head)
            if verdict.user is None:
                self._answer(connection, head, 407, "who are you?", self._gate.challenges(verdict.stale))
                return None
        if head.method not in self._methods:
            allowed = [("Allow", ", ".join(self._methods))]
            self._answer(connection, head, 405, f"{head.method} is not for this proxy", allowed)
            return None
        target = request_target(head)
        if target.for_the_reader:
            raise HttpError("this is a proxy: ask it for http://HOST/ or CONNECT HOST:PORT")
        if self._via and came_through(head.headers, self._via):
            raise HttpError("the request goes round in a circle", status=403)
        body = None if head.method == "CONNECT" else request_body(head)
        if self._no_length and head.method == "POST" and body is not None and not _tells_length(head):
            raise HttpError("how long is it?", status=self._no_length)
        server = self._connect(target, connection)
        if leads_back(server, self._addresses) and not (head.method == "CONNECT" and self._tunnels_to_itself):
            server.close()
            raise HttpError("this is the proxy itself", status=403)
        connection.on_abort = server.abort
        connection.far = server
        try:
            if connection.cut_reason:
                raise ConnectionClosed("it was cut", address=connection.peer)
            if body is None:
                self._tunnel(connection, server, rest)
                return None
            exchange = Exchange(
                connection,
                server,
                head,
                body,
                via=self._via,
                version=self._version,
                keep=self._keep,
                limits=self._limits,
            )
            return exchange.run(target, rest)
        finally:
            connection.on_abort = connection.far = None
            server.close()

    def _connect(self, target: Target, client: Connection) -> Connection:
        """Connect to the server. Raises HttpError where it cannot be reached, and ConnectionBroken where the client is
        lost meanwhile."""
        deadline = Deadline(self._limits.connect, client.stream)
        try:
            stream = open_stream(Address("tcp", target.host, target.port), deadline)
        except PartnerLost as loss:
            raise loss.failure(client.peer) from None
        except WirecatError as error:
            status = self._unreachable or (504 if isinstance(error, TimeoutError) else 502)
            raise HttpError(f"{target.host}:{target.port}: {error.message}", status=status) from error
        return Connection(stream)

    def _tunnel(self, connection: Connection, server: Connection, rest: bytes) -> None:
        connection.idle_limit = self._limits.tunnel
        connection.send(ResponseHead(200, version=self._version).to_bytes())
        connection.put_back(rest)
        for failure in pump(connection, server).failures:
            if isinstance(failure, ConnectionBroken) and failure.address == connection.peer:
                raise failure  # so that it is told how the client ended


def _read_head(
    connection: Connection, rest: bytes, first: bool, limit: float | None, any_version: bool
) -> tuple[RequestHead | None, bytes]:
    """The next request's head, and what came behind it; None where the client has ended in an orderly way, or sends no
    other request within ``limit`` seconds.

    Raises HttpError with the status to answer.
    """
    reader = RequestReader(any_version=any_version)
    deadline = Deadline(limit)
    data: bytes | None = rest
    try:
        while (head := reader.receive(data or b"")) is None:
            left = deadline.remaining()
            connection.timeout = None if left is None else max(0.001, left)
            data = connection.receive()
            if data is None:
                reader.receive_end()
                return None, b""
    except DeadlineExpired:
        if first or reader.begun:
            raise HttpError(f"no whole request came in {limit:g} s", status=408) from None
        return None, b""  # a connection that was kept open and is not used again
    finally:
        connection.timeout = None
    return head, reader.rest


def _tells_length(head: RequestHead) -> bool:
    return "content-length" in head.headers or "transfer-encoding" in head.headers


def make(argument: str, options: str = "") -> Proxy:
    """A proxy for the connections of one server; ``argument`` is empty, USER:PASSWORD, or ``@FILE`` whose first line is
    that, ``options`` are its time limits (see ``parse_limits``). Raises HandlerError, and UsageError for a file that
    cannot be read."""
    limits = parse_limits(options)
    if not argument:
        return Proxy(limits=limits)
    user, colon, password = Secret.of(argument).reveal().partition(":")
    if not (user and colon):
        hint = "Write: proxy:@FILE or proxy:USER:PASSWORD"
        raise HandlerError("the handler 'proxy' takes a user name and a password", hint=hint)
    return Proxy({user: password}, limits=limits)
