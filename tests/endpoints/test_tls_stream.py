"""TLS streams: the conformance suite over TLS 1.3 and 1.2, and what is TLS's own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from background import PATIENCE, Background, stays
from endpoints.conformance import TOO_MUCH, StreamConformance, bytes_of, everything
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import tcp
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.tls import TlsListener, client_context, server_context
from wirecat.endpoints.tls_stream import TlsStream
from wirecat.errors import ConnectionBroken, ConnectionClosed, DeadlineExpired, NoAnswer, TlsError


class OverTls(StreamConformance):
    """Both ends have something to do before they are connected, and a listener's queue is that of TCP."""

    version = ssl.TLSVersion.TLSv1_3

    def client_context(self) -> ssl.SSLContext:
        context = client_context(verify=False)
        context.minimum_version = context.maximum_version = self.version
        return context

    @pytest.fixture
    def listener(self, tmp_path: Path) -> Iterator[Listener]:
        below = tcp.open_listener(Address.parse("127.0.0.1:0"), 16)
        with TlsListener(below, server_context(), allow_truncation=False) as listener:
            yield listener

    def join(self, listener: Listener) -> tuple[Any, Any]:
        def accept() -> TlsStream:
            stream = listener.accept(PATIENCE)
            assert isinstance(stream, TlsStream)
            stream.handshake()
            return stream

        with Background(accept) as accepting:
            inner = tcp.open_stream(listener.addresses[0], Deadline(PATIENCE))
            near = TlsStream.connect(inner, self.client_context(), "localhost", Deadline(PATIENCE))
            far = accepting.result()
        assert near.tls is not None
        assert near.tls.version == ("TLSv1.3" if self.version == ssl.TLSVersion.TLSv1_3 else "TLSv1.2")
        return near, far

    def test_the_peer_of_an_abort_sees_an_end(self, near: TlsStream, far: TlsStream) -> None:
        """And learns that it was none in good order."""
        near.send(b"last")
        near.abort()
        assert far.receive(100) == b"last"
        for _ in range(2):
            with pytest.raises(ConnectionBroken, match="close_notify"):
                far.receive(100)

    def test_a_send_gives_up_after_its_time_and_says_how_much_was_left(self, near: TlsStream, far: TlsStream) -> None:
        """What was encrypted goes out with what comes next: here with the end."""
        data = bytes_of(TOO_MUCH)
        near.set_timeout(0.05)
        with pytest.raises(DeadlineExpired, match=r"took no more for 0\.05 s") as caught:
            near.send(data)
        unsent = caught.value.unsent
        assert unsent is not None
        assert 0 < unsent < TOO_MUCH
        near.set_timeout(PATIENCE)
        with Background(near.half_close):
            assert everything(far) == data[: TOO_MUCH - unsent]

    # These are TCP's: a client is in the queue before it shakes hands.
    test_clients_wait_in_the_listeners_queue_with_what_they_sent = None  # type: ignore[assignment]
    test_after_the_listener_nobody_is_let_in = None  # type: ignore[assignment]


class TestOverTls13(OverTls):
    pass


class TestOverTls12(OverTls):
    version = ssl.TLSVersion.TLSv1_2


@pytest.fixture
def below() -> Iterator[tuple[SocketStream, SocketStream]]:
    """Two ends of TCP, on which nobody has said anything yet."""
    with tcp.open_listener(Address.parse("127.0.0.1:0"), 16) as listener:
        near = tcp.open_stream(listener.addresses[0], Deadline(PATIENCE))
        far = listener.accept(PATIENCE)
        assert isinstance(far, SocketStream)
        yield near, far
        near.close()
        far.close()


def over(below: tuple[SocketStream, SocketStream], **options: Any) -> tuple[TlsStream, TlsStream]:
    """TLS over both; the server shakes hands at its first use."""
    far = TlsStream(below[1], server_context(), server_side=True, deadline=Deadline(PATIENCE), **options)
    with Background(far.handshake):
        near = TlsStream.connect(below[0], client_context(verify=False), "localhost", Deadline(PATIENCE), **options)
    return near, far


def test_the_server_shakes_hands_at_its_first_use(below: tuple[SocketStream, SocketStream]) -> None:
    far = TlsStream(below[1], server_context, server_side=True)
    assert far.tls is None
    assert not far.buffered
    with Background(lambda: far.receive(10)) as receiving:
        near = TlsStream.connect(below[0], client_context(verify=False), "localhost", Deadline(PATIENCE))
        near.send(b"hello")
        assert receiving.result() == b"hello"
    far.handshake()  # has been done
    near.close()
    far.close()


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_that_there_was_no_time_is_told_whenever_it_ran_out(
    below: tuple[SocketStream, SocketStream], seconds: float
) -> None:
    """Before the first byte as well as in the middle: a listener that shakes hands for so long takes it for idleness."""
    stream = TlsStream(below[0], server_context(), server_side=True, deadline=Deadline(seconds))
    with pytest.raises(TlsError) as failure:
        stream.handshake()
    assert isinstance(failure.value.__cause__, DeadlineExpired)
    stream.close()


