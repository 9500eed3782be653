"""A stream over a connected stream socket: what TCP and Unix domain sockets share.

Closing is where naive code loses data. A close(2) with bytes unread makes the kernel answer with a reset, and so do
bytes that arrive after it; a reset throws away what is still on its way to the peer, and on some systems what the peer
has received but not read yet. So ``close`` sends the FIN first, reads away what the peer sent, and waits a moment for
its end (the "lingering close" of RFC 9112 section 9.6).
"""

from __future__ import annotations

import errno
import os
import select
import socket

from wirecat.address import Address
from wirecat.deadline import LONGEST_WAIT
from wirecat.endpoints.congestion import stays_here, stop_pacing
from wirecat.endpoints.failures import broken, error_number
from wirecat.endpoints.lingering import LINGER as LINGER
from wirecat.endpoints.lingering import drain, pending_error, read_away, settle
from wirecat.endpoints.place import place_of
from wirecat.endpoints.watched_wait import WatchedWait
from wirecat.errors import ConnectionClosed, DeadlineExpired, WirecatError
from wirecat.stream import PartnerLost, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wirecat.errors import NetworkError


class SocketStream(Stream):
    """A connected socket as a Stream. ``socket`` is for the engines and the pump; everybody else uses the methods.

    ``ended`` is set once the peer's end of stream has been read, ``aborted`` once this side cut the connection.
    """

    __slots__ = (
        "_broken", "_half_closed", "_local", "_peer", "_receive_timeout", "_receive_wait", "_send_error", "_send_wait",
        "_timeout", "aborted", "ended", "socket",
    )  # fmt: skip

    scheme = "tcp"
    """That of its addresses, where they are a host and a port."""

    def __init__(self, connected: socket.socket, peer: Any = None) -> None:
        self.socket = connected
        self.ended = False
        self.aborted = False
        self._half_closed = False
        self._broken: OSError | None = None  # what a receive has failed with, or will
        self._send_error: OSError | None = None
        self._peer: Any = peer
        self._local: Any = None
        # Set while a partner is watched: then the socket is non-blocking, and this object waits and keeps the time.
        self._receive_wait: WatchedWait | None = None
        self._send_wait: WatchedWait | None = None
        self._timeout: float | None = None
        self._receive_timeout: float | None = None

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
        if self._receive_wait is not None:
            self._wait_to_receive(self._receive_wait)
        try:
            count = self.socket.recv_into(buffer)
        except OSError as error:
            if self._receive_wait is not None and isinstance(error, BlockingIOError):
                return self.receive_into(buffer)  # poll(2) was wrong, which it may be
            raise self._receive_failure(error) from error
        if not count:
            self._end()
        return count

    def receive(self, limit: int) -> bytes:
        """See Stream, and ``receive_into``."""
        if self.aborted:
            self.ended = True
            return b""
        if self._receive_wait is not None:
            self._wait_to_receive(self._receive_wait)
        try:
            data = self.socket.recv(limit)
        except OSError as error:
            if self._receive_wait is not None and isinstance(error, BlockingIOError):
                return self.receive(limit)  # poll(2) was wrong, which it may be
            raise self._receive_failure(error) from error
        if not data:
            self._end()
        return data

    def _wait_to_receive(self, wait: WatchedWait) -> None:
        if self.socket.fileno() >= 0 and not wait.wait(self._receive_timeout):
            raise self._silence(self._receive_timeout)

    def _silence(self, seconds: float | None) -> DeadlineExpired:
        message = f"nothing came in {seconds or 0:g} s"
        return DeadlineExpired(message, seconds=seconds, address=self.peer, step="receive")

    def _end(self) -> None:
        self.ended = True
        if self._broken is not None:  # the kernel tells it once, and then says what it says at an orderly end
            raise broken(self._broken, self.peer) from self._broken

    def _receive_failure(self, error: OSError) -> WirecatError:
        if isinstance(error, (TimeoutError, BlockingIOError)) and error_number(error) != errno.ETIMEDOUT:
            return self._silence(self.socket.gettimeout())
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
                try:
                    sent += self.socket.send(view[sent:])
                except BlockingIOError:
                    if self._send_wait is None or not self._send_wait.wait(self._timeout):
                        raise
        except PartnerLost as lost:
            lost.unsent = len(view) - sent
            raise
        except OSError as error:
            raise self._send_failure(error, len(view) - sent) from error

    def _send_failure(self, error: OSError, left: int | None) -> WirecatError:
        if isinstance(error, (TimeoutError, BlockingIOError)) and error_number(error) != errno.ETIMEDOUT:
            seconds = self._timeout or 0
            message = f"the peer took no more for {seconds:g} s ({left} bytes left)"
            return DeadlineExpired(message, unsent=left, address=self.peer, step="send")
        if self.socket.fileno() < 0:
            return _closed(self.peer, "send")
        if self._broken is not None and error_number(self._broken) == errno.ETIMEDOUT:
            error = self._broken  # the cause of this one
        self._send_error = error.with_traceback(None)
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
        self._timeout = None if seconds is not None and seconds > 20 * LONGEST_WAIT else seconds
        self._receive_timeout = self._timeout
        if self._receive_wait is None:
            self.socket.settimeout(self._timeout)

    def set_receive_timeout(self, seconds: float | None) -> None:
        """See Stream: sends keep their time only while a partner is watched, for the kernel's clock is one for both."""
        if self._receive_wait is None:
            self.set_timeout(seconds)
        else:
            self._receive_timeout = seconds

    def watch(self, partner: Stream | None, *, give_up: bool = True) -> None:
        """See Stream."""
        descriptor = self.socket.fileno()
        if partner is None or partner.loss_descriptor < 0 or descriptor < 0:
            watched = self._receive_wait is not None
            self._receive_wait = self._send_wait = None
            self._receive_timeout = self._timeout
            if watched and descriptor >= 0:
                self.socket.settimeout(self._timeout)
            return
        self._receive_wait = WatchedWait(descriptor, partner, sending=False)
        self._send_wait = WatchedWait(descriptor, partner if give_up else None, sending=True)
        self.socket.setblocking(False)

    @property
    def loss_descriptor(self) -> int:
        """See Stream."""
        return self.socket.fileno()

    @property
    def hangs_up_only_when_lost(self) -> bool:  # type: ignore[override]
        """See Stream. (A Unix domain socket also reports an orderly close of its peer so.)"""
        return self.socket.family in (socket.AF_INET, socket.AF_INET6) and not self._half_closed

    def loss(self, failed: bool = False) -> NetworkError | None:
        """See Stream. The kernel tells an error once, so it is kept for the receive that comes next."""
        if self.aborted:
            return broken(OSError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED)), self.peer)
        if self._broken is None and self._send_error is None:
            if failed:  # before it is asked for: from then on another thread's receive sees a plain end
                self._broken = OSError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
            try:
                number = pending_error(self.socket)
            except OSError:  # it is closed
                number = 0
            if number:
                self._broken = OSError(number, os.strerror(number))
        error = self._broken or self._send_error
        return None if error is None else broken(error, self.peer)

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

    def lose(self) -> None:
        """See Stream."""
        self._broken = OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # gone already

    def settle(self) -> None:
        """Wait until all that was sent has reached the peer's system; see ``lingering.settle``."""
        settle(self.socket, lambda: self.aborted)

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

    @property
    def raw_source_waits(self) -> bool:  # type: ignore[override]
        """See Stream: not while a partner is watched."""
        return self._receive_wait is None

    def _raw(self) -> int | str:
        connected = self.socket
        # With a timeout Python makes the descriptor non-blocking, and waits itself.
        if (connected.gettimeout() if self._receive_wait is None else self._receive_timeout) is not None:
            return "a time limit"
        descriptor = connected.fileno()
        return descriptor if descriptor >= 0 else "it is closed"

    def raw_wait(self) -> bool:
        """See Stream."""
        if self._receive_wait is not None:
            self._wait_to_receive(self._receive_wait)
        elif hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self.socket.fileno(), select.POLLIN)
            poll.poll()
        return not self.aborted

    def raw_wait_sink(self) -> bool:
        """See Stream. (Only while a partner is watched the descriptor does not wait by itself.)"""
        return self._send_wait is not None and bool(self._send_wait.wait(self._timeout))

    def raw_receive_failure(self, error: OSError) -> WirecatError:
        """See Stream."""
        return self._receive_failure(error)

    def raw_send_failure(self, error: OSError, unsent: int | None) -> WirecatError:
        """See Stream."""
        return self._send_failure(error, unsent)


def _closed(peer: Address, step: str) -> ConnectionClosed:
    return ConnectionClosed("this side has closed the connection already", address=peer, step=step)
