"""A server that speaks TLS, by threads and by the event loop: the same to see, and nobody is held up by a handshake."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from leaks import nothing_left_behind  # noqa: F401
from server.clients import PATIENCE, Served, eventually, everything, reset, serving
from wirecat import AsyncConnection, Connection
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints import tcp
from wirecat.endpoints.certificate import make_certificate
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.tls import TlsListener, TlsStream, client_context, server_context
from wirecat.endpoints.tls_facts import TlsFacts
from wirecat.events import Closed, Denied, Failed, HalfClosed, Opened
from wirecat.server import handshakes
from wirecat.system.loops import loop_factory
from wirecat.taps.tap import Tap

ADDRESS = "tls://127.0.0.1:0"


def client_hello() -> bytes:
    """The first that a client sends."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        trusting().wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


HELLO = client_hello()


@contextlib.contextmanager
def serving_tls(handler: Any, handshake_time: float, **options: Any) -> Iterator[Served]:
    """As ``serving``, with another time for the handshake."""
    listener = TlsListener(
        tcp.open_listener(Address.parse("127.0.0.1:0"), 1024), server_context, handshake_time=handshake_time
    )
    with serving(handler, listener=listener, **options) as served:
        yield served


@pytest.fixture(scope="module", autouse=True)
def a_loop_has_run() -> None:
    """uvloop's first loop opens a pipe that stays as long as the process."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(asyncio.sleep(0))


def shaken(served: Served) -> ssl.SSLSocket:
    """A client of the standard library, which has shaken hands."""
    return trusting().wrap_socket(served.connect())


def with_halves(served: Served) -> Connection:
    """A client that can end its half, which the standard library's cannot."""
    stream = TlsStream.connect(SocketStream(served.connect()), client_context(verify=False), "localhost", Deadline(9))
    return Connection(stream)


def test_it_answers(engine: str) -> None:
    with serving("echo", ADDRESS, engine=engine) as served:
        assert served.server.address.scheme == "tls"
        with shaken(served) as client:
            client.sendall(b"Hallo")
            assert client.recv(10) == b"Hallo"
            opened = served.events.wait(Opened)
            assert opened.peer.port == client.getsockname()[1]
            with contextlib.suppress(ssl.SSLError, OSError):
                client.unwrap()
        closed = served.events.wait(Closed)
        assert (closed.by, closed.reason, closed.received, closed.sent) == ("peer", "end", 5, 5)
        assert served.events.names(1) == ["opened", "half_closed", "closed"]
        assert served.server.served == 1


def test_a_client_that_ends_its_half_gets_its_whole_answer(engine: str) -> None:
    data = os.urandom(1 << 20)
    with serving("echo", ADDRESS, engine=engine) as served, with_halves(served) as client:

        def send() -> None:
            for _ in range(10):
                client.send(data)
            client.half_close()

        sender = threading.Thread(target=send)
        sender.start()
        got = hashlib.sha256()
        while (piece := client.receive()) is not None:
            got.update(piece)
        sender.join(PATIENCE)
        assert got.digest() == hashlib.sha256(data * 10).digest()
        closed = served.events.wait(Closed)
        assert (closed.by, closed.reason, closed.received) == ("peer", "end", 10 << 20)
        assert len(served.events.of(HalfClosed)) == 1


def test_a_server_that_ends_first(engine: str) -> None:
    with serving("daytime", ADDRESS, engine=engine) as served:
        with with_halves(served) as client:
            client.send(b"unread")
            line = client.receive_line()
            assert line and client.receive() is None
        assert served.events.wait(Closed).by == "server"


def test_an_endless_answer_ends_with_the_client(engine: str) -> None:
    with serving("chargen", ADDRESS, engine=engine) as served:
        client = shaken(served)
        assert len(client.recv(100)) == 100
        reset(client)
        assert served.events.wait(Closed).by == "peer"


def test_an_endless_answer_to_a_slow_reader_is_bounded(engine: str) -> None:
    with serving("chargen", ADDRESS, engine=engine) as served, shaken(served) as client:
        served.wait_open()
        sent = -1
        while (now := served.server.connections[0].sent) != sent:
            sent = now
            threading.Event().wait(0.3)
        assert 0 < sent < 40 << 20
        left = 1 << 20
        while left > 0:
            left -= len(client.recv(65536))


