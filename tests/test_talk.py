"""Connecting with one deadline and with retries, waiting for a server, listening."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from background import PATIENCE, Background, stays
from event_loops import on_each_loop, settled
from leaks import nothing_left_behind as nothing_left_behind
from plain_peers import everything, free_port, refusing, silent
from wirecat import talk
from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.errors import (
    AddressError,
    ConnectionBroken,
    ConnectionClosed,
    ListenError,
    NoAnswer,
    Refused,
    UnknownHost,
    Unreachable,
    UsageError,
    WirecatError,
)
from wirecat.talk import connect, connect_async, listen, wait

needs_silence = pytest.mark.skipif(sys.platform != "linux", reason="needs a port that does not answer")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        yield listening


@pytest.fixture
def address(server: socket.socket) -> str:
    return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each attempt to open a stream began."""
    begun: list[float] = []
    real = talk.open_stream

    def open_stream(address: Address, deadline: Deadline) -> Any:
        begun.append(time.monotonic())
        return real(address, deadline)

    monkeypatch.setattr(talk, "open_stream", open_stream)
    return begun


# connect


def test_connect(server: socket.socket, address: str) -> None:
    with connect(address) as connection:
        accepted, _ = server.accept()
        with accepted:
            connection.send_line("hello")
            assert accepted.recv(100) == b"hello\n"
            assert str(connection.peer) == address
            assert connection.timeout is None, "the time for connecting is for that alone"


def test_a_bare_port_is_this_pc_by_either_family() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        with connect(server.getsockname()[1]) as connection:
            assert connection.peer.host == "::1"


def test_a_name_is_tried_by_all_its_addresses(monkeypatch: pytest.MonkeyPatch, server: socket.socket) -> None:
    port = server.getsockname()[1]
    places = [(socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port))]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *rest: [(family, socket.SOCK_STREAM, 6, "", place) for family, place in places]
    )
    with connect(f"host.example:{port}") as connection:
        assert connection.peer.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ("nobody.invalid:80", UnknownHost),
        ("127.0.0.1:0", AddressError),
        ("70000", AddressError),
        ("gopher://host:70", AddressError),
    ],
)
def test_what_trying_again_does_not_mend(wrong: str, kind: type, attempts: list[float]) -> None:
    with pytest.raises(kind):
        connect(wrong, retry=5)
    with pytest.raises(kind):
        wait(wrong, timeout=5)
    assert len(attempts) <= 2


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": -1}, {"timeout": float("nan")}, {"retry": -1}])
def test_wrong_options(options: dict[str, Any], attempts: list[float]) -> None:
    with pytest.raises(UsageError):
        connect("12345", **options)
    assert not attempts


@needs_silence
def test_silence_takes_no_longer_than_the_timeout() -> None:
    with silent() as port:
        started = time.monotonic()
        with pytest.raises(NoAnswer, match=r"^connect 127\.0\.0\.1:\d+: no answer in 0\.4 s"):
            connect(f"127.0.0.1:{port}", timeout=0.4)
        assert 0.35 < time.monotonic() - started < 2


# Retries


def test_retries_are_counted(attempts: list[float]) -> None:
    told: list[tuple[WirecatError, float]] = []
    with refusing() as port:
        for retry in (0, 1, 3):
            attempts.clear()
            told.clear()
            with pytest.raises(Refused):
                connect(f"127.0.0.1:{port}", retry=retry, on_retry=lambda *what: told.append(what))
            assert len(attempts) == retry + 1
            assert len(told) == retry
    pauses = [seconds for _, seconds in told]
    for pause, whole in zip(pauses, (0.1, 0.2, 0.4), strict=True):
        assert 0.8 * whole <= pause <= whole
    assert all(isinstance(error, Refused) for error, _ in told)
    gaps = [later - earlier for earlier, later in zip(attempts, attempts[1:], strict=False)]
    assert all(gap >= pause for gap, pause in zip(gaps, pauses, strict=True))


def test_the_pause_grows_to_five_seconds(monkeypatch: pytest.MonkeyPatch, attempts: list[float]) -> None:
    monkeypatch.setattr(talk, "_pause", lambda seconds: None)
    pauses: list[float] = []
    with refusing() as port, pytest.raises(Refused):
        connect(f"127.0.0.1:{port}", timeout=None, retry=12, on_retry=lambda error, seconds: pauses.append(seconds))
    assert 4 <= min(pauses[-3:]) <= max(pauses) <= 5


