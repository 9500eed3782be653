"""Interfaces by getifaddrs(3), and the forms that a sockaddr has on other systems."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys

import pytest

from wirecat.system import getifaddrs_interfaces
from wirecat.system.getifaddrs_interfaces import read_getifaddrs, read_sockaddr

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no getifaddrs")


def test_loopback_with_its_prefix() -> None:
    (loopback,) = [entry for entry in read_getifaddrs() if entry.host == "127.0.0.1"]
    assert (loopback.loopback, loopback.up, loopback.prefix_length) == (True, True, 8)
    assert loopback.name.startswith("lo")


def test_nothing_is_left_behind() -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(100):
        read_getifaddrs()
    assert len(os.listdir("/dev/fd")) == before


def test_the_number_that_kame_kernels_keep_inside_the_address_is_taken_out() -> None:
    inside = bytes.fromhex("fe800005000000000000000000000001")
    raw = struct.pack("=BBHI16sI", 28, 30, 0, 0, inside, 5)
    assert read_sockaddr(raw, socket.AF_INET6) == bytes.fromhex("fe800000000000000000000000000001")


def test_a_netmask_of_bsd_has_neither_family_nor_trailing_zeros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getifaddrs_interfaces, "_HAS_LENGTH", True)
    mask = ctypes.create_string_buffer(bytes([7, 0, 0, 0, 255, 255, 240]), 7)
    like = b"\x0a\0\0\1"
    address = getifaddrs_interfaces._read(ctypes.addressof(mask), like=like)
    assert address == bytes([255, 255, 240, 0])
    assert getifaddrs_interfaces._prefix_length(address) == 20
    own = ctypes.create_string_buffer(bytes([16, socket.AF_INET, 0, 0, 10, 0, 0, 1]) + bytes(8), 16)
    assert getifaddrs_interfaces._read(ctypes.addressof(own)) == like
    link_layer = ctypes.create_string_buffer(bytes([20, 18]) + bytes(18), 20)
    assert getifaddrs_interfaces._read(ctypes.addressof(link_layer)) is None
    assert getifaddrs_interfaces._read(None) is None
