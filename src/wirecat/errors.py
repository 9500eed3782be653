"""Every error wirecat raises: one small tree, told apart by whose fault it was.

    WirecatError (OSError)           exit 1   the network said no
    ├── UnknownHost                           a name that does not resolve
    ├── Refused (ConnectionRefusedError)      the machine answers, nobody listens there
    ├── NoAnswer (TimeoutError)               silence until the deadline
    ├── Unreachable                           no way there
    ├── ConnectionBroken (ConnectionError)    the peer broke off: reset, or gone in the middle
    ├── IncompleteReceive (EOFError)          the peer ended before all that was asked for came
    ├── DeadlineExpired (TimeoutError)        an open connection was silent for too long
    ├── LineTooLong (ValueError)              the peer sends a line without an end
    ├── OutputClosed (BrokenPipeError) 141    whoever read our output has gone
    └── UsageError (ValueError)      exit 2   used wrongly
        ├── AddressError                      an address that cannot be read, or not be used so
        ├── HandlerError                      a handler that cannot be loaded
        ├── ListenError                       a port that cannot be listened on
        └── ConnectionClosed                  you closed this connection yourself

Each also *is* the built-in error that plain socket code would get, so ``except ConnectionRefusedError`` goes on working.
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
        self.message = message
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
    """An open connection gave nothing (or took nothing) within the time allowed. The connection is still open."""


class LineTooLong(WirecatError, ValueError):
    """The peer sent more bytes without a line's end than a line may have."""


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
