"""Listeners and connections of a port, in a network of the test's own."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from reach.lab.home import PORT
from reach.lab.namespaces import Host, require_namespaces
from wirecat.reach.listening import Listening, look_at_listeners
from wirecat.system.interface_address import InterfaceAddress
from wirecat.system.interfaces import list_interfaces


@pytest.fixture
def host() -> Iterator[Host]:
    require_namespaces()
    made = Host("listening")
    made.ip("link set lo up", "link add eth0 type veth peer name far0", "link set eth0 up", "link set far0 up",
            "addr add 192.168.77.20/24 dev eth0")  # fmt: skip
    yield made
    made.close()


def look(host: Host) -> Listening:
    return host.inside(lambda: look_at_listeners(PORT, list_interfaces(), []))


@pytest.mark.parametrize(
    ("bound", "hosts", "loopback"),
    [
        ("0.0.0.0", {"ipv4": {""}, "ipv6": set()}, False),
        ("::", {"ipv4": {""}, "ipv6": {""}}, False),
        ("127.0.0.1", {"ipv4": {"127.0.0.1"}, "ipv6": set()}, True),
        ("::1", {"ipv4": set(), "ipv6": {"::1"}}, True),
        ("192.168.77.20", {"ipv4": {"192.168.77.20"}, "ipv6": set()}, False),
    ],
)
def test_what_it_is_bound_to(host: Host, bound: str, hosts: dict[str, set[str]], loopback: bool) -> None:
    with host.listen(PORT, bound):
        found = look(host)
    assert (found.hosts, found.loopback_only, found.doubtful) == (hosts, loopback, False)
    assert found.takes(InterfaceAddress("eth0", "192.168.77.20")) is (not loopback)
    assert found.takes(InterfaceAddress("eth0", "2001:db8::1")) is (bound == "::")


def test_ipv6_only(host: Host) -> None:
    def listen() -> socket.socket:
        return socket.create_server(("::", PORT), family=socket.AF_INET6)

    with host.inside(listen):
        assert look(host).hosts == {"ipv4": set(), "ipv6": {""}}


@pytest.mark.parametrize("device", ["eth0", "lo"])
def test_listener_bound_to_a_device_takes_what_comes_by_it(host: Host, device: str) -> None:
    def listen() -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        made.bind(("0.0.0.0", PORT))
        made.listen()
        return made

    with host.inside(listen):
        found = look(host)
    assert (found.names, found.loopback_only) == ({f"0.0.0.0%{device}"}, device == "lo")
    assert found.takes(InterfaceAddress("eth0", "192.168.77.20")) is (device == "eth0")
    assert not found.takes(InterfaceAddress("eth1", "192.168.78.20"))


def test_who_came_and_a_queue_that_is_full(host: Host) -> None:
    assert look(host).rows == []
    with host.inside(lambda: socket.create_server(("0.0.0.0", PORT), backlog=1)):
        assert look(host).overflowing is None
        with host.connect("127.0.0.1", PORT), host.connect("127.0.0.1", PORT):
            found = look(host)
            assert found.came == {"host": "127.0.0.1"}
            assert found.overflowing is not None
