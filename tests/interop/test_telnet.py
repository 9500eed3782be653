"""Interoperation with telnet as client: lines typed by hand, CRLF at their ends.

telnet leaves at the end of its own input, so its input stays open until the answer is there.
"""

from __future__ import annotations

import sys

import pytest

from interop.bothways import gone
from peers import Program, peer, wirecat

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a peer of POSIX systems")


def telnet(host: str, port: int) -> list[str]:
    return [peer("telnet"), host, str(port)]


def port_of(program: Program) -> int:
    return int(program.wait_for("stderr", rb"listening on \S+:(\d+)")[1])


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_telnet_is_answered(engine: str, host: str) -> None:
    with wirecat("serve", "reply:You told me: {data}", "0", "--engine", engine) as server:
        with Program(telnet(host, port_of(server))) as client:
            client.wait_for("stdout", b"Connected to")
            client.send("Hallo Grüße\n".encode())
            client.wait_for("stdout", "You told me: Hallo Grüße\r?\n".encode())
            client.send(b"again\n")
            client.wait_for("stdout", b"You told me: again\r?\n")
            client.close_stdin()
            client.wait()
        gone(server)
        server.interrupt()
        assert server.wait() == 0


def test_telnet_and_line_framing() -> None:
    """telnet ends its lines with CRLF when it speaks the protocol, with LF when it only types: both are lines."""
    with wirecat("serve", "reply:got {data}", "127.0.0.1:0", "--framing", "line") as server:
        with Program(telnet("127.0.0.1", port_of(server))) as client:
            client.wait_for("stdout", b"Connected to")
            for word in (b"one", b"two"):
                client.send(word + b"\n")
                client.wait_for("stdout", b"got " + word + b"\r?\n")
        server.interrupt()
        assert server.wait() == 0


def test_telnet_and_our_listen() -> None:
    with wirecat("listen", "127.0.0.1:0") as ours:
        with Program(telnet("127.0.0.1", port_of(ours))) as client:
            client.wait_for("stdout", b"Connected to")
            client.send(b"from telnet\n")
            ours.wait_for("stdout", b"from telnet\r?\n")
            ours.send(b"from wirecat\n")
            client.wait_for("stdout", b"from wirecat\r?\n")
            client.close_stdin()
            client.wait()
        assert ours.wait() in (0, 1)  # telnet may leave with what we sent unread, which is a reset
        gone(ours)


def test_telnet_sees_the_daytime_and_the_end() -> None:
    with wirecat("serve", "daytime", "127.0.0.1:0") as server:
        with Program(telnet("127.0.0.1", port_of(server))) as client:
            client.wait_for("stdout", rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d\r?\n")
            client.wait_for("stderr", b"Connection closed by foreign host")
        server.interrupt()
        assert server.wait() == 0
