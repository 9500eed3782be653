"""TLS with real peers: ncat, openssl's programs and socat, as client and as server, and DTLS with the first two."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from certificates import Authority
from certificates import authority as authority
from interop.bothways import Files, Peer, digest, peers_server
from peers import Program, peer, wirecat, wirecat_command
from plain_peers import free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="peers of POSIX systems")

SIZES = [0, 1, 65537, 5_000_000]

#: Each makes a Peer, given a certificate with its key and what to trust.
KINDS: dict[str, Callable[[str, str], Peer]] = {
    "ncat": lambda own, trusted: Peer(
        lambda host, port: [peer("ncat"), "--ssl-verify", "--ssl-trustfile", trusted, "localhost", str(port)],
        lambda host, port: [peer("ncat"), "-v", "-l", "--ssl-cert", own, "--ssl-key", own, host, str(port)],
        rb"Listening on",
    ),
    "socat": lambda own, trusted: Peer(
        lambda host, port: [peer("socat"), "-", f"OPENSSL:localhost:{port},cafile={trusted}"],
        lambda host, port: [
            peer("socat"), "-d", "-d", f"OPENSSL-LISTEN:{port},bind={host},cert={own},verify=0,reuseaddr", "-",
        ],
        rb"listening on",
    ),
}  # fmt: skip


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    peer(request.param)
    return str(request.param)


@pytest.mark.parametrize("size", SIZES)
def test_a_client_of_theirs_and_our_listen_exchange_files(
    kind: str, size: int, authority: Authority, tmp_path: Path
) -> None:
    files, own = Files(tmp_path, size), authority.sign("localhost")
    with contextlib.ExitStack() as stack:
        there, back = (stack.enter_context(each.open("rb")) for each in (files.there, files.back))
        at_server, at_client = (stack.enter_context(each.open("wb")) for each in (files.at_server, files.at_client))
        listen = wirecat_command("listen", f"tls://127.0.0.1:0?cert={own}")
        server = stack.enter_context(Program(listen, stdin=back, stdout=at_server))
        port = int(server.wait_for("stderr", rb"listening on \S+:(\d+)")[1])
        command = KINDS[kind](str(own), str(authority.path)).client("localhost", port)
        client = stack.enter_context(Program(command, stdin=there, stdout=at_client))
        assert client.wait(60) == 0
        assert server.wait(60) == 0
    files.assert_arrived()


@pytest.mark.parametrize("size", SIZES)
def test_a_server_of_theirs_and_our_connect_exchange_files(
    kind: str, size: int, authority: Authority, tmp_path: Path
) -> None:
    files, own = Files(tmp_path, size), authority.sign("localhost")
    theirs = KINDS[kind](str(own), str(authority.path))
    with contextlib.ExitStack() as stack:
        there, back = (stack.enter_context(each.open("rb")) for each in (files.there, files.back))
        at_server, at_client = (stack.enter_context(each.open("wb")) for each in (files.at_server, files.at_client))
        server, port = stack.enter_context(peers_server(theirs, stdin=back, stdout=at_server))
        # ncat ends without TLS's own end of stream.
        place = f"tls://localhost:{port}?ca={authority.path}&truncation={'allow' if kind == 'ncat' else 'error'}"
        client = stack.enter_context(Program(wirecat_command("connect", place), stdin=there, stdout=at_client))
        assert client.wait(60) == 0
        assert server.wait(60) == 0
    files.assert_arrived()


@pytest.mark.parametrize("upward", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("size", SIZES)
def test_openssls_client_one_way_at_a_time(upward: bool, size: int, authority: Authority, tmp_path: Path) -> None:
    """s_client ends it all with its input, or with our end, whatever it has still to send."""
    files, own = Files(tmp_path, size), authority.sign("localhost")
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(files.there.open("rb"))
        sink = stack.enter_context(files.at_server.open("wb"))
        ours = {"stdin": subprocess.DEVNULL, "stdout": sink} if upward else {"stdin": source}
        theirs = {"stdin": source} if upward else {"stdout": sink}
        server = stack.enter_context(Program(wirecat_command("listen", f"tls://127.0.0.1:0?cert={own}"), **ours))
        port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
        words = ["s_client", "-quiet", "-verify_return_error", "-CAfile", str(authority.path)]
        if upward:
            words += ["-no_ign_eof", "-nocommands"]
        command = [peer("openssl"), *words, "-connect", f"localhost:{port}"]
        client = stack.enter_context(Program(command, **theirs))
        assert client.wait(60) == 0
        assert server.wait(60) == 0
    assert digest(files.at_server) == digest(files.there)


def test_an_end_without_tls_s_own_is_told(authority: Authority) -> None:
    """ncat sends a mere end of TCP, which anybody on the way could have sent."""
    own = authority.sign("localhost")
    with peers_server(KINDS["ncat"](str(own), str(authority.path))) as (server, port):
        with wirecat("connect", "--tls", "--ca", str(authority.path), f"localhost:{port}") as client:
            server.send(b"all of it\n")
            client.wait_for("stdout", b"all of it\n")
            server.close_stdin()
            assert client.wait() == 1
            assert b"without TLS's end of stream" in client.stderr


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_our_connect_and_openssls_echo(version: str, authority: Authority) -> None:
    """`s_server -rev` sends each line back, its letters in reverse order."""
    own, port = authority.sign("localhost"), free_port()
    command = [peer("openssl"), "s_server", "-rev", version, "-cert", str(own), "-accept", f"127.0.0.1:{port}"]
    with Program(command) as server:
        server.wait_for("stdout", b"ACCEPT")
        with wirecat("connect", "-v", "--tls", "--ca", str(authority.path), f"localhost:{port}") as client:
            client.wait_for("stderr", b"TLSv1.2" if version == "-tls1_2" else b"TLSv1.3")
            client.send(b"Hallo\n")
            client.wait_for("stdout", b"ollaH\n")
            client.send(b"CLOSE\n")
            assert client.wait() == 0


def test_a_peer_that_asks_for_new_keys_gets_them(authority: Authority) -> None:
    """A KeyUpdate (RFC 8446 section 4.6.3) has to be answered by whoever receives, while another may be sending.

    `K` at the begin of a line makes s_client ask for it.
    """
    with wirecat("listen", f"tls://127.0.0.1:0?cert={authority.sign('localhost')}") as server:
        port = int(server.wait_for("stderr", rb"listening on \S+:(\d+)")[1])
        command = [peer("openssl"), "s_client", "-connect", f"localhost:{port}", "-CAfile", str(authority.path)]
        with Program(command) as client:
            asked = 0
            for turn in range(5):
                client.send(b"before %d\n" % turn)
                server.wait_for("stdout", b"before %d\n" % turn)
                client.send(b"K\n")
                asked = client.wait_for("stderr", b"KEYUPDATE", since=asked).end()
                client.send(b"after %d\n" % turn)
                server.wait_for("stdout", b"after %d\n" % turn)
                server.send(b"back %d\n" % turn)
                client.wait_for("stdout", b"back %d\n" % turn)


def test_our_ephemeral_certificate_is_shown_but_trusted_by_nobody() -> None:
    for command, code in (
        ([peer("ncat"), "--ssl"], 0),
        ([peer("ncat"), "--ssl-verify"], 1),
    ):
        with wirecat("listen", "tls://127.0.0.1:0") as server:
            port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
            with Program([*command, "-v", "localhost", port], stdin=subprocess.DEVNULL) as client:
                assert client.wait() == code
                if code == 0:
                    assert b"SHA-1 fingerprint" in client.stderr
                else:
                    assert b"verification failed" in client.stderr
            if code:  # it was no client: the next is waited for
                server.wait_for("stderr", b"the peer does not trust our certificate")
                with Program([peer("ncat"), "--ssl", "localhost", port], stdin=subprocess.DEVNULL) as client:
                    assert client.wait() == 0
            assert server.wait() == 0


def test_protocols_and_certificates_of_clients_with_openssl(authority: Authority) -> None:
    own, client_own = authority.sign("localhost"), authority.sign("somebody")
    place = f"tls://127.0.0.1:0?cert={own}&ca={authority.path}&alpn=h2,http/1.1"
    command = [peer("openssl"), "s_client", "-CAfile", str(authority.path), "-alpn", "http/1.1"]
    with wirecat("listen", place) as server:
        port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
        extra = ["-cert", str(client_own), "-connect", f"localhost:{port}"]
        with Program([*command, *extra]) as client:
            client.wait_for("stdout", b"ALPN protocol: http/1.1")
            client.send(b"hello\n")
            server.wait_for("stdout", b"hello\n")
    with wirecat("listen", place) as server:
        port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
        with Program([*command, "-connect", f"localhost:{port}"]) as client:
            server.wait_for("stderr", b"the peer shows no certificate")
            client.wait_for("stderr", b"certificate required")
        with Program([*command, "-cert", str(client_own), "-connect", f"localhost:{port}"]) as client:
            client.send(b"I have one\n")  # the one before was no client: the next is waited for
            server.wait_for("stdout", b"I have one\n")
    port = str(free_port())
    command = [peer("openssl"), "s_server", "-Verify", "1", "-verify_return_error", "-CAfile", str(authority.path)]
    with Program([*command, "-cert", str(own), "-accept", port]) as server:
        server.wait_for("stdout", b"ACCEPT")
        with wirecat("connect", f"tls://localhost:{port}?ca={authority.path}&cert={client_own}") as client:
            client.send(b"it is me\n")
            server.wait_for("stdout", b"it is me\n")
        with wirecat("connect", f"tls://localhost:{port}?ca={authority.path}") as client:
            client.wait_for("stderr", b"wants a certificate of ours")
            assert client.wait() == 1


@pytest.mark.parametrize("kind", ["ncat", "openssl"])
def test_dtls_with_a_client_of_theirs(kind: str) -> None:
    pytest.importorskip("OpenSSL", reason="DTLS needs pyOpenSSL")
    with wirecat("listen", "dtls://127.0.0.1:0") as server:
        port = server.wait_for("stderr", rb"listening on \S+:(\d+)")[1].decode()
        if kind == "ncat":
            command = [peer("ncat"), "--udp", "--ssl", "127.0.0.1", port]
        else:
            command = [peer("openssl"), "s_client", "-dtls", "-quiet", "-connect", f"127.0.0.1:{port}"]
        with Program(command) as client:
            client.send(b"hello\n")
            server.wait_for("stdout", b"hello\n")
            server.send(b"hello to you\n")
            client.wait_for("stdout", b"hello to you\n")


def test_dtls_with_a_server_of_theirs(authority: Authority) -> None:
    """openssl's: ncat has none."""
    pytest.importorskip("OpenSSL", reason="DTLS needs pyOpenSSL")
    own, port = str(authority.sign("localhost")), str(free_port())
    with Program([peer("openssl"), "s_server", "-dtls", "-cert", own, "-accept", f"127.0.0.1:{port}"]) as server:
        server.wait_for("stdout", b"ACCEPT")
        place = f"dtls://localhost:{port}?family=4&ca={authority.path}"
        with wirecat("connect", place) as client:
            client.send(b"hello\n")
            server.wait_for("stdout", b"hello\n")
            server.send(b"hello to you\n")
            client.wait_for("stdout", b"hello to you\n")
            client.close_stdin()
            assert client.wait() == 0
