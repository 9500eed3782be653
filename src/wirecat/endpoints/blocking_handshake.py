"""A TLS handshake over a stream whose calls wait."""

from __future__ import annotations

from wirecat.deadline import Deadline
from wirecat.endpoints import tls_failures
from wirecat.endpoints.socket_stream import LINGER
from wirecat.errors import DeadlineExpired

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.endpoints.tls_handshake import TlsHandshake
    from wirecat.stream import Stream

_READ = 1 << 16


def complete(
    handshake: TlsHandshake, inner: Stream, deadline: Deadline, *, server_side: bool, check: Callable[[], None]
) -> None:
    """Do the handshake over ``inner`` until it is done. ``check()`` is called before the peer is sent the last of it.

    Raises TlsError, CertificateError, what ``check`` raises, and NoAnswer at the deadline (as a server TlsError); closes
    nothing.
    """
    try:
        while not (handshake.done or handshake.failure):
            if handshake.is_startable:
                handshake.proceed()
                if handshake.failure is not None:
                    break
                if handshake.done:
                    check()
                _send(handshake, inner, deadline)
            if not handshake.done:
                _allow(inner, deadline)
                data = inner.receive(_READ)
                handshake.receive(data) if data else handshake.end()
    except DeadlineExpired as error:
        raise tls_failures.no_handshake(inner.peer, deadline.seconds, server_side) from error
    if handshake.failure is not None:
        try:
            _send(handshake, inner, Deadline(LINGER))  # the alert that tells the peer
        except OSError:
            pass  # it has gone
        raise handshake.failure


def _send(handshake: TlsHandshake, inner: Stream, deadline: Deadline) -> None:
    if data := handshake.take_out():
        _allow(inner, deadline)
        inner.send(data)


def _allow(inner: Stream, deadline: Deadline) -> None:
    if deadline.expired:
        raise DeadlineExpired("no time is left for the handshake", address=inner.peer, step="TLS handshake")
    inner.set_timeout(deadline.remaining())
