"""Whether a connection that a server has made leads back to the server itself, and so would go round in a circle."""

from __future__ import annotations

from wirecat.address import Address
from wirecat.wire.authority import unmapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.connection import Connection

_EVERY = ("0.0.0.0", "::")


def leads_back(connection: Connection, own: tuple[Address, ...]) -> bool:
    """Whether ``connection`` goes to one of the addresses ``own``, on which we listen, whatever name or notation
    led there."""
    if connection.peer.port is None:
        return any(address.port is None and address.path == connection.peer.path for address in own)
    peer, local = (unmapped(address.host or "") for address in (connection.peer, connection.local))
    here = peer == local or Address("tcp", peer, connection.peer.port).this_pc_only
    return any(
        address.port == connection.peer.port
        and (unmapped(address.host or "") == peer or (address.host in _EVERY and here))
        for address in own
    )
