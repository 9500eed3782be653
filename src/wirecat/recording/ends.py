"""How the two ends of a connection are addressed in its packets: as they are, or by loopback addresses that stand in."""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_pton

from wirecat.address import Address

TYPE_CHECKING = False
if TYPE_CHECKING:
    End = tuple[bytes, int]

_LARGEST_PORT = 0xFFFF
_PORTS = 60_000
_STAND_IN_SERVER = (bytes([127, 2, 0, 1]), 12345)


def ends_of(local: Address, peer: Address) -> tuple[End, End] | None:
    """The packed addresses and ports of both; None where they have none of one family (a path, a command, a name)."""
    ends = _end_of(local), _end_of(peer)
    if ends[0] is None or ends[1] is None or len(ends[0][0]) != len(ends[1][0]) or ends[0] == ends[1]:
        return None
    return ends[0], ends[1]


def stand_ins(number: int, *, by_us: bool) -> tuple[End, End]:
    """Ends for the connection of that number: loopback addresses that nobody else uses, so that two are never alike."""
    far, port = divmod(number, _PORTS)
    client = bytes([127, 1, far >> 8 & 0xFF, far & 0xFF]), 1024 + port
    return (client, _STAND_IN_SERVER) if by_us else (_STAND_IN_SERVER, client)


def _end_of(address: Address) -> End | None:
    host, port = address.host, address.port
    if not host or port is None or port > _LARGEST_PORT:
        return None
    try:
        if ":" in host:
            packed = inet_pton(AF_INET6, host.partition("%")[0])
        else:
            packed = inet_pton(AF_INET, host)
    except OSError:  # a name
        return None
    return packed, port
