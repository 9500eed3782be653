"""Serving over UDP and Unix datagrams: one socket, many peers, at most one answer to one datagram."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest

import wirecat
from leaks import nothing_left_behind  # noqa: F401
from server.clients import PATIENCE, serving
from server.datagrams import ADDRESS, ask, peer_of, silent
from wirecat import Connection, Responder
from wirecat.endpoints.dtls_context import DtlsContext
from wirecat.errors import UsageError
from wirecat.events import Closed, Denied, HalfClosed, Opened


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_echo(host: str) -> None:
    address = f"udp://[{host}]:0" if ":" in host else f"udp://{host}:0"
    with serving("echo", address) as served, peer_of(served, host) as client:
        for data in (b"one", b"", b"\xff\x00", b"x" * 40_000):
            assert ask(client, data) == data
        opened = served.events.wait(Opened)
        assert (opened.peer.scheme, opened.peer.host, opened.peer.port) == ("udp", host, client.getsockname()[1])
        assert served.server.connections[0].received == 3 + 2 + 40_000
        assert len(served.events.of(Opened)) == 1


def test_peers_do_not_hear_each_other() -> None:
    with serving("reply:you said {data}", ADDRESS) as served:
        with peer_of(served) as one, peer_of(served) as two:
            one.send(b"1")
            two.send(b"2")
            assert one.recv(100) == b"you said 1" and two.recv(100) == b"you said 2"
            assert silent(one) and silent(two)


def test_a_function_has_a_connection_for_each_peer() -> None:
    def count(connection: Connection) -> None:
        number = 0
        while (data := connection.receive()) is not None:
            number += 1
            connection.send(b"%d %b" % (number, data))

    with serving(count, ADDRESS) as served, peer_of(served) as one, peer_of(served) as two:
        assert ask(one, b"a") == b"1 a" and ask(one, b"") == b"2 " and ask(two, b"b") == b"1 b"


def test_who_is_silent_is_forgotten() -> None:
    with serving("echo", f"{ADDRESS}?idle=0.2") as served, peer_of(served) as client:
        assert ask(client, b"x") == b"x"
        closed = served.events.wait(Closed)
        assert (closed.by, closed.reason) == ("server", "idle")
        assert not served.events.of(HalfClosed)
        assert ask(client, b"again") == b"again"
        served.events.wait(Opened, 2)


def test_the_servers_own_idle_timeout() -> None:
    with serving("echo", ADDRESS, idle_timeout=0.2) as served, peer_of(served) as client:
        assert ask(client, b"x") == b"x"
        assert served.events.wait(Closed).reason == "idle"


def test_a_handler_that_fails_ends_its_own_peer_alone() -> None:
    class Fails(Responder):
        def receive(self, data: bytes) -> bytes | None:
            if data == b"fail":
                raise ValueError("on purpose")
            return data

    with serving(Fails, ADDRESS) as served, peer_of(served) as one, peer_of(served) as two:
        assert ask(one, b"x") == b"x"
        two.send(b"fail")
        assert served.events.wait(Closed).reason == "handler error"
        assert ask(one, b"y") == b"y"
        assert ask(two, b"z") == b"z", "with its next datagram it is a new one"


def test_a_peer_can_be_kicked() -> None:
    with serving("echo", ADDRESS) as served, peer_of(served) as client:
        assert ask(client, b"x") == b"x"
        assert served.server.kick(1)
        assert served.events.wait(Closed).reason == "kicked"


def test_who_may_not_come_in_is_told_once_a_second() -> None:
    with serving("echo", ADDRESS, deny=["127.0.0.1"]) as served, peer_of(served) as client:
        for _ in range(50):
            client.send(b"x")
        assert served.events.wait(Denied).reason == "not allowed"
        assert silent(client)
        assert len(served.events.of(Denied)) == 1 and not served.events.of(Opened)


def hold(connection: Connection) -> None:
    """A handler in a thread: an echo."""
    while (data := connection.receive()) is not None:
        connection.send(data)


@pytest.mark.parametrize("handler", ["echo", hold])
def test_new_peer_replaces_the_one_that_has_been_silent_longest(handler: object) -> None:
    with serving(handler, ADDRESS, max_connections=2) as served:
        with peer_of(served) as one, peer_of(served) as two, peer_of(served) as three:
            for client in (one, two, one, three):
                assert ask(client, b"x") == b"x"
            closed = served.events.wait(Closed)
            assert (closed.connection, closed.by, closed.reason) == (2, "server", "evicted")
            assert ask(one, b"y") == b"y"
            assert len(served.events.of(Closed)) == 1
            assert ask(two, b"z") == b"z", "it comes again as a new peer"


@pytest.mark.parametrize("handler", ["echo", hold])
def test_without_eviction_the_limit_turns_new_peers_away(handler: object) -> None:
    with serving(handler, ADDRESS, max_connections=1, evict=False) as served:
        with peer_of(served) as one, peer_of(served) as two:
            assert ask(one, b"x") == b"x"
            two.send(b"x")
            assert served.events.wait(Denied).reason == "connection limit reached (1)"
            assert ask(one, b"y") == b"y"
            assert served.server.kick(1)
            served.events.wait(Closed)
            assert ask(two, b"z") == b"z"


@pytest.mark.parametrize("handler", ["echo", hold])
def test_limit_of_0_admits_no_peer(handler: object) -> None:
    with serving(handler, ADDRESS, max_connections=0) as served, peer_of(served) as client:
        client.send(b"x")
        assert served.events.wait(Denied).reason == "connection limit reached (0)"


def test_handler_that_does_not_end_keeps_its_place() -> None:
    release = threading.Event()

    def stubborn(connection: Connection) -> None:
        connection.send(b"here")
        release.wait(PATIENCE)

    with serving(stubborn, ADDRESS, max_connections=1) as served, peer_of(served) as one, peer_of(served) as two:
        assert ask(one, b"x") == b"here"
        two.send(b"x")
        assert served.events.wait(Denied).reason == "connection limit reached (1)"
        release.set()
        assert served.events.wait(Closed).reason == "evicted"


@pytest.mark.parametrize("handler", ["echo", hold])
def test_forged_senders_leave_others_their_service(handler: object) -> None:
    """Each address of 127.0.0.0/8 and each port is a sender: here 2,600 with one datagram each."""
    with serving(handler, ADDRESS, max_connections=100) as served, contextlib.ExitStack() as stack:
        place = ("127.0.0.1", served.port)
        before = threading.active_count()
        most = before
        for _ in range(26):
            with contextlib.ExitStack() as senders:
                for _ in range(100):
                    sender = senders.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                    sender.sendto(b"x", place)
                most = max(most, threading.active_count())
        client = stack.enter_context(peer_of(served))
        for _ in range(20):  # a datagram may get lost among so many
            client.settimeout(1)
            try:
                answer = ask(client, b"me")
                while answer == b"x":  # the port was a forged sender's before
                    answer = client.recv(100)
                assert answer == b"me"
                break
            except TimeoutError:
                continue
        else:
            pytest.fail("no answer in 20 s")
        assert most - before <= (1 if handler == "echo" else 102)
        assert len(served.server.connections) <= 100


def test_by_default_the_limit_is_low() -> None:
    with serving("echo", ADDRESS) as served:
        assert served.server.limit <= 1000


def test_it_stops_at_once() -> None:
    with serving("echo", ADDRESS) as served, peer_of(served) as client:
        assert ask(client, b"x") == b"x"
        port = served.port
        assert served.server.stop(30) == 0
        assert served.events.of(Closed)[0].reason == "shutdown"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("127.0.0.1", port))


def test_one_peer_after_which_it_ends() -> None:
    with serving("echo", f"{ADDRESS}?idle=0.2", once=True) as served:
        with peer_of(served) as one, peer_of(served) as two:
            assert ask(one, b"x") == b"x"
            with contextlib.suppress(ConnectionRefusedError):
                two.send(b"x")
                assert silent(two)
            assert served.server.wait(PATIENCE)
            assert served.server.served == 1


def test_many_peers() -> None:
    with serving("echo", ADDRESS) as served, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(peer_of(served)) for _ in range(100)]
        for number, client in enumerate(clients):
            client.send(b"%d" % number)
        for number, client in enumerate(clients):
            assert client.recv(100) == b"%d" % number
        assert len(served.server.connections) == 100


def test_a_program_for_each_peer() -> None:
    with serving("exec:read x; echo $x $NCAT_PROTO $NCAT_REMOTE_PORT", ADDRESS) as served, peer_of(served) as client:
        answer = ask(client, b"hello\n")
        assert answer == b"hello UDP %d\n" % client.getsockname()[1]
        assert served.events.wait(Closed).reason in ("end", "idle")


def test_server_does_not_answer_itself() -> None:
    with serving("echo", ADDRESS) as served, peer_of(served) as client:
        bound = served.server._listener.sockets[0]
        bound.sendto(b"forged", ("127.0.0.1", served.port))
        denied = served.events.wait(Denied)
        assert denied.peer.port == served.port and "own address" in denied.reason
        assert ask(client, b"x") == b"x"
        assert served.events.wait(Opened).peer.port == client.getsockname()[1]


def test_unix_datagrams(tmp_path: Path) -> None:
    with serving("echo", f"unixgram://{tmp_path}/server") as served:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.bind(f"{tmp_path}/client")
            client.connect(f"{tmp_path}/server")
            assert ask(client, b"by path") == b"by path"
        assert served.events.wait(Opened).peer.path == f"{tmp_path}/client"


@pytest.mark.parametrize("handler", ["chargen", "chat", "broker", "proxy"])
def test_what_would_make_more_of_a_datagram_is_refused(handler: str) -> None:
    with pytest.raises(UsageError, match="forged"):
        serving(handler, ADDRESS).__enter__()


async def acoroutine(connection: object) -> None:
    return None


@pytest.mark.parametrize(
    ("handler", "options"),
    [("echo", {"engine": "async"}), (acoroutine, {}), ("echo", {"chunk": 5}), ("echo", {"framing": "line"})],
)
def test_what_is_for_streams_is_refused(handler: object, options: dict[str, object]) -> None:
    with pytest.raises(UsageError) as caught:
        serving(handler, ADDRESS, **options).__enter__()
    assert "\n" not in str(caught.value) and "datagram" in str(caught.value)


def test_a_burst_while_it_stops() -> None:
    with serving("echo", ADDRESS) as served:
        over = threading.Event()

        def flood() -> None:
            with peer_of(served) as client:
                while not over.is_set():
                    with contextlib.suppress(ConnectionRefusedError):
                        client.send(b"x")

        thread = threading.Thread(target=flood)
        thread.start()
        served.wait_open()
        assert served.server.stop() == 0
        over.set()
        thread.join(PATIENCE)


def test_dtls_handshake_that_is_not_complete_takes_no_place_of_a_function() -> None:
    """Nor does it use up ``once``."""

    def greet(connection: Connection) -> None:
        connection.send(b"hello")
        connection.receive()

    with serving(greet, "dtls://127.0.0.1:0", once=True, max_connections=1) as served:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stalled:
            stalled.settimeout(PATIENCE)
            stalled.connect(("127.0.0.1", served.port))
            half = DtlsContext(server_side=False, verify=False).engine(False, "", "")
            for _ in range(2):  # until the cookie is returned, and no further
                assert not half.shake()
                for datagram in half.take_out():
                    stalled.send(datagram)
                half.feed(stalled.recv(65536))
            assert served.server.connections == []
            with pytest.raises(wirecat.WirecatError):
                wirecat.connect(f"dtls://127.0.0.1:{served.port}")
            with wirecat.connect(f"dtls://127.0.0.1:{served.port}?verify=no") as client:
                assert client.receive() == b"hello"
                assert [each.peer.port for each in served.server.connections] == [client.local.port]
        assert served.server.wait(PATIENCE)
        assert served.server.served == 1