def shout(connection: Connection) -> None:
    for line in connection.lines():
        connection.send_line(line.upper())


async def ashout(connection: AsyncConnection) -> None:
    async for line in connection.lines():
        await connection.send_line(line.upper())


@pytest.mark.parametrize("kind", ["responder", "function"])
def test_what_tls_agreed_on_is_known_when_the_connection_opens(engine: str, kind: str) -> None:
    seen: list[TlsFacts | None] = []

    class Looking(Tap):
        def opened(self, connection: Any) -> None:
            seen.append(connection.tls)

        def chunk(self, connection: int, direction: str, data: bytes, when: float) -> None:
            return

    handler: Any = "echo" if kind == "responder" else shout if engine == "threads" else ashout
    chosen = {"engine": engine} if kind == "responder" else {}
    with serving(handler, ADDRESS, **chosen) as served:
        served.server.attach(Looking())
        with shaken(served) as client:
            client.sendall(b"hallo\n")
            assert client.recv(10).lower() == b"hallo\n"
            agreed = client.cipher()
            assert agreed is not None
            (facts,) = seen
            assert facts is not None
            assert (facts.version, facts.cipher) == (client.version(), agreed[0])


def test_functions_too(engine: str) -> None:
    with serving(shout if engine == "threads" else ashout, ADDRESS) as served, with_halves(served) as client:
        client.send(b"one\ntwo")
        client.half_close()
        assert list(client.lines()) == ["ONE", "TWO"]
        assert served.events.wait(Closed).reason == "end"
        assert served.events.names(1) == ["opened", "half_closed", "closed"]


@pytest.mark.parametrize("handler", ["echo", "function"])
def test_a_handshake_that_stalls_holds_up_nobody(engine: str, handler: str) -> None:
    call: Any = handler if handler == "echo" else shout if engine == "threads" else ashout
    options = {"engine": engine} if handler == "echo" else {}
    with serving_tls(call, handshake_time=0.6, **options) as served:
        stalled = [served.connect() for _ in range(20)]
        stalled[0].sendall(b"\x16\x03\x01")  # the beginning of a record
        began = time.monotonic()
        with shaken(served) as client:
            client.sendall(b"HELLO\n")
            assert client.recv(10) == b"HELLO\n"
            assert time.monotonic() - began < 5
            served.events.wait(Opened)
            assert len(served.events.of(Opened)) == 1
            denied = served.events.wait(Denied, 20)
            assert denied.reason.startswith("no TLS: ") and "0.6 s" in denied.reason
            client.sendall(b"STILL\n")
            assert client.recv(10) == b"STILL\n"
        for each in stalled:
            everything(each)
            each.close()
        served.events.wait(Closed)
        assert len(served.events.of(Closed)) == 1 and not served.failures
        assert served.server.connections == [] and served.server.served == 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", "does not speak TLS"),
        (b"\x16\x03\x01\x00\x05hello", "no TLS: "),
        (b"\x00" * 100, "does not speak TLS"),
        (b"", "ended the connection"),
        (b"\x16", "ended the connection"),
    ],
)
def test_a_handshake_that_fails_is_told(engine: str, said: bytes, reason: str) -> None:
    with serving("echo", ADDRESS, engine=engine) as served:
        with served.connect() as client:
            client.sendall(said)
            port = client.getsockname()[1]
            client.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                everything(client)
        denied = served.events.wait(Denied)
        assert reason in denied.reason and "\n" not in denied.reason
        assert denied.peer.port == port
        assert not served.events.of(Opened, Closed) and not served.failures
        with shaken(served) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"


def test_a_client_that_resets_in_the_handshake(engine: str) -> None:
    with serving("echo", ADDRESS, engine=engine) as served:
        for _ in range(20):
            client = served.connect()
            client.sendall(b"\x16\x03\x01\x02\x00")
            reset(client)
        served.events.wait(Denied, 20)
        assert served.server.connections == [] and not served.failures


