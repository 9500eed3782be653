"""The relay in the library: each client joined to a connection of its own, whole, with its ends, and told."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import wirecat
from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import everything, free_port, reset, serving
from wirecat.errors import AddressError, Refused, UsageError
from wirecat.relay.relay import Joined, Moving, Relay, join_program_to, relay

posix = pytest.mark.skipif(sys.platform == "win32", reason="programs as a POSIX shell starts them")
HERE = "127.0.0.1:0"


class Events:
    """What was told, and a wait for some of it."""

    def __init__(self) -> None:
        self.all: list[wirecat.Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: wirecat.Event) -> None:
        with self._changed:
            self.all.append(event)
            self._changed.notify_all()

    def wait_for(self, kind: type[Any], count: int = 1) -> Any:
        """The last of so many events of a kind."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.of(kind)) >= count, PATIENCE), self.all
            return self.of(kind)[count - 1]

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.all if isinstance(event, kind)]


def dial(address: wirecat.Address) -> socket.socket:
    if address.port is None:
        client = socket.socket(socket.AF_UNIX)
        client.connect(address.path)
    else:
        client = socket.create_connection((address.host, address.port))
    client.settimeout(PATIENCE)
    return client


def reversed_whole(peer: socket.socket) -> None:
    """Answers when all has come: without a half-close that is passed on it never does."""
    peer.sendall(everything(peer)[::-1])


def talk(address: wirecat.Address, data: bytes) -> bytes:
    with dial(address) as client, Background(lambda: everything(client)) as answer:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return answer.result()


