"""Multicast DNS goes to the interfaces of the local network alone, and asks for its package by name."""

from __future__ import annotations

import sys

import pytest

from wirecat.errors import Unreachable, UsageError
from wirecat.system.interface_address import InterfaceAddress
from wirecat.system.multicast_dns import local_network, open_multicast_dns, require_multicast_dns


def test_loopback_containers_tunnels_and_idle_interfaces_are_left_out() -> None:
    real = [InterfaceAddress("eth0", "192.168.1.7"), InterfaceAddress("wlan0", "fe80::1%wlan0")]
    others = [
        InterfaceAddress("lo", "127.0.0.1"),
        InterfaceAddress("docker0", "172.17.0.1"),
        InterfaceAddress("veth12", "10.0.0.1"),
        InterfaceAddress("wg0", "10.8.0.1"),
        InterfaceAddress("eth1", "192.168.2.7", up=False),
    ]
    assert local_network([*others, *real]) == real


def test_where_there_is_no_interface() -> None:
    pytest.importorskip("zeroconf")
    with pytest.raises(Unreachable, match="this PC is in no local network"):
        open_multicast_dns([], "browse")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    for work in (lambda: require_multicast_dns("--announce"), lambda: open_multicast_dns([], "--announce")):
        with pytest.raises(UsageError, match="--announce needs the package zeroconf") as caught:
            work()
        assert caught.value.hint == "pip install 'wirecat[lan]'"
