"""Interoperation with OpenBSD's nc, as client and as server, on TCP and on Unix domain sockets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interop.bothways import (
    HOSTS,
    SIZES,
    Peer,
    address,
    bare_port,
    chat,
    client_against_echo,
    client_against_listen,
    peers_server,
    serve_echo,
    server_against_connect_one_way,
)
from peers import Program, peer, wirecat

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a peer of POSIX systems")

# -N: shut the sending half down at the end of the input, which this nc does not do by itself.
NC = Peer(
    lambda host, port: [peer("nc.openbsd"), "-N", host, str(port)],
    lambda host, port: [peer("nc.openbsd"), "-N", "-v", "-l", host, str(port)],
)


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize("size", SIZES)
def test_nc_sends_a_file_through_our_echo(engine: str, size: int, tmp_path: Path) -> None:
    client_against_echo(NC, engine, size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
def test_nc_and_our_listen_exchange_files(size: int, tmp_path: Path) -> None:
    client_against_listen(NC, size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
def test_ncs_server_and_our_connect_exchange_files(size: int, tmp_path: Path) -> None:
    """One after the other: this server ends with its client's half-close, whatever it had still to send."""
    server_against_connect_one_way(NC, size, tmp_path)


def test_ipv6(tmp_path: Path) -> None:
    client_against_echo(NC, "async", 100_000, tmp_path, "::1")
    client_against_listen(NC, 100_000, tmp_path, "::1")
    server_against_connect_one_way(NC, 100_000, tmp_path, "::1")


def test_a_bare_port_is_both_families() -> None:
    bare_port(NC)


@pytest.mark.parametrize("host", HOSTS)
def test_two_windows(host: str) -> None:
    with wirecat("listen", address(host, 0)) as ours:
        port = int(ours.wait_for("stderr", rb"listening on \S+:(\d+)")[1])
        with Program(NC.client(host, port)) as theirs:
            chat(ours, theirs)
            ours.close_stdin()
            theirs.close_stdin()
            assert (ours.wait(), theirs.wait()) == (0, 0)
    with peers_server(NC, host) as (theirs, port), wirecat("connect", address(host, port)) as ours:
        chat(theirs, ours)
        ours.close_stdin()
        theirs.close_stdin()
        assert (ours.wait(), theirs.wait()) == (0, 0)


def test_unix_sockets_both_ways(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with wirecat("listen", f"unix://{path}") as ours:
        ours.wait_for("stderr", b"listening on unix://")
        with Program([peer("nc.openbsd"), "-N", "-U", path]) as theirs:
            chat(ours, theirs)
            theirs.close_stdin()
            assert (ours.wait(), theirs.wait()) == (0, 0)
    with Program([peer("nc.openbsd"), "-N", "-v", "-l", "-U", path]) as theirs:
        theirs.wait_for("stderr", b"Listening on|[Bb]ound on")
        with wirecat("connect", f"unix://{path}") as ours:
            chat(ours, theirs)
            ours.close_stdin()
            theirs.close_stdin()
            assert (ours.wait(), theirs.wait()) == (0, 0)


def test_unix_server(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with wirecat("serve", "reply:You told me: {data}", f"unix://{path}") as server:
        server.wait_for("stderr", b"listening on unix://")
        with Program([peer("nc.openbsd"), "-N", "-U", path]) as client:
            client.send(b"hello\n")
            client.wait_for("stdout", b"You told me: hello\n")
            client.close_stdin()
            assert client.wait() == 0
        server.interrupt()
        assert server.wait() == 0


def test_without_its_own_half_close_nc_still_gets_all() -> None:
    """By default this nc goes on after the end of its input, until the server closes."""
    with wirecat("serve", "daytime", "127.0.0.1:0") as server:
        port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
        with Program([peer("nc.openbsd"), "127.0.0.1", port]) as client:
            client.close_stdin()
            assert client.wait() == 0
            assert len(client.stdout) == 27 and client.stdout.endswith(b"\r\n")


def test_a_port_check_leaves_a_server_as_it_was() -> None:
    with serve_echo("async") as port:
        for _ in range(3):
            with Program([peer("nc.openbsd"), "-z", "127.0.0.1", str(port)]) as check:
                assert check.wait() == 0
