"""Our connect through real proxies: microsocks, dante, tinyproxy, and ncat as an HTTP proxy."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from certificates import Authority
from certificates import authority as authority
from interop.bothways import digest
from peers import PATIENCE, Program, peer, wirecat, wirecat_command
from plain_peers import free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="peers of POSIX systems")

USER, PASSWORD = "somebody", "secret"


def wait_until_it_accepts(port: int) -> None:
    """Until somebody accepts on the port: some proxies say nothing when they are ready."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, f"nobody accepts on port {port}"
        else:
            return


@contextlib.contextmanager
def microsocks(folder: Path, login: bool) -> Iterator[int]:
    port = free_port()
    words = ["-u", USER, "-P", PASSWORD] if login else []
    with Program([peer("microsocks"), "-i", "127.0.0.1", "-p", str(port), *words]):
        wait_until_it_accepts(port)
        yield port


@contextlib.contextmanager
def dante(folder: Path, login: bool) -> Iterator[int]:
    port, settings = free_port(), folder / "danted.conf"
    everybody = "from: 0.0.0.0/0 to: 0.0.0.0/0"
    user = "root" if os.geteuid() == 0 else os.environ.get("USER", "nobody")
    settings.write_text(
        f"logoutput: stderr\ninternal: 127.0.0.1 port = {port}\nexternal: 127.0.0.1\nsocksmethod: none\n"
        f"clientmethod: none\nuser.privileged: {user}\nuser.unprivileged: {user}\n"
        f"client pass {{ {everybody} }}\nsocks pass {{ {everybody} }}\n"
    )
    with Program([peer("danted"), "-f", str(settings), "-p", str(folder / "danted.pid")]):
        wait_until_it_accepts(port)
        yield port


@contextlib.contextmanager
def tinyproxy(folder: Path, login: bool) -> Iterator[int]:
    port, settings = free_port(), folder / "tinyproxy.conf"
    words = f"BasicAuth {USER} {PASSWORD}\n" if login else ""
    settings.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nLogLevel Info\nAllow 127.0.0.1\n{words}")
    with Program([peer("tinyproxy"), "-d", "-c", str(settings)]):
        wait_until_it_accepts(port)
        yield port


@contextlib.contextmanager
def ncat(folder: Path, login: bool) -> Iterator[int]:
    port = free_port()
    words = ["--proxy-auth", f"{USER}:{PASSWORD}"] if login else []
    with Program([peer("ncat"), "-v", "-l", "--proxy-type", "http", *words, "127.0.0.1", str(port)]) as server:
        server.wait_for("stderr", b"Listening on")
        yield port


PROXIES = {
    ("socks5", "microsocks"): microsocks,
    ("socks5", "danted"): dante,
    ("socks4", "danted"): dante,
    ("http", "tinyproxy"): tinyproxy,
    ("http", "ncat"): ncat,
}
LOGIN = [("socks5", "microsocks"), ("http", "tinyproxy"), ("http", "ncat")]


def ids(pair: object) -> str:
    return "-".join(pair) if isinstance(pair, tuple) else str(pair)


@pytest.mark.parametrize("which", PROXIES, ids=ids)
@pytest.mark.parametrize("outward", [True, False], ids=["out", "in"])
def test_a_file_goes_through_whole(which: tuple[str, str], outward: bool, tmp_path: Path) -> None:
    """One way at a time: some proxies take the end of one half for the end of all."""
    kind, name = which
    peer(name)
    sent, arrived = tmp_path / "sent", tmp_path / "arrived"
    sent.write_bytes(os.urandom(3_000_001))
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(PROXIES[which](tmp_path, False))
        source, sink = stack.enter_context(sent.open("rb")), stack.enter_context(arrived.open("wb"))
        listen = wirecat_command("listen", "127.0.0.1:0")
        theirs = {"stdin": subprocess.DEVNULL, "stdout": sink} if outward else {"stdin": source}
        server = stack.enter_context(Program(listen, **theirs))
        port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
        # An address rather than a name, because that is all that SOCKS 4 has.
        words = wirecat_command("connect", "--proxy", f"{kind}://127.0.0.1:{proxy}", f"127.0.0.1:{port}")
        ours = {"stdin": source} if outward else {"stdout": sink}
        client = stack.enter_context(Program(words, **ours))
        assert client.wait(60) == 0
        assert server.wait(60) == 0
    assert digest(arrived) == digest(sent)


@pytest.mark.parametrize("which", [each for each in PROXIES if each[0] != "socks4"], ids=ids)
def test_a_greeting_that_comes_at_once_is_all_there(which: tuple[str, str], tmp_path: Path) -> None:
    """It may stand in the same segment as the proxy's reply. And the name is looked up by the proxy."""
    kind, name = which
    peer(name)
    with PROXIES[which](tmp_path, False) as proxy, wirecat("serve", "daytime", "0") as server:
        port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
        for _ in range(5):
            with wirecat("connect", "--proxy", f"{kind}://127.0.0.1:{proxy}", f"localhost:{port}") as client:
                assert client.wait() == 0
                assert client.stdout.endswith(b"\n")
                assert b":" in client.stdout


@pytest.mark.parametrize("which", LOGIN, ids=ids)
def test_logging_in(which: tuple[str, str], tmp_path: Path) -> None:
    kind, name = which
    peer(name)
    with PROXIES[which](tmp_path, True) as proxy, wirecat("serve", "echo", "127.0.0.1:0") as server:
        port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
        words = ["connect", "--proxy", f"{kind}://127.0.0.1:{proxy}", f"127.0.0.1:{port}"]
        with wirecat(*words, "--proxy-auth", f"{USER}:{PASSWORD}") as client:
            client.send(b"hello\n")
            client.wait_for("stdout", b"hello\n")
            client.close_stdin()
            assert client.wait() == 0
        for extra, match in (
            (["--proxy-auth", f"{USER}:wrong"], rb"refused the user name or password|the proxy"),
            ([], rb"wants a user name and password|the proxy"),
        ):
            with wirecat(*words, *extra) as client:
                client.wait_for("stderr", match)
                assert client.wait() == 1
                assert client.stderr.count(b"\n") == 1
                assert PASSWORD.encode() not in client.stderr


@pytest.mark.parametrize("which", PROXIES, ids=ids)
def test_a_target_that_refuses(which: tuple[str, str], tmp_path: Path) -> None:
    kind, name = which
    peer(name)
    with PROXIES[which](tmp_path, False) as proxy:
        with wirecat("connect", "--proxy", f"{kind}://127.0.0.1:{proxy}", f"127.0.0.1:{free_port()}") as client:
            client.wait_for("stderr", rb"proxy")
            assert client.wait() == 1
            assert client.stderr.count(b"\n") == 1


@pytest.mark.parametrize("which", PROXIES, ids=ids)
def test_tls_through_it(which: tuple[str, str], authority: Authority, tmp_path: Path) -> None:
    kind, name = which
    peer(name)
    own = authority.sign("127.0.0.1")
    with PROXIES[which](tmp_path, False) as proxy, wirecat("listen", f"tls://127.0.0.1:0?cert={own}") as server:
        port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
        words = ["--proxy", f"{kind}://127.0.0.1:{proxy}", "--tls", "--ca", str(authority.path)]
        with wirecat("connect", *words, f"127.0.0.1:{port}") as client:
            client.send(b"a secret\n")
            server.wait_for("stdout", b"a secret\n")
            server.send(b"kept\n")
            client.wait_for("stdout", b"kept\n")
            client.close_stdin()
            assert client.wait() == 0
