"""Several listeners on one port, between which the kernel spreads the clients (SO_REUSEPORT, socket(7))."""

from __future__ import annotations

import socket

from wirecat.endpoints.binding import bind_address, bind_all
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.tcp import ACCEPTED_INHERIT, holder_of_port
from wirecat.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

    from wirecat.address import Address
    from wirecat.endpoints.binding import Places


def bind_shared(address: Address, count: int) -> list[Listener]:
    """``count`` listeners on every address that ``address`` stands for, bound to one port, none of which listens yet.

    Who listens on all of them (listen(2)) gets clients on each; one that is not listened on gets none. Another program
    that has the port is met as it is without sharing: this does not join in with strangers.
    Raises UsageError (a system without SO_REUSEPORT), ListenError, UnknownHost.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise UsageError(
            "this system cannot share a port between processes (SO_REUSEPORT)", address=address.bare,
            hint="Leave --workers out.",
        )  # fmt: skip

    def bind(places: Places, port: int, every_needed: bool) -> list[_socket.socket]:
        first = bind_all(places, port, every_needed, options=ACCEPTED_INHERIT)
        bound = list(first)
        try:
            # Only now: a first that shared from the start would share with whoever of the same user has the port.
            for each in first:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            for _ in range(count - 1):
                for each in first:
                    place = each.getsockname()
                    scope = place[3] if len(place) > 3 else 0
                    bound += bind_all(
                        [(each.family, place[0], scope)], place[1], True,
                        options=(*ACCEPTED_INHERIT, (socket.SOL_SOCKET, socket.SO_REUSEPORT)),
                    )  # fmt: skip
        except BaseException:
            for each in bound:
                each.close()
            raise
        return bound

    bound = bind_address(address, bind, holder_of_port)
    each = len(bound) // count
    return [Listener(bound[start : start + each]) for start in range(0, len(bound), each)]
