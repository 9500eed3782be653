"""The socket table as text."""

from __future__ import annotations

from wirecat.system.socket_row import SocketRow
from wirecat.views.text_sockets import sockets_lines, sockets_text

ROWS = [
    SocketRow("tcp", "ipv4", "127.0.0.1", 12345, None, None, "LISTEN", 0, 128, 0, 1, 4711, "python3"),
    SocketRow("tcp", "ipv6", "::1", 12345, "::1", 50000, "ESTABLISHED", 1048576, 0, 0, 2, 4711, "python3"),
    SocketRow("udp", "ipv6", "fe80::1%eth0", 53),
]


def test_the_table_is_aligned() -> None:
    assert sockets_text(ROWS) == (
        "Proto   Recv-Q  Send-Q  Local address      Remote address  State        Process\n"
        "tcp          0     128  127.0.0.1:12345    *               LISTEN       4711/python3\n"
        "tcp    1048576       0  [::1]:12345        [::1]:50000     ESTABLISHED  4711/python3\n"
        "udp          -       -  [fe80::1%eth0]:53  *               -            -\n"
    )


def test_without_sockets_there_is_the_heading() -> None:
    assert sockets_lines([]) == ["Proto  Recv-Q  Send-Q  Local address  Remote address  State  Process"]


def test_a_narrow_terminal_cuts_names_and_never_addresses() -> None:
    row = SocketRow("tcp", "ipv4", "127.0.0.1", 80, None, None, "LISTEN", 0, 0, None, 1, 4711, "a-very-long-name")
    assert max(map(len, sockets_lines([row], width=100))) <= 100
    lines = sockets_lines([row], width=70)
    assert max(map(len, lines)) == 70
    assert lines[1].endswith("…")
    assert " 4711/a-" in lines[1]
    assert "127.0.0.1:80 " in sockets_lines([row], width=10)[1]


def test_control_characters_in_a_name_are_escaped() -> None:
    evil = SocketRow("tcp", "ipv4", "127.0.0.1", 80, pid=7, process="\x1b]0;owned\x07\nx\u202ey")
    text = sockets_text([evil])
    assert r"7/\x1b]0;owned\x07\nx\u202ey" in text
    assert text.count("\n") == 2
    assert all(line.isprintable() for line in text.splitlines())


def test_a_process_without_a_name() -> None:
    assert sockets_lines([SocketRow("tcp", "ipv4", "127.0.0.1", 80, pid=7)])[1].endswith(" 7")
