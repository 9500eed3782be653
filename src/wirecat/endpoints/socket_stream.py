"""A stream over a connected stream socket: what TCP and Unix domain sockets share.

Closing is where naive code loses data. A close(2) with bytes unread makes the kernel answer with a reset, and so do
bytes that arrive after it; a reset throws away what is still on its way to the peer, and on some systems what the peer
has received but not read yet. So ``close`` sends the FIN first, reads away what the peer sent, and waits a moment for
its end (the "lingering close" of RFC 9112 section 9.6).
"""

from __future__ import annotations

import errno
import select
import socket
import sys

from wirecat.address import Address
from wirecat.deadline import LONGEST_WAIT, Deadline
from wirecat.endpoints.congestion import stays_here, stop_pacing
from wirecat.endpoints.failures import broken, error_number
from wirecat.endpoints.place import place_of
from wirecat.errors import ConnectionClosed, DeadlineExpired, WirecatError
from wirecat.stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LINGER = 1.0  # seconds a close waits for the end of a peer that is still sending
_SCRATCH = 65536


class SocketStream(Stream):
    """A connected socket as a Stream. ``socket`` is for the engines and the pump; everybody else uses the methods.

    ``ended`` is set once the peer's end of stream has been read, ``aborted`` once this side cut the connection.
    """

    __slots__ = ("_broken", "_half_closed", "_local", "_peer", "aborted", "ended", "socket")

    scheme = "tcp"
    """That of its addresses, where they are a host and a port."""

    raw_source_waits = True

    def __init__(self, connected: socket.socket, peer: Any = None) -> None:
        self.socket = connected
        self.ended = False
        self.aborted = False
        self._half_closed = False
        self._broken: OSError | None = None
        self._peer: Any = peer
        self._local: Any = None

    @property
    def peer(self) -> Address:  # type: ignore[override]
        """The other end's address."""
        if not isinstance(self._peer, Address):
            # A peer that has reset already has no name any more (ENOTCONN).
            try:
                raw = self._peer if self._peer is not None else self.socket.getpeername()
                self._peer = place_of(raw, self.scheme)
            except OSError:
                return Address(self.scheme, "unknown", 0)
        return self._peer  # type: ignore[no-any-return]

    @property
    def local(self) -> Address:  # type: ignore[override]
        """This end's address."""
        if not isinstance(self._local, Address):
            try:
                raw = self._local if self._local is not None else self.socket.getsockname()
                self._local = place_of(raw, self.scheme)
            except OSError:
                return Address(self.scheme, "unknown", 0)
        return self._local  # type: ignore[no-any-return]

    def receive_into(self, buffer: bytearray | memoryview) -> int:
        """See Stream. After an abort what the kernel still holds stays there: so the close tells the peer (by a reset)
        that it was not read, rather than leave it waiting for room to send more.
        """
        if self.aborted:
            self.ended = True
            return 0
        try:
            count = self.socket.recv_into(buffer)
        except OSError as error:
            raise self._receive_failure(error) from error
        if not count:
            self._end()
        return count

    def receive(self, limit: int) -> bytes:
        """See Stream, and ``receive_into``."""
        if self.aborted:
            self.ended = True
            return b""
        try:
            data = self.socket.recv(limit)
        except OSError as error:
            raise self._receive_failure(error) from error
        if not data:
            self._end()
        return data

    def _end(self) -> None:
        self.ended = True
        if self._broken is not None:  # the kernel tells it once, and then says what it says at an orderly end
            raise broken(self._broken, self.peer) from self._broken

    def _receive_failure(self, error: OSError) -> WirecatError:
        if isinstance(error, (TimeoutError, BlockingIOError)) and error_number(error) != errno.ETIMEDOUT:
            seconds = self.socket.gettimeout() or 0
            return DeadlineExpired(f"nothing came in {seconds:g} s", address=self.peer, step="receive")
        if self.socket.fileno() < 0:
            return _closed(self.peer, "receive")
        self.ended = True  # nothing more will come
        self._broken = error.with_traceback(None)
        return broken(error, self.peer)

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """See Stream."""
        view = memoryview(data).cast("B")
        sent = 0
        try:
            while sent < len(view):
                sent += self.socket.send(view[sent:])
        except OSError as error:
            raise self._send_failure(error, len(view) - sent) from error

    def _send_failure(self, error: OSError, left: int | None) -> WirecatError:
        if isinstance(error, (TimeoutError, BlockingIOError)) and error_number(error) != errno.ETIMEDOUT:
            seconds = self.socket.gettimeout() or 0
            message = f"the peer took no more for {seconds:g} s ({left} bytes left)"
            return DeadlineExpired(message, unsent=left, address=self.peer, step="send")
        if self.socket.fileno() < 0:
            return _closed(self.peer, "send")
        return broken(error, self.peer, unsent=left)

    def half_close(self) -> None:
        """See Stream: shutdown(2) of the sending half."""
        if self.socket.fileno() < 0:
            raise _closed(self.peer, "half-close")
        if self._half_closed:
            return
        self._half_closed = True
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise broken(error, self.peer) from error

    def set_timeout(self, seconds: float | None) -> None:
        """See Stream. What the kernel's clock cannot count (24 days and more) is for ever."""
        self.socket.settimeout(None if seconds is not None and seconds > 20 * LONGEST_WAIT else seconds)

    def close(self) -> None:
        """See Stream. Takes at most LINGER seconds, and that only for a peer that goes on sending, or has not got all yet. A
        receive that waits in another thread returns."""
        connected = self.socket
        if connected.fileno() < 0:
            return
        self._remember_names(connected)
        try:
            if not (self.ended or self.aborted):
                if not self._half_closed:
                    connected.shutdown(socket.SHUT_WR)
                read_away(connected)
                connected.shutdown(socket.SHUT_RDWR)
                if connected.family == getattr(socket, "AF_UNIX", None):
                    drain(connected)  # what came since then would make of the end a reset; now nothing more can come
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

    def settle(self) -> None:
        """Wait until all that was sent has got to the peer's system, where this one can tell; for LINGER seconds at most.

        For whoever is about to abort while the peer may still be sending: bytes unread make a reset of the end, and it
        throws away what is still on its way.
        """
        deadline, pause = Deadline(LINGER), 1
        try:
            while not self.aborted and on_its_way(self.socket) and deadline.remaining():
                # Nothing tells when it is there, so that is looked at, at growing intervals. A broken end is told.
                broke = select.poll()
                broke.register(self.socket, 0)
                if broke.poll(pause):
                    return
                pause = min(pause * 2, 50)
        except (OSError, ValueError):
            return  # closed meanwhile

    def fileno(self) -> int:
        """See Stream."""
        return self.socket.fileno()

    def raw_source(self) -> int | str:
        """See Stream."""
        if self.aborted or self._broken is not None:
            return "it has ended"
        return self._raw()

    def raw_sink(self) -> int | str:
        """See Stream."""
        return "this half has ended" if self._half_closed else self._raw()

    def expect_bulk(self) -> None:
        """See Stream."""
        if stays_here(self.local, self.peer):
            stop_pacing(self.socket)

    def _raw(self) -> int | str:
        connected = self.socket
        # With a time-out Python keeps the descriptor from waiting, and waits by itself.
        if connected.gettimeout() is not None:
            return "a time limit"
        descriptor = connected.fileno()
        return descriptor if descriptor >= 0 else "it is closed"

    def raw_wait(self) -> bool:
        """See Stream."""
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self.socket.fileno(), select.POLLIN)
            poll.poll()
        return not self.aborted

    def raw_receive_failure(self, error: OSError) -> WirecatError:
        """See Stream."""
        return self._receive_failure(error)

    def raw_send_failure(self, error: OSError, unsent: int | None) -> WirecatError:
        """See Stream."""
        return self._send_failure(error, unsent)


