"""Interoperation with socat, as client and as server, on TCP and on Unix domain sockets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from interop.bothways import (
    SIZES,
    Peer,
    address,
    ask_against,
    bare_port,
    chat,
    client_against_echo,
    client_against_listen,
    peers_server,
    server_against_connect,
)
from peers import Program, peer, wirecat

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a peer of POSIX systems")


def socat(*words: str) -> list[str]:
    """-t: how long one direction may go on when the other has ended; its own half a second cuts off slow answers."""
    return [peer("socat"), "-d", "-d", "-t", "60", *words]


def bound(host: str, port: int) -> str:
    family = "TCP6" if ":" in host else "TCP4"
    return f"{family}-LISTEN:{port},bind={f'[{host}]' if ':' in host else host},reuseaddr"


SOCAT = Peer(
    lambda host, port: socat("-", f"TCP:{address(host, port)}"),
    lambda host, port: socat("-", bound(host, port)),
    rb"listening on",
)
SOCAT_CAT = Peer(SOCAT.client, lambda host, port: socat(bound(host, port), "EXEC:cat"))


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize("size", SIZES)
def test_socat_sends_a_file_through_our_echo(engine: str, size: int, tmp_path: Path) -> None:
    client_against_echo(SOCAT, engine, size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
def test_socat_and_our_listen_exchange_files(size: int, tmp_path: Path) -> None:
    client_against_listen(SOCAT, size, tmp_path)


@pytest.mark.parametrize("size", SIZES)
def test_socats_server_and_our_connect_exchange_files(size: int, tmp_path: Path) -> None:
    server_against_connect(SOCAT, size, tmp_path)


def test_ipv6(tmp_path: Path) -> None:
    client_against_echo(SOCAT, "threads", 100_000, tmp_path, "::1")
    client_against_listen(SOCAT, 100_000, tmp_path, "::1")
    server_against_connect(SOCAT, 100_000, tmp_path, "::1")


def test_a_bare_port_is_both_families() -> None:
    bare_port(SOCAT)


def test_two_windows() -> None:
    with peers_server(SOCAT) as (theirs, port), wirecat("connect", str(port)) as ours:
        chat(theirs, ours)
        theirs.close_stdin()
        ours.close_stdin()
        assert (ours.wait(), theirs.wait()) == (0, 0)


def test_ask_against_socats_cat() -> None:
    assert ask_against(SOCAT_CAT) == b"one\ntwo\nquit\n"
    assert ask_against(SOCAT_CAT, "--newline", "crlf") == b"one\r\ntwo\r\nquit\r\n"


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_unix_sockets_both_ways(kind: str, tmp_path: Path) -> None:
    if kind == "abstract" and not sys.platform.startswith("linux"):
        pytest.skip("names without a file are Linux' own (unix(7))")
    path = str(tmp_path / "socket")
    ours_at = f"unix://{path}" if kind == "path" else f"unix://@{path}"
    connect, listen = ("UNIX-CONNECT", "UNIX-LISTEN") if kind == "path" else ("ABSTRACT-CONNECT", "ABSTRACT-LISTEN")
    with wirecat("listen", ours_at) as ours:
        ours.wait_for("stderr", b"listening on unix://")
        with Program(socat("-", f"{connect}:{path}")) as theirs:
            chat(ours, theirs)
            theirs.close_stdin()
            assert (ours.wait(), theirs.wait()) == (0, 0)
    with Program(socat("-", f"{listen}:{path}")) as theirs:
        theirs.wait_for("stderr", b"listening on")
        with wirecat("connect", ours_at) as ours:
            chat(ours, theirs)
            ours.close_stdin()
            theirs.close_stdin()
            assert (ours.wait(), theirs.wait()) == (0, 0)


def test_a_terminal_of_its_own_for_our_connect() -> None:
    """socat gives a program a terminal: what the peer sends is made printable there too."""
    import shlex

    from peers import wirecat_command
    from plain_peers import serving

    with serving(lambda connection: connection.sendall(b"\x1b[31mred\r\n")) as server:
        command = shlex.join(wirecat_command("connect", str(server.port), "-q"))
        with Program(socat("-", f"SYSTEM:{command.replace(':', chr(92) + ':')},pty,stderr,setsid,ctty")) as terminal:
            terminal.wait_for("stdout", rb"\\x1b\[31mred\r\n")
