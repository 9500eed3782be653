"""A stream over a connected stream socket: what TCP and Unix domain sockets share.

Closing is where naive code loses data. A close(2) with bytes unread makes the kernel answer with a reset, and a reset
throws away what the peer has received but not read yet. So ``close`` sends the FIN first, reads away what the peer had
sent, and waits a moment for its end (the "lingering close" of RFC 9112 section 9.6).
"""

from __future__ import annotations

import errno
import socket

from wirecat.address import Address
from wirecat.endpoints.failures import broken, error_number
from wirecat.errors import DeadlineExpired, WirecatError
from wirecat.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LINGER = 1.0  # seconds a close waits for the end of a peer that is still sending
_SCRATCH = 65536


def place_of(socket_address: Any, family: int) -> Address:
    """The address of what getpeername(2), getsockname(2) or accept(2) gave."""
    if family in (socket.AF_INET, socket.AF_INET6):
        return Address("tcp", socket_address[0], socket_address[1])
    if isinstance(socket_address, bytes):  # Linux' abstract names begin with a zero byte (unix(7))
        return Address("unix", path="@" + socket_address[1:].decode("utf-8", "surrogateescape"))
    return Address("unix", path=socket_address or "")


class SocketStream(Stream):
    """A connected socket as a Stream. ``socket`` is for the engines and the pump; everybody else uses the methods.

    ``ended`` is set once the peer's end of stream has been read, ``aborted`` once this side cut the connection.
    """

    __slots__ = ("_half_closed", "_local", "_peer", "aborted", "ended", "socket")

    def __init__(self, connected: socket.socket, peer: Any = None) -> None:
        self.socket = connected
        self.ended = False
        self.aborted = False
        self._half_closed = False
        self._peer: Any = peer
        self._local: Any = None

    @property
    def peer(self) -> Address:  # type: ignore[override]
        """The other end's address."""
        if not isinstance(self._peer, Address):
            # A peer that has reset already has no name any more (ENOTCONN).
            try:
                raw = self._peer if self._peer is not None else self.socket.getpeername()
                self._peer = place_of(raw, self.socket.family)
            except OSError:
                return Address("tcp", "unknown", 0)
        return self._peer  # type: ignore[no-any-return]

    @property
    def local(self) -> Address:  # type: ignore[override]
        """This end's address."""
        if not isinstance(self._local, Address):
            try:
                raw = self._local if self._local is not None else self.socket.getsockname()
                self._local = place_of(raw, self.socket.family)
            except OSError:
                return Address("tcp", "unknown", 0)
        return self._local  # type: ignore[no-any-return]

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """See Stream."""
        try:
            count = self.socket.recv_into(buffer)
        except OSError as error:
            raise self._receive_failure(error) from error
        if not count:
            self.ended = True
        return count

    def receive(self, limit: int) -> bytes:
        """See Stream."""
        try:
            data = self.socket.recv(limit)
        except OSError as error:
            raise self._receive_failure(error) from error
        if not data:
            self.ended = True
        return data

    def _receive_failure(self, error: OSError) -> WirecatError:
        if isinstance(error, (TimeoutError, BlockingIOError)) and error_number(error) != errno.ETIMEDOUT:
            seconds = self.socket.gettimeout() or 0
            return DeadlineExpired(f"nothing came in {seconds:g} s", address=self.peer, step="receive")
        self.ended = True  # nothing more will come
        return broken(error, self.peer)

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """See Stream."""
        view = memoryview(data).cast("B")
        sent = 0
        try:
            while sent < len(view):
                sent += self.socket.send(view[sent:])
        except OSError as error:
            if isinstance(error, (TimeoutError, BlockingIOError)) and error_number(error) != errno.ETIMEDOUT:
                seconds, left = self.socket.gettimeout() or 0, len(view) - sent
                raise DeadlineExpired(
                    f"the peer took no more for {seconds:g} s ({left} bytes left)", address=self.peer, step="send"
                ) from error
            raise broken(error, self.peer, unsent=len(view) - sent) from error

    def half_close(self) -> None:
        """See Stream: shutdown(2) of the sending half."""
        if self._half_closed:
            return
        self._half_closed = True
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise broken(error, self.peer) from error

    def set_timeout(self, seconds: float | None) -> None:
        """See Stream."""
        self.socket.settimeout(seconds)

    def close(self) -> None:
        """See Stream. Takes at most LINGER seconds, and that only while a peer goes on sending."""
        connected = self.socket
        if connected.fileno() < 0:
            return
        self._remember_names(connected)
        try:
            if not (self.ended or self.aborted):
                if not self._half_closed:
                    connected.shutdown(socket.SHUT_WR)
                _read_away(connected)
        except OSError:
            pass  # the peer has gone already: there is nothing left to be orderly with
        finally:
            connected.close()

    def _remember_names(self, connected: socket.socket) -> None:
        """``peer`` and ``local`` go on telling where it was once the descriptor is gone."""
        try:
            if self._peer is None:
                self._peer = connected.getpeername()
            if self._local is None:
                self._local = connected.getsockname()
        except OSError:
            return  # reset already: it has no names any more

    def abort(self) -> None:
        """See Stream."""
        self.aborted = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # gone already, which is what was asked for

    def fileno(self) -> int:
        """See Stream."""
        return self.socket.fileno()


def _read_away(connected: socket.socket) -> None:
    """Read what the peer sent and nobody will read; if there was any, wait for its end, at most LINGER seconds."""
    from wirecat.deadline import Deadline

    deadline = Deadline(LINGER)
    connected.settimeout(0)
    try:
        while connected.recv(_SCRATCH):
            connected.settimeout(max(0.001, deadline.remaining() or 0))
            if deadline.expired:
                return
    except (BlockingIOError, TimeoutError):
        return
