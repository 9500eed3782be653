"""Socket addresses of the kernel as addresses."""

from __future__ import annotations

import socket

import pytest

from wirecat.address import Address
from wirecat.endpoints.place import place_of

LOOPBACK, LOOPBACK_NAME = socket.if_nameindex()[0]


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        (("127.0.0.1", 80), Address("tcp", "127.0.0.1", 80)),
        (("::1", 80, 0, 0), Address("tcp", "::1", 80)),
        (("fe80::1", 80, 0, LOOPBACK), Address("tcp", f"fe80::1%{LOOPBACK_NAME}", 80)),
        (("fe80::1", 80, 0, 54321), Address("tcp", "fe80::1%54321", 80)),
        ("/run/x", Address("unix", path="/run/x")),
        ("", Address("unix")),
        (None, Address("unix")),
        (b"\0name", Address("unix", path="@name")),
        (b"\0\xff", Address("unix", path="@\udcff")),
    ],
)
def test_the_address_of_what_the_kernel_gives(raw: object, address: Address) -> None:
    assert place_of(raw) == address
