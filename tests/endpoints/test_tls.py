"""`tls://`: who is trusted and who is not, names, certificates of clients, ALPN, and a client that stalls."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from background import PATIENCE, Background, stays
from certificates import Authority, certificate_alone
from certificates import authority as authority
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import serving
from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream
from wirecat.endpoints.taking_turns import TakingTurns
from wirecat.endpoints.tls import TlsListener
from wirecat.endpoints.tls_stream import TlsStream
from wirecat.errors import CertificateError, ListenError, NoAnswer, TlsError, UsageError


@contextlib.contextmanager
def server(**options: Any) -> Iterator[tuple[Address, Background[TlsStream]]]:
    """A TLS server for one client; what `result` gives has shaken hands. Options are those of the address."""
    place = Address("tls", "127.0.0.1", 0, options=tuple((name, str(value)) for name, value in options.items()))
    with open_listener(place, 16) as listener:

        def accept() -> TlsStream:
            stream = listener.accept(PATIENCE)
            assert isinstance(stream, TlsStream)
            try:
                stream.handshake()
            except BaseException:
                stream.close()
                raise
            return stream

        with Background(accept) as accepting:
            yield listener.addresses[0], accepting


def connect(address: Address, **options: Any) -> TlsStream:
    pairs = tuple((name, str(value)) for name, value in options.items())
    stream = open_stream(address.replace(options=pairs), Deadline(PATIENCE))
    assert isinstance(stream, TlsStream)
    return stream


def answered(near: TlsStream, accepting: Background[TlsStream]) -> TlsStream:
    """Both ends once they have said something to each other; they are closed here."""
    far = accepting.result()
    near.send(b"question")
    assert far.receive(100) == b"question"
    far.send(b"answer")
    assert near.receive(100) == b"answer"
    near.close()
    far.close()
    return far


def refused(accepting: Background[TlsStream]) -> TlsError:
    """What the server learns of a client that did not like it."""
    with pytest.raises(TlsError) as caught:
        accepting.result()
    return caught.value


# Who is trusted


def test_one_whom_a_trusted_authority_has_signed(authority: Authority) -> None:
    with server(cert=authority.sign("localhost")) as (address, accepting):
        near = connect(address, ca=authority.path, servername="localhost")
        assert near.tls is not None
        assert near.tls.organisation == "Example Org"
        answered(near, accepting)


def test_the_address_itself_may_be_what_the_certificate_is_for(authority: Authority) -> None:
    with server(cert=authority.sign("127.0.0.1", common_name="x")) as (address, accepting):
        answered(connect(address, ca=authority.path), accepting)


def test_a_folder_of_authorities(authority: Authority, tmp_path: Path) -> None:
    """OpenSSL finds a certificate in a folder by the hash of its subject."""
    import subprocess

    from peers import peer

    said = subprocess.run(
        [peer("openssl"), "x509", "-in", authority.path, "-noout", "-hash"], capture_output=True, check=True, timeout=60
    )
    (tmp_path / f"{said.stdout.decode().strip()}.0").write_bytes(authority.path.read_bytes())
    with server(cert=authority.sign("localhost")) as (address, accepting):
        answered(connect(address, ca=tmp_path, servername="localhost"), accepting)


def test_a_self_signed_one_that_is_known(authority: Authority, tmp_path: Path) -> None:
    """Whoever pins a server's own certificate trusts no authority, and need not."""
    own = authority.sign("localhost", self_signed=True)
    known = tmp_path / "known.pem"
    known.write_text(certificate_alone(own))
    with server(cert=own) as (address, accepting):
        answered(connect(address, ca=known, servername="localhost"), accepting)


def test_one_of_an_authority_that_is_known_by_itself(authority: Authority, tmp_path: Path) -> None:
    signed = authority.sign("localhost")
    known = tmp_path / "known.pem"
    known.write_text(certificate_alone(signed))
    with server(cert=signed) as (address, accepting):
        answered(connect(address, ca=known, servername="localhost"), accepting)


def test_nobody_is_asked_for_where_the_user_wants_it_so() -> None:
    with server() as (address, accepting):
        near = connect(address, verify="no")
        assert near.tls is not None
        assert near.tls.version == "TLSv1.3"
        assert near.tls.names is not None
        assert near.tls.names.common_names == ("localhost",)
        assert near.tls.sha256
        assert Connection(near).tls is near.tls
        assert Connection(TakingTurns(near)).tls is near.tls, "through every layer"
        assert Connection(near.inner).tls is None
        answered(near, accepting)


# Who is not


def fails(address: Address, match: str, **options: Any) -> CertificateError:
    with pytest.raises(CertificateError, match=match) as caught:
        connect(address, **options)
    error = caught.value
    assert error.exit_code == 1
    assert "\n" not in str(error)
    assert str(address.port) in str(error)
    assert error.reason
    return error


