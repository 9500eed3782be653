"""Who closed a connection first, and why: read off what is known when its handler has done."""

from __future__ import annotations

from wirecat.errors import ConnectionBroken, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.connection import ConnectionState

PEER, SERVER = "peer", "server"


def ending_of(connection: ConnectionState, failure: BaseException | None, *, peer_first: bool) -> tuple[str, str]:
    """``by`` and ``reason`` of the Closed event.

    ``failure`` is what the handler raised, if it did; ``peer_first`` whether the peer had ended its half before
    the server ended its own.
    """
    if connection.cut_reason:
        return PEER if connection.cut_reason == "lost" else SERVER, connection.cut_reason
    if failure is not None and _is_broken(connection, failure):
        return PEER, "lost" if "lost" in str(failure) else "reset"
    return (PEER if peer_first else SERVER), ("end" if failure is None else "handler error")


def is_handlers_fault(connection: ConnectionState, failure: BaseException) -> bool:
    """Whether an exception is to be reported: not where the peer broke off, or we cut the handler's connection."""
    return not connection.cut_reason and not _is_broken(connection, failure)


def _is_broken(connection: ConnectionState, failure: BaseException) -> bool:
    """Whether it was this connection that broke, and none of the handler's own to somebody else."""
    # Refused: a peer of datagrams has gone, which an ICMP error tells.
    return isinstance(failure, (ConnectionBroken, Refused)) and failure.address in (None, connection.peer)
