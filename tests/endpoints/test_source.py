"""What a connection goes out from."""

from __future__ import annotations

import contextlib
import socket

import pytest

from background import PATIENCE
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import free_port, serving, wait_for_end
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import open_stream
from wirecat.endpoints.source import _host_and_port
from wirecat.errors import AddressError, BindError, UnknownHost, UsageError


def connect(port: int, source: str, host: str = "127.0.0.1"):
    return open_stream(Address("tcp", host, port, options=(("source", source),)), Deadline(PATIENCE))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("192.0.2.7", ("192.0.2.7", 0)),
        ("192.0.2.7:80", ("192.0.2.7", 80)),
        (":80", ("", 80)),
        ("80", ("", 80)),
        ("::1", ("::1", 0)),
        ("[::1]", ("::1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("name", ("name", 0)),
        ("name:80", ("name", 80)),
        ("host:0", ("host", 0)),
    ],
)
def test_what_can_be_written(text: str, meant: tuple[str, int]) -> None:
    assert _host_and_port(text) == meant


@pytest.mark.parametrize(
    "text", [":", "[]:80", "[::1", "[::1]80", "x:80000", "x:a", ":-1", "[::1]:x", "a:b:c", "[a:b]:1"]
)
def test_what_cannot(text: str) -> None:
    with pytest.raises(AddressError, match=r"source .*: it is not an address or port\..*source=:4000"):
        _host_and_port(text)


def test_an_address_a_port_and_both() -> None:
    with serving(lambda connection: (connection.getpeername(), wait_for_end(connection))[0], clients=3) as server:
        port = free_port()
        for source, host, number in (("127.0.0.2", "127.0.0.2", None), (f":{port}", "127.0.0.1", port)):
            with contextlib.closing(connect(server.port, source)) as stream:
                assert stream.local.host == host
                assert number in (None, stream.local.port)
        port = free_port()
        with contextlib.closing(connect(server.port, f"127.0.0.3:{port}")) as stream:
            assert stream.local == Address("tcp", "127.0.0.3", port)
        assert server.result() == ("127.0.0.3", port)


def test_the_same_port_again_although_its_connection_is_not_long_gone() -> None:
    """A port that is named is named for a reason (a firewall's rule); TIME-WAIT must not keep it for a minute."""
    port = free_port()
    for _ in range(2):
        with serving(wait_for_end) as server:
            connect(server.port, f":{port}").close()


def test_the_family_is_that_of_the_source() -> None:
    with serving(wait_for_end, "::1") as server:
        with contextlib.closing(
            open_stream(Address("tcp", None, server.port, options=(("source", "::1"),)), Deadline(PATIENCE))
        ) as stream:
            assert stream.peer.host == "::1"
    with pytest.raises(UsageError, match="of another family") as caught:
        connect(80, "::1")
    assert caught.value.exit_code == 2


def test_sources_that_cannot_be() -> None:
    with pytest.raises(BindError, match=r"source 192\.0\.2\.7: that address is not this PC's"):
        connect(80, "192.0.2.7")
    with pytest.raises(
        UnknownHost, match=r"^source no\.such\.host\.invalid:4000: unknown host 'no\.such\.host\.invalid'"
    ):
        connect(80, "no.such.host.invalid:4000")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(BindError, match="it is taken"):
            connect(taken.getsockname()[1], f"127.0.0.1:{taken.getsockname()[1]}")
