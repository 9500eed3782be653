"""Which handlers, addresses and options go together: judged in one place, before any socket opens."""

from __future__ import annotations

from wirecat.endpoints import scheme_of
from wirecat.errors import UsageError
from wirecat.options import REPLIES_A_SECOND
from wirecat.server.access import AccessList
from wirecat.server.handler import RESPONDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.options import ServeOptions
    from wirecat.server.handler import Handler


def check(handler: Handler, address: Address, options: ServeOptions) -> AccessList:
    """The access list of the options. Raises UsageError for what does not go together."""
    if options.chunk is not None and handler.colour != RESPONDER:
        raise UsageError(
            f"chunk is for responders; {handler.name!r} reads by itself", hint="Use connection.receive(limit) in it."
        )
    access = AccessList(options.allow, options.deny)
    if access and address.port is None:
        hint = "Who may use a path is said by its permissions (chmod)."
        raise UsageError("allow and deny are for TCP and UDP", address=address, hint=hint)
    if scheme_of(address).keeps_boundaries:
        _check_datagrams(handler, address, options)
    elif options.udp_replies != REPLIES_A_SECOND:
        raise UsageError("udp_replies is for datagrams", address=address, hint="Write udp://, or leave it out.")
    return access


def _check_datagrams(handler: Handler, address: Address, options: ServeOptions) -> None:
    name = handler.name.partition(":")[0]
    if not handler.datagrams:
        reason = "the sender of a datagram can be forged, and the answers would go to whoever it names"
        raise UsageError(f"{name} is not for datagrams: {reason}", address=address)
    if handler.engine == "async":
        hint = "Write def in place of async def." if handler.colour != RESPONDER else "Leave --engine out."
        raise UsageError("datagrams are served by threads", address=address, hint=hint)
    if options.chunk is not None or options.framing != "none":
        raise UsageError("chunk and framing are for streams: a datagram is answered whole", address=address)