def test_one_connection_and_then_it_is_done() -> None:
    data = os.urandom(3_000_000)
    events = Events()
    with serving(reversed_whole) as target, relay(HERE, target.address, on_event=events) as server:
        assert talk(server.address, data) == data[::-1]
        assert server.wait(PATIENCE)
        assert str(events.wait_for(Joined).target) == target.address
        with pytest.raises(ConnectionRefusedError):
            dial(server.address)
    closed = events.wait_for(wirecat.Closed)
    assert (closed.by, closed.reason, closed.received, closed.sent) == ("peer", "end", len(data), len(data))
    assert events.wait_for(Joined).local.host == "127.0.0.1"
    if sys.platform == "linux":
        assert {(event.direction, event.how) for event in events.of(Moving)} == {
            ("forward", "zero-copy"), ("backward", "zero-copy"),
        }  # fmt: skip


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix domain sockets")
@pytest.mark.parametrize("size", [0, 1, 65535, 65537, 20_000_000])
@pytest.mark.parametrize(("come", "go"), [("tcp", "unix"), ("unix", "tcp"), ("unix", "unix")])
def test_paths_on_either_side(come: str, go: str, size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    here = f"unix://{tmp_path}/here" if come == "unix" else HERE
    path = str(tmp_path / "there") if go == "unix" else ""
    with serving(reversed_whole, path=path) as target:
        with relay(here, f"unix://{path}" if path else target.address) as server:
            answer = talk(server.addresses[0], data)
    assert hashlib.sha256(answer[::-1]).digest() == hashlib.sha256(data).digest()


def test_many_at_once() -> None:
    events = Events()
    with (
        wirecat.serve("echo", HERE) as target,
        relay(HERE, target.address, keep_open=True, on_event=events) as server,
    ):
        clients = [dial(server.address) for _ in range(50)]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        for number, client in enumerate(clients):
            assert client.recv(100) == b"%d" % number
        assert len(server.connections) == 50
        for client in clients:
            client.close()
        events.wait_for(wirecat.Closed, 50)
    assert not events.of(wirecat.Failed)


def test_tls_is_put_on_and_taken_off() -> None:
    """A relay before a plain server gives it TLS; one before a server with TLS takes it off again."""
    data = os.urandom(2_000_000)
    events = Events()
    with (
        serving(reversed_whole) as target,
        relay("tls://127.0.0.1:0", target.address, on_event=events) as outer,
        relay(HERE, f"{outer.address}?verify=no") as inner,
    ):
        assert talk(inner.address, data) == data[::-1]
        assert inner.wait(PATIENCE)
        assert outer.wait(PATIENCE)
    assert {event.how for event in events.of(Moving)} == {"copy: TLS"}


@posix
def test_a_program_for_each_client() -> None:
    with relay(HERE, "exec:sort -r", keep_open=True) as server:
        for _ in range(2):
            assert talk(server.address, b"a\nb\n") == b"b\na\n"


@posix
def test_a_program_learns_who_its_client_is() -> None:
    with relay(HERE, "exec:echo $NCAT_REMOTE_PORT") as server, dial(server.address) as client:
        assert everything(client) == b"%d\n" % client.getsockname()[1]


def test_a_target_that_refuses_ends_its_client_and_is_told() -> None:
    events = Events()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with relay(HERE, f"127.0.0.1:{port}", keep_open=True, on_event=events) as server:
            for number in (1, 2):
                with dial(server.address) as client:
                    assert everything(client) == b""
                failed = events.wait_for(wirecat.Failed, number)
                assert failed.error.startswith(f"connect 127.0.0.1:{port}: connection refused")
                assert failed.traceback == ""
            assert isinstance(server.handler.call, Relay)
            assert isinstance(server.handler.call.failure, Refused)


def test_a_target_that_breaks_off_ends_its_client() -> None:
    events = Events()

    def break_off(peer: socket.socket) -> None:
        assert peer.recv(10) == b"some"
        reset(peer)

    with serving(break_off) as target, relay(HERE, target.address, on_event=events) as server:
        with dial(server.address) as client:
            client.sendall(b"some")
            assert everything(client) == b""
        assert "broke" in events.wait_for(wirecat.Failed).error


def test_a_client_that_breaks_off_ends_the_connection_to_the_target() -> None:
    events = Events()
    with serving(everything) as target, relay(HERE, target.address, on_event=events) as server:
        client = dial(server.address)
        client.sendall(b"some")
        events.wait_for(Joined)
        reset(client)
        assert target.result() in (b"some", b"")
        assert events.wait_for(wirecat.Closed).reason == "reset"
    assert not events.of(wirecat.Failed)


def test_client_resets_while_target_does_not_accept_connecting_ends() -> None:
    with socket.socket() as full:  # its queue is full: a SYN is dropped
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued = [socket.socket() for _ in range(4)]
        for each in queued:
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        target = f"127.0.0.1:{full.getsockname()[1]}"
        events = Events()
        with relay(HERE, target, timeout=None, keep_open=True, on_event=events) as server:
            client = dial(server.address)
            events.wait_for(wirecat.events.Opened)
            assert stays(lambda: not events.of(wirecat.events.Closed))
            reset(client)
            assert events.wait_for(wirecat.events.Closed).reason == "reset"
        for each in queued:
            each.close()


@pytest.mark.parametrize("scheme", ["tls", "unix"])
def test_client_resets_while_target_is_silent_connection_ends(scheme: str, tmp_path: Path) -> None:
    """A target that accepts and says nothing: in a TLS handshake that does not begin, and on a path."""
    family = socket.AF_UNIX if scheme == "unix" else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind(str(tmp_path / "s") if scheme == "unix" else ("127.0.0.1", 0))
        listener.listen()
        target = f"unix://{tmp_path}/s" if scheme == "unix" else f"tls://127.0.0.1:{listener.getsockname()[1]}"
        events = Events()
        with relay(HERE, target, timeout=None, keep_open=True, on_event=events) as server:
            client = dial(server.address)
            accepted = listener.accept()[0]
            client.sendall(b"said")
            assert stays(lambda: not events.of(wirecat.events.Closed))
            reset(client)
            assert events.wait_for(wirecat.events.Closed).reason == "reset"
            accepted.close()


def test_a_stop_ends_both_sides() -> None:
    with wirecat.serve("echo", HERE) as target:
        with relay(HERE, target.address, keep_open=True, drain=0) as server:
            client = dial(server.address)
            client.sendall(b"some")
            assert client.recv(100) == b"some"
        with client:
            assert everything(client) == b""
        assert target.stop(drain=PATIENCE) == 0


def test_idle_connections_are_closed() -> None:
    events = Events()
    with (
        wirecat.serve("echo", HERE) as target,
        relay(HERE, target.address, idle_timeout=0.3, on_event=events) as server,
        dial(server.address) as client,
    ):
        client.sendall(b"x")
        assert everything(client) == b"x"
        assert events.wait_for(wirecat.Closed).reason == "idle"


def test_taps_see_what_goes_through_and_may_come_and_go() -> None:
    seen: list[bytes] = []

    class Seen(wirecat.Tap):
        def chunk(self, connection: int, direction: str, data: bytes, when: float) -> bytes | None:
            seen.append(data)
            return None

    with (
        wirecat.serve("echo", HERE) as target,
        relay(HERE, target.address) as server,
        dial(server.address) as client,
    ):
        tap = Seen()
        for word in (b"one", b"two", b"three"):
            (server.attach if word == b"two" else server.detach)(tap)
            client.sendall(word)
            assert client.recv(100) == word
    assert b"".join(seen) == b"twotwo"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_relay_to_itself_is_refused(host: str) -> None:
    port = free_port()
    with pytest.raises(UsageError, match="circle"):
        relay(f"127.0.0.1:{port}", f"{host}:{port}", keep_open=True)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.3 is no address of this machine")
def test_a_relay_to_itself_by_another_name_makes_no_endless_chain() -> None:
    """Found once it has connected to itself; from then on it connects no more."""
    events = Events()
    port = free_port()
    with relay(f"0.0.0.0:{port}", f"127.0.0.3:{port}", keep_open=True, on_event=events) as server:
        with dial(server.address) as client:
            assert everything(client) == b""
        assert "circle" in events.wait_for(wirecat.Failed).error
        for _ in range(5):
            with dial(server.address) as client:
                assert everything(client) == b""
        assert server.served < 50


@pytest.mark.parametrize(
    ("here", "there", "kind", "words"),
    [
        ("udp://127.0.0.1:0", "127.0.0.1:1", UsageError, "datagrams"),
        (HERE, "udp://127.0.0.1:1", UsageError, "datagrams"),
        (HERE, "-", UsageError, "once"),
        (HERE, "127.0.0.1:0", AddressError, "port 0"),
        ("exec:cat", "127.0.0.1:1", AddressError, "cannot be listened on"),
        (HERE, "nothing://x:1", AddressError, "unknown scheme"),
    ],
)
def test_what_cannot_be(here: str, there: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        relay(here, there)


@posix
def test_a_program_joined_to_a_target() -> None:
    with serving(reversed_whole) as target:
        assert join_program_to("exec:printf hello", target.address) == (5, 5)
    with pytest.raises(ConnectionRefusedError), socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        join_program_to("exec:cat", f"127.0.0.1:{bound.getsockname()[1]}")
