"""``serve`` by TLS and by datagrams, with openssl, ncat, socat and nc on the other end."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from peers import Program, peer, wirecat
from server.clients import PATIENCE, serving

TLS, UDP = "tls://127.0.0.1:0", "udp://127.0.0.1:0"


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_openssl(engine: str) -> None:
    with serving("echo", TLS, engine=engine) as served:
        where = ["-connect", f"127.0.0.1:{served.port}", "-quiet", "-no_ign_eof"]
        with Program([peer("openssl"), "s_client", *where]) as client:
            client.send(b"Hallo\n")
            client.wait_for("stdout", b"Hallo\n")
            client.close_stdin()
            client.wait()


@pytest.mark.parametrize("engine", ["threads", "async"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_of_a_version(engine: str, version: str) -> None:
    with serving("daytime", TLS, engine=engine) as served:
        where = ["-connect", f"127.0.0.1:{served.port}", "-quiet", version]
        with Program([peer("openssl"), "s_client", *where]) as client:
            client.wait_for("stdout", rb"\d\d:\d\d:\d\d")
            client.close_stdin()
            client.wait()


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_ncat_sends_a_file_and_gets_it_back(engine: str, tmp_path: Path) -> None:
    data = os.urandom(2_000_000)
    file = tmp_path / "data"
    file.write_bytes(data)
    with serving("echo", TLS, engine=engine) as served, file.open("rb") as source:
        with Program([peer("ncat"), "--ssl", "127.0.0.1", str(served.port)], stdin=source) as client:
            assert client.wait() == 0, client.describe()
            assert hashlib.sha256(client.stdout).digest() == hashlib.sha256(data).digest()


def test_socat_by_tls() -> None:
    with serving("echo", TLS) as served:
        where = f"OPENSSL:127.0.0.1:{served.port},verify=0"
        with Program([peer("socat"), "-", where]) as client:
            client.send(b"Hallo\n")
            client.wait_for("stdout", b"Hallo\n")
            client.close_stdin()
            assert client.wait() == 0


@pytest.mark.parametrize(
    "command",
    [
        ["ncat", "-u", "127.0.0.1", "PORT"],
        ["nc.openbsd", "-u", "127.0.0.1", "PORT"],
        ["socat", "-", "UDP:127.0.0.1:PORT"],
    ],
)
def test_datagrams(command: list[str]) -> None:
    with serving("reply:got {data}", UDP) as served:
        words = [peer(command[0]), *(word.replace("PORT", str(served.port)) for word in command[1:])]
        with Program(words) as client:
            for said in (b"one\n", b"two\n"):
                client.send(said)
                client.wait_for("stdout", b"got " + said)


def test_ncat_by_dtls() -> None:
    pytest.importorskip("OpenSSL")
    with serving("echo", "dtls://127.0.0.1:0") as served:
        with Program([peer("ncat"), "-u", "--ssl", "127.0.0.1", str(served.port)]) as client:
            client.send(b"Hallo\n")
            client.wait_for("stdout", b"Hallo\n")


def test_the_command(tmp_path: Path) -> None:
    """What is said on stderr of a server by TLS, and of a client without."""
    with wirecat("serve", "echo", TLS) as server:
        port = server.wait_for("stderr", rb"listening on tls://127\.0\.0\.1:(\d+) \(this PC only")[1].decode()
        with Program([peer("ncat"), "127.0.0.1", port]) as plain:
            plain.send(b"GET / HTTP/1.0\r\n\r\n")
            server.wait_for("stderr", rb"denied: no TLS: the peer does not speak TLS\n", PATIENCE)
        with Program([peer("ncat"), "--ssl", "127.0.0.1", port]) as client:
            client.send(b"x\n")
            client.wait_for("stdout", b"x\n")
        server.wait_for("stderr", rb"closed by the client .*: 2 B in, 2 B out")
        server.interrupt()
        assert server.wait() == 0
