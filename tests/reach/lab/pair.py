"""Two hosts and a cable: a server, and one that is its neighbour, its gateway and all of the internet at once.

    with Pair() as pair, pair.server.listen(PORT, "::"):
        assert pair.opens(PLACES[0])

The first two places are IPv4, the others IPv6; of each the first is on the local network and the second beyond the gateway.
"""

from __future__ import annotations

import socket
from types import TracebackType

from peers import PATIENCE, peer
from reach.lab.home import PORT, SERVER, SERVER6
from reach.lab.namespaces import Host, cable, require_namespaces
from wirecat.reach.packet import INTERNET, LAN, Packet

#: The source of a connection and its destination, in the order of the verdicts.
PLACES = [
    ("192.168.77.30", SERVER),
    ("11.77.0.9", SERVER),
    ("2d00:77:0:1::30", SERVER6),
    ("2a00:11:77::9", SERVER6),
]


def packets(interface: str = "eth0", port: int = PORT) -> list[Packet]:
    """The questions that the places stand for."""
    return [
        Packet(region, interface, server, 24 if server == SERVER else 64, port)
        for server in (SERVER, SERVER6)
        for region in (LAN, INTERNET)
    ]


class Pair:
    """The two hosts, in a ``with`` block."""

    def __enter__(self) -> Pair:
        peer("ip")
        require_namespaces()
        self.server, self.other = Host("server"), Host("other")
        for host in (self.server, self.other):
            host.ip("link set lo up")
        cable(self.server, "eth0", self.other, "eth0")
        self.server.ip(f"addr add {SERVER}/24 dev eth0", f"addr add {SERVER6}/64 dev eth0")
        self.other.kernel(**{"ipv4.conf.all.rp_filter": "0", "ipv4.conf.eth0.arp_announce": "1"})
        self.other.ip("addr add 192.168.77.1/24 dev eth0", "addr add 2d00:77:0:1::1/64 dev eth0")
        self.other.ip("addr add 192.168.77.30/24 dev eth0", "addr add 2d00:77:0:1::30/64 dev eth0")
        self.other.ip("addr add 11.77.0.9/32 dev lo", "addr add 2a00:11:77::9/128 dev lo")
        self.server.ip("route add default via 192.168.77.1", "route add default via 2d00:77:0:1::1")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.close()
        self.other.close()

    def opens(self, listener: socket.socket, place: tuple[str, str], timeout: float = PATIENCE) -> bool:
        """Whether a server's greeting comes through from a place."""
        source, server = place
        try:
            with self.other.connect(server, PORT, timeout, source) as client:
                listener.settimeout(timeout)
                while True:
                    connection, peer_name = listener.accept()
                    with connection:
                        if peer_name[1] == client.getsockname()[1]:
                            connection.send(b"hello\n")
                            return client.recv(10) != b""
        except OSError:
            return False
