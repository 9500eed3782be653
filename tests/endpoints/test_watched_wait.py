"""Waiting for one stream while the other one's peer is watched: a reset is noticed, a half-close is none."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from background import Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import reset
from wirecat.endpoints import stdio, watched_wait
from wirecat.endpoints.exec import start_program
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.stdio import StdioStream
from wirecat.endpoints.taking_turns import TakingTurns
from wirecat.errors import ConnectionBroken, DeadlineExpired, OutputClosed
from wirecat.stream import PartnerLost, Stream, join, part


class Pair:
    """Two streams that watch each other, and the plain sockets of their peers."""

    def __init__(self) -> None:
        self.near, self.near_peer = tcp()
        self.far, self.far_peer = tcp()
        join(self.near, self.far)

    def fill(self, stream: Stream) -> None:
        """Send until its peer, which reads nothing, has no room."""
        with contextlib.suppress(DeadlineExpired):
            stream.set_timeout(0.05)
            while True:
                stream.send(bytes(1 << 20))
        stream.set_timeout(None)

    def close(self) -> None:
        part(self.near, self.far)
        for stream in (self.near, self.far):
            stream.abort()
            stream.close()
        self.near_peer.close()
        self.far_peer.close()


def tcp() -> tuple[SocketStream, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname())
        accepted, place = server.accept()
    return SocketStream(accepted, place), peer


@pytest.fixture(params=["poll", "slices"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr(watched_wait, "GRACE", 0.3)
    if request.param == "slices":  # as where poll(2) does not tell of a reset unasked
        for module in (watched_wait, stdio):
            monkeypatch.setattr(module, "POLL_TELLS_LOSS", False)
            monkeypatch.setattr(module, "SLICE", 0.02)
    made = Pair()
    yield made
    made.close()


def lost_in(waiting: Background[object]) -> PartnerLost:
    with pytest.raises(PartnerLost) as caught:
        waiting.result()
    return caught.value


def test_wait_for_bytes_partner_resets_raises(pair: Pair) -> None:
    with Background(lambda: pair.far.receive(10)) as waiting:
        assert stays(lambda: waiting.running)
        reset(pair.near_peer)
        lost = lost_in(waiting)
    assert isinstance(lost.error, ConnectionBroken)
    assert lost.error.address == pair.near.peer
    assert not lost.sending


def test_wait_for_bytes_partner_resets_with_data_unread_raises_and_data_stay(pair: Pair) -> None:
    pair.near_peer.sendall(b"last words")
    reset(pair.near_peer)
    with Background(lambda: pair.far.receive(10)) as waiting:
        lost_in(waiting)
    assert pair.near.receive(100) == b"last words"
    with pytest.raises(ConnectionBroken):
        pair.near.receive(100)


def test_wait_for_bytes_partner_half_closes_goes_on(pair: Pair) -> None:
    pair.near_peer.shutdown(socket.SHUT_WR)
    with Background(lambda: pair.far.receive(10)) as waiting:
        assert stays(lambda: waiting.running, 0.3)
        pair.far_peer.sendall(b"answer")
        assert waiting.result() == b"answer"
    pair.near.send(b"answer")
    assert pair.near_peer.recv(10) == b"answer"


def test_wait_for_room_partner_resets_raises_after_the_grace(pair: Pair) -> None:
    pair.fill(pair.far)
    with Background(lambda: pair.far.send(bytes(1 << 20))) as waiting:
        assert stays(lambda: waiting.running)
        started = time.monotonic()
        reset(pair.near_peer)
        lost = lost_in(waiting)
    assert lost.sending
    assert lost.unsent
    assert time.monotonic() - started >= 0.25


@pytest.mark.skipif(sys.platform != "linux", reason="POLLHUP as Linux gives it")
def test_wait_for_room_partner_resets_and_its_error_is_lost_raises(pair: Pair) -> None:
    if not watched_wait.POLL_TELLS_LOSS:
        pytest.skip("POLLHUP alone tells of it")
    pair.fill(pair.far)
    reset(pair.near_peer)
    # As by a splice to it that has moved some bytes before it failed.
    assert pair.near.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    with Background(lambda: pair.far.send(bytes(1 << 20))) as waiting:
        lost = lost_in(waiting)
    assert lost.sending
    assert isinstance(lost.error, ConnectionBroken)


def test_wait_for_room_partner_resets_receiver_that_reads_gets_all(pair: Pair) -> None:
    pair.fill(pair.far)
    with Background(lambda: pair.far.send(bytes(1 << 20))) as waiting:
        assert stays(lambda: waiting.running)
        reset(pair.near_peer)
        pair.far_peer.settimeout(0.1)
        while waiting.running:  # it may have sent all without having ended yet: then nothing more comes
            try:
                assert pair.far_peer.recv(1 << 20)
            except TimeoutError:
                continue
        waiting.result()


def test_wait_for_room_of_the_left_side_never_gives_up(pair: Pair) -> None:
    pair.fill(pair.near)
    with Background(lambda: pair.near.send(bytes(1 << 20))) as waiting:
        reset(pair.far_peer)
        assert stays(lambda: waiting.running, 0.6)
        reset(pair.near_peer)
        with pytest.raises(ConnectionBroken):
            waiting.result()


def test_timeouts_are_kept_while_a_partner_is_watched(pair: Pair) -> None:
    pair.far.set_timeout(0.05)
    with pytest.raises(DeadlineExpired, match=r"nothing came in 0\.05 s"):
        pair.far.receive(10)
    pair.far.set_timeout(None)
    pair.far.set_receive_timeout(0.05)
    with pytest.raises(DeadlineExpired):
        pair.far.receive_into(bytearray(10))
    with Background(lambda: pair.far.send(bytes(32 << 20))) as sending:
        assert stays(lambda: sending.running, 0.2), "a send has its own time"
        reset(pair.far_peer)
        with pytest.raises(ConnectionBroken):
            sending.result()


def test_part_ends_the_watch(pair: Pair) -> None:
    part(pair.near, pair.far)
    with Background(lambda: pair.far.receive(10)) as waiting:
        reset(pair.near_peer)
        assert stays(lambda: waiting.running)
        pair.far_peer.sendall(b"x")
        assert waiting.result() == b"x"


def test_abort_of_the_partner_is_a_loss(pair: Pair) -> None:
    with Background(lambda: pair.far.receive(10)) as waiting:
        assert stays(lambda: waiting.running)
        pair.near.abort()
        assert isinstance(lost_in(waiting).error, ConnectionBroken)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="programs and pipes as POSIX has them")
def test_a_program_is_waited_for_while_its_client_is_watched(pair: Pair) -> None:
    program = start_program("exec sleep 1000")
    try:
        join(TakingTurns(pair.near), program)
        with Background(lambda: program.receive(10)) as waiting:
            assert stays(lambda: waiting.running)
            reset(pair.near_peer)
            assert isinstance(lost_in(waiting).error, ConnectionBroken)
        with Background(lambda: program.send(bytes(1 << 20))) as sending:
            assert lost_in(sending).sending
    finally:
        program.abort()
        program.close()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="programs and pipes as POSIX has them")
def test_input_is_waited_for_while_the_peer_is_watched_and_back(pair: Pair) -> None:
    (source, typed), (shown, sink) = os.pipe(), os.pipe()
    local = StdioStream(source, sink)
    try:
        join(local, pair.far)
        with Background(lambda: pair.far.receive(10)) as waiting:
            assert stays(lambda: waiting.running)
            os.close(shown)
            assert isinstance(lost_in(waiting).error, OutputClosed)
        with Background(lambda: local.receive(10)) as reading:
            assert stays(lambda: reading.running)
            reset(pair.far_peer)
            lost_in(reading)
    finally:
        local.close()
        for descriptor in (source, typed, sink):
            os.close(descriptor)


def test_output_that_is_not_to_be_watched_has_no_loss() -> None:
    shown, sink = os.pipe()
    unwatched, watched = StdioStream(0, sink, watch_sink=False), StdioStream(0, sink)
    try:
        os.close(shown)
        assert unwatched.loss_descriptor == -1
        assert watched.loss_descriptor == sink
        assert isinstance(watched.loss(), OutputClosed)
    finally:
        unwatched.close()
        watched.close()
        os.close(sink)
