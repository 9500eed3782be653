"""The socket table from inet_diag: real sockets in many states, and hostile messages."""

from __future__ import annotations

import errno
import random
import socket
import struct
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lonely_port import lonely_socket
from wirecat.system import netlink_sockets
from wirecat.system.netlink import ENDED, INTERRUPTED
from wirecat.system.netlink_sockets import message_reader, read_host, read_netlink_sockets
from wirecat.system.socket_row import SocketRow

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has inet_diag")


def rows_at(port: int, family: str, protocol: str = "tcp") -> list[SocketRow]:
    rows, complete = read_netlink_sockets(protocol, family)
    assert complete
    return [row for row in rows if port in (row.local_port, row.remote_port)]


def diag(
    state: int = 1,
    ports: tuple[int, int] = (80, 40000),
    local: bytes = b"\x7f\0\0\1",
    remote: bytes = b"\x7f\0\0\2",
    interface: int = 0,
    inode: int = 9,
    kind: int = 20,
    flags: int = 0,
    attributes: bytes = b"",
) -> bytes:
    """One message as the kernel builds it: nlmsghdr, inet_diag_msg, attributes."""
    body = struct.pack("=BBBB", 2, state, 0, 0) + struct.pack("!HH", *ports)
    body += local.ljust(16, b"\0") + remote.ljust(16, b"\0") + struct.pack("=III", interface, 1, 2)
    body += struct.pack("=IIIII", 0, 5, 6, 1000, inode) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def read(raw: bytes, protocol: str = "tcp", family: str = "ipv4") -> tuple[list[SocketRow], int]:
    rows: list[SocketRow] = []
    result = message_reader(protocol, family, rows)(bytearray(raw), len(raw))
    return rows, result


def test_a_listener_and_both_ends_of_a_connection(conversation, family) -> None:
    rows = rows_at(conversation.port, family)
    host = conversation.listener.getsockname()[0]
    assert {(row.state, row.local_port, row.remote_port) for row in rows} == {
        ("LISTEN", conversation.port, None),
        ("ESTABLISHED", conversation.port, conversation.client_port),
        ("ESTABLISHED", conversation.client_port, conversation.port),
    }
    assert {row.local_host for row in rows} == {host}
    assert {row.family for row in rows} == {family}
    (listener,) = [row for row in rows if row.state == "LISTEN"]
    assert (listener.recv_queue, listener.send_queue, listener.remote_host) == (0, 17, None)


def test_unread_bytes_and_waiting_connections_are_in_the_queues(conversation, family, eventually) -> None:
    conversation.client.sendall(b"unread!")
    with socket.create_connection(conversation.listener.getsockname()[:2], 10):

        def queues() -> bool:
            rows = {(row.state, row.local_port, row.remote_port): row for row in rows_at(conversation.port, family)}
            server = rows["ESTABLISHED", conversation.port, conversation.client_port]
            listener = rows["LISTEN", conversation.port, None]
            return server.recv_queue == 7 and listener.recv_queue == 1

        eventually(queues)


def test_bytes_that_the_peer_does_not_take_are_in_the_send_queue(conversation, family, eventually) -> None:
    conversation.client.setblocking(False)
    sent = 0
    with pytest.raises(BlockingIOError):
        while True:
            sent += conversation.client.send(bytes(65536))

    def queued() -> bool:
        rows = {row.local_port: row for row in rows_at(conversation.port, family) if row.state == "ESTABLISHED"}
        server, client = rows[conversation.port], rows[conversation.client_port]
        assert client.send_queue
        # A segment on its way is in both queues for a moment.
        return server.recv_queue + client.send_queue == sent

    eventually(queued)


def test_the_states_of_closing(conversation, family, eventually) -> None:
    def states() -> dict[int, str | None]:
        return {row.local_port: row.state for row in rows_at(conversation.port, family) if row.remote_port}

    conversation.client.shutdown(socket.SHUT_WR)
    assert conversation.server.recv(10) == b""
    eventually(lambda: states() == {conversation.port: "CLOSE-WAIT", conversation.client_port: "FIN-WAIT-2"})
    conversation.server.close()
    assert conversation.client.recv(10) == b""
    eventually(lambda: states() == {conversation.client_port: "TIME-WAIT"})
    (row,) = [row for row in rows_at(conversation.port, family) if row.state == "TIME-WAIT"]
    assert (row.inode, row.uid) == (None, None)


def test_the_kernel_leaves_out_other_states(conversation, family) -> None:
    rows, _ = read_netlink_sockets("tcp", family, ["LISTEN"])
    assert {row.state for row in rows} == {"LISTEN"}
    assert conversation.port in {row.local_port for row in rows}


def test_a_bound_socket_that_does_nothing_shows_on_demand(family) -> None:
    with lonely_socket(socket.AF_INET if family == "ipv4" else socket.AF_INET6) as idle:
        port = idle.getsockname()[1]
        assert port not in {row.local_port for row in read_netlink_sockets("tcp", family)[0]}
        found = [row.state for row in read_netlink_sockets("tcp", family, bound=True)[0] if row.local_port == port]
        assert found in (["CLOSED"], [])  # Linux before 6.8 does not tell


