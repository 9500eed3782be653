"""Which places an address stands for; sockets that are bound to them are in the tests of each scheme."""

from __future__ import annotations

import socket

import pytest

from wirecat.address import Address
from wirecat.endpoints import open_listener
from wirecat.endpoints.binding import bind_all, places_to_bind
from wirecat.errors import AddressError, ListenError, UnknownHost

V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)


@pytest.mark.parametrize(
    ("text", "places", "all_needed"),
    [
        ("80", [(V4, "127.0.0.1", 0), (V6, "::1", 0)], False),
        (":80", [(V4, "0.0.0.0", 0), (V6, "::", 0)], False),
        ("80?family=4", [(V4, "127.0.0.1", 0)], True),
        (":80?family=6", [(V6, "::", 0)], True),
        ("127.0.0.2:80", [(V4, "127.0.0.2", 0)], True),
        ("[::1]:80", [(V6, "::1", 0)], True),
    ],
)
def test_places(text: str, places: list[tuple[int, str, int]], all_needed: bool) -> None:
    assert places_to_bind(Address.parse(text)) == (places, all_needed)


def test_places_that_cannot_be() -> None:
    with pytest.raises(UnknownHost, match="no IPv6 address"):
        places_to_bind(Address.parse("127.0.0.1:80?family=6"))
    with pytest.raises(AddressError, match="no address family"):
        places_to_bind(Address.parse(":80?family=both"))


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_one_port_for_all_and_none_left_open_where_one_fails(kind: int) -> None:
    places, _ = places_to_bind(Address.parse("80"))
    bound = bind_all(places, 0, False, kind=kind)
    ports = {each.getsockname()[1] for each in bound}
    assert len(ports) == 1
    assert all(each.getblocking() is False for each in bound)
    assert [each.type for each in bound] == [kind, kind]
    if kind == socket.SOCK_STREAM:
        bound[1].listen()
    bound[0].close()
    with pytest.raises(OSError, match="in use"):  # IPv6 still has it: what was opened for IPv4 is closed again
        bind_all(places, ports.pop(), False, kind=kind, backlog=1 if kind == socket.SOCK_STREAM else None)
    bound[1].close()


def test_options_are_switched_on() -> None:
    (bound,) = bind_all([(V4, "127.0.0.1", 0)], 0, True, options=((socket.SOL_SOCKET, socket.SO_KEEPALIVE),))
    try:
        assert bound.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert bound.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    finally:
        bound.close()


def test_two_servers_cannot_share_a_udp_port() -> None:
    """SO_REUSEADDR would let them, and each would get what is meant for the other."""
    with open_listener(Address.parse("udp://127.0.0.1:0"), 16) as listener:
        with pytest.raises(ListenError, match="taken"):
            open_listener(listener.addresses[0], 16)


def test_a_failure_tells_no_option() -> None:
    with open_listener(Address.parse("127.0.0.1:0"), 16) as listener:
        place = listener.addresses[0].replace(options=(("family", "4"),))
        with pytest.raises(ListenError) as caught:
            open_listener(place, 16)
        assert "family" not in str(caught.value)
