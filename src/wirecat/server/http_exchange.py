"""One request that a proxy passes on: its body on the way to the server, and the response on the way back.

Both flow at once, because a server may answer before it has read the whole body, and a client that asked for ``100
(Continue)`` waits for the server's word before it sends any of it (RFC 9110 section 10.1.1). So a body that has not
come together with the head has a thread of its own. What the messages say is the business of ``wire``; here they move.
"""

from __future__ import annotations

import threading
from time import monotonic

from wirecat.errors import DeadlineExpired, HttpError, WirecatError
from wirecat.server.proxy_limits import NO_LIMITS
from wirecat.stream import PartnerLost, join, part
from wirecat.wire.http_body import LAST_CHUNK, LengthBody, encode_chunk, response_body
from wirecat.wire.http_forwarding import forward_request, forward_response
from wirecat.wire.http_reader import ResponseReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.connection import Connection
    from wirecat.server.proxy_limits import ProxyLimits
    from wirecat.wire.http_body import Body
    from wirecat.wire.http_message import RequestHead, ResponseHead, Version
    from wirecat.wire.http_target import Target

MOST_INTERIM = 100  # responses of 1xx before the one that counts: more are no progress
READ_AWAY = 2.0  # seconds that a client gets to end a body that its server did not wait for


class Exchange:
    """Passes the request ``head`` of ``client`` on to ``server`` and the response back; both stay open.

    ``body`` is what ``request_body`` gave for it, ``via`` this proxy's name (see ``wire.http_forwarding``), ``version``
    what it says in its status lines, ``keep`` whether it would take another request on the same connection, ``limits``
    how long it waits for either side.

    While one side is waited for, the other is watched (see ``stream.join``): a client that is lost ends the exchange at
    once. One that has only half-closed still gets its response.
    """

    def __init__(
        self, client: Connection, server: Connection, head: RequestHead, body: Body, *, via: str, version: Version,
        keep: bool, limits: ProxyLimits = NO_LIMITS,
    ) -> None:  # fmt: skip
        self._client = client
        self._server = server
        self._head = head
        self._body = body
        self._via = via
        self._version = version
        self._keep = keep and head.persistent and head.version >= (1, 1) and version >= (1, 1)
        self._limits = limits
        self._progress = monotonic()  # when the server last took something of the request, or sent a response of 1xx
        self._answered = False
        self._failure: WirecatError | None = None

    def run(self, target: Target, rest: bytes) -> bytes | None:
        """``rest`` is what came behind the head. The beginning of the next request; None when the connection is to end.

        Raises HttpError (with the status to answer) while nothing of a response has been sent. Once it has, a failure
        can only be told by the connection's early end. Raises ConnectionBroken if the client is lost.
        """
        join(self._client.stream, self._server.stream)
        try:
            return self._run(target, rest)
        except PartnerLost as loss:  # here only the server is waited for
            raise loss.failure(self._client.peer) from None
        finally:
            part(self._client.stream, self._server.stream)

    def _run(self, target: Target, rest: bytes) -> bytes | None:
        request, chunked = forward_request(self._head, target, self._body, self._via)
        self._pass_on(request.to_bytes())
        self._send_content(rest, chunked)
        sender = None
        if not self._body.done:
            sender = threading.Thread(
                target=self._send_body, args=(chunked,), name=f"wirecat-{self._client.id}-body", daemon=True
            )
            sender.start()
        try:
            self._relay_response()
        except HttpError as error:
            if not self._answered:
                # What the client did wrong explains what the server said.
                raise (self._failure if isinstance(self._failure, HttpError) else error) from None
            self._keep = False
        except PartnerLost:
            # The thread of the body waits for one of them.
            self._server.abort()
            self._client.stream.abort()
            raise
        finally:
            if sender is not None:
                self._end_body(sender)
        return self._body.rest if self._keep else None

    def _send_body(self, chunked: bool) -> None:
        """The thread's work: the rest of the body, as it comes."""
        self._client.stream.set_receive_timeout(self._limits.body)
        try:
            while not self._body.done:
                self._receive_content(chunked)
        except PartnerLost as loss:
            self._failure = loss.failure(self._client.peer)
            self._server.abort()
        except WirecatError as error:
            # Half a request must not look whole to the server.
            self._failure = error
            self._server.abort()

    def _receive_content(self, chunked: bool) -> None:
        try:
            data = self._client.receive()
        except PartnerLost:
            return  # the server takes no more, but its answer may have come: the rest is read away
        except DeadlineExpired:
            message = f"nothing more of the request's body came in {self._limits.body:g} s"
            raise HttpError(message, status=408) from None
        if data is None:
            self._body.receive_end()
        else:
            self._send_content(data, chunked)

    def _send_content(self, data: bytes, chunked: bool) -> None:
        content = self._body.receive(data)
        self._pass_on(encode_chunk(content) if chunked else content)
        if chunked and self._body.done:
            self._pass_on(LAST_CHUNK)

    def _pass_on(self, data: bytes) -> None:
        """Send to the server. Where it takes no more its answer may have come all the same; the rest is read away."""
        try:
            if data:
                self._server.send(data)
                self._progress = monotonic()
        except WirecatError:
            return

    def _end_body(self, sender: threading.Thread) -> None:
        if sender.is_alive():
            self._keep = False
            # As in a lingering close: a reset because of unread bytes could cost the client its answer.
            if self._answered:
                self._end_answer()
            sender.join(READ_AWAY)
            if sender.is_alive():
                self._client.stream.abort()
                sender.join()
        if self._failure is not None and not isinstance(self._failure, HttpError):
            raise self._failure

    def _end_answer(self) -> None:
        try:
            self._client.half_close()
        except WirecatError:
            return  # the client has gone: whoever reads from it learns the same

    def _relay_response(self) -> None:
        head, data = self._read_head()
        self._server.stream.set_receive_timeout(self._limits.body)
        body = response_body(head, self._head.method)
        self._keep = self._keep and self._body.done
        response, chunked = forward_response(head, body, self._head, self._via, self._version, keep=self._keep)
        self._keep = self._keep and "close" not in response.headers.tokens("connection")
        out = response.to_bytes()
        while True:
            content = body.receive(data)
            out += encode_chunk(content) if chunked else content
            if body.done and chunked:
                out += LAST_CHUNK
            if out:
                self._answered = True
                self._client.send(out)
                out = b""
            if body.done:
                return
            try:
                data = self._receive()
            except DeadlineExpired as error:
                message = f"nothing more of the response came from the server in {self._limits.body:g} s"
                raise HttpError(message, status=504) from error
            if not data:
                body.receive_end()
                if chunked:
                    self._client.send(LAST_CHUNK)
                return

    def _read_head(self) -> tuple[ResponseHead, bytes]:
        """The head of the response that counts, and what came behind it; those before it (1xx) are passed on."""
        reader = ResponseReader()
        data = b""
        interim = 0
        while True:
            head = reader.receive(data)
            if head is None:
                data = self._receive_head()
                if not data:
                    reader.receive_end()
                    raise HttpError("the server closed the connection without an answer", status=502)
            elif head.status >= 200:
                return head, reader.rest
            elif interim == MOST_INTERIM:
                raise HttpError(f"the server sent {MOST_INTERIM} interim responses (1xx) and no final one", status=502)
            else:
                interim += 1
                self._pass_interim_on(head)
                self._progress = monotonic()
                data = reader.rest
                reader = ResponseReader()

    def _pass_interim_on(self, head: ResponseHead) -> None:
        if head.status == 101:  # we never ask for another protocol: Upgrade is for one hop
            raise HttpError("the server changes the protocol unasked", status=502)
        if min(self._head.version, self._version) >= (1, 1):  # HTTP/1.0 knows none of them
            interim, _ = forward_response(head, LengthBody(0, 502), self._head, self._via, self._version)
            self._client.send(interim.to_bytes())

    def _receive_head(self) -> bytes:
        """As ``_receive``. Raises HttpError: 504 when the request has made no progress for ``limits.response`` seconds."""
        limit = self._limits.response
        while True:
            left = None if limit is None else self._progress + limit - monotonic()
            if left is not None and left <= 0:
                raise HttpError(f"no response came from the server in {limit:g} s", status=504)
            self._server.stream.set_receive_timeout(left)
            try:
                return self._receive()
            except DeadlineExpired:
                continue  # the request may have made progress meanwhile

    def _receive(self) -> bytes:
        """The next bytes from the server; none at its end. Raises DeadlineExpired, HttpError."""
        try:
            return self._server.receive() or b""
        except DeadlineExpired:
            raise
        except WirecatError as error:
            raise HttpError(f"the server broke off: {error.message}", status=502) from error
