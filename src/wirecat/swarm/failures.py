"""The kinds of failure that a swarm counts, and which kind an error of the operating system is."""

from __future__ import annotations

import errno

from wirecat.endpoints.failures import error_number

#: Each kind, and what it means in words. A client fails at most once. An error that is none of these is
#: counted under its errno's name in small letters, as in errno(3).
KINDS = {
    "refused": "connection refused: nothing listens there",
    "no_answer": "no answer to the attempt to connect",
    "unreachable": "no way to that host",
    "not_permitted": "connecting is not permitted on this PC",
    "no_ports": "this PC has no free port left towards that server, or no address to reach it from",
    "no_descriptors": "this PC lets this program open no more sockets",
    "reset": "the server broke the connection off",
    "closed_early": "the server closed the connection before it had answered",
    "lost": "the connection was lost: the server no longer answers",
    "reply_timeout": "no whole reply in time",
    "endless_reply": "a wrong reply that did not end in time",
    "worker_died": "the process that drove it died; what it had done is in no number",
}

_CONNECTING = {
    errno.ECONNREFUSED: "refused",
    errno.ETIMEDOUT: "no_answer",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EAFNOSUPPORT: "unreachable",
    errno.EACCES: "not_permitted",
    errno.EPERM: "not_permitted",
    # A connect without a bind says so when each port towards that address is in use or still in TIME_WAIT.
    errno.EADDRNOTAVAIL: "no_ports",
    errno.EADDRINUSE: "no_ports",
    errno.EMFILE: "no_descriptors",
    errno.ENFILE: "no_descriptors",
    errno.ENOBUFS: "no_descriptors",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.ENOTCONN: "reset",  # it was, for a moment
}
_TALKING = {
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.ENOTCONN: "reset",
    errno.ETIMEDOUT: "lost",
    errno.EHOSTUNREACH: "lost",
    errno.ENETUNREACH: "lost",
    errno.ENETDOWN: "lost",
}


def connect_kind(error: OSError) -> str:
    """The kind of a failure to connect."""
    if isinstance(error, TimeoutError):
        return "no_answer"
    return _kind(error, _CONNECTING)


def loss_kind(error: BaseException | None) -> str:
    """The kind of the end of an open connection; None is the peer's orderly end."""
    if error is None:
        return "closed_early"
    if isinstance(error, ConnectionError) and not error.errno:
        return "reset"
    return _kind(error, _TALKING) if isinstance(error, OSError) else "lost"


def telling(failures: list[OSError]) -> OSError:
    """Of several addresses' failures the one that says most: somebody answered, rather than no way there."""
    for failure in failures:
        if connect_kind(failure) in ("refused", "no_descriptors"):
            return failure
    return failures[-1]


def _kind(error: OSError, kinds: dict[int, str]) -> str:
    number = error_number(error)
    return kinds.get(number) or errno.errorcode.get(number, "unknown").lower()
