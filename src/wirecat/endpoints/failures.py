"""From an errno to an error that a person can act on: what happened, the likely cause, what to try."""

from __future__ import annotations

import errno
import sys

from wirecat.errors import (
    ConnectionBroken,
    ListenError,
    NetworkError,
    NoAnswer,
    OutputClosed,
    Refused,
    UnknownHost,
    Unreachable,
    WirecatError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address

# Windows reports its own numbers (winsock2.h) for some failures, beside or instead of the POSIX ones.
_WINDOWS = {
    10013: errno.EACCES, 10048: errno.EADDRINUSE, 10049: errno.EADDRNOTAVAIL, 10051: errno.ENETUNREACH,
    10053: errno.ECONNABORTED, 10054: errno.ECONNRESET, 10060: errno.ETIMEDOUT, 10061: errno.ECONNREFUSED,
    10065: errno.EHOSTUNREACH,
}  # fmt: skip
_UNREACHABLE = {
    errno.EHOSTUNREACH: ("no way to that host", "Is it on, and on this network?"),
    errno.ENETUNREACH: ("no way to that network", "Is this PC connected?"),
    errno.ENETDOWN: ("the network is down", "Is this PC connected?"),
    errno.EADDRNOTAVAIL: ("this PC has no address to reach it from", ""),
    errno.EAFNOSUPPORT: ("this PC cannot speak that kind of address", ""),
    errno.EACCES: ("not permitted", "A firewall on this PC forbids it, or it is a broadcast address."),
    errno.EPERM: ("not permitted", "A firewall on this PC forbids it."),
}
_LOST = {errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN}
BROKEN = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN, errno.ESHUTDOWN, errno.EBADF, *_LOST}


def error_number(error: OSError) -> int:
    """The POSIX errno of an error, Windows' own numbers translated; 0 where there is none."""
    number = getattr(error, "winerror", None) or error.errno or 0
    return _WINDOWS.get(number, number)


def connect_failure(error: OSError, address: Address, seconds: float | None = None) -> WirecatError:
    """The error to raise for a connect that failed with ``error``; ``seconds`` is how long was waited in all."""
    if isinstance(error, WirecatError):
        return error
    number = error_number(error)
    if number == errno.ECONNREFUSED:
        if address.this_pc_only:
            hint = "Nothing listens there: is the server running, and on this port? Try: wirecat sockets --listening"
        else:
            hint = "The host answers, but nothing listens on that port (or a firewall rejects it)."
        return Refused("connection refused", address=address, step="connect", hint=hint, errno=number)
    if isinstance(error, TimeoutError) or number == errno.ETIMEDOUT:
        waited = "no answer" if seconds is None else f"no answer in {seconds:g} s"
        hint = (
            "A firewall may be dropping it, or the PC is off."
            if not address.this_pc_only
            else "The server's queue may be full."
        )
        return NoAnswer(waited, address=address, step="connect", hint=hint, errno=errno.ETIMEDOUT)
    if number == errno.ECONNRESET:  # it did accept, and was gone before we could say a word
        return broken(error, address)
    if number in _UNREACHABLE:
        message, hint = _UNREACHABLE[number]
        return Unreachable(message, address=address, step="connect", hint=hint, errno=number)
    return NetworkError(error.strerror or str(error), address=address, step="connect", errno=number)


def lookup_failure(error: OSError, address: Address, step: str = "connect") -> UnknownHost:
    """The error to raise for a name that does not resolve (getaddrinfo(3)); ``step`` is what it was looked up for."""
    reason = error.strerror or str(error)
    return UnknownHost(
        f"unknown host {address.host!r} ({reason})", address=address, step=step,
        hint="Check the spelling, or try the address in numbers.", errno=error.errno,
    )  # fmt: skip


def broken(error: OSError, peer: object, *, unsent: int | None = None) -> ConnectionBroken:
    """The error to raise when an open connection breaks."""
    number = error_number(error)
    if number in _LOST:
        message, hint = "the connection was lost: the peer no longer answers", "Its PC or the network between has gone."
    elif number in (errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED):
        message, hint = "the peer broke the connection off", "It was ended or crashed, or it closed with data unread."
    else:
        message, hint = error.strerror or str(error), ""
    return ConnectionBroken(message, unsent=unsent, address=peer, step="connection", hint=hint, errno=number)


def output_failure(error: OSError, unwritten: int | None = None) -> WirecatError:
    """The error to raise when standard output takes no more; ``unwritten`` is how many bytes are lost at least."""
    number = error_number(error)
    lost = "" if unwritten is None else f": at least {unwritten} bytes that had arrived were not delivered"
    if number == errno.EPIPE:
        return OutputClosed(f"standard output was closed early{lost}", errno=number)
    if number == errno.EBADF:
        return OutputClosed(f"standard output is closed{lost}", errno=number)
    return NetworkError(f"standard output: {error.strerror or error}{lost}", errno=number)


def listen_failure(error: OSError, address: Address, holder: str = "") -> ListenError:
    """The error to raise for a listen that failed; ``holder`` says who has the port, where that can be seen."""
    number = error_number(error)
    port = address.port
    if number == errno.EADDRINUSE and port is None:
        message, hint = "the path is taken", "A server listens there, or it is a file. Choose another path."
    elif number == errno.EADDRINUSE:
        message = f"the port is taken{f' by {holder}' if holder else ''}"
        hint = "End that program, or choose another port (0 takes a free one)."
        if not holder:
            hint = f"See who has it: wirecat sockets --listening --port {port}. Or choose another (0 takes a free one)."
    elif number in (errno.EACCES, errno.EPERM):
        if port is not None and port < 1024 and sys.platform != "win32":
            message, hint = "ports below 1024 are privileged", "Choose a port from 1024 on, or run it as root."
        elif port is None:
            message, hint = "not permitted", "You may not write to that directory."
        else:
            message, hint = "not permitted", "Another program may hold the port for itself, or a policy forbids it."
    elif number == errno.EADDRNOTAVAIL:
        message = "that address is not this PC's"
        hint = "Write :PORT for all its addresses, or see them with: wirecat sockets --listening"
    elif number == errno.EAFNOSUPPORT:
        message, hint = "this PC cannot speak that kind of address", ""
    else:
        message, hint = error.strerror or str(error), ""
    return ListenError(message, address=address, step="listen", hint=hint, errno=number)
