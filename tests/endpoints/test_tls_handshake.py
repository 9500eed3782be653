"""A handshake without I/O: against OpenSSL itself, bytes passed by hand."""

from __future__ import annotations

import ssl

import pytest

from wirecat.address import Address
from wirecat.endpoints.tls_context import client_context, server_context
from wirecat.endpoints.tls_handshake import TlsHandshake
from wirecat.errors import TlsError

PEER = Address("tcp", "192.0.2.1", 443)


@pytest.fixture(scope="module")
def context() -> ssl.SSLContext:
    return server_context()


def join(client: TlsHandshake, server: TlsHandshake) -> None:
    """Pass on what each says until neither says anything."""
    client.proceed()
    while data := client.take_out():
        server.receive(data)
        server.proceed()
        if answer := server.take_out():
            client.receive(answer)
            client.proceed()


def client_of(verify: bool = False) -> TlsHandshake:
    context = client_context(verify=verify)
    return TlsHandshake(lambda: context, PEER, server_side=False, server_name="localhost")


def test_both_sides_complete(context: ssl.SSLContext) -> None:
    client, server = client_of(), TlsHandshake(lambda: context, PEER)
    join(client, server)
    assert client.done and server.done and not (client.failure or server.failure)
    assert client.facts().server_name == "localhost" and server.facts().version == client.facts().version


def test_server_makes_no_object_before_the_first_record_is_whole(context: ssl.SSLContext) -> None:
    client, server = client_of(), TlsHandshake(lambda: context, PEER)
    client.proceed()
    hello = client.take_out()
    for byte in hello[:-1]:
        server.receive(bytes([byte]))
        assert not server.is_startable and server.engine is None and server.take_out() == b""
    server.receive(hello[-1:])
    assert server.is_startable
    server.proceed()
    assert server.engine is not None and server.take_out()


@pytest.mark.parametrize("said", [b"GET / HTTP/1.0\r\n", b"\x16G", b"\x00"])
def test_what_is_no_tls_fails_at_once(context: ssl.SSLContext, said: bytes) -> None:
    server = TlsHandshake(lambda: context, PEER)
    for byte in said:
        server.receive(bytes([byte]))
    assert isinstance(server.failure, TlsError) and "does not speak TLS" in str(server.failure)
    assert server.engine is None


def test_failures_were_never_raised(context: ssl.SSLContext) -> None:
    """They hold no frames, and so no cycle of references."""
    client, server = client_of(verify=True), TlsHandshake(lambda: context, PEER)
    join(client, server)
    assert client.failure is not None and "self-signed" in str(client.failure)
    assert client.failure.__traceback__ is client.failure.__cause__ is client.failure.__context__ is None


def test_an_end_and_a_deadline_are_failures_until_it_is_done(context: ssl.SSLContext) -> None:
    ended, late = TlsHandshake(lambda: context, PEER), TlsHandshake(lambda: context, PEER)
    ended.end()
    late.expire(10)
    assert "ended the connection" in str(ended.failure) and "no TLS handshake in 10 s" in str(late.failure)
    client, server = client_of(), TlsHandshake(lambda: context, PEER)
    join(client, server)
    server.end()
    server.expire(10)
    assert server.failure is None