def test_udp_with_and_without_a_peer(family) -> None:
    number = socket.AF_INET if family == "ipv4" else socket.AF_INET6
    with (
        lonely_socket(number, socket.SOCK_DGRAM) as server,
        socket.socket(number, socket.SOCK_DGRAM) as client,
    ):
        port = server.getsockname()[1]
        client.connect(server.getsockname()[:2])
        rows = {row.local_port: row for row in rows_at(port, family, "udp")}
        assert (rows[port].state, rows[port].remote_port) == ("UNCONNECTED", None)
        mine = rows[client.getsockname()[1]]
        assert (mine.state, mine.remote_port, mine.remote_host) == (
            "ESTABLISHED",
            port,
            server.getsockname()[0],
        )
        assert all(row.protocol == "udp" for row in rows.values())


def test_a_message_is_read_field_by_field() -> None:
    rows, result = read(diag())
    assert result == 0
    assert rows == [SocketRow("tcp", "ipv4", "127.0.0.1", 80, "127.0.0.2", 40000, "ESTABLISHED", 5, 6, 1000, 9)]


def test_what_follows_the_known_fields_is_skipped() -> None:
    rows, _ = read(diag(attributes=bytes(40)) + diag(ports=(81, 0)))
    assert [(row.local_port, row.remote_port) for row in rows] == [(80, 40000), (81, None)]


def test_a_handshake_in_progress_and_an_unknown_state() -> None:
    rows, _ = read(diag(state=12) + diag(state=99))
    assert [row.state for row in rows] == ["SYN-RECEIVED", None]


def test_a_link_local_address_keeps_its_scope() -> None:
    loopback = socket.if_nametoindex("lo")
    link_local = bytes.fromhex("fe80000000000000" + "0000000000000001")
    plain = bytes.fromhex("20010db800000000" + "0000000000000001")
    rows, _ = read(diag(local=link_local, remote=plain, interface=loopback), family="ipv6")
    assert (rows[0].local_host, rows[0].remote_host) == ("fe80::1%lo", "2001:db8::1")
    assert read_host(link_local, "ipv6") == "fe80::1"
    assert read_host(link_local, "ipv6", 0x7FFFFFFF) == f"fe80::1%{0x7FFFFFFF}"  # the interface has gone


def test_the_same_address_on_two_interfaces_is_not_mixed_up() -> None:
    link_local = bytes.fromhex("fe80000000000000" + "0000000000000001")
    raw = b"".join(diag(local=link_local, interface=index) for index in (0x7FFFFFFE, 0x7FFFFFFF, 0x7FFFFFFE))
    hosts = [row.local_host for row in read(raw, family="ipv6")[0]]
    assert hosts == ["fe80::1%2147483646", "fe80::1%2147483647", "fe80::1%2147483646"]


def test_the_end_and_the_interruption_are_reported() -> None:
    done = struct.pack("=IHHIIi", 20, 3, 0, 1, 0, 0)
    assert read(diag() + done)[1] == ENDED
    assert read(diag(flags=0x10) + done)[1] == ENDED | INTERRUPTED
    assert read(struct.pack("=IHHIIi", 20, 3, 0x10, 1, 0, 0))[1] == ENDED | INTERRUPTED
    assert len(read(diag() + done + diag())[0]) == 1


def test_an_error_from_the_kernel_is_raised() -> None:
    with pytest.raises(OSError) as caught:
        read(struct.pack("=IHHIIi", 20, 2, 0, 1, 0, -errno.ENOENT))
    assert caught.value.errno == errno.ENOENT


@pytest.mark.parametrize("cut", range(1, len(diag())))
def test_a_message_cut_anywhere_is_an_error(cut: int) -> None:
    with pytest.raises(OSError, match="malformed"):
        read(diag() + diag()[:cut])


@pytest.mark.parametrize("length", [0, 3, 15, 16, 87, 89, 0xFFFFFFF0])
def test_a_length_that_lies_is_an_error(length: int) -> None:
    with pytest.raises(OSError, match="malformed"):
        read(struct.pack("=I", length) + diag()[4:])


@given(st.binary(max_size=500), st.sampled_from(["tcp", "udp"]), st.sampled_from(["ipv4", "ipv6"]))
def test_any_bytes_give_rows_or_an_error(raw: bytes, protocol: str, family: str) -> None:
    try:
        read(raw, protocol, family)
    except OSError:
        pass  # which is what a caller expects


def test_a_real_answer_with_bytes_changed_gives_rows_or_an_error(conversation, family) -> None:
    captured: list[bytes] = []

    def capture(buffer: bytearray, end: int) -> int:
        captured.append(bytes(buffer[:end]))
        return message_reader("tcp", family, [])(buffer, end)

    request = struct.pack("=BBBxI48x", socket.AF_INET if family == "ipv4" else socket.AF_INET6, 6, 0, 0xFFF)
    netlink_sockets.dump(4, 20, request, capture)
    dice = random.Random(7)
    for _ in range(2000):
        raw = bytearray(captured[0][:2000])
        for _ in range(dice.randint(1, 8)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        try:
            read(bytes(raw[: dice.randint(1, len(raw))]), "tcp", family)
        except OSError:
            continue


def test_a_table_that_does_not_keep_still_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def dump(*arguments: object) -> bool:
        calls.append(1)
        read_datagram: Callable[[bytearray, int], int] = arguments[3]  # type: ignore[assignment]
        read_datagram(bytearray(diag()), len(diag()))
        return len(calls) == 2

    monkeypatch.setattr(netlink_sockets, "dump", dump)
    rows, complete = read_netlink_sockets("tcp", "ipv4")
    assert (len(rows), complete, len(calls)) == (1, True, 2)  # the first reading's rows are dropped
    calls.extend([1, 1, 1])
    rows, complete = read_netlink_sockets("tcp", "ipv4")
    assert (len(rows), complete) == (1, False)
