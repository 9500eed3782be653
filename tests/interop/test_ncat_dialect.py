"""``wirecat ncat`` with the programs that scripts pair it with, in both directions: TCP, TLS, UDP, and proxies."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from certificates import Authority
from certificates import authority as authority
from interop.bothways import digest
from interop.test_proxies import LOGIN, PASSWORD, PROXIES, USER, ids
from interop.test_udp import CLIENTS, SERVERS, talk
from peers import Program, peer, wirecat_command
from plain_peers import free_port
from server.handlers.origin import Origin

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="peers of POSIX systems")

HERE = "127.0.0.1"
SIZE = 1_000_003  # more than a buffer, and no round number

#: The command line of a peer, given the port and a certificate with its key.
Command = Callable[[str, str], list[str]]

#: Clients of theirs that send their input, and such that print what they receive.
SENDERS: dict[str, Command] = {
    "ncat": lambda port, own: [peer("ncat"), "--send-only", HERE, port],
    "nc.openbsd": lambda port, own: [peer("nc.openbsd"), "-N", HERE, port],
    "socat": lambda port, own: [peer("socat"), "-u", "-", f"TCP:{HERE}:{port}"],
    "ncat by TLS": lambda port, own: [peer("ncat"), "--ssl", "--send-only", HERE, port],
    "socat by TLS": lambda port, own: [peer("socat"), "-u", "-", f"OPENSSL:{HERE}:{port},verify=0"],
    "openssl by TLS": lambda port, own: [
        peer("openssl"), "s_client", "-quiet", "-no_ign_eof", "-nocommands", "-connect", f"{HERE}:{port}",
    ],
}  # fmt: skip
RECEIVERS: dict[str, Command] = {
    "ncat": lambda port, own: [peer("ncat"), "--recv-only", HERE, port],
    "nc.openbsd": lambda port, own: [peer("nc.openbsd"), "-d", HERE, port],
    "socat": lambda port, own: [peer("socat"), "-u", f"TCP:{HERE}:{port}", "-"],
    "ncat by TLS": lambda port, own: [peer("ncat"), "--ssl", "--recv-only", HERE, port],
    "socat by TLS": lambda port, own: [peer("socat"), "-u", f"OPENSSL:{HERE}:{port},verify=0", "-"],
    "openssl by TLS": lambda port, own: [peer("openssl"), "s_client", "-quiet", "-connect", f"{HERE}:{port}"],
}
#: Servers of theirs for one client. What they say when they listen is in LISTENING.
SENDING_SERVERS: dict[str, Command] = {
    "ncat": lambda port, own: [peer("ncat"), "-v", "--send-only", "-l", HERE, port],
    "nc.openbsd": lambda port, own: [peer("nc.openbsd"), "-v", "-N", "-l", HERE, port],
    "socat": lambda port, own: [peer("socat"), "-d", "-d", "-u", "-", f"TCP-LISTEN:{port},bind={HERE}"],
    "ncat by TLS": lambda port, own: [
        peer("ncat"), "-v", "--send-only", "--ssl-cert", own, "--ssl-key", own, "-l", HERE, port,
    ],
    "socat by TLS": lambda port, own: [
        peer("socat"), "-d", "-d", "-u", "-", f"OPENSSL-LISTEN:{port},bind={HERE},cert={own},verify=0",
    ],
}  # fmt: skip
RECEIVING_SERVERS: dict[str, Command] = {
    "ncat": lambda port, own: [peer("ncat"), "-v", "--recv-only", "-l", HERE, port],
    "nc.openbsd": lambda port, own: [peer("nc.openbsd"), "-v", "-d", "-l", HERE, port],
    "socat": lambda port, own: [peer("socat"), "-d", "-d", "-u", f"TCP-LISTEN:{port},bind={HERE}", "-"],
    "ncat by TLS": lambda port, own: [
        peer("ncat"), "-v", "--recv-only", "--ssl-cert", own, "--ssl-key", own, "-l", HERE, port,
    ],
    "socat by TLS": lambda port, own: [
        peer("socat"), "-d", "-d", "-u", f"OPENSSL-LISTEN:{port},bind={HERE},cert={own},verify=0", "-",
    ],
    "openssl by TLS": lambda port, own: [
        peer("openssl"), "s_server", "-naccept", "1", "-cert", own, "-key", own, "-accept", f"{HERE}:{port}",
    ],
}  # fmt: skip
LISTENING = rb"(?i)listening on"


def ncat(*words: str) -> list[str]:
    return wirecat_command("ncat", *words)


def tls_words(name: str, *words: str) -> list[str]:
    return list(words) if name.endswith("TLS") else []


def require(name: str) -> None:
    peer(name.removesuffix(" by TLS"))


@contextlib.contextmanager
def a_file(folder: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """A file to send, and one for what arrives; at the end both must be the same."""
    sent, arrived = folder / "sent", folder / "arrived"
    sent.write_bytes(os.urandom(SIZE))
    with sent.open("rb") as source, arrived.open("wb") as sink:
        yield source, sink
    assert digest(arrived) == digest(sent)


@pytest.mark.parametrize("name", SENDERS)
def test_our_listener_receives(name: str, authority: Authority, tmp_path: Path) -> None:
    require(name)
    own, port = str(authority.sign("localhost")), str(free_port())
    words = tls_words(name, "--ssl-cert", own, "--ssl-key", own)
    with a_file(tmp_path) as (source, sink), Program(ncat("--test", *words, "-l", HERE, port), stdout=sink) as server:
        server.wait_for("stderr", b"NCAT TEST: LISTEN")
        with Program(SENDERS[name](port, own), stdin=source) as client:
            assert client.wait(60) == 0
            assert server.wait(60) == 0


@pytest.mark.parametrize("name", RECEIVERS)
def test_our_listener_sends(name: str, authority: Authority, tmp_path: Path) -> None:
    require(name)
    own, port = str(authority.sign("localhost")), str(free_port())
    words = ["--send-only", *tls_words(name, "--ssl-cert", own, "--ssl-key", own)]
    with a_file(tmp_path) as (source, sink), Program(ncat("--test", *words, "-l", HERE, port), stdin=source) as server:
        server.wait_for("stderr", b"NCAT TEST: LISTEN")
        with Program(RECEIVERS[name](port, own), stdout=sink) as client:
            assert client.wait(60) == 0
            assert server.wait(60) == 0


@pytest.mark.parametrize("name", SENDING_SERVERS)
def test_our_client_receives(name: str, authority: Authority, tmp_path: Path) -> None:
    require(name)
    own, port = str(authority.sign("localhost")), str(free_port())
    words = tls_words(name, "--ssl-verify", "--ssl-trustfile", str(authority.path), "--ssl-servername", "localhost")
    with a_file(tmp_path) as (source, sink), Program(SENDING_SERVERS[name](port, own), stdin=source) as server:
        server.wait_for("stderr", LISTENING)
        with Program(ncat(*words, "localhost" if words else HERE, port), stdout=sink) as client:
            assert client.wait(60) == 0
            assert server.wait(60) == 0


@pytest.mark.parametrize("name", RECEIVING_SERVERS)
def test_our_client_sends(name: str, authority: Authority, tmp_path: Path) -> None:
    require(name)
    own, port = str(authority.sign("localhost")), str(free_port())
    words = ["--send-only", *tls_words(name, "--ssl-verify", "--ssl-trustfile", str(authority.path))]
    if name.startswith("openssl"):
        with Program(RECEIVING_SERVERS[name](port, own)) as server:
            server.wait_for("stdout", b"ACCEPT")
            with Program(ncat(*words, "localhost", port)) as client:
                client.send(b"all there is\n")
                client.close_stdin()
                assert client.wait(60) == 0
            server.wait_for("stdout", b"all there is\n")
        return
    with a_file(tmp_path) as (source, sink), Program(RECEIVING_SERVERS[name](port, own), stdout=sink) as server:
        server.wait_for("stderr", LISTENING)
        with Program(ncat(*words, "localhost" if name.endswith("TLS") else HERE, port), stdin=source) as client:
            assert client.wait(60) == 0
            assert server.wait(60) == 0


@pytest.mark.parametrize("kind", CLIENTS)
def test_our_udp_listener(kind: str) -> None:
    peer(kind)
    port = str(free_port())
    with Program(ncat("--test", "-u", "-l", HERE, port)) as server:
        server.wait_for("stderr", b"NCAT TEST: LISTEN")
        with Program(CLIENTS[kind](port)) as client:
            talk(client, server)


@pytest.mark.parametrize("kind", SERVERS)
def test_our_udp_client(kind: str) -> None:
    peer(kind)
    port = str(free_port())
    command, listening = SERVERS[kind](port)
    with Program(command) as server:
        server.wait_for("stderr", listening)
        with Program(ncat("-u", HERE, port)) as client:
            talk(client, server)
            client.close_stdin()
            assert client.wait() == 0


@pytest.mark.parametrize("which", PROXIES, ids=ids)
def test_our_client_through_a_proxy(which: tuple[str, str], tmp_path: Path) -> None:
    kind, name = which
    peer(name)
    port = str(free_port())
    with contextlib.ExitStack() as stack:
        source, sink = stack.enter_context(a_file(tmp_path))
        proxy = stack.enter_context(PROXIES[which](tmp_path, False))
        server = stack.enter_context(Program(ncat("--test", "-l", HERE, port), stdout=sink))
        server.wait_for("stderr", b"NCAT TEST: LISTEN")
        words = ["--proxy", f"{HERE}:{proxy}", "--proxy-type", kind, "--send-only", HERE, port]
        client = stack.enter_context(Program(ncat(*words), stdin=source))
        assert client.wait(60) == 0
        assert server.wait(60) == 0


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("which", LOGIN, ids=ids)
def test_our_client_says_who_it_is(which: tuple[str, str], right: bool, tmp_path: Path) -> None:
    kind, name = which
    peer(name)
    port = str(free_port())
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(PROXIES[which](tmp_path, True))
        server = stack.enter_context(Program(ncat("--test", "-l", "-k", "-c", "echo welcome", HERE, port)))
        server.wait_for("stderr", b"NCAT TEST: LISTEN")
        words = ["--proxy", f"{HERE}:{proxy}", "--proxy-type", kind, "--proxy-auth"]
        words += [f"{USER}:{PASSWORD if right else 'wrong'}", HERE, port]
        client = stack.enter_context(Program(ncat(*words)))
        assert client.wait() == (0 if right else 1)
        assert client.stdout == (b"welcome\n" if right else b"")


@pytest.mark.parametrize("words", [[], ["--proxytunnel"], ["--proxy-digest"], ["--proxy-basic", "--proxytunnel"]])
def test_curl_through_our_proxy(words: list[str]) -> None:
    port = str(free_port())
    account = f"{USER}:{PASSWORD}"
    guarded = bool({"--proxy-digest", "--proxy-basic"} & {*words})
    login, guard = (["--proxy-user", account], ["--proxy-auth", account]) if guarded else ([], [])
    with Origin() as origin, Program(ncat("--test", "-l", "--proxy-type", "http", *guard, HERE, port)) as proxy:
        proxy.wait_for("stderr", b"NCAT TEST: LISTEN")
        command = [peer("curl"), "--silent", "--show-error", "--max-time", "15", "--proxy", f"http://{HERE}:{port}"]
        with Program([*command, *words, *login, f"{origin.url}/a%20b"]) as curl:
            assert curl.wait() == 0
            assert curl.stdout == b"hello"
        assert origin.heads[-1].startswith(b"GET /a%20b HTTP/1.")
