"""Datagrams with real peers: ncat, OpenBSD's nc and socat, over UDP and over Unix domain sockets."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers import Program, peer, wirecat
from plain_peers import free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="peers of POSIX systems")

CLIENTS = {
    "ncat": lambda port: [peer("ncat"), "-u", "127.0.0.1", port],
    "nc.openbsd": lambda port: [peer("nc.openbsd"), "-u", "127.0.0.1", port],
    "socat": lambda port: [peer("socat"), "-", f"UDP:127.0.0.1:{port}"],
}
SERVERS = {
    "ncat": lambda port: ([peer("ncat"), "-v", "-u", "-l", "127.0.0.1", port], rb"Listening on"),
    "nc.openbsd": lambda port: ([peer("nc.openbsd"), "-v", "-u", "-l", "127.0.0.1", port], rb"Bound on"),
    "socat": lambda port: ([peer("socat"), "-d", "-d", f"UDP-LISTEN:{port},bind=127.0.0.1", "-"], rb"listening on"),
}


def talk(client: Program, server: Program) -> None:
    """The client speaks first: before that a server of UDP knows nobody to speak to."""
    for turn in range(3):
        client.send(b"there %d\n" % turn)
        server.wait_for("stdout", b"there %d\n" % turn)
        server.send("zurück %d\n".encode() % turn)
        client.wait_for("stdout", "zurück %d\n".encode() % turn)


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_client_of_theirs_and_our_listen(kind: str) -> None:
    with wirecat("listen", "udp://127.0.0.1:0") as server:
        port = server.wait_for("stderr", rb"listening on udp://127\.0\.0\.1:(\d+)")[1].decode()
        with Program(CLIENTS[kind](port)) as client:
            talk(client, server)
        assert b"udp://127.0.0.1:" in server.stderr


@pytest.mark.parametrize("kind", SERVERS)
def test_a_server_of_theirs_and_our_connect(kind: str) -> None:
    port = str(free_port())
    command, listening = SERVERS[kind](port)
    with Program(command) as server:
        server.wait_for("stderr", listening)
        with wirecat("connect", f"udp://127.0.0.1:{port}") as client:
            talk(client, server)
            client.close_stdin()
            assert client.wait() == 0, "the end of the input ends it"


def test_our_own_both_ways() -> None:
    with wirecat("listen", "udp://0") as server:
        port = server.wait_for("stderr", rb"udp://127\.0\.0\.1:(\d+) and udp://\[::1\]:\1")[1].decode()
        with wirecat("connect", f"udp://{port}") as client:
            talk(client, server)
            client.close_stdin()
            assert client.wait() == 0


def test_a_reply_that_comes_soon_is_waited_for() -> None:
    """`echo question | wirecat connect udp://…`: the end of the input comes at once."""
    command = [peer("socat"), "-d", "-d", "UDP-RECVFROM:0,bind=127.0.0.1", "EXEC:/bin/cat"]
    port = str(free_port())
    command[3] = f"UDP-RECVFROM:{port},bind=127.0.0.1"
    with Program(command) as server:
        server.wait_for("stderr", rb"receiving on")
        with wirecat("connect", f"udp://127.0.0.1:{port}") as client:
            client.send(b"question")
            client.close_stdin()
            client.wait_for("stdout", b"question")
            assert client.wait() == 0


def test_nobody_there_is_told() -> None:
    with wirecat("connect", f"udp://127.0.0.1:{free_port()}") as client:
        client.send(b"anybody?\n")
        client.wait_for("stderr", b"connection refused")
        assert client.wait() == 1
        assert client.stderr.count(b"\n") == 1


def test_a_listener_without_input_goes_on() -> None:
    """/dev/null gives nothing to send, and its end is no reason to end."""
    import subprocess

    from peers import wirecat_command

    with Program(wirecat_command("listen", "udp://127.0.0.1:0"), stdin=subprocess.DEVNULL) as server:
        port = server.wait_for("stderr", rb"udp://127\.0\.0\.1:(\d+)")[1].decode()
        with Program(CLIENTS["ncat"](port)) as client:
            for turn in range(3):
                client.send(b"%d\n" % turn)
                server.wait_for("stdout", b"%d\n" % turn)


@pytest.fixture
def folder() -> Iterator[Path]:
    """The path of a socket may have some 100 bytes, and that of a test's own folder has as many."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_unix_datagrams_with_socat(folder: Path) -> None:
    place = folder / "x.socket"
    with wirecat("listen", f"unixgram://{place}") as server:
        server.wait_for("stderr", rb"listening on unixgram://")
        client = [peer("socat"), "-", f"UNIX-SENDTO:{place},bind={folder / 'client'}"]
        with Program(client) as theirs:
            talk(theirs, server)
    place = folder / "y.socket"
    command = [peer("socat"), "-d", "-d", f"UNIX-RECVFROM:{place}", "EXEC:/bin/cat"]
    with Program(command) as theirs:
        theirs.wait_for("stderr", b"receiving on")
        with wirecat("connect", f"unixgram://{place}") as ours:
            ours.send(b"question\n")
            ours.wait_for("stdout", b"question\n")


def test_unix_datagrams_with_ncat(folder: Path) -> None:
    place = folder / "x.socket"
    with wirecat("listen", f"unixgram://{place}") as server:
        server.wait_for("stderr", rb"listening on unixgram://")
        with Program([peer("ncat"), "-u", "-U", str(place)]) as theirs:
            talk(theirs, server)
    place = folder / "y.socket"
    with Program([peer("ncat"), "-v", "-l", "-u", "-U", str(place)]) as theirs:
        theirs.wait_for("stderr", b"Listening on")
        with wirecat("connect", f"unixgram://{place}") as ours:
            ours.send(b"there\n")
            theirs.wait_for("stdout", b"there\n")
