"""Netlink dumps: real ones, and answers that no kernel should give."""

from __future__ import annotations

import errno
import socket
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirecat.system import netlink
from wirecat.system.netlink import ENDED, HEADER, NLMSG_DONE, NLMSG_ERROR, read_attributes, walk_messages

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has netlink")


def message(kind: int, body: bytes = b"", flags: int = 0) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, flags, 1, 0) + body


def control(raw: bytes) -> bool:
    length, kind, *_ = HEADER.unpack_from(raw)
    return netlink.read_control(bytearray(raw), 0, length, kind)


def test_done_ends_the_dump_and_errors_are_raised() -> None:
    assert control(message(NLMSG_DONE, struct.pack("=i", 0)))
    assert control(message(NLMSG_DONE))
    assert control(message(NLMSG_ERROR, struct.pack("=i", 0)))
    assert not control(message(1))
    for kind in (NLMSG_DONE, NLMSG_ERROR):
        with pytest.raises(PermissionError):
            control(message(kind, struct.pack("=i", -errno.EPERM)))
    with pytest.raises(OSError, match="without a number"):
        control(message(NLMSG_ERROR, b"\1"))
    with pytest.raises(OSError, match="lost a part"):
        control(message(netlink.NLMSG_OVERRUN))


def test_messages_are_walked_with_their_padding() -> None:
    raw = bytearray(message(20, b"abcde") + b"\0\0\0" + message(21, flags=16))
    found = [(kind, flags, bytes(raw[start:end])) for kind, flags, start, end in walk_messages(raw, len(raw))]
    assert found == [(20, 0, b"abcde"), (21, 16, b"")]


@pytest.mark.parametrize("length", [0, 1, 15, 21, 0xFFFFFFFF])
def test_a_length_that_cannot_be_is_an_error(length: int) -> None:
    raw = bytearray(struct.pack("=IHHII", length, 20, 0, 1, 0) + bytes(4))
    with pytest.raises(OSError, match="malformed"):
        list(walk_messages(raw, len(raw)))


@given(st.binary(max_size=300))
def test_any_bytes_end_in_messages_or_an_error(raw: bytes) -> None:
    buffer = bytearray(raw)
    try:
        for _, _, start, end in walk_messages(buffer, len(buffer)):
            assert 16 <= start <= end <= len(buffer)
            read_attributes(buffer, start, end)
    except OSError as error:
        assert error.errno == errno.EBADMSG


def test_attributes_are_read_by_number_until_one_does_not_fit() -> None:
    raw = struct.pack("=HH3sx", 7, 3, b"lo\0") + struct.pack("=HHI", 8, 8, 5) + struct.pack("=HH", 99, 1)
    assert read_attributes(bytearray(raw), 0, len(raw)) == {3: b"lo\0", 8: struct.pack("=I", 5)}


def test_a_table_that_the_kernel_does_not_have_is_an_error() -> None:
    def read(buffer: bytearray, end: int) -> int:
        for kind, _, start, stop in walk_messages(buffer, end):
            if netlink.read_control(buffer, start - HEADER.size, stop - start + HEADER.size, kind):
                return ENDED
        return 0

    with pytest.raises(OSError):
        netlink.dump(4, 20, struct.pack("=BBBxI48x", socket.AF_INET, 251, 0, 0xFFF), read)


class _Kernel:
    """Stands in for the socket to the kernel and answers with datagrams of a given length for ever."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __call__(self, *_: object) -> _Kernel:
        return self

    def __enter__(self) -> _Kernel:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def recv_into(self, *_: object) -> int:
        return self.length

    def ignore(self, *_: object) -> None:
        pass

    settimeout = connect = send = ignore


def test_a_dump_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink.socket, "socket", _Kernel(16))
    with pytest.raises(TimeoutError):
        netlink.dump(4, 20, b"", lambda *_: 0, seconds=0.05)


def test_a_datagram_that_was_cut_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink.socket, "socket", _Kernel(1 << 20))
    with pytest.raises(OSError, match="cut"):
        netlink.dump(4, 20, b"", lambda *_: 0)
