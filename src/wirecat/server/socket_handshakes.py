"""TLS handshakes of clients that threads will serve: all in the thread that accepts, none of which is waited for.

A client gets a thread when its handshake is complete. One that stalls, or speaks no TLS, never costs one, and thousands
that connect at once do not compete with the threads of the clients that are served.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import traceback

from wirecat.endpoints.lingering import drain
from wirecat.endpoints.place import place_of
from wirecat.endpoints.tls_handshake import TlsHandshake
from wirecat.errors import WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.endpoints.tls import TlsListener
    from wirecat.server.handshakes import Handshakes
    from wirecat.server.registry import Registry
    from wirecat.stream import Stream

_PIECE = 16384  # bytes read at a time: a record of the largest size


class SocketHandshakes:
    """Does the handshakes of ``listener``'s clients in ``selector``, whose keys it answers by ``on_ready``.

    ``serve(stream)`` is called for each that is complete, where the client may come in.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        listener: TlsListener,
        table: Handshakes,
        registry: Registry,
        serve: Callable[[Stream], None],
    ) -> None:
        self.selector = selector
        self.listener = listener
        self.table = table
        self.registry = registry
        self.serve = serve

    def take(self, accepted: socket.socket, peer: Any) -> None:
        """Begin the handshake of a client that accept(2) gave."""
        accepted.setblocking(False)
        client = _Client(self, accepted, peer)
        self.table.add(client)
        client.read()  # its hello may be there already


class _Client:
    """A client in its handshake: an entry of the table."""

    __slots__ = ("_handshake", "_owner", "_peer", "_socket", "_unsent", "_watched")

    def __init__(self, owner: SocketHandshakes, accepted: socket.socket, peer: Any) -> None:
        self._owner = owner
        self._socket = accepted
        self._peer = peer
        self._handshake = TlsHandshake(owner.listener.context, place_of(peer))
        self._unsent = b""
        self._watched = 0

    def on_ready(self) -> None:
        """The socket is ready for what it is watched for."""
        if self._unsent:
            self._send(b"")
        if not self._unsent:
            self.read()

    def read(self) -> None:
        """Take what has come, and go on by it."""
        handshake = self._handshake
        try:
            data = self._socket.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            self._watch(selectors.EVENT_READ)
            return
        except OSError:
            data = b""
        if data:
            handshake.receive(data)
        else:
            handshake.end()
        if handshake.failure is not None:
            self._turn_away()
        elif not handshake.is_startable:
            self._watch(selectors.EVENT_READ)
        elif self._owner.table.activate(self):
            self.resume()
        else:
            self._watch(0)

    def resume(self) -> None:
        """See Entry: compute, and send what came of it."""
        handshake = self._handshake
        try:
            handshake.proceed()
        except WirecatError as error:  # there is no context, which is known to be our fault
            self._close(f"no TLS: {error.message}")
            return
        except Exception as error:
            self._owner.registry.fail(None, error, traceback.format_exc())
            self._close("no TLS: internal error")
            return
        self._send(handshake.take_out())
        if handshake.failure is not None:
            self._turn_away()
        elif not self._unsent:
            self._go_on()

    def _go_on(self) -> None:
        if self._handshake.done:
            self._enter()
        else:
            self._watch(selectors.EVENT_READ)

    def _send(self, data: bytes) -> None:
        """Send, or keep what the client does not take yet."""
        self._unsent += data
        if not self._unsent:
            return
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._unsent = b""
            self._handshake.end()  # it is over, unless it was done: then the stream tells
        if self._unsent:
            self._watch(selectors.EVENT_WRITE)

    def _enter(self) -> None:
        """The handshake is complete."""
        owner, connected, handshake = self._owner, self._socket, self._handshake
        self._leave()
        try:
            if not owner.table.may_enter(self._peer):
                connected.close()
                return
            stream = owner.listener.secured(connected, self._peer, handshake)
            connected.setblocking(True)
            owner.serve(stream)
        except Exception as error:  # whatever it is, it concerns this one client
            connected.close()
            owner.registry.fail(None, error, traceback.format_exc())

    def expire(self, seconds: float) -> None:
        """See Entry."""
        self._handshake.expire(seconds)
        self._turn_away()

    def drop(self, reason: str) -> None:
        """See Entry."""
        self._close(reason)

    def _turn_away(self) -> None:
        failure = self._handshake.failure
        assert failure is not None
        self._close(f"no TLS: {failure.message}")

    def _close(self, reason: str) -> None:
        self._leave()
        with contextlib.suppress(OSError):  # it has gone
            # What is unread would make a reset of the close, and that could cost the client the alert.
            self._socket.shutdown(socket.SHUT_WR)
            drain(self._socket)
        self._socket.close()
        self._owner.registry.deny(place_of(self._peer), reason)

    def _leave(self) -> None:
        self._watch(0)
        self._owner.table.remove(self)

    def _watch(self, events: int) -> None:
        before, self._watched = self._watched, events
        if before == events:
            return
        selector = self._owner.selector
        if not before:
            selector.register(self._socket, events, self)
        elif events:
            selector.modify(self._socket, events, self)
        else:
            selector.unregister(self._socket)
