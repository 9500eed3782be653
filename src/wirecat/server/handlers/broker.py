"""The broker: what one client sends goes to all the others, byte for byte."""

from __future__ import annotations

from wirecat.server.room import Room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.connection import Connection

PIECE = 65536  # bytes read at a time: no datagram has more


class Broker:
    """Passes on what a client sends to all that are there at that moment. A client that ends its half leaves.

    ``room`` has the clients (default: a new one).
    """

    def __init__(self, room: Room | None = None) -> None:
        self.room = Room() if room is None else room

    def __call__(self, connection: Connection) -> None:
        """Serve one client until its end."""
        with self.room.join(connection) as member:
            while (data := connection.receive(PIECE)) is not None:
                self.room.send(data, member)

    def say(self, data: bytes) -> None:
        """Send ``data`` to all clients, as from the server itself. Waits as a client that speaks does."""
        self.room.send(data)


def make(argument: str) -> Broker:
    """A broker for the connections of one server; takes no argument."""
    return Broker()
