"""A transport of our own: the bytes of a connected socket for an asyncio protocol, by ``Readiness`` in place of the loop.

To a protocol it is what asyncio promises (Python's documentation, "Transports and Protocols"), with asyncio's marks for
``pause_writing``. ``connection_made`` is called at once.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from itertools import islice

from wirecat.system.readiness import IN, OUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.system.readiness import Readiness

FIRST_PIECE = 16384  # the most bytes that one receive takes; less costs no less
LARGEST_PIECE = 122880  # what that grows to while receives are filled; glibc maps memory anew for each from 128 KiB on
HIGH_WATER = 65536  # when more bytes than this wait to be sent, the protocol is told to pause,
LOW_WATER = 16384  # and to go on when no more than this are left
GATHERED = 64  # pieces that are sent by one call


class SocketTransport(asyncio.Transport):
    """Moves bytes between ``connected``, a stream socket that it closes at the end, and ``protocol``.

    Raises OSError or ValueError where the socket cannot be watched; nothing was called then.
    """

    __slots__ = (
        "_closing", "_descriptor", "_ended", "_half_closed", "_lost", "_paused", "_piece", "_protocol", "_readiness",
        "_socket", "_waiting", "_waiting_size", "_watched",
    )  # fmt: skip

    def __init__(self, readiness: Readiness, connected: socket.socket, protocol: asyncio.Protocol) -> None:
        connected.setblocking(False)
        self._readiness = readiness
        self._socket = connected
        self._descriptor = connected.fileno()
        self._protocol = protocol
        self._piece = FIRST_PIECE
        self._waiting: deque[memoryview] | None = None  # what the peer has not taken yet
        self._waiting_size = 0
        self._closing = self._ended = self._half_closed = self._lost = self._paused = False
        readiness.add(self._descriptor, IN, self)
        self._watched = IN
        try:
            protocol.connection_made(self)
        except Exception as error:
            self._on_fault(error, "connection_made")

    # What readiness calls. With many connections each object that is looked at costs a cache miss: nothing is bound ahead.

    def on_ready(self, what: int) -> None:
        """See Watcher. A broken socket is told by what fails on it."""
        if self._waiting_size:
            if what & ~IN:
                self._send_waiting()
            if not (what & ~OUT and self._watched & IN):
                return
        try:
            data = self._socket.recv(self._piece)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        if not data:
            self._on_end()
            return
        if len(data) == self._piece or self._piece != FIRST_PIECE:
            self._fit_piece(len(data))
        try:
            self._protocol.data_received(data)
        except Exception as error:
            self._on_fault(error, "data_received")

    def _fit_piece(self, size: int) -> None:
        if size == self._piece:
            self._piece = min(4 * size, LARGEST_PIECE)
        elif size < FIRST_PIECE:
            self._piece = FIRST_PIECE

    def _on_end(self) -> None:
        """The peer has ended its half."""
        self._ended = True
        self._watch(self._watched & ~IN)
        try:
            go_on = self._protocol.eof_received()
        except Exception as error:
            self._on_fault(error, "eof_received")
            return
        if not (go_on or self._closing):
            self._closing = True
            if not self._waiting_size:
                self._lost = True
                self._tell_lost(None)  # nothing of the protocol is under way, so that it need not wait for a round

    def _watch(self, events: int) -> None:
        before, self._watched = self._watched, events
        if before == events:
            return
        if not events:
            self._readiness.remove(self._descriptor)
            return
        try:
            if before:
                self._readiness.change(self._descriptor, events)
            else:
                self._readiness.add(self._descriptor, events, self)
        except OSError as error:  # the system has no room for it
            self._lose(error)

    # What the protocol calls

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, or keep what the peer does not take yet. Where the connection is lost, or closed, nothing.

        Raises RuntimeError after ``write_eof``.
        """
        if self._lost:
            return
        if self._half_closed:
            raise RuntimeError("write() after write_eof()")
        if type(data) is not bytes:
            data = bytes(data)  # the caller may change it
        if self._waiting_size:
            self._keep(data, 0)
            return
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lose(error)
            return
        if sent != len(data):
            self._keep(data, sent)

    def _keep(self, data: bytes, sent: int) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(memoryview(data)[sent:])
        self._waiting_size += len(data) - sent
        self._watch(self._watched | OUT)
        if self._waiting_size > HIGH_WATER and not self._paused:
            self._paused = True
            self._tell_flow("pause_writing")

    def _send_waiting(self) -> None:
        waiting = self._waiting
        assert waiting
        try:
            if len(waiting) == 1:
                sent = self._socket.send(waiting[0])
            else:
                sent = self._socket.sendmsg(islice(waiting, GATHERED))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        self._waiting_size -= sent
        while sent and sent >= len(waiting[0]):
            sent -= len(waiting.popleft())
        if sent:
            waiting[0] = waiting[0][sent:]
        if self._paused and self._waiting_size <= LOW_WATER:
            self._paused = False
            self._tell_flow("resume_writing")
        if not (self._waiting_size or self._lost):
            self._all_sent()

    def _all_sent(self) -> None:
        self._watch(self._watched & ~OUT)
        if self._closing:
            self._lose(None)
        elif self._half_closed:
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError as error:
                self._lose(error)

    def write_eof(self) -> None:
        """Send a FIN behind what waits; receiving goes on. Raises OSError where the peer has gone."""
        if self._half_closed or self._closing:
            return
        self._half_closed = True
        if not self._waiting_size:
            self._socket.shutdown(socket.SHUT_WR)

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        self._watch(self._watched & ~IN)

    def resume_reading(self) -> None:
        if not (self._closing or self._ended):
            self._watch(self._watched | IN)

    def is_reading(self) -> bool:
        return bool(self._watched & IN)

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return self._waiting_size

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._socket if name == "socket" else default

    def close(self) -> None:
        """Send what waits, then close; nothing is received any more."""
        if self._closing:
            return
        self._closing = True
        if self._waiting_size:
            self._watch(OUT)
        else:
            self._lose(None)

    def abort(self) -> None:
        """Close at once."""
        self._lose(None)

    # The end

    def _on_fault(self, error: Exception, step: str) -> None:
        """The protocol raised what it should have dealt with: told as asyncio tells it, and the end of the connection."""
        self._tell(error, step)
        self._lose(error)

    def _tell_flow(self, step: str) -> None:
        try:
            getattr(self._protocol, step)()
        except Exception as error:
            self._tell(error, step)

    def _tell(self, error: Exception, step: str) -> None:
        self._readiness.loop.call_exception_handler({
            "message": f"protocol.{step}() failed", "exception": error, "transport": self, "protocol": self._protocol,
        })  # fmt: skip

    def _lose(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._watch(0)
        self._waiting = None
        self._waiting_size = 0
        self._readiness.loop.call_soon(self._tell_lost, error)

    def _tell_lost(self, error: Exception | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._socket.close()
            del self._protocol