def test_stalled_handshakes_take_no_places(engine: str) -> None:
    """They are no connections: not in the table, not counted for the limit, and a stop does not wait for them."""
    with serving("echo", ADDRESS, engine=engine, max_connections=2) as served, contextlib.ExitStack() as stack:
        for number in range(60):
            client = stack.enter_context(served.connect())
            client.sendall(HELLO[: number % 3 * 20])
        one, two = (stack.enter_context(shaken(served)) for _ in range(2))
        for client in (one, two):
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        assert len(served.server.connections) == 2
        with served.connect() as three:
            assert everything(three) == b""
        assert served.events.wait(Denied).reason == "connection limit reached (2)"
        began = time.monotonic()
        served.server.stop(0)
        assert time.monotonic() - began < 3


def test_limit_is_looked_at_again_when_the_handshake_is_complete(engine: str) -> None:
    with serving("echo", ADDRESS, engine=engine, max_connections=1) as served, served.connect() as late:
        late.sendall(HELLO[:20])
        with shaken(served) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            with contextlib.suppress(OSError):  # with TLS 1.3 a client's handshake is complete before the server's
                with trusting().wrap_socket(served.connect()) as other:
                    other.recv(1)
            denied = served.events.wait(Denied)
            assert denied.reason == "connection limit reached (1)"
            late.sendall(HELLO[20:])
            late.recv(4096)
        served.events.wait(Closed)


def test_hello_that_comes_byte_by_byte_has_one_deadline(engine: str) -> None:
    with serving_tls("echo", handshake_time=0.5, engine=engine) as served, served.connect() as client:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            for byte in HELLO:
                client.sendall(bytes([byte]))
                if served.events.of(Denied):
                    break
                time.sleep(0.05)
        assert served.events.wait(Denied).reason == "no TLS: no TLS handshake in 0.5 s"
        assert time.monotonic() - began < 5


def test_hello_that_comes_byte_by_byte_is_understood(engine: str) -> None:
    with serving("echo", ADDRESS, engine=engine) as served, served.connect() as client:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = trusting().wrap_bio(incoming, outgoing)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    client.sendall(bytes([byte]))
                incoming.write(client.recv(65536))
        tls.write(b"x")
        for byte in outgoing.read():
            client.sendall(bytes([byte]))
        assert served.events.wait(Opened)


