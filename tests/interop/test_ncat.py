"""Interoperation with ncat, as client and as server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interop.bothways import (
    HOSTS,
    SIZES,
    Peer,
    address,
    ask_against,
    bare_port,
    chat,
    client_against_echo,
    client_against_listen,
    peers_server,
    serve_echo,
    server_against_connect,
)
from peers import Program, peer, wirecat

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a peer of POSIX systems")

NCAT = Peer(
    lambda host, port: [peer("ncat"), host, str(port)],
    lambda host, port: [peer("ncat"), "-v", "-l", host, str(port)],
    rb"Listening on",
)
NCAT_CAT = Peer(NCAT.client, lambda host, port: [peer("ncat"), "-v", "-l", "-e", "/bin/cat", host, str(port)])


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize("size", SIZES)
def test_ncat_sends_a_file_through_our_echo(engine: str, size: int, tmp_path: Path) -> None:
    client_against_echo(NCAT, engine, size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
def test_ncat_and_our_listen_exchange_files(size: int, tmp_path: Path) -> None:
    client_against_listen(NCAT, size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
def test_ncats_server_and_our_connect_exchange_files(size: int, tmp_path: Path) -> None:
    server_against_connect(NCAT, size, tmp_path)


def test_ipv6(tmp_path: Path) -> None:
    client_against_echo(NCAT, "threads", 100_000, tmp_path, "::1")
    client_against_listen(NCAT, 100_000, tmp_path, "::1")
    server_against_connect(NCAT, 100_000, tmp_path, "::1")


def test_a_bare_port_is_both_families() -> None:
    bare_port(NCAT)


@pytest.mark.parametrize("host", HOSTS)
def test_two_windows_with_ncat_on_the_right(host: str) -> None:
    with wirecat("listen", address(host, 0)) as ours:
        port = int(ours.wait_for("stderr", rb"listening on \S+:(\d+)")[1])
        with Program(NCAT.client(host, port)) as theirs:
            chat(ours, theirs)
            theirs.close_stdin()
            assert ours.wait() == 0
            assert theirs.wait() == 0


@pytest.mark.parametrize("host", HOSTS)
def test_two_windows_with_ncat_on_the_left(host: str) -> None:
    with peers_server(NCAT, host) as (theirs, port), wirecat("connect", address(host, port)) as ours:
        chat(ours, theirs)
        theirs.close_stdin()
        ours.close_stdin()
        assert ours.wait() == 0
        assert theirs.wait() == 0


def test_ask_against_ncats_cat() -> None:
    assert ask_against(NCAT_CAT) == b"one\ntwo\nquit\n"
    assert ask_against(NCAT_CAT, "--newline", "none") == b"onetwoquit"


def test_wait_for_ncats_server() -> None:
    with peers_server(NCAT_CAT) as (_, port), wirecat("wait", str(port), "-v") as waiting:
        assert waiting.wait() == 0


def test_a_port_check_leaves_a_server_as_it_was() -> None:
    """ncat's -z connects and goes without a word."""
    with serve_echo("threads") as port:
        for _ in range(3):
            with Program([peer("ncat"), "-z", "127.0.0.1", str(port)]) as check:
                assert check.wait() == 0


def test_ncat_that_is_killed_ends_our_listen() -> None:
    with wirecat("listen", "127.0.0.1:0") as ours:
        port = int(ours.wait_for("stderr", rb"listening on \S+:(\d+)")[1])
        with Program(NCAT.client("127.0.0.1", port)) as theirs:
            theirs.send(b"last words\n")
            ours.wait_for("stdout", b"last words\n")
            theirs.process.kill()
            assert ours.wait() == 0  # the kernel sends a FIN for it: nothing was lost
