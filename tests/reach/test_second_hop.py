"""The second router's name, from the errors that a socket is told of."""

from __future__ import annotations

import socket
import struct

from hypothesis import given
from hypothesis import strategies as some

from reach.lab.home import Home
from wirecat.reach.second_hop import read_error, second_hop


def test_in_the_lab() -> None:
    with Home("upnp-off", "cgnat") as home:
        assert home.server.inside(lambda: second_hop(5)) == "100.64.7.1"


def queued(origin: int, kind: int) -> bytes:
    name = struct.pack("=HH", socket.AF_INET, 0) + socket.inet_aton("100.64.7.1") + bytes(8)
    return struct.pack("=IBBBBII", 113, origin, kind, 0, 0, 0, 0) + name


def test_errors() -> None:
    assert read_error(queued(2, 11)) == "100.64.7.1"
    assert read_error(queued(2, 3)) == "100.64.7.1"
    assert read_error(queued(2, 5)) is None
    assert read_error(queued(1, 11)) is None


@given(some.binary(max_size=40))
def test_nonsense_is_nobody_or_somebody(data: bytes) -> None:
    assert read_error(data) is None or socket.inet_aton(read_error(data) or "")