def test_a_retry_may_succeed(attempts: list[float]) -> None:
    port = free_port()
    with contextlib.ExitStack() as stack:

        def told(error: WirecatError, seconds: float) -> None:
            if len(attempts) == 2:
                stack.enter_context(socket.create_server(("127.0.0.1", port)))

        with connect(f"127.0.0.1:{port}", retry=10, on_retry=told) as connection:
            assert connection.peer.port == port
    assert len(attempts) == 3


def test_the_deadline_is_for_all_the_retries(attempts: list[float]) -> None:
    with refusing() as port:
        started = time.monotonic()
        with pytest.raises(Refused):
            connect(f"127.0.0.1:{port}", timeout=0.5, retry=1000)
        assert 0.45 < time.monotonic() - started < 2
    assert 2 < len(attempts) < 10


@needs_silence
def test_a_refusal_is_told_rather_than_the_silence_after_it(
    attempts: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last try has little time; that it got no answer says less than what came before."""
    outcomes = [Refused("connection refused"), NoAnswer("no answer in 0.1 s")]

    def open_stream(address: Address, deadline: Deadline) -> Any:
        raise outcomes.pop(0)

    monkeypatch.setattr(talk, "open_stream", open_stream)
    with pytest.raises(Refused) as caught:
        connect("127.0.0.1:80", retry=1)
    assert isinstance(caught.value.__cause__, NoAnswer)


def test_what_on_retry_raises_ends_it(attempts: list[float]) -> None:
    def no_more(error: WirecatError, seconds: float) -> None:
        raise ZeroDivisionError

    with refusing() as port, pytest.raises(ZeroDivisionError):
        connect(f"127.0.0.1:{port}", retry=5, on_retry=no_more)
    assert len(attempts) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("where", ["pause", "silence", "lookup"])
def test_ctrl_c_ends_it_at_once(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    main = threading.main_thread().ident or 0
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT))
    released = threading.Event()
    looked_up = threading.Event()
    started = time.monotonic()

    def slow(*arguments: Any) -> Any:
        released.wait(30)
        looked_up.set()
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with refusing() as refused, silent() as dropped, pytest.raises(KeyboardInterrupt):
        if where == "lookup":
            monkeypatch.setattr(socket, "getaddrinfo", slow)
        timer.start()
        if where == "pause":
            monkeypatch.setattr(talk, "FIRST_PAUSE", 20.0)
            connect(f"127.0.0.1:{refused}", timeout=30, retry=5)
        else:
            connect(f"127.0.0.1:{dropped}" if where == "silence" else "slow.example:80", timeout=30)
    assert time.monotonic() - started < 5
    timer.join()
    released.set()
    assert where != "lookup" or looked_up.wait(5)


# wait


def test_what_will_not_change_is_not_tried_again(attempts: list[float]) -> None:
    """A certificate, a password: the next try would end in the same way. A target that a proxy cannot reach may come."""
    from plain_peers import serving
    from wirecat.endpoints.tls_context import server_context
    from wirecat.errors import CertificateError, ProxyError

    def nobody(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            server_context().wrap_socket(connection, server_side=True)

    with serving(nobody) as server:
        with pytest.raises(CertificateError):
            connect(f"tls://127.0.0.1:{server.port}", retry=3)
    assert len(attempts) == 1
    for reply, tries in ((b"\x05\xff", 1), (b"\x05\x00\x05\x05\x00\x01" + bytes(6), 3)):

        def proxy(connection: socket.socket, reply: bytes = reply) -> None:
            connection.recv(100)
            connection.sendall(reply)
            everything(connection)

        attempts.clear()
        with serving(proxy, clients=tries) as server:
            with pytest.raises(ProxyError):
                connect(f"127.0.0.1:1?proxy=socks5://127.0.0.1:{server.port}", retry=2)
        assert len(attempts) == tries


@pytest.mark.parametrize("address", ["udp://127.0.0.1:1", "exec:true", "-"])
def test_where_nobody_accepts_there_is_nothing_to_wait_for(address: str) -> None:
    with pytest.raises(AddressError, match="nobody accepts"):
        wait(address, timeout=1)


def test_wait_for_one_that_is_there(server: socket.socket, address: str) -> None:
    assert 0 <= wait(address, timeout=5) < 2
    accepted, _ = server.accept()
    with accepted:
        assert everything(accepted) == b""


def test_wait_for_one_that_comes() -> None:
    port = free_port()
    with contextlib.ExitStack() as stack:
        timer = threading.Timer(0.5, lambda: stack.enter_context(socket.create_server(("127.0.0.1", port))))
        timer.start()
        took = wait(f"127.0.0.1:{port}", timeout=20)
        timer.join()
    assert 0.4 < took < 10


def test_wait_for_one_that_never_comes() -> None:
    with refusing() as port:
        started = time.monotonic()
        with pytest.raises(NoAnswer, match=r"^wait 127.*did not accept within 0\.5 s \(last: connection refused\)"):
            wait(f"127.0.0.1:{port}", timeout=0.5)
        assert 0.45 < time.monotonic() - started < 2


@needs_silence
def test_wait_for_one_that_is_silent() -> None:
    with silent() as port, pytest.raises(NoAnswer, match=r"within 0\.5 s"):
        wait(f"127.0.0.1:{port}", timeout=0.5)


@needs_silence
def test_wait_does_not_spend_it_all_on_one_syn_that_was_dropped(attempts: list[float]) -> None:
    """The kernel asks again after 1, 3, 7, … s; the server may be there long before."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as busy, socket.socket() as filler:
        place = busy.getsockname()
        filler.connect(place)
        with Background(lambda: wait(f"127.0.0.1:{place[1]}", timeout=30)) as waiting:
            assert stays(lambda: waiting.running, 1.5)
            with busy.accept()[0]:
                assert waiting.result() < 10
    assert len(attempts) >= 2


def test_wait_counts_no_time_of_parting(server: socket.socket, address: str) -> None:
    """A server that greets and waits would hold the close for a moment."""

    def greet() -> socket.socket:
        accepted, _ = server.accept()
        accepted.sendall(b"220 ready\r\n")
        return accepted

    with Background(greet) as greeting:
        assert wait(address, timeout=5) < 0.9
        greeting.result().close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs Unix domain sockets")
def test_wait_for_a_path_that_comes(tmp_path: Path) -> None:
    path = tmp_path / "x.socket"
    with contextlib.ExitStack() as stack:

        def serve() -> None:
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(str(path))
            listening.listen()

        timer = threading.Timer(0.3, serve)
        timer.start()
        assert wait(f"unix://{path}", timeout=20) > 0.2
        timer.join()
    with pytest.raises(Unreachable):
        connect(f"unix://{tmp_path}/nothing", timeout=5)


# listen


def test_listen() -> None:
    with listen("127.0.0.1:0") as listener:
        assert listener.addresses == (listener.address,)
        assert listener.address.port
        for number in (1, 2):
            with connect(listener.address) as client, listener.accept(5) as connection:
                assert connection.id == number
                assert connection.peer == client.local
                client.send(b"x")
                assert connection.receive() == b"x"


def test_accepting_gives_up_after_its_time() -> None:
    with listen("127.0.0.1:0") as listener:
        with pytest.raises(TimeoutError, match=r"nobody connected in 0\.05 s") as caught:
            listener.accept(0.05)
        assert isinstance(caught.value, WirecatError)
        assert str(caught.value).startswith(f"accept {listener.address}")
        with connect(listener.address), listener.accept(5):
            pass


def test_accepted_connections_go_on_without_the_listener() -> None:
    with listen("127.0.0.1:0") as listener, connect(listener.address) as client:
        connection = listener.accept(5)
        listener.close()
        listener.close()
        with connection:
            client.send(b"x")
            assert connection.receive() == b"x"
        with pytest.raises(ListenError, match="closed"):
            listener.accept(5)


def test_closing_the_listener_ends_an_accept_that_waits() -> None:
    with listen(0) as listener, Background(listener.accept) as accepting:
        assert stays(lambda: accepting.running)
        listener.close()
        with pytest.raises(ListenError, match="closed"):
            accepting.result()


def test_what_cannot_be_listened_on() -> None:
    with listen("127.0.0.1:0") as listener:
        with pytest.raises(ListenError, match="taken"):
            listen(listener.address)
    with pytest.raises(AddressError):
        listen("-")


def test_no_descriptors_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("127.0.0.1:0") as listener:

        def accept(timeout: float | None) -> Any:
            raise OSError(errno.EMFILE, "Too many open files")

        monkeypatch.setattr(type(listener._listener), "accept", lambda self, timeout: accept(timeout))
        with pytest.raises(ListenError, match=r"^accept 127.*Too many open files") as caught:
            listener.accept()
        assert caught.value.errno == errno.EMFILE


# connect_async


@on_each_loop
async def test_connect_on_a_loop() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with await connect_async(f"127.0.0.1:{server.getsockname()[1]}") as connection:
            accepted, _ = await asyncio.to_thread(server.accept)
            with accepted:
                await connection.send_line("hello")
                assert await asyncio.to_thread(accepted.recv, 100) == b"hello\n"
                accepted.shutdown(socket.SHUT_WR)
                assert await connection.receive() is None
                place = accepted.getsockname()
        assert connection.peer == Address("tcp", *place), "also afterwards"


@on_each_loop
async def test_failures_on_a_loop() -> None:
    told: list[float] = []
    with refusing() as port:
        with pytest.raises(Refused):
            await connect_async(f"127.0.0.1:{port}", retry=2, on_retry=lambda error, seconds: told.append(seconds))
    assert len(told) == 2
    with pytest.raises(UnknownHost):
        await connect_async("nobody.invalid:80")
    with pytest.raises(AddressError):
        await connect_async("70000")


@on_each_loop
async def test_what_a_loop_cannot_drive_is_left_closed() -> None:
    with pytest.raises(UsageError, match="event loop"):
        await connect_async("-")


@on_each_loop
async def test_the_loop_goes_on_while_it_connects() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    counting = asyncio.ensure_future(count())
    with silent() as port, pytest.raises(NoAnswer):
        await connect_async(f"127.0.0.1:{port}", timeout=0.5)
    counting.cancel()
    assert turns > 10


@on_each_loop
async def test_silent_hosts_do_not_hold_up_others() -> None:
    """However many there are."""
    with silent() as port, socket.create_server(("127.0.0.1", 0)) as server:
        waiting = [asyncio.ensure_future(connect_async(f"127.0.0.1:{port}", timeout=2)) for _ in range(60)]
        await asyncio.sleep(0)
        started = time.monotonic()
        async with await connect_async(f"127.0.0.1:{server.getsockname()[1]}", timeout=10):
            assert time.monotonic() - started < 1.5
        for failed in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(failed, NoAnswer)


@on_each_loop
async def test_a_cancelled_connect_leaves_no_connection_open() -> None:
    released = threading.Event()
    real = talk.open_stream

    def open_stream(address: Address, deadline: Deadline) -> Any:
        stream = real(address, deadline)
        released.wait(10)
        return stream

    with socket.create_server(("127.0.0.1", 0)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(talk, "open_stream", open_stream)
        connecting = asyncio.ensure_future(connect_async(f"127.0.0.1:{server.getsockname()[1]}"))
        accepted, _ = await asyncio.to_thread(server.accept)
        with accepted:
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            released.set()
            accepted.settimeout(PATIENCE)
            assert await asyncio.to_thread(accepted.recv, 1) == b""


def test_a_cancelled_connect_does_not_hold_up_the_end_of_the_program() -> None:
    async def main() -> None:
        with silent() as port:
            connecting = asyncio.ensure_future(connect_async(f"127.0.0.1:{port}", timeout=3))
            await asyncio.sleep(0.1)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting

    started = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - started < 2
    assert [each.daemon for each in threading.enumerate() if each.name == "wirecat-connect"] == [True]


@on_each_loop
async def test_a_retry_that_nobody_waits_for_ends() -> None:
    with refusing() as port:
        connecting = asyncio.ensure_future(connect_async(f"127.0.0.1:{port}", timeout=60, retry=1000))
        await asyncio.sleep(0.05)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert await settled(lambda: all(each.name != "wirecat-connect" for each in threading.enumerate()), 10)


def test_a_connection_is_what_the_library_gives() -> None:
    with listen("127.0.0.1:0") as listener, connect(listener.address) as client:
        assert type(client) is Connection
        client.close()
        with pytest.raises(ConnectionClosed):
            client.send(b"x")
        with listener.accept(5) as accepted, contextlib.suppress(ConnectionBroken):
            assert accepted.receive() is None
