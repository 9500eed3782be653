"""Responders over datagrams: all peers in one thread, over UDP, DTLS and Unix domain sockets."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

import wirecat
from background import stays
from leaks import nothing_left_behind  # noqa: F401
from server.clients import PATIENCE, eventually, serving
from server.datagrams import ADDRESS, ask, peer_of
from wirecat import Responder
from wirecat.errors import WirecatError
from wirecat.events import Closed, Failed, Withheld


def test_two_echo_servers_do_not_loop() -> None:
    """One datagram with the other server as its source travels between them until a limit stops it."""
    with serving("echo", ADDRESS, udp_replies=50) as one, serving("echo", ADDRESS, udp_replies=50) as two:
        bound = one.server._listener.sockets[0]
        bound.sendto(b"forged", ("127.0.0.1", two.port))
        eventually(lambda: one.events.of(Withheld) or two.events.of(Withheld), "the limit")
        sent = one.server.connections[0].sent + two.server.connections[0].sent
        assert sent <= 6 * 250
        assert stays(lambda: one.server.connections[0].sent + two.server.connections[0].sent == sent, 0.3)


def test_answer_that_is_too_large_is_reported_and_ends_no_peer() -> None:
    with serving("reply:" + "x" * 40_000 + "{data}", ADDRESS) as served, peer_of(served) as client:
        client.send(b"y" * 40_000)
        assert "too many for one datagram" in served.events.wait(Failed).error
        assert len(ask(client, b"y")) == 40_001
        assert not served.events.of(Closed)


def test_dtls() -> None:
    pytest.importorskip("OpenSSL")
    for host in ("127.0.0.1", "[::1]"):
        with serving("reply:you said {data}", f"dtls://{host}:0") as served:
            with wirecat.connect(f"dtls://{host}:{served.port}?verify=no") as client:
                for data in (b"one", b"x" * 10_000):
                    client.send(data)
                    assert client.receive(1 << 16) == b"you said " + data
                assert served.server.connections[0].received == 10_003
            closed = served.events.wait(Closed)
            assert (closed.by, closed.reason) == ("peer", "end")


def test_dtls_handshake_that_fails_is_denied_and_does_not_count_for_once() -> None:
    pytest.importorskip("OpenSSL")
    with serving("echo", "dtls://127.0.0.1:0", once=True) as served:
        with pytest.raises(WirecatError):  # the certificate is not verified
            wirecat.connect(f"dtls://127.0.0.1:{served.port}")
        with wirecat.connect(f"dtls://127.0.0.1:{served.port}?verify=no") as client:
            client.send(b"x")
            assert client.receive() == b"x"
        assert served.server.wait(PATIENCE)
        assert served.server.served == 1


def test_unix_client_that_does_not_read_gets_its_answers_later(tmp_path: Path) -> None:
    """The kernel queues few datagrams for a socket (net.unix.max_dgram_qlen)."""
    with serving("echo", f"unixgram://{tmp_path}/server"), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        client.bind(f"{tmp_path}/client")
        client.connect(f"{tmp_path}/server")
        for number in range(1500):
            client.send(b"%d" % number)
        for number in range(1500):
            assert client.recv(100) == b"%d" % number


def test_unix_client_that_has_gone_ends_its_peer_alone(tmp_path: Path) -> None:
    with serving("echo", f"unixgram://{tmp_path}/server") as served:
        for name in ("gone", "there"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
                client.settimeout(PATIENCE)
                client.bind(f"{tmp_path}/{name}")
                client.connect(f"{tmp_path}/server")
                assert ask(client, b"x") == b"x"
                if name == "gone":
                    client.send(b"last")
        assert not served.failures


def test_unix_sender_without_name_is_served(tmp_path: Path) -> None:
    with serving("echo", f"unixgram://{tmp_path}/server") as served:
        for _ in range(3):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
                client.sendto(b"hello", f"{tmp_path}/server")
        eventually(lambda: served.server.connections and served.server.connections[0].received == 15, "all have come")
        assert "no name to send to" in served.events.wait(Failed).error
        assert not served.events.of(Closed)


def test_responder_that_does_not_return_is_reported_as_stuck() -> None:
    release = threading.Event()

    class Stuck(Responder):
        def receive(self, data: bytes) -> bytes | None:
            release.wait(PATIENCE)
            return None

    with serving(Stuck, ADDRESS) as served, peer_of(served) as client:
        client.send(b"x")
        served.wait_open()
        eventually(lambda: served.server._engine._busy, "it is called")
        assert served.server.stop(0) == 1
        assert "will not end" in served.failures[0].error
        release.set()
        assert served.server._engine.stop(PATIENCE)
