"""Windows' socket tables, from bytes laid out by hand as Microsoft documents them."""

from __future__ import annotations

import socket
import struct
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirecat.system.socket_row import SocketRow
from wirecat.system.windows_sockets import parse_windows_table, read_windows_sockets


def port(number: int, garbage: int = 0) -> int:
    """A port as it stands in the table: in network order in the low half of a word."""
    return garbage << 16 | int.from_bytes(struct.pack("<H", number), "big")


def four(host: str) -> bytes:
    return socket.inet_pton(socket.AF_INET, host)


def six(host: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, host)


def table(*rows: bytes) -> bytes:
    return struct.pack("<I", len(rows)) + b"".join(rows)


def tcp4(state: int, local: str, local_port: int, remote: str, remote_port: int, pid: int) -> bytes:
    return struct.pack("<I4sI4sII", state, four(local), local_port, four(remote), remote_port, pid)


def test_tcp_over_ipv4() -> None:
    raw = table(
        tcp4(2, "0.0.0.0", port(12345), "0.0.0.0", port(50000, 0xBEEF), 4711),
        tcp4(5, "127.0.0.1", port(12345, 0xDEAD), "127.0.0.1", port(50000), 4711),
        tcp4(11, "127.0.0.1", port(50001), "127.0.0.1", port(12345), 0),
    )
    assert raw[4:28].hex() == "02000000000000003039000000000000c350efbe67120000"
    assert parse_windows_table(raw, "tcp", "ipv4") == [
        SocketRow("tcp", "ipv4", "0.0.0.0", 12345, state="LISTEN", pid=4711),
        SocketRow("tcp", "ipv4", "127.0.0.1", 12345, "127.0.0.1", 50000, "ESTABLISHED", pid=4711),
        SocketRow("tcp", "ipv4", "127.0.0.1", 50001, "127.0.0.1", 12345, "TIME-WAIT"),
    ]


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (1, "CLOSED"),
        (2, "LISTEN"),
        (3, "SYN-SENT"),
        (4, "SYN-RECEIVED"),
        (5, "ESTABLISHED"),
        (6, "FIN-WAIT-1"),
        (7, "FIN-WAIT-2"),
        (8, "CLOSE-WAIT"),
        (9, "CLOSING"),
        (10, "LAST-ACK"),
        (11, "TIME-WAIT"),
        (12, "CLOSED"),
        (13, None),
    ],
)
def test_every_state_has_its_name(number: int, state: str | None) -> None:
    (row,) = parse_windows_table(table(tcp4(number, "1.2.3.4", port(1), "5.6.7.8", port(2), 3)), "tcp", "ipv4")
    assert row.state == state


def test_tcp_over_ipv6_with_scopes() -> None:
    raw = table(
        struct.pack("<16sII16sIIII", six("::"), 0, port(445), six("::"), 0, 0, 2, 4),
        struct.pack("<16sII16sIIII", six("fe80::1"), 12, port(80), six("fe80::2"), 12, port(50000), 8, 99),
        struct.pack("<16sII16sIIII", six("2001:db8::1"), 12, port(80), six("2001:db8::2"), 12, port(1), 5, 99),
    )
    assert len(raw) == 4 + 3 * 56
    assert parse_windows_table(raw, "tcp", "ipv6") == [
        SocketRow("tcp", "ipv6", "::", 445, state="LISTEN", pid=4),
        SocketRow("tcp", "ipv6", "fe80::1%12", 80, "fe80::2%12", 50000, "CLOSE-WAIT", pid=99),
        SocketRow("tcp", "ipv6", "2001:db8::1", 80, "2001:db8::2", 1, "ESTABLISHED", pid=99),
    ]


def test_udp_has_neither_peer_nor_state() -> None:
    raw = table(struct.pack("<4sII", four("127.0.0.1"), port(53), 7))
    assert parse_windows_table(raw, "udp", "ipv4") == [SocketRow("udp", "ipv4", "127.0.0.1", 53, pid=7)]
    raw = table(struct.pack("<16sIII", six("fe80::1"), 3, port(546), 8))
    assert parse_windows_table(raw, "udp", "ipv6") == [SocketRow("udp", "ipv6", "fe80::1%3", 546, pid=8)]


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_within_the_buffer(raw: bytes) -> None:
    for protocol in ("tcp", "udp"):
        for family in ("ipv4", "ipv6"):
            parse_windows_table(raw, protocol, family)
            rows = parse_windows_table(b"\xff\xff\xff\xff" + raw, protocol, family)
            assert len(rows) <= len(raw) // 12


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has this table")
def test_elsewhere_the_table_is_refused() -> None:
    with pytest.raises(OSError, match="only Windows"):
        read_windows_sockets("tcp", "ipv4")


@pytest.mark.skipif(sys.platform != "win32", reason="needs Windows")
def test_the_real_table_holds_this_process() -> None:
    import os

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        number = listener.getsockname()[1]
        (row,) = [row for row in read_windows_sockets("tcp", "ipv4") if row.local_port == number]
        assert (row.state, row.pid) == ("LISTEN", os.getpid())
