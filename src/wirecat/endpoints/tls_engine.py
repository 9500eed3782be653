"""OpenSSL without I/O: encrypted bytes in, plain bytes out, and the other way; safe to be used by two threads.

An object of OpenSSL must not be used by two threads at once, and a receive may wait for ever. So OpenSSL never
touches the socket: it reads and writes two buffers in memory (``ssl.MemoryBIO``), under a lock that is held only
while it computes.
"""

from __future__ import annotations

import _thread
from copy import copy

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

_READ = 1 << 16


class TlsEngine:
    """One side of one TLS connection. ``ended`` tells that the peer's end of stream (close_notify) has been read."""

    __slots__ = ("_error", "_incoming", "_lock", "_outgoing", "_plain", "ended", "object")

    def __init__(self, context: ssl.SSLContext, server_side: bool, server_name: str) -> None:
        import ssl

        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_side, server_name or None)
        self.ended = False
        self._lock = _thread.allocate_lock()
        self._plain = bytearray()  # decrypted bytes that nobody has taken yet
        # What ended the receiving. A copy that was never raised: the frames of one that was know this engine.
        self._error: ssl.SSLError | None = None

    def shake(self) -> bool:
        """Go on with the handshake as far as what has come allows; whether it is done. Raises ssl.SSLError."""
        import ssl

        with self._lock:
            try:
                self.object.do_handshake()
            except ssl.SSLWantReadError:
                return False
            return True

    def feed(self, data: bytes | memoryview) -> None:
        """Take in what has come from the peer."""
        with self._lock:
            self._incoming.write(data)

    @property
    def wants_out(self) -> bool:
        """Whether there is something to be sent to the peer."""
        return bool(self._outgoing.pending)

    def take_out(self) -> bytes:
        """What is to be sent to the peer."""
        with self._lock:
            return self._outgoing.read()

    @property
    def buffered(self) -> bool:
        """Whether there may be something to read, the end included, before more has come from the peer."""
        with self._lock:
            # An end or an error that was read together with the last bytes waits to be told as well.
            told = bool(self._plain or self._incoming.pending or self.object.pending())
            return told or self.ended or self._error is not None

    def read_into(self, view: memoryview) -> int | None:
        """Fill ``view`` with what has come; 0 at the end, None where more has to come first.

        Raises ssl.SSLError where TLS is broken: after all that came before, and then each time.
        """
        import ssl

        with self._lock:
            if self._plain:
                count = min(len(view), len(self._plain))
                view[:count] = self._plain[:count]
                del self._plain[:count]
                return count
            if self._error is not None:
                raise copy(self._error)
            count = 0
            try:
                while count < len(view) and not self.ended:
                    got = self._read(view[count:])
                    self.ended = not got
                    count += got
            except ssl.SSLWantReadError:
                return count or None
            except ssl.SSLZeroReturnError:
                self.ended = True
            except ssl.SSLError as error:
                self._error = copy(error)
                if not count:
                    raise
            return count

    def _read(self, view: memoryview) -> int:
        # With a buffer it gives the count; the stubs know of bytes only.
        count: int = self.object.read(len(view), view)  # type: ignore[assignment,arg-type,unused-ignore]
        return count

    def write(self, data: memoryview) -> None:
        """Encrypt all of ``data``."""
        with self._lock:
            # Never SSLWantReadError: renegotiation is off; never SSLWantWriteError: a buffer in memory takes all.
            self.object.write(data)

    def close_notify(self) -> None:
        """End the stream to the peer (RFC 8446 section 6.1). What comes from it can be read on."""
        import ssl

        with self._lock:
            # unwrap() looks for the peer's close_notify as well, and fails where it finds data. So those go first.
            buffer = memoryview(bytearray(_READ))
            try:
                while not self.ended:
                    got = self._read(buffer)
                    self.ended = not got
                    self._plain += buffer[:got]
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLZeroReturnError:
                self.ended = True
            except ssl.SSLError as error:
                self._error = copy(error)
            try:
                self.object.unwrap()
            except ssl.SSLError:
                pass  # the peer's is still to come (SSLWantReadError), or never will
