"""A listener for DTLS: cookies, both families, and clients that stall."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

pytest.importorskip("OpenSSL", reason="DTLS needs pyOpenSSL")

from background import PATIENCE, Background
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream
from wirecat.endpoints.dtls_listener import DtlsListener
from wirecat.endpoints.udp import bind_datagrams
from wirecat.endpoints.whole_datagrams import WholeDatagrams
from wirecat.errors import TlsError


@contextlib.contextmanager
def stalled_client(listener: DtlsListener) -> Iterator[WholeDatagrams]:
    """The listener's stream of a client that has returned its cookie, and goes no further."""
    from wirecat.endpoints.dtls_context import DtlsContext

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", listener.addresses[0].port or 0))
        engine = DtlsContext(server_side=False, verify=False).engine(False, "localhost", "x")
        engine.shake()
        (hello,) = engine.take_out()
        with Background(lambda: listener.accept(PATIENCE)) as accepting:
            client.send(hello)
            verify_request = client.recv(65536)
            assert len(verify_request) < len(hello)
            engine.feed(verify_request)
            engine.shake()
            for datagram in engine.take_out():
                client.send(datagram)
            with contextlib.closing(accepting.result()) as stream:
                yield stream


def dtls_listener(handshake_time: float) -> DtlsListener:
    from wirecat.endpoints.dtls_context import DtlsContext

    sockets = bind_datagrams(Address.parse("udp://127.0.0.1:0"))
    return DtlsListener(sockets, 16, DtlsContext(server_side=True), handshake_time=handshake_time)


def test_a_client_that_stalls_is_given_up_and_holds_up_nobody() -> None:
    with dtls_listener(0.2) as listener, stalled_client(listener) as stream:
        with pytest.raises(TlsError, match=r"no TLS handshake in 0\.2 s"):
            stream.receive(1)


def test_client_hello_without_cookie_keeps_no_state() -> None:
    """A hello with a forged sender would make the server send much to another host, and cost it memory (RFC 6347
    section 4.2.1)."""
    from wirecat.endpoints.dtls_context import DtlsContext

    with dtls_listener(10) as listener, contextlib.ExitStack() as stack:
        with pytest.raises(TimeoutError):
            listener.accept(0)  # now it reads
        engine = DtlsContext(server_side=False, verify=False).engine(False, "localhost", "x")
        engine.shake()
        (hello,) = engine.take_out()
        for _ in range(50):
            forger = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            forger.settimeout(PATIENCE)
            forger.connect(("127.0.0.1", listener.addresses[0].port or 0))
            forger.send(b"no hello at all")
            forger.send(hello)
            assert len(forger.recv(65536)) < len(hello), "a HelloVerifyRequest"
            forger.setblocking(False)
            with pytest.raises(BlockingIOError):
                forger.recv(1)
        assert not listener._peers
        with pytest.raises(TimeoutError):
            listener.accept(0)
        with stalled_client(listener):
            assert len(listener._peers) == 1


@pytest.mark.parametrize("address", ["dtls://0", "dtls://:0"])
def test_both_families_complete_the_handshake(address: str) -> None:
    with open_listener(Address.parse(address), 16) as listener:
        assert isinstance(listener, DtlsListener)
        for host in ("127.0.0.1", "::1"):
            with Background(lambda: echo_once(listener)) as serving:
                place = Address("dtls", host, listener.addresses[0].port, options=(("verify", "no"),))
                near = open_stream(place, Deadline(PATIENCE))
                near.send(b"hello")
                assert near.receive(100) == b"hello"
                near.close()
                serving.result()


def echo_once(listener: DtlsListener) -> None:
    with contextlib.closing(listener.accept(PATIENCE)) as stream:
        stream.send(stream.receive(100))
