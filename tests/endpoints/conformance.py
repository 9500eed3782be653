"""What every kind of stream has to keep: one suite, run for each scheme by a subclass in its test file.

    class TestOverTcp(StreamConformance):
        def place(self, tmp_path): return Address.parse("127.0.0.1:0")

`near` has connected, `far` was accepted. Whatever a test does to one of them, the other must learn it, and no byte may
be lost on the way. The last tests go through `Connection`, which every user has.
"""

from __future__ import annotations

import array
import hashlib
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream
from wirecat.endpoints.listener import Listener
from wirecat.endpoints.socket_stream import LINGER, SocketStream
from wirecat.errors import ConnectionBroken, ConnectionClosed, DeadlineExpired, WirecatError
from wirecat.stream import Stream

MUCH = 64 << 20
#: More than the kernel takes for a peer that does not read.
TOO_MUCH = 32 << 20


def bytes_of(size: int) -> bytes:
    """Bytes in which no part is like another, so that one that is lost, doubled or moved is seen."""
    return array.array("Q", range((size + 7) // 8)).tobytes()[:size]


def everything(stream: Stream, limit: int = 1 << 18) -> bytes:
    pieces = []
    while piece := stream.receive(limit):
        pieces.append(piece)
    return b"".join(pieces)


def exactly(stream: Stream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = stream.receive(count - len(data))
        assert piece, f"ended after {len(data)} of {count} bytes"
        data += piece
    return data


def wait_readable(stream: Stream) -> None:
    """Until there is something to read, without reading it."""
    poll = select.poll()
    poll.register(stream.fileno(), select.POLLIN)
    assert poll.poll(PATIENCE * 1000)


def socket_of(stream: Stream) -> socket.socket:
    """The socket below all wrappers."""
    while not isinstance(stream, SocketStream):
        stream = stream.inner  # type: ignore[attr-defined]
    return stream.socket


def break_off(stream: Stream) -> None:
    """Close as a program does that crashes: with bytes unread the peer gets a reset (and no end)."""
    wait_readable(stream)
    socket_of(stream).close()


class StreamConformance:
    """The suite. A subclass says where to listen."""

    #: As much as the kernels take for a peer that reads a little and then pauses.
    answer_size = 1 << 20

    def place(self, tmp_path: Path) -> Address:
        raise NotImplementedError

    def join(self, listener: Listener) -> tuple[Any, Any]:
        """Two ends that are connected, ready for bytes."""
        return open_stream(listener.addresses[0], Deadline(PATIENCE)), listener.accept(PATIENCE)

    @pytest.fixture
    def listener(self, tmp_path: Path) -> Iterator[Listener]:
        with open_listener(self.place(tmp_path), 16) as listener:
            yield listener

    @pytest.fixture
    def ends(self, listener: Listener) -> Iterator[tuple[SocketStream, SocketStream]]:
        near, far = self.join(listener)
        for stream in (near, far):
            stream.set_timeout(PATIENCE)  # no test hangs
        yield near, far
        near.close()
        far.close()

    @pytest.fixture
    def near(self, ends: tuple[SocketStream, SocketStream]) -> SocketStream:
        return ends[0]

    @pytest.fixture
    def far(self, ends: tuple[SocketStream, SocketStream]) -> SocketStream:
        return ends[1]

    # Bytes and ends

    def test_bytes_go_both_ways(self, near: SocketStream, far: SocketStream) -> None:
        near.send(b"there")
        far.send(b"back")
        assert exactly(far, 5) == b"there"
        buffer = bytearray(10)
        assert near.receive_into(buffer) == 4
        assert buffer[:4] == b"back"

    def test_a_limit_is_kept_and_the_rest_waits(self, near: SocketStream, far: SocketStream) -> None:
        near.send(b"abcdef")
        wait_readable(far)
        assert far.receive(2) == b"ab"
        buffer = bytearray(3)
        assert far.receive_into(memoryview(buffer)) == 3
        assert buffer == b"cde"
        assert far.receive(100) == b"f"

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: memoryview(data).cast("I")])
    def test_any_bytes_like_thing_can_be_sent(self, near: SocketStream, far: SocketStream, kind: type) -> None:
        near.send(kind(b"12345678"))
        near.send(kind(b""))
        assert exactly(far, 8) == b"12345678"

    def test_half_close_near_first(self, near: SocketStream, far: SocketStream) -> None:
        near.send(b"question")
        near.half_close()
        assert everything(far) == b"question"
        assert far.receive(10) == b""
        far.send(b"answer")
        far.half_close()
        assert everything(near) == b"answer"

    def test_half_close_far_first(self, near: SocketStream, far: SocketStream) -> None:
        far.send(b"greeting")
        far.half_close()
        far.half_close()  # twice is nothing
        assert everything(near) == b"greeting"
        near.send(b"thanks")
        near.half_close()
        assert everything(far) == b"thanks"
        with pytest.raises(WirecatError):
            far.send(b"more")

    @pytest.mark.timeout(120)
    def test_64_mib_against_a_slow_reader_arrive_whole(self, near: SocketStream, far: SocketStream) -> None:
        data = bytes_of(1 << 20)
        sent, received = hashlib.sha256(), hashlib.sha256()

        def send() -> None:
            for _ in range(MUCH >> 20):
                sent.update(data)
                near.send(data)
            near.half_close()

        with Background(send) as sending:
            # Slow: it begins to read when the kernel takes no more, and stops reading again and again.
            assert stays(lambda: sending.running)
            buffer = bytearray(1 << 16)
            count = 0
            while got := far.receive_into(buffer):
                received.update(memoryview(buffer)[:got])
                if count >> 23 != (count + got) >> 23:
                    stays(lambda: True, 0.02)
                count += got
            sending.result()
        assert count == MUCH
        assert received.digest() == sent.digest()

    def test_both_directions_flow_at_once(self, near: SocketStream, far: SocketStream) -> None:
        """One thread sends while another receives."""
        data = bytes_of(8 << 20)

        def send(stream: SocketStream) -> None:
            stream.send(data)
            stream.half_close()

        with (
            Background(lambda: send(near)),
            Background(lambda: send(far)),
            Background(lambda: everything(far)) as at_far,
            Background(lambda: everything(near)) as at_near,
        ):
            assert at_far.result() == data
            assert at_near.result() == data

    # Closing

    def test_close_lets_what_was_sent_arrive(self, near: SocketStream, far: SocketStream) -> None:
        data = bytes_of(200_000)
        near.send(data)
        near.close()
        assert everything(far) == data

    def test_close_twice_is_nothing(self, near: SocketStream) -> None:
        near.close()
        near.close()
        assert near.fileno() == -1
        near.abort()

    def test_use_after_close_is_the_callers_fault(self, near: SocketStream) -> None:
        near.close()
        for use in (
            lambda: near.receive(1),
            lambda: near.receive_into(bytearray(1)),
            lambda: near.send(b"x"),
            near.half_close,
        ):
            with pytest.raises(ConnectionClosed, match="closed"):
                use()

    def test_close_with_unread_input_loses_no_reply(self, near: SocketStream, far: SocketStream) -> None:
        """A close(2) with bytes unread would reset the connection, and the peer would get an error for its answer."""
        near.send(bytes_of(100_000))
        wait_readable(far)
        answer = bytes_of(100_000)
        far.send(answer)
        with Background(far.close):
            assert everything(near) == answer
            near.close()

    def test_close_loses_no_reply_while_the_peer_goes_on_sending(self, near: SocketStream, far: SocketStream) -> None:
        """Bytes that arrive once the socket is gone reset the connection too, with whatever was still on its way."""
        answer = bytes_of(self.answer_size)
        with Background(lambda: far.send(answer)) as sending:
            received = exactly(near, 1000)
            sending.result()
        with Background(far.close):
            listening = True
            while piece := near.receive(1 << 14):
                received += piece
                try:
                    if listening:
                        near.send(b"still talking")
                except ConnectionBroken:
                    listening = False  # of which it may hear, but not at the price of the answer
        assert received == answer

    def test_close_with_nothing_unread_returns_at_once(self, near: SocketStream, far: SocketStream) -> None:
        started = time.monotonic()
        near.send(b"x")
        assert exactly(far, 1) == b"x"
        far.send(b"y")
        assert exactly(near, 1) == b"y"
        near.close()
        assert time.monotonic() - started < LINGER / 2
        assert far.receive(1) == b""

    def test_close_waits_a_moment_at_most(self, near: SocketStream, far: SocketStream) -> None:
        """For a peer that never ends, and sends for ever."""

        def send() -> None:
            while True:
                near.send(b"x" * 1000)

        with Background(send) as sending:
            wait_readable(far)
            started = time.monotonic()
            far.close()
            assert time.monotonic() - started < LINGER + 1
            with pytest.raises(ConnectionBroken):
                sending.result()

    def test_close_wakes_a_receive_in_another_thread(self, near: SocketStream, far: SocketStream) -> None:
        with Background(lambda: near.receive(1)) as receiving:
            assert stays(lambda: receiving.running)
            near.close()
            try:
                assert receiving.result() == b""
            except ConnectionClosed:
                pass  # it was about to wait again

    # Cutting

    def test_abort_wakes_a_receive_in_another_thread(self, near: SocketStream) -> None:
        near.set_timeout(None)
        with Background(lambda: near.receive(1)) as receiving:
            assert stays(lambda: receiving.running)
            near.abort()
            assert receiving.result() == b""

    def test_abort_wakes_a_blocked_send_in_another_thread(self, near: SocketStream, far: SocketStream) -> None:
        near.set_timeout(None)
        with Background(lambda: near.send(bytes(TOO_MUCH))) as sending:
            assert stays(lambda: sending.running)
            near.abort()
            with pytest.raises(ConnectionBroken) as caught:
                sending.result()
        assert 0 < (caught.value.unsent or 0) < TOO_MUCH
        near.close()
        near.abort()

    def test_the_peer_of_an_abort_sees_an_end(self, near: SocketStream, far: SocketStream) -> None:
        near.send(b"last")
        near.abort()
        assert everything(far) == b"last"

    # Waiting

    def test_a_receive_gives_up_after_its_time_and_may_go_on(self, near: SocketStream, far: SocketStream) -> None:
        near.set_timeout(0.05)
        started = time.monotonic()
        for receive in (lambda: near.receive(10), lambda: near.receive_into(bytearray(10))):
            with pytest.raises(DeadlineExpired, match="nothing came in 0.05 s") as caught:
                receive()
            assert caught.value.address == near.peer
        assert 0.09 < time.monotonic() - started < 5
        near.set_timeout(PATIENCE)
        far.send(b"late")
        assert exactly(near, 4) == b"late"

    def test_no_time_at_all_takes_what_is_there(self, near: SocketStream, far: SocketStream) -> None:
        near.set_timeout(0)
        with pytest.raises(DeadlineExpired):
            near.receive(10)
        far.send(b"there")
        wait_readable(near)
        assert near.receive(10) == b"there"

    def test_a_send_gives_up_after_its_time_and_says_how_much_was_left(
        self, near: SocketStream, far: SocketStream
    ) -> None:
        data = bytes_of(TOO_MUCH)
        near.set_timeout(0.05)
        with pytest.raises(DeadlineExpired, match="took no more for 0.05 s") as caught:
            near.send(data)
        unsent = caught.value.unsent
        assert unsent is not None
        assert 0 < unsent < TOO_MUCH
        near.set_timeout(PATIENCE)
        near.half_close()
        assert everything(far) == data[: TOO_MUCH - unsent]

    # The peer breaks off

    def test_a_reset_breaks_a_receive_and_stays_broken(
        self, near: SocketStream, far: SocketStream, listener: Listener
    ) -> None:
        """The kernel tells a reset once and then gives the end, which would look like an orderly one."""
        near.send(b"unread")
        break_off(far)
        for _ in range(2):
            with pytest.raises(ConnectionBroken, match="broke the connection off") as caught:
                near.receive(1)
            place = listener.addresses[0]
            assert caught.value.address in (place, place.replace(scheme="tcp")), "the peer is known to the last"
        with pytest.raises(ConnectionBroken):
            near.receive_into(bytearray(1))
        with pytest.raises(ConnectionBroken) as sent:
            near.send(b"more")
        assert sent.value.unsent == 4

    def test_a_reset_breaks_a_blocked_send_which_says_how_much_was_left(
        self, near: SocketStream, far: SocketStream
    ) -> None:
        with Background(lambda: near.send(bytes(TOO_MUCH))) as sending:
            assert stays(lambda: sending.running)
            break_off(far)
            with pytest.raises(ConnectionBroken) as caught:
                sending.result()
        assert 0 < (caught.value.unsent or 0) < TOO_MUCH

    def test_what_came_before_a_close_with_unread_input_is_there(self, near: SocketStream, far: SocketStream) -> None:
        near.send(b"unread")
        wait_readable(far)
        far.send(b"answer")
        with Background(far.close):
            assert exactly(near, 6) == b"answer"
            assert near.receive(1) == b""
            near.close()

    # The listener's queue

    def test_clients_wait_in_the_listeners_queue_with_what_they_sent(self, listener: Listener) -> None:
        clients = [open_stream(listener.addresses[0], Deadline(PATIENCE)) for _ in range(5)]
        for number, client in enumerate(clients):
            client.send(b"%d" % number)
        clients[1].close()  # gone before anybody looked: still served what it sent
        served = [listener.accept(PATIENCE) for _ in clients]
        for number, stream in enumerate(served):
            stream.set_timeout(PATIENCE)
            assert stream.receive(1) == b"%d" % number
        for each in (*clients, *served):
            each.close()

    def test_nobody_in_the_queue(self, listener: Listener) -> None:
        with pytest.raises(TimeoutError):
            listener.accept(0)
        with pytest.raises(TimeoutError, match=r"0\.05 s"):
            listener.accept(0.05)

    def test_after_the_listener_nobody_is_let_in(self, listener: Listener) -> None:
        address = listener.addresses[0]
        queued = open_stream(address, Deadline(PATIENCE))
        listener.close()
        with pytest.raises(OSError, match="clos|descriptor"):
            listener.accept(1)
        with pytest.raises(WirecatError):
            open_stream(address, Deadline(PATIENCE))
        with pytest.raises(ConnectionBroken):
            if queued.receive(1) == b"":
                queued.send(b"x" * 1000)
                queued.send(b"x" * 1000)
        queued.close()

    def test_closing_the_listener_ends_an_accept_that_waits(self, listener: Listener) -> None:
        with Background(lambda: listener.accept(None)) as accepting:
            assert stays(lambda: accepting.running)
            listener.close()
            with pytest.raises(OSError, match="clos|descriptor"):
                accepting.result()

    # What it knows

    def test_both_ends_know_each_other(self, near: SocketStream, far: SocketStream, listener: Listener) -> None:
        assert near.peer == far.local
        # What wraps a stream tells the addresses of the stream below.
        assert near.peer in (listener.addresses[0], listener.addresses[0].replace(scheme="tcp"))
        assert near.local == far.peer
        addresses = near.peer, near.local
        near.send(b"unread")
        break_off(far)
        with pytest.raises(ConnectionBroken):
            near.receive(1)
        assert (near.peer, near.local) == addresses
        assert near.fileno() == socket_of(near).fileno() >= 0

    def test_the_scheme_says_what_the_stream_can(self, near: SocketStream, listener: Listener) -> None:
        from wirecat.endpoints import scheme_of

        row = scheme_of(listener.addresses[0])
        assert near.can_half_close == row.half_closes
        assert near.keeps_boundaries == row.keeps_boundaries

    def test_a_default_timeout_of_the_program_is_not_taken_over(
        self, listener: Listener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(0.01)
        try:
            near, far = self.join(listener)
        finally:
            socket.setdefaulttimeout(before)
        assert socket_of(near).gettimeout() is None
        assert socket_of(far).gettimeout() is None
        near.close()
        far.close()

    # Through a Connection

    def test_a_connection_over_it(self, near: SocketStream, far: SocketStream) -> None:
        with Connection(near) as client, Connection(far) as server:
            client.send_line("Grüße")
            assert server.receive_line() == "Grüße"
            server.send_line(b"\xff", "\r\n")
            assert client.receive_line() == "\udcff"
            client.half_close()
            assert server.receive() is None
            assert server.ended
            server.send(b"rest")
        assert near.fileno() == far.fileno() == -1
        for use in (client.receive, client.receive_line, lambda: client.send(b"x"), lambda: client.receive_exactly(1)):
            with pytest.raises(ConnectionClosed):
                use()
