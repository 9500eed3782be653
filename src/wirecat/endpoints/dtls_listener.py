"""A listener for DTLS: a peer is let in once it has returned a cookie, so forged senders cost no memory.

RFC 6347 section 4.2.1: the first ClientHello is answered with a cookie that only the holder of the address receives, and
nothing is kept. A datagram that is no ClientHello is dropped.
"""

from __future__ import annotations

from wirecat.deadline import Deadline
from wirecat.endpoints.datagram_listener import DatagramListener
from wirecat.endpoints.dtls_engine import is_client_hello
from wirecat.endpoints.dtls_stream import HANDSHAKE_TIME, DtlsStream
from wirecat.endpoints.idle import LISTENER_IDLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    import socket
    from typing import Any

    from wirecat.endpoints.dtls_context import DtlsContext
    from wirecat.endpoints.dtls_engine import DtlsEngine
    from wirecat.endpoints.peer_stream import PeerStream


class DtlsListener(DatagramListener):
    """A listener for datagrams whose streams speak DTLS; the rest of the handshake is done at their first use."""

    __slots__ = ("_context", "_unproven", "handshake_time")

    def __init__(
        self,
        sockets: list[_socket.socket],
        backlog: int,
        context: DtlsContext,
        *,
        idle: float | None = LISTENER_IDLE,
        handshake_time: float = HANDSHAKE_TIME,
    ) -> None:
        super().__init__(sockets, backlog, idle=idle)
        self.addresses = tuple(address.replace(scheme="dtls") for address in self.addresses)
        self._context = context
        self._unproven: DtlsEngine | None = None  # it serves all peers, until one returns its cookie
        self.handshake_time = handshake_time

    def _open(self, peer: PeerStream) -> DtlsStream:
        deadline = Deadline(self.handshake_time)
        return DtlsStream(peer, self._context, server_side=True, deadline=deadline, engine=peer.screened)

    _takes_first_datagram = True

    def _screen(self, bound: socket.socket, place: Any, data: bytes) -> DtlsEngine | None:
        if not is_client_hello(data):
            return None
        engine = self._unproven = self._unproven or self._context.engine(True, "", "")
        self._context.set_peer(engine, str(self._address_of(place)))
        if engine.verify_cookie(data):
            self._unproven = None
            return engine
        for answer in engine.take_out():
            try:
                bound.sendto(answer, place)
            except OSError:
                break  # as if it was lost on its way: the client sends its ClientHello again
        return None