@pytest.mark.parametrize("server_side", [False, True])
def test_a_handshake_that_stalls_ends_at_its_deadline(
    below: tuple[SocketStream, SocketStream], server_side: bool
) -> None:
    stream = TlsStream(
        below[0], server_context() if server_side else client_context(verify=False), server_side=server_side,
        deadline=Deadline(0.1),
    )  # fmt: skip
    stream.set_timeout(PATIENCE)
    for _ in range(2):
        # A client that stalls is one that has gone; a server that stalls does not answer.
        with pytest.raises(TlsError if server_side else NoAnswer, match=r"no TLS handshake in 0\.1 s"):
            stream.receive(10)
    assert below[0].socket.gettimeout() == PATIENCE
    stream.close()


def test_a_handshake_that_comes_in_drops_ends_at_its_deadline(below: tuple[SocketStream, SocketStream]) -> None:
    """One byte now and then is no reason to wait for ever."""
    far = TlsStream(below[1], server_context(), server_side=True, deadline=Deadline(0.3))
    record = b"\x16\x03\x01\x02\x00\x01\x00"
    with Background(far.handshake) as shaking:
        for byte in record:
            below[0].send(bytes([byte]))
            stays(lambda: True, 0.06)
        with pytest.raises(TlsError, match=r"no TLS handshake in 0\.3 s"):
            shaking.result()
    far.close()


def test_a_client_that_hangs_up_in_the_middle(below: tuple[SocketStream, SocketStream]) -> None:
    far = TlsStream(below[1], server_context(), server_side=True)
    below[0].send(b"\x16\x03\x01")
    below[0].close()
    with pytest.raises(TlsError, match="ended the connection"):
        far.receive(1)
    far.close()


@pytest.mark.parametrize(
    "said", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b"\x1b[2J", b"\x16\x00junk"]
)
@pytest.mark.parametrize("server_side", [False, True])
def test_a_peer_that_speaks_no_tls_is_told_so(
    below: tuple[SocketStream, SocketStream], said: bytes, server_side: bool
) -> None:
    context = server_context() if server_side else client_context(verify=False)
    stream = TlsStream(below[0], context, server_side=server_side)
    below[1].send(said)
    with pytest.raises(TlsError, match="does not speak TLS") as caught:
        stream.handshake()
    assert str(caught.value).isprintable(), "it may go to a terminal"
    if said.startswith(b"GET"):
        assert "'GET / HTTP/1.1'" in str(caught.value)
    stream.close()


def test_abort_ends_a_handshake_that_waits(below: tuple[SocketStream, SocketStream]) -> None:
    stream = TlsStream(below[0], client_context(verify=False))
    with Background(stream.handshake) as shaking:
        assert stays(lambda: shaking.running)
        stream.abort()
        with pytest.raises(TlsError):
            shaking.result()
    stream.close()


def test_connect_and_accept_close_what_they_were_given(below: tuple[SocketStream, SocketStream]) -> None:
    below[0].send(b"no TLS\n")
    below[1].send(b"no TLS\n")
    with pytest.raises(TlsError):
        TlsStream.connect(below[0], client_context(verify=False), "localhost", Deadline(PATIENCE))
    with pytest.raises(TlsError):
        TlsStream.accept(below[1], server_context(), Deadline(PATIENCE))
    assert below[0].fileno() == below[1].fileno() == -1


def test_an_end_without_tls_s_own_is_taken_for_one_where_that_is_allowed(
    below: tuple[SocketStream, SocketStream],
) -> None:
    near, far = over(below, allow_truncation=True)
    near.send(b"all of it")
    below[0].half_close()  # as many programs do
    assert everything(far) == b"all of it"
    far.send(b"and back")
    below[1].half_close()
    assert everything(near) == b"and back"
    near.close()
    far.close()


def test_what_came_before_a_half_close_is_not_lost(below: tuple[SocketStream, SocketStream]) -> None:
    """OpenSSL looks for the peer's end when it sends ours, and stumbles over data; also over half a record."""
    near, far = over(below)
    data = bytes_of(100_000)
    far.send(data)
    head = near.receive(1)  # now much of it lies between the socket and us, its last record cut somewhere
    assert near.buffered
    near.half_close()
    assert far.receive(1) == b""
    far.send(b"more")
    far.half_close()
    assert head + everything(near) == data + b"more"
    near.close()
    far.close()


def test_garbage_after_the_handshake_breaks_it(below: tuple[SocketStream, SocketStream]) -> None:
    near, far = over(below)
    near.send(b"good")
    below[0].send(b"\x17\x03\x03\x00\x20" + bytes(32))
    assert far.receive(10) == b"good"
    for _ in range(2):
        with pytest.raises(TlsError, match="TLS failed"):
            far.receive(10)
    far.close()
    near.close()


def test_sending_after_the_own_end_is_the_callers_fault(below: tuple[SocketStream, SocketStream]) -> None:
    near, far = over(below)
    near.half_close()
    with pytest.raises(ConnectionClosed, match="half-closed"):
        near.send(b"x")
    near.close()
    far.close()


def test_over_any_stream_at_all(below: tuple[SocketStream, SocketStream]) -> None:
    """TLS within TLS: whatever is a stream will do."""
    outer = over(below)
    inner = over(outer)  # type: ignore[arg-type]
    inner[0].send(b"twice wrapped")
    assert inner[1].receive(100) == b"twice wrapped"
    inner[0].half_close()
    assert inner[1].receive(100) == b""
    for each in inner:
        each.close()
