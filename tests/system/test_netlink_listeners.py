"""What sock_diag tells of a listener: whether it takes IPv4 too, its device, its mark."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from reach.lab.namespaces import Host, require_namespaces
from wirecat.system.netlink_listeners import Listener, read_listeners


@pytest.fixture
def host() -> Iterator[Host]:
    require_namespaces()
    made = Host("listeners")
    yield made
    made.close()


@pytest.mark.parametrize("only", [True, False])
def test_ipv6_listener_tells_whether_it_takes_ipv4(host: Host, only: bool) -> None:
    def look() -> list[Listener]:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
            listener.bind(("::", 0))
            listener.listen()
            found = read_listeners(listener.getsockname()[1])
            assert [each.inode for each in found] == [os.fstat(listener.fileno()).st_ino]
            assert [each.inode for each in read_listeners()] == [each.inode for each in found]
            return found

    (found,) = host.inside(look)
    assert (found.only_ipv6, found.address, found.device, found.mark) == (only, bytes(16), 0, 0)


def test_device_and_mark(host: Host) -> None:
    def look() -> list[Listener]:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 77)
            listener.bind(("0.0.0.0", 0))
            listener.listen()
            return read_listeners(listener.getsockname()[1])

    (found,) = host.inside(look)
    assert (found.family, found.address, found.device, found.mark) == (socket.AF_INET, bytes(4), 1, 77)
    assert found.uid == os.geteuid()
