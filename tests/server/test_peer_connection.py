"""Handlers in threads: what they send to a peer of datagrams is limited."""

from __future__ import annotations

from leaks import nothing_left_behind  # noqa: F401
from server.clients import Served, eventually, serving
from server.datagrams import ADDRESS, peer_of
from server.test_datagram_acceptor import hold
from wirecat.events import Withheld


def all_withheld(served: Served, least: int) -> int:
    """How many answers were withheld, once there are at least so many; they are reported once a second."""
    eventually(lambda: sum(event.count for event in served.events.of(Withheld)) >= least, "they are reported")
    return sum(event.count for event in served.events.of(Withheld))


def test_functions_are_limited_too() -> None:
    with serving(hold, ADDRESS, udp_replies=5) as served, peer_of(served) as client:
        for _ in range(20):
            client.send(b"x")
        eventually(lambda: served.server.connections and served.server.connections[0].received == 20, "all were read")
        count = all_withheld(served, 10)
        assert 10 <= count <= 15
        assert served.server.connections[0].sent == 20 - count