def test_an_ephemeral_certificate_is_nobodys() -> None:
    with server() as (address, accepting):
        error = fails(address, "self-signed.*--ca FILE.*--insecure", servername="localhost")
        assert not error.names_differ
        assert "trust" in str(refused(accepting)) or "certificate" in str(refused(accepting))


def test_one_of_an_unknown_authority(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    with server(cert=authority.sign("localhost")) as (address, accepting):
        fails(address, "signed by nobody who is trusted here", ca=other.path, servername="localhost")
        refused(accepting)


def test_the_systems_authorities_do_not_count_where_others_are_named(authority: Authority, tmp_path: Path) -> None:
    with server(cert=authority.sign("localhost")) as (address, accepting):
        fails(address, "signed by nobody", servername="localhost")
        refused(accepting)


def test_one_that_has_expired(authority: Authority) -> None:
    with server(cert=authority.sign("localhost", begins=-3, ends=-1)) as (address, accepting):
        fails(address, "has expired.*date", ca=authority.path, servername="localhost")
        refused(accepting)


def test_one_that_is_not_valid_yet(authority: Authority) -> None:
    with server(cert=authority.sign("localhost", begins=2)) as (address, accepting):
        fails(address, "not valid yet.*date", ca=authority.path, servername="localhost")
        refused(accepting)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_one_that_is_another_hosts(authority: Authority, name: str) -> None:
    with server(cert=authority.sign("example.org", "10.0.0.1")) as (address, accepting):
        error = fails(address, f"not for '{name}'.*servername=NAME", ca=authority.path, servername=name)
        assert error.names_differ
        refused(accepting)


def test_a_common_name_counts_only_where_there_is_no_other(authority: Authority) -> None:
    """RFC 6125 section 6.4.4."""
    with server(cert=authority.sign("other", common_name="localhost")) as (address, accepting):
        assert fails(address, "not for 'localhost'", ca=authority.path, servername="localhost").names_differ
        refused(accepting)
    with server(cert=authority.sign(common_name="localhost")) as (address, accepting):
        answered(connect(address, ca=authority.path, servername="localhost"), accepting)


def test_a_name_that_the_peer_made_up_cannot_reach_the_terminal(authority: Authority) -> None:
    evil = authority.sign("localhost", common_name="\x1b]0;owned\x07")
    with server(cert=evil) as (address, accepting):
        error = fails(address, "not for", ca=authority.path, servername="example.org", names="common")
        assert "owned" in str(error)
        assert str(error).isprintable()
        refused(accepting)


# The wider rules for names


@pytest.mark.parametrize(
    ("names", "common_name", "host"),
    [
        (("other",), "localhost", "localhost"),
        ((), "*.example.org", "www.example.org"),
        (("localhost",), "x", "localhost"),
    ],
)
def test_common_names_count_by_the_wider_rules(
    authority: Authority, names: tuple[str, ...], common_name: str, host: str
) -> None:
    with server(cert=authority.sign(*names, common_name=common_name)) as (address, accepting):
        answered(connect(address, ca=authority.path, servername=host, names="common"), accepting)


@pytest.mark.parametrize("name", ["other", "*.localhost"])
def test_another_name_is_refused_by_the_wider_rules_too(authority: Authority, name: str) -> None:
    with server(cert=authority.sign(name)) as (address, accepting):
        match = f"not for 'a.localhost' but for .*{name.replace('*', '.')}"
        assert fails(address, match, ca=authority.path, servername="a.localhost", names="common").names_differ
        refused(accepting)


def test_the_wider_rules_ask_for_trust_all_the_same(authority: Authority) -> None:
    with server() as (address, accepting):
        fails(address, "self-signed", ca=authority.path, servername="localhost", names="common")
        refused(accepting)


# What the two agree on


def test_a_client_asks_for_a_name_but_not_for_an_address(authority: Authority) -> None:
    """SNI, RFC 6066 section 3: 'Literal IPv4 and IPv6 addresses are not permitted'."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.sign("localhost", "127.0.0.1"))
    context.sni_callback = lambda connection, name, context: asked.append(name)

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)

    for name in ("localhost", "127.0.0.1", "localhost."):
        with serving(behave) as plain:
            connect(Address("tls", "127.0.0.1", plain.port), ca=authority.path, servername=name).close()
    assert asked == ["localhost", None, "localhost"]


def test_the_protocol_is_agreed_on() -> None:
    with server(alpn="h2,http/1.1") as (address, accepting):
        near = connect(address, verify="no", alpn="spdy/1,http/1.1")
        assert near.tls is not None
        assert near.tls.alpn == "http/1.1"
        far = answered(near, accepting)
        assert far.tls is not None
        assert far.tls.alpn == "http/1.1"


def test_ciphers_are_those_asked_for() -> None:
    with server(ciphers="ECDHE-ECDSA-AES128-GCM-SHA256") as (address, accepting):
        inner = socket.create_connection(("127.0.0.1", address.port or 0), PATIENCE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with context.wrap_socket(inner) as plain:
            cipher = plain.cipher()
            assert cipher is not None
            assert cipher[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
        accepting.result().close()


def test_a_client_shows_its_certificate_where_the_server_wants_one(authority: Authority) -> None:
    with server(cert=authority.sign("localhost"), ca=authority.path) as (address, accepting):
        client = authority.sign("somebody")
        near = connect(address, ca=authority.path, servername="localhost", cert=client)
        far = answered(near, accepting)
        assert far.tls is not None
        assert far.tls.names is not None
        assert far.tls.names.common_names == ("somebody",)


def test_a_client_that_shows_none_is_refused(authority: Authority) -> None:
    with server(cert=authority.sign("localhost"), ca=authority.path) as (address, accepting):
        near = connect(address, ca=authority.path, servername="localhost")
        assert "shows no certificate" in str(refused(accepting))
        with pytest.raises(TlsError, match="wants a certificate of ours"):
            near.receive(1)
        near.close()


# Files


def test_files_that_are_no_use_are_told_before_anything_is_opened(authority: Authority, tmp_path: Path) -> None:
    missing, text = tmp_path / "missing.pem", tmp_path / "text.pem"
    text.write_text("no certificate at all")
    good, other = authority.sign("localhost"), authority.sign("localhost")
    place = Address("tls", "127.0.0.1", 1)
    for options, match in (
        ({"ca": missing}, "missing.pem: No such file"),
        ({"ca": text}, "text.pem: there is no certificate in it"),
        ({"cert": missing, "verify": "no"}, "missing.pem: No such file"),
        ({"cert": good, "key": missing, "verify": "no"}, "key .*missing.pem: No such file"),
        ({"cert": text, "verify": "no"}, "no certificate with its key"),
        ({"cert": authority.path, "verify": "no"}, "no certificate with its key"),
        ({"cert": good, "key": other, "verify": "no"}, "not that of the certificate"),
        ({"ciphers": "NONSENSE", "verify": "no"}, "no cipher of 'NONSENSE'"),
        ({"alpn": "ü", "verify": "no"}, "no protocol's name"),
        ({"verify": "maybe"}, "verify=maybe is not known.*verify=yes or verify=no"),
        ({"names": "all"}, "names=strict or names=common"),
        ({"truncation": "x"}, "truncation=allow or truncation=error"),
        ({"key": good}, "a key without its certificate"),
    ):
        with pytest.raises(UsageError, match=match):
            connect(place, **options)


def test_a_server_whose_certificate_is_no_use_does_not_listen(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.pem: No such file"):
        open_listener(Address("tls", "127.0.0.1", 0, options=(("cert", str(tmp_path / "missing.pem")),)), 16)


def test_a_port_that_is_taken_is_told_without_secrets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match="taken") as caught:
            open_listener(Address("tls", "127.0.0.1", port, options=(("alpn", "secret"),)), 16)
        assert "secret" not in str(caught.value)


# Stalling


def test_a_client_that_stalls_holds_up_nobody_else() -> None:
    with open_listener(Address.parse("tls://127.0.0.1:0"), 16) as listener:
        port = listener.addresses[0].port or 0
        with socket.create_connection(("127.0.0.1", port), PATIENCE):
            stalling = listener.accept(PATIENCE)
            with Background(lambda: connect(listener.addresses[0], verify="no")) as connecting:
                far = listener.accept(PATIENCE)
                far.send(b"you are served")
                near = connecting.result()
            assert near.receive(100) == b"you are served"
        with pytest.raises(TlsError, match="ended the connection"):
            stalling.receive(1)
        for each in (near, far, stalling):
            each.close()


def test_a_server_that_stalls_is_no_answer() -> None:
    with serving(lambda connection: connection.recv(1) and stays(lambda: True, 0.5)) as plain:
        with pytest.raises(NoAnswer, match=r"no TLS handshake in 0\.2 s"):
            open_stream(Address("tls", "127.0.0.1", plain.port, options=(("verify", "no"),)), Deadline(0.2))


def test_the_context_is_made_once_and_its_failure_is_told_to_each_client() -> None:
    calls: list[int] = []

    def make() -> ssl.SSLContext:
        calls.append(1)
        raise UsageError("none can be made", step="certificate")

    from wirecat.endpoints import tcp

    with TlsListener(tcp.open_listener(Address.parse("127.0.0.1:0"), 16), make) as listener:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", listener.addresses[0].port or 0)):
                stream = listener.accept(PATIENCE)
                with pytest.raises(UsageError, match="none can be made"):
                    stream.receive(1)
                stream.close()
    assert calls == [1]
