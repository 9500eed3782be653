"""Flags of `connect` that say what an address can say itself, and what the verb tells of TLS."""

from __future__ import annotations

import argparse
import io
from types import SimpleNamespace

import pytest

from certificates import Authority
from certificates import authority as authority
from peers import wirecat
from wirecat.address import Address
from wirecat.cli.environment import Environment
from wirecat.cli.shorthand import DEFAULTS, add_end_flags, with_flags
from wirecat.errors import UsageError


def said(text: str, variables: dict[str, str] | None = None, **flags: object) -> Address:
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), variables or {})
    return with_flags(text, SimpleNamespace(**{**DEFAULTS, **flags}), environment)


@pytest.mark.parametrize(
    ("text", "flags", "address"),
    [
        ("host:1", {}, "host:1"),
        ("host:1", {"tls": True}, "tls://host:1"),
        ("tls://host:1", {"tls": True}, "tls://host:1"),
        ("udp://host:1", {"tls": True}, "dtls://host:1"),
        ("1", {"tls": True, "ca": "f"}, "tls://1?ca=f"),
        ("tls://1", {"insecure": True}, "tls://1?verify=no"),
        ("tls://1?alpn=h2", {"ca": "f"}, "tls://1?alpn=h2&ca=f"),
        ("host:1", {"proxy": "http://p"}, "tcp://host:1?proxy=http://p"),
        ("host:1", {"proxy": "http://p", "proxy_auth": "u:p"}, "tcp://host:1?proxy=http://p&proxy_auth=***"),
        ("host:1?proxy=http://p", {"proxy_auth": "u:p"}, "tcp://host:1?proxy=http://p&proxy_auth=***"),
        ("host:1", {"source": ":4000"}, "tcp://host:1?source=:4000"),
    ],
)
def test_flags_become_options(text: str, flags: dict[str, object], address: str) -> None:
    assert str(said(text, **flags)) == address


@pytest.mark.parametrize(
    ("text", "flags", "match"),
    [
        ("unix:///x", {"tls": True}, "not for unix"),
        ("host:1", {"ca": "f"}, "--ca is for TLS"),
        ("host:1", {"insecure": True}, "--insecure is for TLS"),
        ("host:1", {"tls": True, "ca": "f", "insecure": True}, "exclude each other"),
        ("host:1", {"proxy_auth": "u:secret"}, "--proxy-auth is for --proxy"),
        ("tls://1?ca=f", {"ca": "g"}, "ca is said twice"),
        ("tls://1?verify=yes", {"insecure": True}, "verify is said twice"),
        ("host:1?proxy=http://p&proxy_auth=u:secret", {"proxy_auth": "u:secret"}, "proxy_auth is said twice"),
    ],
)
def test_what_does_not_fit_is_refused(text: str, flags: dict[str, object], match: str) -> None:
    with pytest.raises(UsageError, match=match) as caught:
        said(text, **flags)
    assert "secret" not in str(caught.value)


def login(address: Address) -> str:
    secret = address.secret("proxy_auth")
    return "" if secret is None else secret.reveal()


def test_the_password_may_come_by_the_environment() -> None:
    """A command line is seen by everybody on the machine."""
    variables = {"WIRECAT_PROXY_AUTH": "u:p"}
    assert login(said("h:1", variables, proxy="http://p")) == "u:p"
    assert login(said("h:1?proxy=http://p", variables)) == "u:p"
    assert login(said("h:1", variables, proxy="http://p", proxy_auth="x:y")) == "x:y"
    assert login(said("h:1", variables, proxy="http://x:y@p")) == "x:y"
    assert login(said("h:1", variables)) == ""
    assert login(said("h:1?proxy_auth=a:b", variables, proxy="http://p")) == "a:b"


def test_every_flag_has_its_default() -> None:
    parser = argparse.ArgumentParser()
    add_end_flags(parser)
    assert {action.dest for action in parser._actions} - {"help"} == set(DEFAULTS)


# The verb itself


def test_by_tls_and_verified(authority: Authority) -> None:
    with wirecat("listen", f"tls://127.0.0.1:0?cert={authority.sign('localhost')}") as server:
        port = server.wait_for("stderr", rb"tls://127\.0\.0\.1:(\d+)")[1].decode()
        with wirecat("connect", "-v", "--tls", "--ca", str(authority.path), f"localhost:{port}") as client:
            client.wait_for("stderr", rb"TLSv1\.3, .*CN=localhost, O=Example Org")
            client.wait_for("stderr", rb"SHA-256 fingerprint of its certificate: [0-9A-F]{64}\n")
            client.send(b"question\n")
            server.wait_for("stdout", b"question\n")
            server.send(b"answer\n")
            client.wait_for("stdout", b"answer\n")
            client.close_stdin()
            assert client.wait() == 0
        assert server.wait() == 0


@pytest.mark.parametrize(
    ("flags", "match"),
    [
        (("--tls",), rb"its certificate is self-signed.*--ca FILE.*--insecure"),
        (("--tls", "--ca", "AUTHORITY"), rb"self-signed|signed by nobody"),
    ],
)
def test_who_is_not_trusted_is_told_in_one_line(authority: Authority, flags: tuple[str, ...], match: bytes) -> None:
    words = [str(authority.path) if word == "AUTHORITY" else word for word in flags]
    with wirecat("listen", "tls://127.0.0.1:0") as server:
        port = server.wait_for("stderr", rb"tls://127\.0\.0\.1:(\d+)")[1].decode()
        with wirecat("connect", *words, f"localhost:{port}") as client:
            client.wait_for("stderr", match)
            assert client.wait() == 1
            assert client.stderr.count(b"\n") == 1
            assert client.stdout == b""
        server.wait_for("stderr", rb"TLS handshake with .*: .*(trust|certificate)")
        assert server.process.poll() is None, "it waits for a client whose handshake is complete"


def test_an_insecure_one_and_one_that_speaks_no_tls() -> None:
    with wirecat("listen", "tls://127.0.0.1:0") as server:
        port = server.wait_for("stderr", rb"tls://127\.0\.0\.1:(\d+)")[1].decode()
        with wirecat("connect", "--tls", "--insecure", f"127.0.0.1:{port}") as client:
            client.send(b"hello\n")
            server.wait_for("stdout", b"hello\n")
            client.close_stdin()
            server.close_stdin()
            assert client.wait() == 0
    with wirecat("serve", "reply:I speak plainly", "127.0.0.1:0") as server:
        port = server.wait_for("stderr", rb"127\.0\.0\.1:(\d+)")[1].decode()
        with wirecat("connect", "--tls", f"127.0.0.1:{port}") as client:
            client.wait_for("stderr", rb"does not speak TLS. It says: 'I speak plainly'\n")
            assert client.wait() == 1


def test_wrong_use() -> None:
    for words, match in (
        (("--ca", "f", "1"), b"--ca is for TLS. Say --tls as well"),
        (("--proxy", "nonsense", "1"), b"'nonsense' is no proxy"),
        (("--source", "a:b:c:d:", "127.0.0.1:1"), b"source"),
        (("--tls", "--ca", "/no/such/file", "1"), b"No such file"),
    ):
        with wirecat("connect", *words) as client:
            assert client.wait() == 2, words
            assert match in client.stderr
            assert client.stderr.count(b"\n") == 1
