"""OpenSSL's own server and client as peers, limited to a version or a list of ciphers."""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from peers import PATIENCE, peer
from plain_peers import free_port

#: What a server of OpenSSL answers (``-rev``) to what.
QUESTION, GREETING = b"olleh\n", b"hello\n"
#: What makes OpenSSL 3 speak TLS 1.0 and 1.1 at all.
WEAK = ("-cipher", "ALL:@SECLEVEL=0")


def make_certificate(folder: Path) -> Path:
    """A self-signed RSA certificate for localhost with its key, as one file; RSA is what old cipher suites want."""
    key, cert, both = (folder / name for name in ("rsa.key", "rsa.crt", "rsa.pem"))
    subprocess.run(
        [peer("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", key, "-out", cert],
        check=True, capture_output=True, timeout=PATIENCE,
    )  # fmt: skip
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    return both


@contextlib.contextmanager
def openssl_server(certificate: Path, *options: str) -> Iterator[int]:
    """The port of an ``openssl s_server`` that turns lines round; it takes one client after the other."""
    port = free_port()
    rev = () if any(option.startswith("-dtls") for option in options) else ("-rev",)  # it has none for datagrams
    command = [peer("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, *rev, *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    ) as server:
        try:
            assert server.stdin is not None and server.stdout is not None
            said = b""
            while b"ACCEPT" not in said:
                assert select.select([server.stdout], [], [], PATIENCE)[0], said
                data = server.stdout.read(4096)
                assert data, said
                said += data
            yield port
        finally:
            server.kill()


def openssl_client(port: int, *options: str) -> bytes:
    """What a server says to an ``openssl s_client`` that sends nothing; empty where the handshake fails."""
    command = [peer("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", *options]
    ours, theirs = socket.socketpair()  # its input stays open until its output has come
    with ours, subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        theirs.close()
        try:
            assert client.stdout is not None
            return client.stdout.readline()
        finally:
            client.kill()
