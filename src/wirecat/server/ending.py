"""Who closed a connection first, and why: read off what the connection knows when its handler has done."""

from __future__ import annotations

from wirecat.errors import ConnectionBroken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.connection import ConnectionState

PEER, SERVER = "peer", "server"


def ending_of(connection: ConnectionState, failure: BaseException | None) -> tuple[str, str]:
    """``by`` and ``reason`` of the Closed event; ``failure`` is what the handler raised, if it did."""
    if connection.cut_reason:
        return SERVER, connection.cut_reason
    if isinstance(failure, ConnectionBroken):
        return PEER, "lost" if "lost" in failure.message else "reset"
    if failure is not None:
        return SERVER, "handler error"
    return (PEER if connection.ended else SERVER), "end"


def is_handlers_fault(connection: ConnectionState, failure: BaseException) -> bool:
    """Whether an exception is to be reported: not where the peer broke off, or we cut the handler's connection."""
    return not isinstance(failure, ConnectionBroken) and not connection.cut_reason
