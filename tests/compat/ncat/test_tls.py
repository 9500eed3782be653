"""TLS and DTLS: unverified unless asked for, names, certificates, and what is told."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from compat.ncat.harness import Ncat, both, everything, ours, still_runs
from openssl_peers import GREETING, QUESTION, WEAK, make_certificate, openssl_client, openssl_server
from peers import PATIENCE

OPENSSL = "openssl"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority's certificate (ca.pem, ca.key)."""
    folder = tmp_path_factory.mktemp("authority")
    openssl(
        folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem",
    )  # fmt: skip
    return folder


def openssl(folder: Path, *arguments: str) -> None:
    try:
        subprocess.run([OPENSSL, *arguments], cwd=folder, check=True, capture_output=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")


def certificate(authority: Path, folder: Path, subject: str, alternatives: str = "") -> tuple[Path, Path]:
    """A certificate that the authority has signed, and its key."""
    openssl(
        folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject,
        "-keyout", "key.pem", "-out", "request.pem",
    )  # fmt: skip
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName={alternatives}\n" if alternatives else "basicConstraints=CA:FALSE\n")
    openssl(
        folder, "x509", "-req", "-in", "request.pem", "-CA", str(authority / "ca.pem"), "-CAkey",
        str(authority / "ca.key"), "-CAcreateserial", "-days", "2", "-extfile", "extensions", "-out", "cert.pem",
    )  # fmt: skip
    return folder / "cert.pem", folder / "key.pem"


def listening(ncat: Ncat, cert: tuple[Path, Path], *options: str) -> tuple:  # type: ignore[type-arg]
    listener = ncat.listen("--ssl", "--ssl-cert", cert[0], "--ssl-key", cert[1], *options)
    return listener.program, listener.port


@both
def test_with_a_certificate_of_the_moment(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl")
    program = ncat.start("--ssl", "127.0.0.1", listener.port)
    program.send(b"question")
    listener.program.wait_for("stdout", b"question")
    listener.program.send(b"answer")
    program.wait_for("stdout", b"answer")
    program.close_stdin()
    assert (program.wait(), listener.program.wait()) == (0, 0)


@both
def test_the_end_of_the_listeners_input(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(ncat.dial(listener.port)) as client:
        listener.program.send(b"all")
        listener.program.close_stdin()
        assert client.recv(3) == b"all"
        assert client.recv(1) == b""


@ours
def test_a_listener_goes_on_after_the_end_of_its_input(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(ncat.dial(listener.port), suppress_ragged_eofs=False) as client:
        listener.program.close_stdin()
        assert client.recv(1) == b"", "an end that TLS itself tells"
        client.sendall(b"late")
        listener.program.wait_for("stdout", b"late")
    assert listener.program.wait() == 0


@both
def test_a_handshake_that_stalls_is_idle(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl", "-i", "300ms")
    ncat.dial(listener.port)
    assert listener.program.wait() == 2
    assert listener.program.stderr.endswith(b"Ncat: Idle timeout expired (300 ms). QUITTING.\n")


@both
def test_what_verbose_says(ncat: Ncat, authority: Path) -> None:
    cert = certificate(authority, ncat.folder, "/O=An Organisation/CN=example")
    _, port = listening(ncat, cert, "-k")
    ended = ncat.run("-v", "--ssl", "127.0.0.1", port)
    assert ended.code == 0
    digits = subprocess.run(
        [OPENSSL, "x509", "-in", cert[0], "-noout", "-fingerprint", "-sha1"], capture_output=True, text=True, check=True
    ).stdout.partition("=")[2].strip().replace(":", "")  # fmt: skip
    groups = " ".join(digits[start : start + 4] for start in range(0, 40, 4))
    told = f"Ncat: SSL connection to 127.0.0.1:{port}. An Organisation\nNcat: SHA-1 fingerprint: {groups}\n"
    assert told in ended.err
    assert "Ncat: Subject: " in ended.err and "CN=example" in ended.err
    assert "Ncat: Issuer: CN=Test authority" in ended.err
    assert "bytes sent" in ended.err


@both
def test_a_self_signed_certificate_told(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl", "-k")
    ended = ncat.run("-v", "--ssl", "127.0.0.1", listener.port)
    assert ended.code == 0
    assert "Ncat: Certificate verification failed (self-signed certificate).\n" in ended.err
    assert re.search(r"Ncat: SHA-1 fingerprint:( [0-9A-F]{4}){10}\n", ended.err)


@both
@pytest.mark.parametrize("verbose", [False, True])
def test_a_certificate_that_nobody_signed(ncat: Ncat, verbose: bool) -> None:
    listener = ncat.listen("--ssl", "-k")
    ended = ncat.run(*["-v"] * verbose, "--ssl-verify", "localhost", listener.port)
    assert ended.code == 1
    assert ended.err.endswith("Ncat: Input/output error.\n")
    assert ("Ncat: Certificate verification failed (self-signed certificate).\n" in ended.err) is verbose
    assert still_runs(listener.program, 0.05)


NAMES = [
    ("/CN=localhost", "", "localhost", True),
    ("/CN=other", "DNS:localhost", "localhost", True),
    ("/CN=127.0.0.1", "", "127.0.0.1", True),
    ("/CN=other", "", "localhost", False),
    ("/CN=other", "DNS:example.org", "localhost", False),
    ("/CN=*", "", "localhost", False),
    ("/CN=other", "DNS:*.localhost", "localhost", False),
    ("/CN=other", "IP:127.0.0.2", "127.0.0.1", False),
]


@both
@pytest.mark.parametrize(("subject", "alternatives", "host", "good"), NAMES, ids=[" ".join(row[:3]) for row in NAMES])
def test_names(ncat: Ncat, authority: Path, subject: str, alternatives: str, host: str, good: bool) -> None:
    _, port = listening(ncat, certificate(authority, ncat.folder, subject, alternatives), "-k")
    ended = ncat.run("--ssl-verify", "--ssl-trustfile", authority / "ca.pem", host, port)
    if good:
        assert (ended.code, ended.err) == (0, "")
    else:
        assert (ended.code, ended.err) == (2, "Ncat: Certificate verification error. QUITTING.\n")


@ours
@pytest.mark.parametrize(("alternatives", "host"), [("DNS:localhost", "LOCALHOST"), ("IP:127.0.0.1", "127.0.0.1")])
def test_names_that_the_oracle_does_not_match(ncat: Ncat, authority: Path, alternatives: str, host: str) -> None:
    _, port = listening(ncat, certificate(authority, ncat.folder, "/CN=other", alternatives), "-k")
    assert ncat.run("--ssl-verify", "--ssl-trustfile", authority / "ca.pem", host, port).code == 0


WILDCARDS = [("*.example.org", "www.example.org", True), ("*.org", "example.org", False), ("*.b.c", "a.b.c", True)]


@ours
@pytest.mark.parametrize(("pattern", "name", "good"), WILDCARDS, ids=[row[0] for row in WILDCARDS])
def test_wildcards(ncat: Ncat, authority: Path, pattern: str, name: str, good: bool) -> None:
    _, port = listening(ncat, certificate(authority, ncat.folder, "/CN=x", f"DNS:{pattern}"), "-k")
    ended = ncat.run(
        "--ssl-verify", "--ssl-trustfile", authority / "ca.pem", "--ssl-servername", name, "127.0.0.1", port
    )
    assert ended.code == (0 if good else 2), ended


def answered(ncat: Ncat, server_side: ssl.SSLContext, *options: object) -> dict[str, object]:
    """What a plain server learns of a client with these options."""
    server = ncat.plain()
    learnt: dict[str, object] = {}
    server_side.sni_callback = lambda tls, name, context: learnt.update(name=name)
    program = ncat.start(*options, "localhost", server.port)
    with server_side.wrap_socket(server.accept(), server_side=True) as secured:
        secured.settimeout(PATIENCE)
        learnt.update(alpn=secured.selected_alpn_protocol(), cipher=secured.cipher(), peer=secured.getpeercert(True))
        program.close_stdin()
        assert secured.recv(1) == b""
    assert program.wait() == 0
    return learnt


def server_side(cert: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*cert)
    return context


@both
@pytest.mark.parametrize(("options", "name"), [([], "localhost"), (["--ssl-servername", "example.org"], "example.org")])
def test_the_name_that_is_asked_for(ncat: Ncat, authority: Path, options: list[str], name: str) -> None:
    context = server_side(certificate(authority, ncat.folder, "/CN=x"))
    assert answered(ncat, context, "--ssl", *options)["name"] == name


@both
def test_the_protocols_that_are_offered(ncat: Ncat, authority: Path) -> None:
    context = server_side(certificate(authority, ncat.folder, "/CN=x"))
    context.set_alpn_protocols(["http/1.1"])
    assert answered(ncat, context, "--ssl", "--ssl-alpn", "h2,http/1.1")["alpn"] == "http/1.1"


@ours
def test_the_ciphers_that_are_offered(ncat: Ncat, authority: Path) -> None:
    context = server_side(certificate(authority, ncat.folder, "/CN=x"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    learnt = answered(ncat, context, "--ssl", "--ssl-ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert learnt["cipher"][0] == "ECDHE-ECDSA-AES128-GCM-SHA256"  # type: ignore[index]


@both
def test_a_client_shows_its_certificate(ncat: Ncat, authority: Path) -> None:
    cert = certificate(authority, ncat.folder, "/CN=x")
    context = server_side(cert)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority / "ca.pem")
    learnt = answered(ncat, context, "--ssl", "--ssl-cert", cert[0], "--ssl-key", cert[1])
    assert learnt["peer"] == ssl.PEM_cert_to_DER_cert(cert[0].read_text())


@both
@pytest.mark.parametrize("listens", [False, True])
def test_certificates_that_are_none(ncat: Ncat, listens: bool) -> None:
    bad = ncat.folder / "bad.pem"
    bad.write_text("no certificate")
    ended = ncat.run(
        *["-l"] * listens, "--ssl", "--ssl-cert", bad, "--ssl-key", bad, "127.0.0.1", "0" if listens else "1"
    )
    assert ended.code == 2
    assert ended.err.startswith("Ncat: ") and ended.err.endswith("QUITTING.\n")


@both
def test_ciphers_that_are_none(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl", "-k")
    ended = ncat.run("--ssl-ciphers", "bogus", "127.0.0.1", listener.port)
    assert ended.code == 2
    assert ended.err.endswith("QUITTING.\n")


@both
@pytest.mark.parametrize("options", [[], ["--ssl-verify"]])
@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_trust_file_that_is_none(ncat: Ncat, options: list[str], text: str | None) -> None:
    if text is not None:
        (ncat.folder / "trusted").write_text(text)
    listener = ncat.listen("--ssl", "-k")
    ended = ncat.run(*options, "--ssl-trustfile", "trusted", "127.0.0.1", listener.port)
    assert ended.code == 2
    assert ended.err.startswith("Ncat: Could not load trusted certificates from trusted.")
    assert ended.err.endswith(" QUITTING.\n")


@both
def test_who_says_whom_to_trust_wants_it_checked(ncat: Ncat, authority: Path) -> None:
    listener = listening(ncat, certificate(authority, ncat.folder, "/CN=localhost"), "-k")[1]
    assert ncat.run("--ssl-trustfile", authority / "ca.pem", "localhost", listener).code == 0
    listener = ncat.listen("--ssl", "-k").port
    ended = ncat.run("--ssl-trustfile", authority / "ca.pem", "localhost", listener)
    assert (ended.code, ended.err) == (1, "Ncat: Input/output error.\n")


@both
def test_a_peer_that_speaks_no_tls(ncat: Ncat) -> None:
    server = ncat.plain()
    program = ncat.start("--ssl", "127.0.0.1", server.port)
    peer = server.accept()
    peer.sendall(b"220 welcome, this is no TLS\r\n")
    assert program.wait() == 1
    assert program.stderr == b"Ncat: Input/output error.\n"


@both
def test_a_handshake_that_fails_ends_a_listener(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl")
    client = ncat.dial(listener.port)
    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    client.settimeout(PATIENCE)
    try:
        everything(client)
    except ConnectionResetError:
        assert not ncat.is_ours
    assert listener.program.wait() == 1


@both
def test_a_handshake_that_fails_ends_no_other(ncat: Ncat) -> None:
    listener = ncat.listen("-vk", "--ssl")
    client = ncat.dial(listener.port)
    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    listener.program.wait_for("stderr", b"Ncat: Failed SSL connection from 127.0.0.1: ")
    assert ncat.run("--ssl", "--send-only", "127.0.0.1", listener.port, input=b"fine").code == 0
    listener.program.wait_for("stdout", b"fine")


@both
def test_zero_io(ncat: Ncat) -> None:
    listener = ncat.listen("-k", "--ssl")
    ended = ncat.run("-zv", "--ssl", "127.0.0.1", listener.port)
    assert ended.code == 0
    assert f"Ncat: SSL connection to 127.0.0.1:{listener.port}.\n" in ended.err


@both
def test_the_broker_over_tls(ncat: Ncat) -> None:
    listener = ncat.listen("--broker", "--ssl")
    one = ncat.start("--ssl", "127.0.0.1", listener.port)
    other = ncat.start("--ssl", "127.0.0.1", listener.port)
    for _ in range(100):
        one.send(b".")
        try:
            other.wait_for("stdout", rb"\.", 0.1)
        except AssertionError:
            continue
        return
    raise AssertionError("the other hears nothing")


@ours
def test_much_of_it(ncat: Ncat) -> None:
    listener = ncat.listen("--ssl", "-e", "/bin/cat")
    data = bytes(range(256)) * 8000
    ended = ncat.run("--ssl", "127.0.0.1", listener.port, input=data)
    assert (ended.code, ended.out == data) == (0, True)


@ours
def test_dtls(ncat: Ncat) -> None:
    pytest.importorskip("OpenSSL")
    listener = ncat.listen("-u", "--ssl")
    program = ncat.start("-uv", "--ssl", "127.0.0.1", listener.port)
    program.wait_for("stderr", b"Ncat: SSL connection to ")
    program.send(b"datagram")
    listener.program.wait_for("stdout", b"datagram")
    listener.program.send(b"back")
    program.wait_for("stdout", b"back")


@ours
def test_tls_on_a_path(ncat: Ncat) -> None:
    program, path = ncat.listen_path("--ssl")
    ended = ncat.run("-U", "--ssl", path, input=b"hi")
    assert (ended.code, program.wait(), program.stdout) == (0, 0, b"hi")


@ours
def test_source_port_and_tls(ncat: Ncat) -> None:
    listener = ncat.listen("-v", "--ssl")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert ncat.run("--ssl", "-p", port, "127.0.0.1", listener.port).code == 0
    assert f"from 127.0.0.1:{port}.\n".encode() in listener.program.stderr


@pytest.fixture(scope="session")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("rsa"))


# Options of OpenSSL's peer, whether ncat's own list of ciphers is enough, or `ALL:@SECLEVEL=0` has to be given.
OLD_PEERS = [
    (("-tls1", *WEAK), False),
    (("-tls1_1", *WEAK), False),
    (("-tls1_2", "-cipher", "AES128-SHA"), True),
    (("-tls1_2", "-cipher", "AES256-GCM-SHA384"), True),
    (("-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"), True),
    (("-tls1_2",), True),
    (("-tls1_3",), True),
]


@both
@pytest.mark.parametrize(("peer_options", "by_default"), OLD_PEERS, ids=str)
def test_client_connects_to_old_servers_as_ncat_does(
    ncat: Ncat, peer_options: tuple[str, ...], by_default: bool, rsa: Path
) -> None:
    with openssl_server(rsa, *peer_options) as port:
        plain = ncat.start("--ssl", "127.0.0.1", port)
        if by_default:
            plain.send(QUESTION)
            plain.wait_for("stdout", GREETING)
            return
        assert plain.wait() == 1
        weak = ncat.start("--ssl", "--ssl-ciphers", "ALL:@SECLEVEL=0", "127.0.0.1", port)
        weak.send(QUESTION)
        weak.wait_for("stdout", GREETING)


@both
@pytest.mark.parametrize(("peer_options", "by_default"), OLD_PEERS, ids=str)
def test_listener_serves_old_clients_as_ncat_does(
    ncat: Ncat, peer_options: tuple[str, ...], by_default: bool, rsa: Path
) -> None:
    for weak in ((), ("--ssl-ciphers", "ALL:@SECLEVEL=0")):
        listener = ncat.listen("--ssl", "--ssl-cert", rsa, "--ssl-key", rsa, *weak)
        listener.program.send(GREETING)
        wanted = GREETING if by_default or weak else b""
        assert openssl_client(listener.port, *peer_options) == wanted


@both
def test_datagrams_of_an_old_server_with_its_ciphers(ncat: Ncat, rsa: Path) -> None:
    with openssl_server(rsa, "-dtls1", *WEAK) as port:
        program = ncat.start("-v", "-u", "--ssl", "--ssl-ciphers", "ALL:@SECLEVEL=0", "127.0.0.1", port)
        program.wait_for("stderr", rb"SSL connection to 127\.0\.0\.1")
