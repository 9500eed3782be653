"""`udp://`: opening, names, families, sources. The streams themselves have their own files."""

from __future__ import annotations

import contextlib
import socket

import pytest

from background import PATIENCE
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream, scheme_of
from wirecat.errors import AddressError, BindError, ListenError, UnknownHost


def test_an_address_to_connect_to_and_back() -> None:
    with open_listener(Address.parse("udp://127.0.0.1:0"), 16) as listener:
        near = open_stream(listener.addresses[0], Deadline(PATIENCE))
        near.send(b"hello")
        far = listener.accept(PATIENCE)
        assert far.receive(100) == b"hello"
        assert near.peer == far.local == listener.addresses[0]
        assert near.local == far.peer
        assert str(near.peer).startswith("udp://127.0.0.1:")
        row = scheme_of(near.peer)
        assert (row.half_closes, row.keeps_boundaries) == (near.can_half_close, near.keeps_boundaries) == (False, True)
        near.close()
        far.close()


@pytest.mark.parametrize(("family", "host"), [("4", "127.0.0.1"), ("6", "::1")])
def test_the_family_that_is_asked_for(family: str, host: str) -> None:
    with open_listener(Address.parse(f"udp://0?family={family}"), 16) as listener:
        assert [address.host for address in listener.addresses] == [host]
        port = listener.addresses[0].port
        place = Address.parse(f"udp://{port}?family={family}")
        with contextlib.closing(open_stream(place, Deadline(PATIENCE))) as near:
            assert near.peer == Address("udp", host, port)
    other = {"4": "[::1]", "6": "127.0.0.1"}[family]
    with pytest.raises(UnknownHost, match=f"has no IPv{family} address"):
        open_stream(Address.parse(f"udp://{other}:{port}?family={family}"), Deadline(PATIENCE))
    with pytest.raises(AddressError, match="family=4 or family=6"):
        open_stream(Address.parse(f"udp://{port}?family=5"), Deadline(PATIENCE))


def test_the_source_that_is_asked_for() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(("127.0.0.1", 0))
        plain.settimeout(PATIENCE)
        place = f"udp://127.0.0.1:{plain.getsockname()[1]}"
        with contextlib.closing(open_stream(Address.parse(f"{place}?source=127.0.0.2"), Deadline(PATIENCE))) as near:
            near.send(b"x")
            data, sender = plain.recvfrom(10)
            assert data == b"x"
            assert sender[0] == "127.0.0.2" == near.local.host
        with pytest.raises(BindError, match="taken"):
            open_stream(Address.parse(f"{place}?source=127.0.0.1:{plain.getsockname()[1]}"), Deadline(PATIENCE))


def test_what_cannot_be() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.bind(("127.0.0.1", 0))
        with pytest.raises(ListenError, match="taken"):
            open_listener(Address("udp", "127.0.0.1", plain.getsockname()[1]), 16)
    with pytest.raises(UnknownHost):
        open_stream(Address.parse("udp://no.such.host.invalid:9"), Deadline(PATIENCE))
    with pytest.raises(AddressError, match="port 0"):
        open_stream(Address.parse("udp://127.0.0.1:0"), Deadline(PATIENCE))
    with pytest.raises(AddressError, match="unknown option 'proxy' for udp"):
        open_stream(Address.parse("udp://127.0.0.1:9?proxy=http://x"), Deadline(PATIENCE))
