"""Windows' list of adapters, laid out by hand as Microsoft documents it."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

import pytest

from wirecat.system.windows_interfaces import (
    AdapterAddresses,
    SocketAddress,
    UnicastAddress,
    read_windows_interfaces,
    walk_adapters,
)


def sockaddr(host: str) -> ctypes.Array[ctypes.c_char]:
    if ":" in host:
        raw = struct.pack("<HHI", 23, 0, 0) + socket.inet_pton(socket.AF_INET6, host) + struct.pack("<I", 0)
    else:
        raw = struct.pack("<HH", 2, 0) + socket.inet_pton(socket.AF_INET, host) + bytes(8)
    return ctypes.create_string_buffer(raw, len(raw))


class Memory:
    """Builds the linked lists and keeps what they point to alive."""

    def __init__(self) -> None:
        self.kept: list[object] = []

    def unicast(self, *entries: tuple[str, int, int, int]) -> object:
        following = None
        for host, prefix, suffix_origin, dad_state in reversed(entries):
            raw = sockaddr(host)
            entry = UnicastAddress(
                address=SocketAddress(ctypes.addressof(raw), len(raw)),
                prefix_length=prefix,
                suffix_origin=suffix_origin,
                dad_state=dad_state,
            )
            if following is not None:
                entry.next = ctypes.pointer(following)
            self.kept += [raw, entry]
            following = entry
        return None if following is None else ctypes.pointer(following)

    def adapters(self, *entries: dict[str, object]) -> object:
        following = None
        for values in reversed(entries):
            entry = AdapterAddresses(**{name: value for name, value in values.items() if value is not None})
            if following is not None:
                entry.next = ctypes.pointer(following)
            self.kept.append(entry)
            following = entry
        return ctypes.pointer(following)


def test_the_structures_have_the_documented_layout() -> None:
    if ctypes.sizeof(ctypes.c_void_p) == 8:
        assert (AdapterAddresses.type.offset, AdapterAddresses.status.offset) == (100, 104)
        assert AdapterAddresses.ipv6_index.offset == 108
        assert (UnicastAddress.address.offset, UnicastAddress.prefix_length.offset) == (16, 56)
    else:
        assert (AdapterAddresses.type.offset, AdapterAddresses.status.offset) == (64, 68)
        assert (UnicastAddress.address.offset, UnicastAddress.prefix_length.offset) == (12, 44)


def test_adapters_and_their_addresses_are_walked() -> None:
    memory = Memory()
    first = memory.adapters(
        {
            "friendly_name": "Ethernet",
            "type": 6,
            "status": 1,
            "ipv6_index": 12,
            "first_unicast": memory.unicast(
                ("fe80::7", 64, 4, 4),
                ("2001:db8::7", 64, 4, 4),
                ("2001:db8::8", 64, 5, 4),
                ("2001:db8::9", 64, 5, 3),
                ("2001:db8::a", 64, 4, 2),
                ("192.168.1.7", 24, 3, 4),
            ),
        },
        {"friendly_name": "WLAN", "type": 71, "status": 2, "first_unicast": None},
        {
            "friendly_name": "Loopback Pseudo-Interface 1",
            "type": 24,
            "status": 1,
            "ipv6_index": 1,
            "first_unicast": memory.unicast(("::1", 128, 2, 4), ("127.0.0.1", 8, 2, 4)),
        },
    )
    found = [
        (entry.name, entry.host, entry.prefix_length, entry.loopback, entry.temporary, entry.deprecated)
        for entry in walk_adapters(first)
    ]
    assert found == [
        ("Ethernet", "fe80::7%12", 64, False, False, False),
        ("Ethernet", "2001:db8::7", 64, False, False, False),
        ("Ethernet", "2001:db8::8", 64, False, True, False),
        ("Ethernet", "2001:db8::9", 64, False, True, True),
        ("Ethernet", "192.168.1.7", 24, False, False, False),
        ("Loopback Pseudo-Interface 1", "::1", 128, True, False, False),
        ("Loopback Pseudo-Interface 1", "127.0.0.1", 8, True, False, False),
    ]
    assert all(entry.up for entry in walk_adapters(first))


def test_an_adapter_that_is_off_is_not_up() -> None:
    memory = Memory()
    first = memory.adapters(
        {"friendly_name": "WLAN", "status": 2, "first_unicast": memory.unicast(("192.168.2.7", 24, 3, 4))}
    )
    ((entry,),) = [walk_adapters(first)]
    assert not entry.up


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has the call")
def test_elsewhere_it_is_refused() -> None:
    with pytest.raises(OSError, match="only Windows"):
        read_windows_interfaces()


@pytest.mark.skipif(sys.platform != "win32", reason="needs Windows")
def test_the_real_list_has_loopback() -> None:
    assert "127.0.0.1" in {entry.host for entry in read_windows_interfaces() if entry.loopback}
