"""vsock: addresses, errors, and both ends where the kernel can reach itself."""

from __future__ import annotations

import errno
import socket

import pytest

from background import PATIENCE
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream, vsock
from wirecat.errors import AddressError, Unreachable, UsageError, WirecatError

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_VSOCK"), reason="this Python has no vsock")


def kernel_has_it() -> bool:
    try:
        socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def can_reach_itself() -> bool:
    """Whether the kernel has vsock_loopback."""
    try:
        with socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM) as bound:
            bound.bind((vsock.LOCAL, 0xFFFFFFFF))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not can_reach_itself(), reason="the kernel has no vsock_loopback")
def test_both_ends() -> None:
    with open_listener(Address.parse("vsock://0"), 16) as listener:
        near = open_stream(listener.addresses[0], Deadline(PATIENCE))
        far = listener.accept(PATIENCE)
        near.send(b"there")
        assert far.receive(10) == b"there"
        far.half_close()
        assert near.receive(10) == b""
        assert near.peer.scheme == far.peer.scheme == "vsock"
        near.close()
        far.close()


@pytest.mark.skipif(not kernel_has_it(), reason="the kernel has no vsock")
def test_listening_to_everybody() -> None:
    with open_listener(Address.parse("vsock://:0"), 16) as listener:
        place = listener.addresses[0]
        assert (place.scheme, place.host) == ("vsock", "")
        assert (place.port or 0) > 0
        assert Address.parse(str(place)) == place
        with pytest.raises(TimeoutError):
            listener.accept(0.01)


@pytest.mark.skipif(not kernel_has_it(), reason="the kernel has no vsock")
def test_a_machine_that_is_not_there() -> None:
    with pytest.raises(WirecatError):
        open_stream(Address.parse("vsock://77:1"), Deadline(0.5))


@pytest.mark.parametrize("number", [errno.ENODEV, errno.EADDRNOTAVAIL])
def test_no_way_there(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    from wirecat.endpoints import race

    def fails(*arguments: object) -> None:
        raise OSError(number, "No such device")

    monkeypatch.setattr(race, "connect_first", fails)
    monkeypatch.setattr(vsock, "_family", lambda address: 40)
    with pytest.raises(Unreachable, match=r"no way to that machine.*The host is 2"):
        open_stream(Address.parse("vsock://3:1"), Deadline(1))


@pytest.mark.parametrize("host", ["host", "-1", "4294967296", "1.2"])
def test_numbers_that_are_none(host: str) -> None:
    for use in (open_listener, lambda address: open_stream(address, Deadline(1))):
        with pytest.raises(AddressError, match="no number of a machine"):
            use(Address("vsock", host, 1))


def test_where_a_bare_port_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    from wirecat.endpoints import race

    asked = []

    def connect_first(candidates: list[object], deadline: Deadline) -> None:
        asked.append(candidates)
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    monkeypatch.setattr(race, "connect_first", connect_first)
    monkeypatch.setattr(vsock, "_family", lambda address: 40)
    for text in ("vsock://1234", "vsock://:1234", "vsock://2:4294967295"):
        with pytest.raises(ConnectionRefusedError):
            open_stream(Address.parse(text), Deadline(1))
    assert asked == [[(40, (1, 1234))], [(40, (1, 1234))], [(40, (2, 4294967295))]]


def test_a_kernel_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Without(socket.socket):
        def __init__(self, family: int = -1, *rest: int) -> None:
            if family == socket.AF_VSOCK:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *rest)

    monkeypatch.setattr(socket, "socket", Without)
    for use in (open_listener, lambda address: open_stream(address, Deadline(1))):
        with pytest.raises(UsageError, match="no vsock"):
            use(Address.parse("vsock://2:1"))


def test_a_python_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_VSOCK")
    with pytest.raises(UsageError, match="no vsock"):
        open_stream(Address.parse("vsock://2:1"), Deadline(1))
