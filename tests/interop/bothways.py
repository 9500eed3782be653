"""What is tried with every real peer: files of awkward sizes, whole, both ways, with half-close, in either role.

A peer is told by two functions that give its command line: as a client of a host and port, and as a server there, with
what that server says once it listens.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from peers import Program, wirecat, wirecat_command
from plain_peers import free_port

#: Nothing, one byte, around the size of a read, and more than all buffers on the way hold together.
SIZES = [0, 1, 65535, 65536, 65537, 50_000_000]
HOSTS = ["127.0.0.1", "::1"]

Command = Callable[[str, int], list[str]]


class Peer:
    """A program on the other end. ``listening`` is what its server says on stderr (a regular expression)."""

    def __init__(self, client: Command, server: Command | None = None, listening: bytes = b"[Ll]istening on") -> None:
        self.client = client
        self.server = server
        self.listening = listening


class Files:
    """A file to send from each end, and what arrived at each."""

    def __init__(self, folder: Path, size: int) -> None:
        self.there, self.back = folder / "there", folder / "back"
        self.at_server, self.at_client = folder / "at-server", folder / "at-client"
        # 1 MiB at random, again and again, and never the same place twice at the same distance from a power of two.
        block = os.urandom(1_000_003)
        for path, data in ((self.there, block), (self.back, block[::-1])):
            path.write_bytes((data * (size // len(data) + 1))[:size])

    def assert_arrived(self) -> None:
        for sent, arrived in ((self.there, self.at_server), (self.back, self.at_client)):
            assert arrived.stat().st_size == sent.stat().st_size
            assert digest(arrived) == digest(sent), f"{arrived.name} is not {sent.name}"


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.contextmanager
def serve_echo(engine: str, host: str = "127.0.0.1") -> Iterator[int]:
    """``wirecat serve echo`` on a free port; it has ended well when the block has."""
    with wirecat("serve", "echo", address(host, 0), "--engine", engine) as server:
        yield int(server.wait_for("stderr", rb"listening on \S+:(\d+)")[1])
        server.interrupt()
        assert server.wait() == 0


def client_against_echo(peer: Peer, engine: str, size: int, folder: Path, host: str = "127.0.0.1") -> None:
    """The peer sends a file to ``wirecat serve echo``, half-closes, and gets it back."""
    files = Files(folder, size)
    with serve_echo(engine, host) as port, files.there.open("rb") as stdin, files.at_client.open("wb") as stdout:
        with Program(peer.client(host, port), stdin=stdin, stdout=stdout) as client:
            assert client.wait(60) == 0
    assert digest(files.at_client) == digest(files.there)


def client_against_listen(peer: Peer, size: int, folder: Path, host: str = "127.0.0.1") -> None:
    """The peer and ``wirecat listen`` send each other a file, both at once."""
    files = Files(folder, size)
    with contextlib.ExitStack() as stack:
        there, back = (stack.enter_context(each.open("rb")) for each in (files.there, files.back))
        at_server, at_client = (stack.enter_context(each.open("wb")) for each in (files.at_server, files.at_client))
        listen = wirecat_command("listen", address(host, 0))
        server = stack.enter_context(Program(listen, stdin=back, stdout=at_server))
        port = int(server.wait_for("stderr", rb"listening on \S+:(\d+)")[1])
        client = stack.enter_context(Program(peer.client(host, port), stdin=there, stdout=at_client))
        assert client.wait(60) == 0
        assert server.wait(60) == 0
        assert b"closed the connection" in server.stderr
    files.assert_arrived()


@contextlib.contextmanager
def peers_server(peer: Peer, host: str = "127.0.0.1", **streams: object) -> Iterator[tuple[Program, int]]:
    """The peer as a server on a free port, once it listens."""
    assert peer.server is not None
    port = free_port()
    with Program(peer.server(host, port), **streams) as server:  # type: ignore[arg-type]
        server.wait_for("stderr", peer.listening)
        yield server, port


def server_against_connect(peer: Peer, size: int, folder: Path, host: str = "127.0.0.1") -> None:
    """``wirecat connect`` and the peer as a server send each other a file, both at once."""
    files = Files(folder, size)
    with contextlib.ExitStack() as stack:
        there, back = (stack.enter_context(each.open("rb")) for each in (files.there, files.back))
        at_server, at_client = (stack.enter_context(each.open("wb")) for each in (files.at_server, files.at_client))
        server, port = stack.enter_context(peers_server(peer, host, stdin=back, stdout=at_server))
        connect = wirecat_command("connect", address(host, port), "-v")
        client = stack.enter_context(Program(connect, stdin=there, stdout=at_client))
        assert client.wait(60) == 0
        assert server.wait(60) == 0
        said = client.stderr.decode()
        assert f"connected to {address(host, port)}" in said
        assert f"{size} bytes sent, {size} bytes received" in said
    files.assert_arrived()


def server_against_connect_one_way(peer: Peer, size: int, folder: Path, host: str = "127.0.0.1") -> None:
    """As ``server_against_connect``, one way after the other, for a server that ends with its client's half-close."""
    files = Files(folder, size)
    with contextlib.ExitStack() as stack:
        there = stack.enter_context(files.there.open("rb"))
        at_server = stack.enter_context(files.at_server.open("wb"))
        server, port = stack.enter_context(peers_server(peer, host, stdin=subprocess.DEVNULL, stdout=at_server))
        client = stack.enter_context(Program(wirecat_command("connect", address(host, port)), stdin=there))
        assert client.wait(60) == 0
        assert server.wait(60) == 0
    with contextlib.ExitStack() as stack:
        back = stack.enter_context(files.back.open("rb"))
        at_client = stack.enter_context(files.at_client.open("wb"))
        server, port = stack.enter_context(peers_server(peer, host, stdin=back))
        # Its input stays open: it ends by the server's end.
        client = stack.enter_context(Program(wirecat_command("connect", address(host, port)), stdout=at_client))
        assert client.wait(60) == 0
        assert server.wait(60) == 0
    files.assert_arrived()


def chat(one: Program, other: Program) -> None:
    """Lines each way, at once, as two people would type them."""
    for count in range(3):
        one.send(b"from one %d\n" % count)
        other.wait_for("stdout", b"from one %d\r?\n" % count)
        other.send("grüße vom anderen %d\n".encode() % count)
        one.wait_for("stdout", "grüße vom anderen %d\r?\n".encode() % count)


def ask_against(peer: Peer, *arguments: str, questions: bytes = b"one\ntwo\nquit\n") -> bytes:
    """``wirecat connect --ask`` against the peer as a server that answers; what was printed."""
    with peers_server(peer) as (_, port):
        with wirecat("connect", "--ask", str(port), *arguments) as client:
            client.send(questions)
            client.close_stdin()
            assert client.wait() == 0
            return client.stdout


def bare_port(peer: Peer) -> None:
    """A server on a bare port is there for a client on either loopback address, and for ``localhost``."""
    for host in (*HOSTS, "localhost"):
        with wirecat("serve", "echo", "0") as server:
            match = server.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+) and \[::1\]:(\d+)")
            assert match[1] == match[2]
            with Program(peer.client(host, int(match[1]))) as client:
                client.send(b"hello\n")
                client.wait_for("stdout", b"hello\r?\n")
            server.interrupt()
            assert server.wait() == 0


def gone(process: Program) -> re.Match[bytes]:
    """A server has told that its client is gone."""
    return process.wait_for("stderr", rb"closed by the client|closed the connection|broke")
