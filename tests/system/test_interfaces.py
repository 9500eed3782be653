"""This machine's addresses, and which to hand out first."""

from __future__ import annotations

import socket
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from wirecat.system import getifaddrs_interfaces, interfaces, netlink_interfaces
from wirecat.system.interface_address import InterfaceAddress
from wirecat.system.interfaces import addresses_to_hand_out, list_interfaces, read_own_name


def refuse(*_: object, **__: object) -> Any:
    raise PermissionError(1, "Operation not permitted")


def test_loopback_is_always_there() -> None:
    assert "127.0.0.1" in {address.host for address in list_interfaces() if address.loopback}


def test_every_address_that_is_up_can_be_bound() -> None:
    for address in list_interfaces():
        if address.up:
            family, _, _, _, target = socket.getaddrinfo(address.host, 0, type=socket.SOCK_STREAM)[0]
            with socket.socket(family) as trial:
                trial.bind(target)


def test_what_is_handed_out_is_not_for_this_machine_only() -> None:
    for host in addresses_to_hand_out():
        assert not host.startswith(("127.", "fe80:")) and host != "::1"


def test_the_order_of_what_is_handed_out() -> None:
    best_first = [
        InterfaceAddress("eth0", "192.168.1.7"),
        InterfaceAddress("br0", "10.0.0.1"),
        InterfaceAddress("eth0", "198.51.100.1"),
        InterfaceAddress("eth0", "2001:db8::1"),
        InterfaceAddress("eth0", "fd00::7"),
        InterfaceAddress("eth0", "2001:db8::beef", temporary=True),
        InterfaceAddress("eth0", "2001:db8::dead", deprecated=True),
        InterfaceAddress("eth1", "169.254.7.7"),
        InterfaceAddress("docker0", "172.17.0.1"),
        InterfaceAddress("vEthernet (WSL)", "172.20.0.1"),
        InterfaceAddress("br-0123456789ab", "203.0.113.1"),
        InterfaceAddress("virbr0", "2001:db8:1::1"),
    ]
    never = [
        InterfaceAddress("lo", "127.0.0.1"),
        InterfaceAddress("lo", "::1"),
        InterfaceAddress("lo", "10.9.9.9", loopback=True),
        InterfaceAddress("eth0", "fe80::1%eth0"),
        InterfaceAddress("eth2", "192.168.7.7", up=False),
        InterfaceAddress("eth0", "192.168.7.8", scope="host"),
    ]
    hosts = [address.host for address in best_first]
    assert addresses_to_hand_out(best_first + never) == hosts
    # Equal ranks keep the system's order; unequal ones do not depend on it.
    backwards = addresses_to_hand_out(list(reversed(best_first + never)))
    assert backwards[0] == "10.0.0.1"
    assert backwards[:2] == hosts[:2][::-1]
    assert set(backwards[-4:]) == set(hosts[-4:])
    assert addresses_to_hand_out([]) == []
    assert addresses_to_hand_out([best_first[0]] * 2) == ["192.168.1.7"]


def test_where_one_way_is_refused_the_next_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("Linux has three ways")
    known = {address.host for address in list_interfaces()}
    monkeypatch.setattr(netlink_interfaces, "dump", refuse)
    assert {address.host for address in list_interfaces()} == known
    monkeypatch.setattr(getifaddrs_interfaces.ctypes, "CDLL", refuse)
    own_name = SimpleNamespace(
        **{name: getattr(socket, name) for name in ("AF_INET", "AF_INET6", "SOCK_STREAM", "gethostname")},
        getaddrinfo=lambda *_, **__: [(socket.AF_INET, 1, 6, "", ("192.168.1.7", 0))],
    )
    monkeypatch.setattr(interfaces, "socket", own_name)
    assert [address.host for address in list_interfaces()] == ["192.168.1.7"]
    own_name.getaddrinfo = refuse
    assert list_interfaces() == []


def test_the_machines_own_name() -> None:
    try:
        addresses = read_own_name()
    except OSError:
        pytest.skip("this machine's name has no address")
    assert all(address.name == "" for address in addresses)
