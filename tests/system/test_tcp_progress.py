"""What proves that a peer no longer answers, by invented figures, and the kernel's own."""

from __future__ import annotations

import socket
import sys

import pytest

from wirecat.system.tcp_progress import AckWatch, TcpProgress, tcp_progress


def progress(**fields: float) -> TcpProgress:
    known = {"unacknowledged": 1, "unsent": 0, "window": 65536, "probes": 0, "retransmissions": 0, "ack_age": 0.0}
    return TcpProgress(**{**known, **fields})  # type: ignore[arg-type]


def test_ack_watch_silence_with_retransmissions_is_death() -> None:
    watch = AckWatch()
    assert not watch.is_dead(progress(ack_age=40), 100, 60)
    assert not watch.is_dead(progress(ack_age=95, retransmissions=8), 155, 60), "55 s of silence since bytes are due"
    assert watch.is_dead(progress(ack_age=101, retransmissions=8), 161, 60)


def test_ack_watch_silence_before_bytes_were_sent_does_not_count() -> None:
    assert not AckWatch().is_dead(progress(ack_age=7200, retransmissions=9), 10_000, 60)


def test_ack_watch_an_answer_starts_again() -> None:
    watch = AckWatch()
    watch.is_dead(progress(), 0, 60)
    assert not watch.is_dead(progress(ack_age=1, retransmissions=20), 61, 60)
    assert not watch.is_dead(progress(ack_age=59, retransmissions=23), 119, 60)
    assert watch.is_dead(progress(ack_age=61, retransmissions=24), 121, 60)


def test_ack_watch_zero_window_answered_probes_are_life() -> None:
    """The kernel asks every two minutes in the end: the last answer may be that old."""
    watch = AckWatch()
    for now in range(0, 240, 5):
        age = now % 120
        assert not watch.is_dead(progress(unacknowledged=0, unsent=1, window=0, probes=1, ack_age=age), now, 60)
    assert watch.is_dead(progress(unacknowledged=0, unsent=1, window=0, probes=2, ack_age=200), 420, 60)


def test_ack_watch_nothing_to_answer_is_no_silence() -> None:
    watch = AckWatch()
    assert not watch.is_dead(progress(unacknowledged=0, ack_age=9999), 1, 60)
    assert not watch.is_dead(progress(unacknowledged=0, ack_age=9999), 500, 60)


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO")
def test_tcp_progress_of_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        with accepted:
            client.setblocking(False)
            try:
                while True:
                    client.send(bytes(1 << 16))
            except BlockingIOError:
                pass
            found = tcp_progress(client)
            assert found is not None
            assert found.unsent > 0 or found.unacknowledged > 0
    one, other = socket.socketpair()
    with one, other:
        assert tcp_progress(one) is None
