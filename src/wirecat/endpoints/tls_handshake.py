"""A TLS handshake without I/O: bytes of the peer in, bytes for the peer out.

OpenSSL's object for a connection takes 45 KiB. So a server has none before the client's first record has come whole: a
client that connects and says nothing, or sends its hello one byte at a time, costs what it has sent.
"""

from __future__ import annotations

from wirecat.endpoints import tls_failures
from wirecat.endpoints.tls_engine import TlsEngine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from wirecat.address import Address
    from wirecat.endpoints.tls_facts import TlsFacts
    from wirecat.errors import WirecatError

_HEADER = 5  # bytes before a record's content, its length in the last two (RFC 8446 section 5.1)
_FIRST = 64  # bytes kept for the message about a peer that speaks no TLS


class TlsHandshake:
    """The handshake with ``peer``, by the context that ``context()`` gives; as a client, of the server ``server_name``.

    ``receive`` takes what the peer sent. When ``is_startable``, ``proceed`` computes as far as that allows, and
    ``take_out`` gives what is to be sent. ``done`` tells that the handshake is complete: then ``engine`` goes on.
    ``failure`` is why there will be none; what ``take_out`` gives then is the alert that tells the peer. It was never
    raised, so it holds no frames, and no cycle of references goes through it.
    """

    __slots__ = ("_context", "_first", "_held", "_peer", "_server_name", "_server_side", "done", "engine", "failure")

    def __init__(
        self, context: Callable[[], SSLContext], peer: Address, *, server_side: bool = True, server_name: str = ""
    ) -> None:
        self._context = context
        self._peer = peer
        self._server_side = server_side
        self._server_name = server_name
        self._first = b""
        self._held = b""  # what came before there was an engine
        self.engine: TlsEngine | None = None
        self.done = False
        self.failure: WirecatError | None = None

    def receive(self, data: bytes) -> None:
        """Take what has come from the peer. Sets ``failure`` where that is not TLS."""
        if len(self._first) < _FIRST:
            self._first += data[:_FIRST]
            if self._first and not tls_failures.looks_like_tls(self._first):
                self.failure = tls_failures.not_tls(self._peer, self._first)
                return
        if self.engine is not None:
            self.engine.feed(data)
        else:
            self._held += data

    @property
    def is_startable(self) -> bool:
        """Whether there is something to compute: as a server, when the first record is whole."""
        if self.engine is not None or not self._server_side:
            return True
        held = self._held
        return len(held) >= _HEADER and len(held) - _HEADER >= int.from_bytes(held[3:_HEADER], "big")

    def end(self) -> None:
        """The peer has ended the connection, or it broke."""
        if not self.done and self.failure is None:
            self.failure = tls_failures.ended_early(self._peer)

    def expire(self, seconds: float) -> None:
        """The peer has had its ``seconds``."""
        if not self.done and self.failure is None:
            self.failure = tls_failures.no_handshake(self._peer, seconds, self._server_side)

    def proceed(self) -> None:
        """Compute as far as what has come allows; sets ``done`` or ``failure``. Raises UsageError where the context
        cannot be made."""
        import ssl

        try:
            if self.engine is None:
                self.engine = TlsEngine(self._context(), self._server_side, self._server_name)
                self.engine.feed(self._held)
                self._held = b""
            self.done = self.engine.shake()
        except ssl.SSLError as error:
            self.failure = tls_failures.handshake_failure(error, self._peer, self._server_name, self._first)

    def take_out(self) -> bytes:
        """What is to be sent to the peer now."""
        return self.engine.take_out() if self.engine is not None else b""

    def facts(self) -> TlsFacts:
        """What was agreed on, once it is done."""
        from wirecat.endpoints.tls_facts import facts_of

        assert self.engine is not None
        return facts_of(self.engine.object, self._server_name)
