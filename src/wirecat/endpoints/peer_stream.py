"""One peer of a datagram listener as a stream: its own queue, the shared socket."""

from __future__ import annotations

import errno
import socket
import sys
import threading
from collections import deque
from time import monotonic

from wirecat.deadline import Deadline
from wirecat.endpoints.datagram_stream import datagram_failure
from wirecat.endpoints.waiting import wait_writable
from wirecat.endpoints.whole_datagrams import WholeDatagrams
from wirecat.errors import ConnectionClosed, DeadlineExpired, NetworkError, WirecatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.address import Address
    from wirecat.endpoints.datagram_listener import DatagramListener

QUEUE = 1 << 20  # bytes that may wait to be received, each datagram counted with OVERHEAD
OVERHEAD = 64
# On Windows a wait for a lock cannot be interrupted by Ctrl-C, so it is cut into slices.
_SLICE = 0.2 if sys.platform == "win32" else 1e6
_FULL_QUEUE = 0.005  # seconds until a send to a receiver whose queue is full is tried again


class DatagramReceiver:
    """What takes the datagrams of one peer as they arrive, in the thread that reads the socket, in place of a queue."""

    __slots__ = ()

    def datagram(self, data: bytes) -> None:
        """A datagram has arrived. Must not raise and must not wait."""
        raise NotImplementedError

    def failed(self, error: WirecatError) -> None:
        """The peer cannot be reached: an ICMP error came back. Must not raise and must not wait."""
        raise NotImplementedError


class PeerStream(WholeDatagrams):
    """What one peer sends, and what is sent to it. Made by DatagramListener; ``dropped`` counts what found no room.

    ``key`` is the family and the address, ``screened`` what the listener has learned of the peer by its first datagram.
    With a ``receiver`` nothing is queued.
    """

    __slots__ = (
        "_aborted", "_changed", "_closed", "_failure", "_listener", "_local", "_peer", "_queue", "_size", "_socket",
        "_timeout", "active_at", "connected", "dropped", "ended", "idle", "idled", "key", "receiver", "screened",
    )  # fmt: skip

    def __init__(
        self,
        listener: DatagramListener,
        bound: socket.socket,
        key: Any,
        peer: Address,
        local: Address,
        idle: float | None,
        screened: Any = True,
    ) -> None:
        super().__init__()
        self.key = key
        self.screened = screened
        self.receiver: DatagramReceiver | None = None
        self.ended = False
        self.idled = False  # whether it was silence that ended it
        self.connected = False
        self.dropped = 0
        self._listener = listener
        self._socket = bound
        self._peer = peer
        self._local = local
        self.idle = idle
        self._timeout: float | None = None
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._changed = threading.Condition()
        self._aborted = self._closed = False
        self._failure: WirecatError | None = None
        self.active_at = monotonic()

    @property
    def peer(self) -> Address:  # type: ignore[override]
        """The other end's address."""
        return self._peer

    @property
    def local(self) -> Address:  # type: ignore[override]
        """The listener's address."""
        return self._local

    # For the listener

    def put(self, data: bytes, *, wait: bool) -> bool:
        """Queue a datagram; False where there is no room. With ``wait`` wait for room, as long as somebody may take
        it.
        """
        if self.receiver is not None:
            self.active_at = monotonic()
            self.receiver.datagram(data)
            return True
        with self._changed:
            while self._size > QUEUE and wait and not (self._closed or self._aborted or self.ended):
                self._changed.wait(_SLICE)
            if self._size > QUEUE or self._closed:
                self.dropped += 1
                return False
            self._queue.append(data)
            self._size += len(data) + OVERHEAD
            self.active_at = monotonic()
            self._changed.notify_all()
            return True

    def fail(self, error: WirecatError) -> None:
        """The next receive raises ``error``, or the receiver gets it."""
        if self.receiver is not None:
            self.receiver.failed(error)
            return
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def connect(self) -> None:
        """Give the socket to this peer alone."""
        if not self.key[1]:  # a Unix domain socket without a name, which nothing can be sent to
            return
        try:
            self._socket.connect(self.key[1])
            self.connected = True
        except OSError:
            return  # a Unix domain socket that has gone: then it stays as it is

    # For its user

    def _next(self) -> bytes:
        deadline = Deadline(self._timeout)
        with self._changed:
            while True:
                if self._closed:
                    raise self._closed_error("receive")
                if self._queue and not self._aborted:
                    data = self._queue.popleft()
                    self._size -= len(data) + OVERHEAD
                    self._changed.notify_all()
                    return data
                if self._failure is not None:
                    failure, self._failure = self._failure, None
                    raise failure
                left = self._idle_left()
                if self._aborted or self.ended or left <= 0:
                    self.idled = not (self._aborted or self.ended)
                    self.ended = True
                    break
                if deadline.expired:
                    message = f"nothing came in {deadline.seconds:g} s"
                    raise DeadlineExpired(message, address=self.peer, step="receive")
                self._changed.wait(min(left, deadline.within(_SLICE)))
        self._listener.forget(self)
        return b""

    def _idle_left(self) -> float:
        return _SLICE if self.idle is None else self.active_at + self.idle - monotonic()

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """See Stream: ``data`` as one datagram. Raises WirecatError where it is too large for one."""
        view = memoryview(data).cast("B")
        if not self.key[1]:
            hint = "A client that binds a path of its own can be answered."
            raise NetworkError(
                "that peer has no name to send to", address=self.peer, step="send", hint=hint, errno=errno.EDESTADDRREQ
            )
        deadline = Deadline(self._timeout)
        self.active_at = monotonic()  # before it is sent: what the peer does next is later
        while True:
            if self._closed:
                raise self._closed_error("send")
            try:
                if self.connected:
                    self._socket.send(view)
                else:
                    self._socket.sendto(view, self.key[1])
                break
            except BlockingIOError as error:
                if deadline.expired or self._aborted:
                    message = f"the peer took no more for {deadline.seconds or 0:g} s ({len(view)} bytes left)"
                    raise DeadlineExpired(message, unsent=len(view), address=self.peer, step="send") from error
                self._wait_for_room(deadline)
            except OSError as error:
                raise datagram_failure(error, self.peer, len(view)) from error

    def _wait_for_room(self, deadline: Deadline) -> None:
        """Wait until a send may succeed. In slices, because an abort does not wake a poll."""
        if self._listener.reliable:
            # A Unix domain socket counts as writable while the receiver's queue is full: poll(2) would not wait.
            with self._changed:
                self._changed.wait(deadline.within(_FULL_QUEUE))
        else:
            wait_writable(self._socket, deadline.within(0.2))

    def set_timeout(self, seconds: float | None) -> None:
        """See Stream."""
        self._timeout = seconds

    def close(self) -> None:
        """See Stream."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify_all()
        self._listener.forget(self)

    def abort(self) -> None:
        """See Stream."""
        with self._changed:
            self._aborted = True
            self._changed.notify_all()

    def fileno(self) -> int:
        """-1: the socket is shared, what is for this peer waits in its queue."""
        return -1

    def _closed_error(self, step: str) -> ConnectionClosed:
        return ConnectionClosed("this side has closed the connection already", address=self.peer, step=step)