def test_clients_wait_where_too_many_are_in_their_handshake(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says so, and those that stall are let go."""
    monkeypatch.setattr(handshakes, "CROWDED_TIME", 0.4)
    with serving_tls("echo", handshake_time=60, engine=engine, max_handshakes=3) as served:
        stalled = [served.connect() for _ in range(3)]
        waiting = served.connect()
        assert served.events.wait(Failed).error.startswith("handshake limit reached (3)")
        with trusting().wrap_socket(waiting) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        assert served.events.wait(Denied, 3).reason == "no TLS: no TLS handshake in 0.4 s"
        for each in stalled:
            each.close()
        assert len(served.failures) == 1


def distrust(client: socket.socket) -> None:
    """Refuse the server's certificate, and say so."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            client.sendall(outgoing.read())
            incoming.write(client.recv(65536))
        except ssl.SSLError:
            client.sendall(outgoing.read())
            return


BROKEN_OFF = {
    "no TLS": b"GET / HTTP/1.0\r\n\r\n",
    "nothing": b"",
    "a wrong record": b"\x16\x03\x01\x00\x05hello",
    "a hello": HELLO,
    "half a hello": HELLO[:50],
    "distrust": None,
}


@pytest.mark.parametrize("how", BROKEN_OFF)
def test_failed_handshakes_leave_no_garbage(engine: str, how: str) -> None:
    """What a client that breaks off has cost is free at once, without the garbage collector; with and without a reset."""
    said = BROKEN_OFF[how]
    with serving("echo", ADDRESS, engine=engine) as served:
        with shaken(served) as client:
            client.sendall(b"x")
            client.recv(1)
        served.events.wait(Closed)

        def break_off(end: Any) -> None:
            client = served.connect()
            if said is None:
                distrust(client)
            else:
                client.sendall(said)
            if said == HELLO:
                client.recv(1)
            end(client)

        break_off(reset)
        served.events.wait(Denied)
        gc.collect()
        gc.disable()
        try:
            for number in range(10):
                break_off(reset if number % 2 else socket.socket.close)
            served.events.wait(Denied, 11)
            assert gc.collect() == 0
        finally:
            gc.enable()


def test_the_server_stops_in_the_middle_of_handshakes(engine: str) -> None:
    with serving("echo", ADDRESS, engine=engine) as served:
        clients = [served.connect() for _ in range(5)]
        eventually(lambda: served.server._handshakes.count == 5, "they are in their handshake")  # type: ignore[union-attr]
        began = time.monotonic()
        assert served.server.stop(0.1) == 0
        assert time.monotonic() - began < 1.5
        assert {each.reason for each in served.events.of(Denied)} == {"shutdown"}
        for client in clients:
            client.close()


def test_an_idle_client_is_cut(engine: str) -> None:
    with serving("echo", ADDRESS, engine=engine, idle_timeout=0.2) as served, shaken(served) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        with contextlib.suppress(OSError):
            assert client.recv(1) == b""
        closed = served.events.wait(Closed)
        assert (closed.by, closed.reason) == ("server", "idle")


def test_what_breaks_tls_ends_the_connection(engine: str) -> None:
    with serving("echo", ADDRESS, engine=engine) as served:
        raw = served.connect()
        client = trusting().wrap_socket(raw)
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        descriptor = client.detach()
        with socket.socket(fileno=descriptor) as plain:
            plain.sendall(b"this is no record of TLS")
            with contextlib.suppress(OSError):
                everything(plain)
        assert served.events.wait(Closed).connection == 1
        assert served.server.connections == []


def test_a_certificate_of_ones_own(engine: str, tmp_path: Any) -> None:
    file = tmp_path / "server.pem"
    file.write_bytes(make_certificate().pem)
    with serving("echo", f"{ADDRESS}?cert={file}", engine=engine) as served:
        context = ssl.create_default_context(cafile=str(file))
        context.check_hostname = False
        with context.wrap_socket(served.connect()) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"


def test_clients_may_have_to_show_a_certificate(engine: str, tmp_path: Any) -> None:
    file = tmp_path / "both.pem"
    file.write_bytes(make_certificate().pem)
    with serving("echo", f"{ADDRESS}?cert={file}&ca={file}", engine=engine) as served:
        with contextlib.suppress(OSError), shaken(served) as client:
            client.sendall(b"x")
            assert client.recv(1) == b""
        assert "no TLS: " in served.events.wait(Denied).reason
        context = trusting()
        context.load_cert_chain(file)
        with context.wrap_socket(served.connect()) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"


def test_many_clients_come_and_go(engine: str) -> None:
    """Neither threads nor descriptors stay behind (see the fixture), whatever the end."""
    with serving("echo", ADDRESS, engine=engine) as served:
        for number in range(60):
            client = shaken(served)
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            reset(client) if number % 2 else client.close()
        served.events.wait(Closed, 60)
        assert not served.failures


def test_one_connection_after_which_it_ends(engine: str) -> None:
    with serving("echo", ADDRESS, engine=engine, once=True) as served:
        with shaken(served) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        assert served.server.wait(PATIENCE)


def test_once_counts_only_a_complete_handshake(engine: str) -> None:
    """Scanners that connect, speak HTTP, stall or fail do not use it up; those that stall are let go with the first client."""
    with serving("echo", ADDRESS, engine=engine, once=True) as served:
        served.connect().close()
        with served.connect() as scanner:
            scanner.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert everything(scanner) == b""
        served.events.wait(Denied, 2)
        with served.connect() as stalled:
            assert not served.server.wait(0)
            with shaken(served) as client:
                client.sendall(b"x")
                assert client.recv(1) == b"x"
                assert served.events.wait(Denied, 3).reason == "another client was first"
                assert everything(stalled) == b""
                with pytest.raises(ConnectionRefusedError):
                    served.connect()
        assert served.server.wait(PATIENCE)
        assert served.server.served == 1
