"""The options ``min`` and ``ciphers`` against OpenSSL's server and client, and the errors where nothing is in common."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path

import pytest

import wirecat
from background import PATIENCE, Background
from openssl_peers import GREETING, QUESTION, WEAK, make_certificate, openssl_client, openssl_server
from wirecat.endpoints.tls_versions import set_versions, system_minimum
from wirecat.errors import AddressError, TlsError, UsageError

OLD = [("-tls1", "1.0", "TLS 1.0"), ("-tls1_1", "1.1", "TLS 1.1")]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("rsa"))


def greeting(port: int, options: str = "") -> bytes | None:
    with wirecat.connect(f"tls://127.0.0.1:{port}?verify=no{options}", timeout=PATIENCE) as connection:
        connection.timeout = PATIENCE
        connection.send(QUESTION)
        return connection.receive()


@pytest.mark.parametrize(("flag", "minimum", "name"), OLD)
def test_old_server_is_named_and_min_connects_to_it(flag: str, minimum: str, name: str, certificate: Path) -> None:
    with openssl_server(certificate, flag, *WEAK) as port:
        with pytest.raises(TlsError, match=rf"the peer offers only {name}\. .*: min={minimum}\.$"):
            greeting(port)
        assert greeting(port, f"&min={minimum}") == GREETING


@pytest.mark.parametrize(("flag", "minimum", "name"), OLD)
def test_old_client_is_named_and_min_serves_it(flag: str, minimum: str, name: str, certificate: Path) -> None:
    for options in ("", f"&min={minimum}"):
        with wirecat.listen(f"tls://127.0.0.1:0?cert={certificate}{options}") as listener:

            def serve(listener: wirecat.ConnectionListener = listener) -> None:
                with listener.accept(PATIENCE) as connection:
                    connection.send(GREETING)

            with Background(serve) as serving:
                said = openssl_client(listener.address.port or 0, flag, *WEAK)
                if options:
                    serving.result()
                else:
                    with pytest.raises(TlsError, match=rf"the peer offers only {name}\."):
                        serving.result()
            assert said == (GREETING if options else b"")


def test_min_1_3_refuses_a_server_of_tls_1_2(certificate: Path) -> None:
    with openssl_server(certificate, "-tls1_2") as port:
        with pytest.raises(TlsError, match=r"the peer offers only TLS 1\.2\. To allow it: min=1\.2\.$"):
            greeting(port, "&min=1.3")
        assert greeting(port) == GREETING


def test_client_with_other_ciphers_is_told(certificate: Path) -> None:
    with wirecat.listen(f"tls://127.0.0.1:0?cert={certificate}") as listener:

        def serve() -> None:
            with listener.accept(PATIENCE) as connection:
                connection.receive()

        with Background(serve) as serving:
            assert openssl_client(listener.address.port or 0, "-tls1_2", "-cipher", "AES128-SHA") == b""
            with pytest.raises(TlsError, match="no common cipher suite"):
                serving.result()


def test_dtls_1_0_connects_with_min(certificate: Path) -> None:
    pytest.importorskip("OpenSSL")
    with openssl_server(certificate, "-dtls1", *WEAK) as port:
        address = f"dtls://127.0.0.1:{port}?verify=no"
        with pytest.raises(TlsError, match=r"none of the versions of TLS allowed here.*min=1\.0"):
            wirecat.connect(address, timeout=PATIENCE)
    with openssl_server(certificate, "-dtls1", *WEAK) as port, contextlib.ExitStack() as stack:
        connection = stack.enter_context(
            wirecat.connect(f"dtls://127.0.0.1:{port}?verify=no&min=1.0", timeout=PATIENCE)
        )
        tls = connection.stream.tls  # type: ignore[attr-defined]
        assert tls.version == "DTLSv1"
    with pytest.raises(UsageError, match=r"no DTLS 1\.3"):
        wirecat.connect("dtls://127.0.0.1:1?min=1.3")


@pytest.mark.parametrize("address", ["tls://127.0.0.1:1?min=1.4", "tls://127.0.0.1:1?min=TLS1.2"])
def test_unknown_minimum_is_an_address_error(address: str) -> None:
    with pytest.raises(AddressError, match=r"min=\S+ is not known\. Write min=1\.0 or min=1\.1"):
        wirecat.connect(address)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("ciphers=NOSUCH", "OpenSSL knows no cipher of 'NOSUCH'"),
        ("ca=/no/such", "certificates to trust /no/such: No such file"),
        ("alpn=ä", "'ä' is no protocol's name"),
    ],
)
def test_listener_refuses_what_is_no_use_before_it_listens(options: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        wirecat.serve("echo", f"tls://127.0.0.1:0?{options}")


def test_the_systems_minimum_is_read_from_openssls_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "openssl.cnf"
    monkeypatch.setenv("OPENSSL_CONF", str(path))
    assert system_minimum() == ""
    for text, wanted in (("# MinProtocol = TLSv1.3\n", ""), ("[system_default_sect]\nMinProtocol = TLSv1.2\n", "1.2")):
        path.write_text(text)
        assert system_minimum() == wanted
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    set_versions(context, "", "system")
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
