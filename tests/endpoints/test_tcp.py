"""TCP: the conformance suite over IPv4 and IPv6, and where a listener listens."""

from __future__ import annotations

import _socket
import errno
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from endpoints.conformance import StreamConformance
from leaks import nothing_left_behind as nothing_left_behind
from lonely_port import lonely_socket
from plain_peers import reset
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import tcp
from wirecat.endpoints.tcp import open_listener, open_stream
from wirecat.errors import ListenError, Refused, UnknownHost


class TestOverIpv4(StreamConformance):
    def place(self, tmp_path: Path) -> Address:
        return Address.parse("127.0.0.1:0")


class TestOverIpv6(StreamConformance):
    def place(self, tmp_path: Path) -> Address:
        return Address.parse("[::1]:0")


def test_a_bare_port_is_this_pc_by_both_families() -> None:
    with open_listener(Address.parse(0), 16) as listener:
        hosts = [address.host for address in listener.addresses]
        ports = {address.port for address in listener.addresses}
        assert hosts == ["127.0.0.1", "::1"]
        assert len(ports) == 1
        for address in listener.addresses:
            open_stream(address, Deadline(5)).close()
            listener.accept(5).close()
        port = ports.pop()
    with pytest.raises(Refused):
        open_stream(Address("tcp", None, port), Deadline(5))


def test_every_interface() -> None:
    with open_listener(Address.parse(":0"), 16) as listener:
        assert [address.host for address in listener.addresses] == ["0.0.0.0", "::"]
        assert len({address.port for address in listener.addresses}) == 1
        # A client takes it for this PC.
        stream = open_stream(Address("tcp", "", listener.addresses[0].port), Deadline(5))
        assert stream.peer.host == "127.0.0.1"
        stream.close()
        accepted = listener.accept(5)
        assert accepted.peer.host == "127.0.0.1", "not ::ffff:127.0.0.1"
        accepted.close()


def test_a_name_is_looked_up() -> None:
    with open_listener(Address.parse("localhost:0"), 16) as listener:
        assert listener.addresses[0].host == "127.0.0.1"
        stream = open_stream(Address("tcp", "localhost", listener.addresses[0].port), Deadline(5))
        listener.accept(5).close()
        stream.close()


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(UnknownHost, match=r"^listen nobody\.invalid:80: unknown host"):
        open_listener(Address.parse("nobody.invalid:80"), 16)
    with pytest.raises(UnknownHost, match=r"^connect nobody\.invalid:80: unknown host"):
        open_stream(Address.parse("nobody.invalid:80"), Deadline(10))


def test_a_port_taken_in_either_family_is_taken() -> None:
    for family in (socket.AF_INET, socket.AF_INET6):
        with lonely_socket(family) as taken:
            taken.listen()
            with pytest.raises(ListenError, match="the port is taken") as caught:
                open_listener(Address("tcp", None, taken.getsockname()[1]), 16)
            assert caught.value.errno == errno.EADDRINUSE
            assert "None" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="who listens is looked up in Linux' way here")
def test_a_taken_port_is_told_with_its_holder() -> None:
    import os

    with lonely_socket() as taken:
        taken.listen()
        with pytest.raises(ListenError, match=rf"taken by .*\(pid {os.getpid()}\)"):
            open_listener(Address("tcp", "127.0.0.1", taken.getsockname()[1]), 16)


def test_a_free_port_has_to_be_free_in_both_families(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's choice for IPv4 may be taken in IPv6: then another one is tried, and nothing stays open."""
    with lonely_socket(socket.AF_INET6) as taken:
        taken.listen()
        attempts: list[int] = []
        real = tcp._listen_on

        def listen_on(places: Any, port: int, backlog: int, every_needed: bool) -> list[socket.socket]:
            attempts.append(port)
            return real(places, taken.getsockname()[1] if len(attempts) < 3 else port, backlog, every_needed)

        monkeypatch.setattr(tcp, "_listen_on", listen_on)
        with open_listener(Address.parse(0), 16) as listener:
            assert len(listener.sockets) == 2
        assert attempts == [0, 0, 0]


def test_a_family_that_this_pc_has_not_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithoutIpv6(_socket.socket):
        def bind(self, address: Any) -> None:
            if self.family == socket.AF_INET6:
                raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
            super().bind(address)

    monkeypatch.setattr(_socket, "socket", WithoutIpv6)
    with open_listener(Address.parse(0), 16) as listener:
        assert [address.host for address in listener.addresses] == ["127.0.0.1"]
    with pytest.raises(ListenError, match="not this PC's"):
        open_listener(Address.parse("[::1]:0"), 16)


@pytest.mark.parametrize("host", ["203.0.113.7", "2001:db8::7"])
def test_an_address_of_another_pc(host: str) -> None:
    with pytest.raises(ListenError, match="not this PC's|cannot speak"):
        open_listener(Address("tcp", host, 0), 16)


def test_the_port_is_free_again_at_once() -> None:
    """Although connections that this side closed first are in TIME-WAIT."""
    with open_listener(Address.parse("127.0.0.1:0"), 16) as listener:
        address = listener.addresses[0]
        stream = open_stream(address, Deadline(5))
        accepted = listener.accept(5)
        accepted.close()
        assert stream.receive(1) == b""
        stream.close()
    with open_listener(address, 16) as again:
        assert again.addresses == (address,)


def test_small_pieces_are_not_held_back() -> None:
    with open_listener(Address.parse("127.0.0.1:0"), 16) as listener:
        stream = open_stream(listener.addresses[0], Deadline(5))
        accepted = listener.accept(5)
        for each in (stream, accepted):
            assert each.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert accepted.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        accepted.close()
        stream.close()


def test_a_peer_that_resets_at_once_is_no_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS then refuses the options of the socket (EINVAL)."""

    class Refusing(socket.socket):
        def setsockopt(self, *arguments: Any) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(socket, "socket", Refusing)
        stream = open_stream(Address("tcp", "127.0.0.1", server.getsockname()[1]), Deadline(5))
        monkeypatch.undo()
        stream.close()
        reset(server.accept()[0])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no privileged ports")
def test_a_privileged_port(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unprivileged(_socket.socket):
        def bind(self, address: Any) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(_socket, "socket", Unprivileged)
    with pytest.raises(ListenError, match=r"privileged.*1024"):
        open_listener(Address.parse("127.0.0.1:80"), 16)
