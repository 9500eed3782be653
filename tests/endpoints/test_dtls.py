"""`dtls://`: both ends, trust and names, lost datagrams, and what happens without pyOpenSSL."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("OpenSSL", reason="DTLS needs pyOpenSSL")

from background import PATIENCE, Background, stays
from certificates import Authority, certificate_alone
from certificates import authority as authority
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream, scheme_of
from wirecat.endpoints.dtls_stream import DtlsStream
from wirecat.errors import (
    CertificateError,
    ConnectionClosed,
    DeadlineExpired,
    NoAnswer,
    TlsError,
    UsageError,
    WirecatError,
)


@contextlib.contextmanager
def server(**options: Any) -> Iterator[tuple[Address, Background[DtlsStream]]]:
    """A server for one client; what `result` gives has shaken hands."""
    place = Address("dtls", "127.0.0.1", 0, options=tuple((name, str(value)) for name, value in options.items()))
    with open_listener(place, 16) as listener:

        def accept() -> DtlsStream:
            stream = listener.accept(PATIENCE)
            assert isinstance(stream, DtlsStream)
            try:
                stream.set_timeout(PATIENCE)
                stream.handshake()
            except BaseException:
                stream.close()
                raise
            return stream

        with Background(accept) as accepting:
            yield listener.addresses[0], accepting


def connect(address: Address, **options: Any) -> DtlsStream:
    pairs = tuple((name, str(value)) for name, value in options.items())
    stream = open_stream(address.replace(options=pairs), Deadline(PATIENCE))
    assert isinstance(stream, DtlsStream)
    stream.set_timeout(PATIENCE)
    return stream


@pytest.fixture
def ends() -> Iterator[tuple[DtlsStream, DtlsStream]]:
    with server() as (address, accepting):
        near = connect(address, verify="no")
        far = accepting.result()
        yield near, far
        near.close()
        far.close()


def test_each_send_is_one_datagram(ends: tuple[DtlsStream, DtlsStream]) -> None:
    near, far = ends
    for data in (b"one", b"two", bytes(16384)):
        near.send(data)
    assert [far.receive(1 << 20), far.receive(1), far.receive(10)] == [b"one", b"t", b"wo"]
    assert len(far.receive(1 << 20)) == 16384
    far.send(b"answer")
    buffer = bytearray(10)
    assert near.receive_into(buffer) == 6
    assert buffer[:6] == b"answer"
    with pytest.raises(WirecatError, match="16385 bytes are too many"):
        near.send(bytes(16385))
    near.send(b"")  # DTLS has no empty datagrams: nothing is sent
    near.send(b"still well")
    assert far.receive(100) == b"still well"


def test_what_both_know(ends: tuple[DtlsStream, DtlsStream]) -> None:
    near, far = ends
    assert near.tls is not None
    assert far.tls is not None
    assert near.tls.version == far.tls.version == "DTLSv1.2"
    assert near.tls.cipher == far.tls.cipher != ""
    assert near.tls.names is not None
    assert near.tls.names.common_names == ("localhost",)
    assert far.tls.certificate == b""
    assert near.peer == far.local
    assert near.local == far.peer
    row = scheme_of(Address("dtls", "x", 1))
    assert (row.half_closes, row.keeps_boundaries) == (near.can_half_close, near.keeps_boundaries) == (False, True)
    assert near.fileno() == -1
    with pytest.raises(UsageError, match="no end"):
        near.half_close()


def test_the_end_is_told(ends: tuple[DtlsStream, DtlsStream]) -> None:
    near, far = ends
    near.send(b"last")
    near.close()
    near.close()
    assert far.receive(10) == b"last"
    assert far.receive(10) == b""
    assert far.ended
    for use in (lambda: near.send(b"x"), lambda: near.receive(1)):
        with pytest.raises(ConnectionClosed):
            use()


def test_through_connections(ends: tuple[DtlsStream, DtlsStream]) -> None:
    with Connection(ends[0]) as client, Connection(ends[1]) as one_served:
        client.send_line("Grüße")
        assert one_served.receive_line() == "Grüße"
        one_served.close()
        assert client.receive() is None


def test_one_sends_while_another_receives(ends: tuple[DtlsStream, DtlsStream]) -> None:
    near, far = ends

    def echo() -> None:
        while data := far.receive(1 << 16):
            far.send(data)

    with Background(echo), Background(lambda: [near.receive(1 << 16) for _ in range(200)]) as receiving:
        for number in range(200):
            near.send(b"%d" % number)
            stays(lambda: True, 0.001)
        assert receiving.result() == [b"%d" % number for number in range(200)]
        near.close()


def test_waiting_and_aborting(ends: tuple[DtlsStream, DtlsStream]) -> None:
    near, far = ends
    near.set_timeout(0.05)
    with pytest.raises(DeadlineExpired):
        near.receive(1)
    near.set_timeout(None)
    with Background(lambda: near.receive(10)) as receiving:
        assert stays(lambda: receiving.running)
        far.send(b"late")
        assert receiving.result() == b"late"
    with Background(lambda: near.receive(10)) as receiving:
        assert stays(lambda: receiving.running)
        near.abort()
        assert receiving.result() == b""
    assert near.ended


def test_garbage_in_between_is_passed_over(ends: tuple[DtlsStream, DtlsStream]) -> None:
    """RFC 6347 section 4.1.2.7: what does not fit is dropped without a word, or anybody could break it off."""
    near, far = ends
    for garbage in (b"garbage", b"", b"\x17\xfe\xfd" + bytes(60)):
        near.inner.send(garbage)
    near.send(b"good")
    assert far.receive(100) == b"good"


# Trust


def test_one_whom_a_trusted_authority_has_signed(authority: Authority) -> None:
    with server(cert=authority.sign("localhost", "127.0.0.1")) as (address, accepting):
        near = connect(address, ca=authority.path)
        assert near.tls is not None
        assert near.tls.organisation == "Example Org"
        near.close()
        accepting.result().close()


def fails(address: Address, match: str, accepting: Background[DtlsStream], **options: Any) -> CertificateError:
    with pytest.raises(CertificateError, match=match) as caught:
        connect(address, **options)
    with contextlib.suppress(TlsError):
        accepting.result().close()
    return caught.value


def test_those_who_are_not_trusted(authority: Authority, tmp_path: Path) -> None:
    with server() as (address, accepting):
        assert not fails(address, "self-signed", accepting).names_differ
    with server(cert=authority.sign("localhost", begins=-3, ends=-1)) as (address, accepting):
        fails(address, "expired", accepting, ca=authority.path, servername="localhost")
    with server(cert=authority.sign("localhost")) as (address, accepting):
        fails(address, "signed by nobody", accepting, ca=Authority(tmp_path).path, servername="localhost")
    with server(cert=authority.sign("other", common_name="localhost")) as (address, accepting):
        options = {"ca": authority.path, "servername": "localhost"}
        assert fails(address, "not for 'localhost' but for other", accepting, **options).names_differ
    with server(cert=authority.sign("other", common_name="localhost")) as (address, accepting):
        connect(address, ca=authority.path, servername="localhost", names="common").close()
        accepting.result().close()


def test_clients_that_have_to_show_who_they_are(authority: Authority) -> None:
    with server(cert=authority.sign("localhost"), ca=authority.path) as (address, accepting):
        near = connect(address, verify="no", cert=authority.sign("somebody"))
        far = accepting.result()
        assert far.tls is not None
        assert far.tls.names is not None
        assert far.tls.names.common_names == ("somebody",)
        near.close()
        far.close()
    with server(cert=authority.sign("localhost"), ca=authority.path) as (address, accepting):
        with pytest.raises(TlsError, match="peer"):
            connect(address, verify="no")
        with pytest.raises(TlsError, match="shows no certificate"):
            accepting.result()


def test_the_protocol_is_agreed_on() -> None:
    with server(alpn="one,two") as (address, accepting):
        near = connect(address, verify="no", alpn="three,two")
        far = accepting.result()
        assert near.tls is not None
        assert far.tls is not None
        assert near.tls.alpn == far.tls.alpn == "two"
        near.close()
        far.close()


def test_files_that_are_no_use(authority: Authority, tmp_path: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    alone = tmp_path / "alone.pem"
    alone.write_text(certificate_alone(authority.sign("x")))
    locked = tmp_path / "locked.pem"
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    place = Address("dtls", "127.0.0.1", 1)
    for options, match in (
        ({"ca": tmp_path / "missing"}, "missing: there is no such file"),
        ({"ca": text}, "no certificate in it"),
        ({"cert": tmp_path / "missing"}, "missing: there is no such file"),
        ({"cert": alone}, "no certificate with its key"),
        ({"cert": alone, "key": locked}, "it is encrypted"),
        ({"cert": authority.sign("a"), "key": authority.sign("b")}, "no certificate with its key"),
        ({"ciphers": "NONSENSE"}, "no cipher of 'NONSENSE'"),
    ):
        with pytest.raises(UsageError, match=match):
            connect(place, verify="no" if "ca" not in options else "yes", **options)


# The network


def test_nobody_there_is_refused_or_no_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswer, match=r"no TLS handshake in 0\.2 s"):
            place = Address("dtls", "127.0.0.1", silent.getsockname()[1], options=(("verify", "no"),))
            open_stream(place, Deadline(0.2))
        port = silent.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        open_stream(Address("dtls", "127.0.0.1", port, options=(("verify", "no"),)), Deadline(PATIENCE))


class Lossy:
    """A relay of datagrams between one client and a server that loses those whose numbers it is told."""

    def __init__(self, server: int, lost: set[int]) -> None:
        self.inner, self.outer = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.outer.bind(("127.0.0.1", 0))
        self.inner.connect(("127.0.0.1", server))
        self.lost = lost
        self.count = 0
        self.sizes: list[int] = []
        self.client: Any = None
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._carry, args=(way,), daemon=True) for way in (True, False)]

    def _carry(self, inward: bool) -> None:
        source = self.outer if inward else self.inner
        while True:
            try:
                data, sender = source.recvfrom(65536)
            except OSError:
                return
            if not data:
                return
            with self.lock:
                self.count += 1
                self.sizes.append(len(data))
                number = self.count
                if inward:
                    self.client = sender
            if number not in self.lost:
                try:
                    self.inner.send(data) if inward else self.outer.sendto(data, self.client)
                except OSError:
                    return  # the block has ended meanwhile

    def __enter__(self) -> Lossy:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        for each in (self.inner, self.outer):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(PATIENCE)
        self.inner.close()
        self.outer.close()

    @property
    def port(self) -> int:
        return int(self.outer.getsockname()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="shutdown(2) wakes who waits for datagrams on Linux")
@pytest.mark.parametrize("lost", [{1}, {2}, {3}, {4}, {5}, {6}, {4, 5}])
def test_lost_datagrams_are_sent_again(lost: set[int]) -> None:
    """OpenSSL waits a second before it does."""
    with server() as (address, accepting), Lossy(address.port or 0, lost) as relay:
        # The server has to read: if its last flight is lost, the client asks for it by sending its own again.
        with Background(lambda: accepting.result().receive(100)) as receiving:
            near = connect(Address("dtls", "127.0.0.1", relay.port), verify="no")
            near.send(b"hello")
            assert receiving.result() == b"hello"
        far = accepting.result()
        far.send(b"answer")
        assert near.receive(100) == b"answer"
        assert relay.count > len(lost)
        assert max(relay.sizes) <= 1200, "no network has to cut a handshake's datagram"
        near.close()
        far.close()


def test_without_pyopenssl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    for use in (open_listener, lambda address: open_stream(address, Deadline(1))):
        with pytest.raises(UsageError, match=r"needs the package pyOpenSSL.*wirecat\[dtls\]") as caught:
            use(Address.parse("dtls://127.0.0.1:1"))
        assert caught.value.exit_code == 2