def _closed(peer: Address, step: str) -> ConnectionClosed:
    return ConnectionClosed("this side has closed the connection already", address=peer, step=step)


def read_away(connected: socket.socket) -> None:
    """After our FIN: read what the peer sends and nobody will read, until its end. Without waiting for that where it has
    sent nothing and has got all of ours; for at most LINGER seconds in any case."""
    deadline = Deadline(LINGER)
    heard = False
    pause = 0.0
    while True:
        connected.settimeout(pause)
        try:
            if not connected.recv(_SCRATCH):
                return
            heard = True
        except (BlockingIOError, TimeoutError):
            if not heard and not on_its_way(connected):
                return
        remaining = deadline.remaining() or 0.0
        if not remaining:
            return
        # Nothing tells when the peer's system has got it all, so that is looked at, at growing intervals.
        pause = remaining if heard else min(remaining, max(0.001, pause * 2), 0.05)


def drain(connected: socket.socket) -> None:
    """Read away what is there, without waiting."""
    connected.settimeout(0)
    try:
        while connected.recv(_SCRATCH):
            pass
    except BlockingIOError:
        pass


def on_its_way(connected: socket.socket) -> bool:
    """Whether bytes that were sent have not arrived at the peer's system yet, where this system tells (tcp(7), SIOCOUTQ)."""
    if sys.platform != "linux" or connected.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    import fcntl
    import termios

    count = fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(count, sys.byteorder) > 1  # the FIN counts as one
