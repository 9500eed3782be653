"""Every error that wirecat raises, in one small tree.

    WirecatError
    ├── NetworkError (OSError)           exit 1   the network, the peer or the system failed
    │   ├── UnknownHost                           a name does not resolve
    │   ├── Refused (ConnectionRefusedError)      the machine answers, but nothing listens on that port
    │   ├── NoAnswer (TimeoutError)               no answer before the deadline
    │   ├── Unreachable                           no route to the host
    │   ├── BindError                             an address or port of this machine that cannot be used
    │   │   └── ListenError                       a port that cannot be listened on: taken, privileged, …
    │   ├── ConnectionBroken (ConnectionError)    an open connection was reset or lost
    │   │   └── TlsError                          TLS could not be set up, or failed
    │   │       └── CertificateError              the peer's certificate is not accepted
    │   ├── IncompleteReceive (EOFError)          the peer ended before all requested bytes arrived
    │   ├── DeadlineExpired (TimeoutError)        an open connection was silent for too long
    │   ├── LineTooLong (ValueError)              the peer sends a line without an end
    │   ├── ProxyError (ConnectionError)          a proxy refuses, or its answer breaks its protocol
    │   ├── NotExposed                            no router maps the port, or the mapping would be useless
    │   ├── HttpError (ValueError)                an HTTP message that cannot be read; has the status to answer
    │   └── OutputClosed (BrokenPipeError) 141    the reader of our standard output has closed it
    └── UsageError (ValueError)          exit 2   wrong use: options, arguments, configuration
        ├── AddressError                          an address that cannot be read, or not be used so
        ├── HandlerError                          a handler that cannot be loaded
        └── ConnectionClosed                      this side has already closed the connection

A NetworkError is also the built-in error that plain socket code raises, so ``except ConnectionRefusedError`` and
``except OSError`` work. A UsageError is no OSError: code that handles failures of the network never hides a mistake in
the program.
"""

from __future__ import annotations


class WirecatError(Exception):
    """The base of all errors of wirecat. ``str()`` gives one line: step, address, what happened, and what to try.

    ``address`` is what it was about (anything with a ``str()``), ``step`` the command or the step of it (``connect``,
    ``listen``), ``hint`` what the user can do, ``errno`` the system's number where there is one. ``exit_code`` is the
    exit code of a command that ends with this error.
    """

    exit_code = 1
    errno: int | None
    strerror: str | None

    def __init__(
        self, message: str, *, address: object = None, step: str = "", hint: str = "", errno: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = self.strerror = message
        self.address = address
        self.step = step
        self.hint = hint
        self.errno = errno

    def __str__(self) -> str:
        where = " ".join(part for part in (self.step, "" if self.address is None else str(self.address)) if part)
        text = f"{where}: {self.message}" if where else self.message
        if self.hint:
            text = f"{text.rstrip('.')}. {self.hint}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        # The default calls __init__ without its keyword arguments, and an OSError keeps errno outside of vars().
        return _restored, (type(self), self.args, self.errno, vars(self))


def _restored(
    kind: type[WirecatError], args: tuple[object, ...], errno: int | None, fields: dict[str, object]
) -> object:
    error = kind.__new__(kind, *args)
    error.errno = errno
    error.strerror = str(fields["message"])
    vars(error).update(fields)
    return error


class NetworkError(WirecatError, OSError):
    """The network, the peer or the system failed; ``errno`` and ``strerror`` are those of an OSError."""


class UnknownHost(NetworkError):
    """The host's name does not resolve to an address (getaddrinfo(3): EAI_NONAME, EAI_AGAIN, EAI_NODATA)."""


class Refused(NetworkError, ConnectionRefusedError):
    """The other machine answered with a reset: nothing listens on that port (ECONNREFUSED)."""


class NoAnswer(NetworkError, TimeoutError):
    """Nothing came back before the deadline: a firewall drops it, or nobody is there."""


class Unreachable(NetworkError):
    """No route to the host or network, or this machine has no such address (EHOSTUNREACH, ENETUNREACH, …)."""


class BindError(NetworkError):
    """An address or port of this machine that cannot be used: taken, privileged, or not this machine's."""


class ListenError(BindError):
    """A port or address that cannot be listened on (EADDRINUSE, EACCES, EADDRNOTAVAIL)."""


class ConnectionBroken(NetworkError, ConnectionError):
    """The peer broke the connection off (ECONNRESET, EPIPE), or the network did (ETIMEDOUT).

    ``unsent`` is how many bytes of the call that failed were not handed to the kernel, where that is known.
    """

    def __init__(self, message: str, *, unsent: int | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.unsent = unsent


class IncompleteReceive(NetworkError, EOFError):
    """The peer ended its half before the bytes that were asked for had come; ``partial`` holds those that did."""

    def __init__(self, message: str, *, partial: bytes, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.partial = partial


class DeadlineExpired(NetworkError, TimeoutError):
    """An open connection gave nothing (or took nothing) within the time allowed, or nobody came to a listener. It is
    still open.

    ``unsent`` is how many bytes of a send were not handed to the kernel, and ``seconds`` how long was waited, where
    that is known.
    """

    def __init__(
        self, message: str, *, unsent: int | None = None, seconds: float | None = None, **details: object
    ) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.unsent = unsent
        self.seconds = seconds


class LineTooLong(NetworkError, ValueError):
    """The peer sent more bytes without a line's end than a line may have."""


class ProxyError(NetworkError, ConnectionError):
    """A proxy did not connect us to the target.

    ``kind`` says why: ``refused`` (it would not, or could not), ``credentials`` (it wants a user name and password, or
    others than those given), ``method`` (it knows no way to authenticate that we know), ``malformed`` (its answer is
    not of its protocol), ``closed`` (it closed the connection before it had answered). ``status`` is the HTTP status
    or the SOCKS reply code, where one came.
    """

    def __init__(self, message: str, *, kind: str = "refused", status: int | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.kind = kind
        self.status = status


class TlsError(ConnectionBroken):
    """TLS could not be begun with the peer, or broke. ``reason`` is OpenSSL's own word for it, where there is one."""

    def __init__(self, message: str, *, reason: str = "", **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.reason = reason


class CertificateError(TlsError):
    """The peer's certificate is not trusted, not valid now, or not for the name that was asked for.

    ``reason`` is OpenSSL's word for it (``self-signed certificate``); ``names_differ`` tells that the certificate is
    good, but another's.
    """

    def __init__(self, message: str, *, names_differ: bool = False, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.names_differ = names_differ


class NotExposed(NetworkError):
    """No router maps the port, or it has no public address that a mapping could lead to anything from."""


class HttpError(NetworkError, ValueError):
    """An HTTP message that is malformed, too large or of a kind not known here.

    ``status`` is what a server answers with (RFC 9110 section 15): 400, 413, 414, 431, 501, 505; 502 where the message
    was a response from the server behind.
    """

    def __init__(self, message: str, *, status: int = 400, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.status = status


class OutputClosed(NetworkError, BrokenPipeError):
    """Whoever read our standard output has gone (``| head -1``): the exit code is that of SIGPIPE, 128 + 13."""

    exit_code = 141


class UsageError(WirecatError, ValueError):
    """Wrong use: an option, an argument or a combination of them that is not possible. Not an OSError."""

    exit_code = 2


class AddressError(UsageError):
    """An address that cannot be read, or that cannot be used for what was asked."""


class HandlerError(UsageError):
    """A handler that is unknown, cannot be imported, or is not of a kind that can serve."""


class ConnectionClosed(UsageError):
    """This side used the connection (or its sending half) after it had closed it."""
