"""The socket table from /proc/net: the same as netlink's, and both byte orders."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirecat.system.netlink_sockets import read_netlink_sockets
from wirecat.system.proc_sockets import parse_proc_table, read_proc_host, read_proc_sockets
from wirecat.system.socket_row import SocketRow

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has /proc/net/tcp")

HEADING = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LITTLE = (
    HEADING
    + b"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000  1000        0 31415 1\n"
    + b"   1: 0100007F:1F90 0200007F:9C40 01 00000002:00000001 00:00000000 00000000  1000        0 27182 1\n"
    + b"   2: 0100007F:9C41 0200007F:1F90 06 00000000:00000000 03:00001234 00000000     0        0 0 3\n"
)
ROWS = [
    SocketRow("tcp", "ipv4", "127.0.0.1", 8080, None, None, "LISTEN", 3, None, 1000, 31415),
    SocketRow("tcp", "ipv4", "127.0.0.1", 8080, "127.0.0.2", 40000, "ESTABLISHED", 1, 2, 1000, 27182),
    SocketRow("tcp", "ipv4", "127.0.0.1", 40001, "127.0.0.2", 8080, "TIME-WAIT", 0, 0, None, None),
]


def test_a_table_of_a_little_endian_machine() -> None:
    assert parse_proc_table(LITTLE, "tcp", "ipv4", byte_order="little") == ROWS


def test_a_table_of_a_big_endian_machine() -> None:
    big = LITTLE.replace(b"0100007F", b"7F000001").replace(b"0200007F", b"7F000002")
    assert parse_proc_table(big, "tcp", "ipv4", byte_order="big") == ROWS


def test_an_ipv6_address_is_four_words() -> None:
    text = b"B80D0120000000000000000001000000"
    assert read_proc_host(text, "ipv6", "little") == "2001:db8::1"
    assert read_proc_host(b"20010DB8000000000000000000000001", "ipv6", "big") == "2001:db8::1"
    for wrong in (b"", b"0100007F", b"zz" * 16):
        with pytest.raises(ValueError):
            read_proc_host(wrong, "ipv6", "little")


def test_lines_that_are_cut_short_are_left_out() -> None:
    for cut in range(len(HEADING), len(LITTLE)):
        rows = parse_proc_table(LITTLE[:cut], "tcp", "ipv4", byte_order="little")
        whole = LITTLE[:cut].count(b"\n") - 1
        assert rows[:whole] == ROWS[:whole]


@given(st.binary(max_size=400))
def test_any_bytes_give_rows(raw: bytes) -> None:
    for family in ("ipv4", "ipv6"):
        parse_proc_table(raw, "tcp", family)
        parse_proc_table(HEADING + b" 0: " + raw, "udp", family)


def test_a_link_local_address_gets_the_interface_that_has_it(tmp_path: Path) -> None:
    word = b"000080FE000000000000000001000000"  # fe80::1
    peer = b"000080FE000000000000000002000000"
    if sys.byteorder == "big":
        word, peer = b"FE800000000000000000000000000001", b"FE800000000000000000000000000002"
    line = b"   0: %s:0050 %s:9C40 01 00000000:00000000 00:00000000 00000000 0 0 77 1\n" % (word, peer)
    (tmp_path / "tcp6").write_bytes(HEADING + line)
    address = "fe800000000000000000000000000001 02 40 20 80 eth7\n"
    (tmp_path / "if_inet6").write_text(address)
    (row,) = read_proc_sockets("tcp", "ipv6", directory=str(tmp_path))
    assert (row.local_host, row.remote_host) == ("fe80::1%eth7", "fe80::2%eth7")
    (tmp_path / "if_inet6").write_text(address + address.replace("eth7", "eth8"))  # which of the two?
    (row,) = read_proc_sockets("tcp", "ipv6", directory=str(tmp_path))
    assert row.local_host == "fe80::1"


def test_a_system_without_ipv6_has_no_rows_of_it(tmp_path: Path) -> None:
    assert read_proc_sockets("tcp", "ipv6", directory=str(tmp_path)) == []
    with pytest.raises(FileNotFoundError):
        read_proc_sockets("tcp", "ipv4", directory=str(tmp_path))


@linux
def test_netlink_and_proc_give_the_same_rows(conversation, family, eventually) -> None:
    number = socket.AF_INET if family == "ipv4" else socket.AF_INET6
    with (
        socket.socket(number, socket.SOCK_DGRAM) as lonely,
        socket.socket(number, socket.SOCK_DGRAM) as paired,
    ):
        lonely.bind(conversation.listener.getsockname()[:2])
        paired.connect(lonely.getsockname()[:2])
        paired.send(b"a datagram")
        conversation.client.sendall(b"unread")
        conversation.client.shutdown(socket.SHUT_WR)

        def relevant(rows: list[SocketRow]) -> set[SocketRow]:
            found = set()
            for row in rows:
                if conversation.port in (row.local_port, row.remote_port):
                    if row.state == "LISTEN":
                        row.send_queue = None  # /proc does not tell how many may wait
                    found.add(row)
            return found

        for protocol, count in (("tcp", 3), ("udp", 2)):

            def same(protocol: str = protocol, count: int = count) -> bool:
                one = relevant(read_netlink_sockets(protocol, family)[0])
                other = relevant(read_proc_sockets(protocol, family))
                return one == other and len(one) == count

            eventually(same)


@linux
def test_netlink_and_proc_agree_on_link_local_addresses(in_namespace) -> None:
    commands = """
        ip link add d0 type veth peer name d1
        ip link set d1 up
        ip address add fe80::1:2/64 dev d0 nodad
        ip link set d0 up
    """
    code = """if True:
        import json, socket
        from wirecat.system.netlink_sockets import read_netlink_sockets
        from wirecat.system.proc_sockets import read_proc_sockets
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("fe80::1:2", 0, 0, socket.if_nametoindex("d0")))
            listener.listen()
            rows = [read_netlink_sockets("tcp", "ipv6")[0], read_proc_sockets("tcp", "ipv6")]
        print(json.dumps([[row.local_host for row in table] for table in rows]))
    """
    assert in_namespace(commands, code) == [["fe80::1:2%d0"], ["fe80::1:2%d0"]]
