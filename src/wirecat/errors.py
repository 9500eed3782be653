"""Every error wirecat raises: one small tree, told apart by whose fault it was.

    WirecatError (OSError)           exit 1   the network said no
    ├── UnknownHost                           a name that does not resolve
    ├── Refused (ConnectionRefusedError)      the machine answers, nobody listens there
    ├── NoAnswer (TimeoutError)               silence until the deadline
    ├── Unreachable                           no way there
    ├── ConnectionBroken (ConnectionError)    the peer broke off: reset, or gone in the middle
    │   └── TlsError                          no TLS came about, or it broke
    │       └── CertificateError              the peer's certificate is not accepted
    ├── IncompleteReceive (EOFError)          the peer ended before all that was asked for came
    ├── DeadlineExpired (TimeoutError)        an open connection was silent for too long
    ├── LineTooLong (ValueError)              the peer sends a line without an end
    ├── ProxyError (ConnectionError)          a proxy refuses, or answers what its protocol does not have
    ├── NotExposed                            no router maps the port, or its doing so would lead nowhere
    ├── HttpError (ValueError)                an HTTP message that cannot be read; it carries the status to answer
    ├── OutputClosed (BrokenPipeError) 141    whoever read our output has gone
    └── UsageError (ValueError)      exit 2   used wrongly
        ├── AddressError                      an address that cannot be read, or not be used so
        ├── HandlerError                      a handler that cannot be loaded
        ├── ListenError                       a port that cannot be listened on
        └── ConnectionClosed                  you closed this connection yourself

Each also *is* the built-in error that plain socket code would get, so ``except ConnectionRefusedError`` goes on
working.
"""

from __future__ import annotations


class WirecatError(OSError):
    """Something wirecat could not do. ``str()`` gives one line: step, address, what happened, and what to try.

    ``address`` is what it was about (anything with a ``str()``), ``step`` the verb or the step of it (``connect``,
    ``listen``), ``hint`` what the user can do. ``exit_code`` is what a command ends with.
    """

    exit_code = 1

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
        # That of OSError loses the errno, and calls __init__ without what it wants by name.
        return _restored, (type(self), self.args, self.errno, vars(self))


def _restored(
    kind: type[WirecatError], args: tuple[object, ...], errno: int | None, fields: dict[str, object]
) -> object:
    error = kind.__new__(kind, *args)
    error.errno = errno
    error.strerror = str(fields["message"])
    vars(error).update(fields)
    return error


class UnknownHost(WirecatError):
    """The host's name does not resolve to an address (getaddrinfo(3): EAI_NONAME, EAI_AGAIN, EAI_NODATA)."""


class Refused(WirecatError, ConnectionRefusedError):
    """The other machine answered with a reset: nothing listens on that port (ECONNREFUSED)."""


class NoAnswer(WirecatError, TimeoutError):
    """Nothing came back before the deadline: a firewall drops it, or nobody is there."""


class Unreachable(WirecatError):
    """No route to the host or network, or this machine has no such address (EHOSTUNREACH, ENETUNREACH, …)."""


class ConnectionBroken(WirecatError, ConnectionError):
    """The peer broke the connection off (ECONNRESET, EPIPE), or the network did (ETIMEDOUT).

    ``unsent`` is how many bytes of the call that failed were not handed to the kernel, where that is known.
    """

    def __init__(self, message: str, *, unsent: int | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.unsent = unsent


class IncompleteReceive(WirecatError, EOFError):
    """The peer ended its half before the bytes that were asked for had come; ``partial`` holds those that did."""

    def __init__(self, message: str, *, partial: bytes, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.partial = partial


class DeadlineExpired(WirecatError, TimeoutError):
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


class LineTooLong(WirecatError, ValueError):
    """The peer sent more bytes without a line's end than a line may have."""


class ProxyError(WirecatError, ConnectionError):
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


class NotExposed(WirecatError):
    """No router maps the port, or it has no public address that a mapping could lead to anything from."""


class HttpError(WirecatError, ValueError):
    """An HTTP message that is malformed, too large or of a kind not known here.

    ``status`` is what a server answers with (RFC 9110 section 15): 400, 413, 414, 431, 501, 505; 502 where the message
    was a response from the server behind.
    """

    def __init__(self, message: str, *, status: int = 400, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.status = status


class OutputClosed(WirecatError, BrokenPipeError):
    """Whoever read our standard output has gone (``| head -1``): the exit code is that of SIGPIPE, 128 + 13."""

    exit_code = 141


class UsageError(WirecatError, ValueError):
    """Used wrongly: an option, an argument or a combination that cannot be."""

    exit_code = 2


class AddressError(UsageError):
    """An address that cannot be read, or that cannot be used for what was asked."""


class HandlerError(UsageError):
    """A handler that is unknown, cannot be imported, or is not of a kind that can serve."""


class ListenError(UsageError):
    """A port or address that cannot be listened on: taken, privileged, or not this machine's."""


class ConnectionClosed(UsageError):
    """This side has closed the connection (or its sending half) already, and then used it again."""
