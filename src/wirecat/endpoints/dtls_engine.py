"""OpenSSL's DTLS without I/O: datagrams in, data out, and the other way; safe to be used by two threads.

pyOpenSSL's buffers in memory know no datagrams: what OpenSSL writes in one go is cut here, between records, into
datagrams that no network has to cut (RFC 6347 section 4.1.1).
"""

from __future__ import annotations

import _thread
import errno

from wirecat.errors import NetworkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MTU = 1200  # bytes of UDP's payload: it fits through IPv6's least (1280), tunnels included
LARGEST_RECORD = 16384  # bytes of data, RFC 6347 section 4.1
_HEADER = 13  # bytes before a record's content, its length in the last two
_READ = 65536
_HANDSHAKE, _CLIENT_HELLO = 22, 1  # content type and handshake type, RFC 5246 sections 6.2.1 and 7.4


class DtlsEngine:
    """One side of one DTLS association. ``ended`` tells that the peer's close_notify has been read."""

    __slots__ = ("_lock", "_waiting", "ended", "object")

    def __init__(self, context: Any, server_side: bool, server_name: str) -> None:
        from OpenSSL import SSL

        self.object = SSL.Connection(context, None)
        self.object.set_options(SSL.OP_NO_QUERY_MTU)
        self.object.set_ciphertext_mtu(MTU)
        if server_side:
            self.object.set_accept_state()
        else:
            self.object.set_connect_state()
            if server_name:
                self.object.set_tlsext_host_name(server_name.encode("ascii"))
        self.ended = False
        self._lock = _thread.allocate_lock()
        self._waiting: list[bytes] = []  # datagrams that OpenSSL has not seen yet: it is shown one at a time

    def verify_cookie(self, datagram: bytes) -> bool:
        """Whether ``datagram`` is a ClientHello with the cookie of its sender; the handshake goes on then.

        One without a cookie is answered with one (``take_out``), and nothing of it is kept: the same object serves the next.
        """
        from OpenSSL import SSL

        with self._lock:
            self.object.bio_write(datagram)
            try:
                self.object.DTLSv1_listen()
            except SSL.Error:  # WantReadError, too: that is how it says no
                return False
            return True

    def shake(self) -> bool:
        """Go on with the handshake as far as what has come allows; whether it is done. Raises OpenSSL.SSL.Error."""
        from OpenSSL import SSL

        with self._lock:
            while True:
                try:
                    self.object.do_handshake()
                except SSL.WantReadError:
                    if not self._show_next():
                        return False
                    continue
                self.object.set_ciphertext_mtu(LARGEST_RECORD + 256)  # a datagram may be as large as one of UDP's
                return True

    def feed(self, datagram: bytes) -> None:
        """Take in a datagram of the peer."""
        with self._lock:
            self._waiting.append(datagram)

    def _show_next(self) -> bool:
        if not self._waiting:
            return False
        datagram = self._waiting.pop(0)
        if datagram:  # an empty one is none of DTLS
            self.object.bio_write(datagram)
        return True

    def take_out(self) -> list[bytes]:
        """The datagrams that are to be sent to the peer."""
        from OpenSSL import SSL

        with self._lock:
            pieces = []
            while True:
                try:
                    pieces.append(self.object.bio_read(_READ))
                except SSL.WantReadError:
                    return cut_into_datagrams(b"".join(pieces))

    def read(self) -> bytes | None:
        """The next datagram's data; ``b""`` at the end, None where more has to come first. Raises OpenSSL.SSL.Error."""
        from OpenSSL import SSL

        with self._lock:
            while not self.ended:
                try:
                    data: bytes = self.object.recv(_READ)
                    return data
                except SSL.WantReadError:
                    if not self._show_next():
                        return None
                except SSL.ZeroReturnError:
                    self.ended = True
            return b""

    def write(self, data: bytes) -> None:
        """Encrypt ``data`` as one record. Raises WirecatError for more than one holds, OpenSSL.SSL.Error."""
        if len(data) > LARGEST_RECORD:
            raise NetworkError(
                f"{len(data)} bytes are too many for one datagram of DTLS", step="send",
                hint=f"It takes at most {LARGEST_RECORD}.", errno=errno.EMSGSIZE,
            )  # fmt: skip
        with self._lock:
            if data:  # OpenSSL sends no empty record
                self.object.send(data)

    def close_notify(self) -> None:
        """Tell the peer that this was all (RFC 6347 section 4.1.2.7: it may get lost)."""
        from OpenSSL import SSL

        with self._lock:
            try:
                self.object.shutdown()
            except SSL.Error:
                return  # it is broken already

    @property
    def resend_after(self) -> float | None:
        """Seconds until the last flight of the handshake is to be sent again; None where nothing is."""
        with self._lock:
            return self.object.DTLSv1_get_timeout()

    def resend(self) -> None:
        """The time has come. Raises OpenSSL.SSL.Error after too many times."""
        with self._lock:
            self.object.DTLSv1_handle_timeout()


def is_client_hello(datagram: bytes) -> bool:
    """Whether a datagram can be a ClientHello (RFC 6347 sections 4.1 and 4.3.2), by its first bytes and its size."""
    return (
        _HEADER < len(datagram) <= LARGEST_RECORD and datagram[0] == _HANDSHAKE and datagram[_HEADER] == _CLIENT_HELLO
    )


def cut_into_datagrams(records: bytes, mtu: int = MTU) -> list[bytes]:
    """Records put together to datagrams of at most ``mtu`` bytes; one that is larger has its own.

    >>> record = bytes(11) + b"\\x00\\x02" + b"ab"
    >>> [len(each) for each in cut_into_datagrams(3 * record, 30)]
    [30, 15]
    """
    datagrams: list[bytes] = []
    start = place = 0
    while place < len(records):
        length = _HEADER + int.from_bytes(records[place + 11 : place + _HEADER], "big")
        if place > start and place + length - start > mtu:
            datagrams.append(records[start:place])
            start = place
        place += length
    if start < len(records):
        datagrams.append(records[start:])
    return datagrams
