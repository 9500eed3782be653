"""The verb on real sockets: right replies, wrong replies, rude servers, threads, loops, Ctrl-C."""

from __future__ import annotations

import asyncio
import socket
import sys
import textwrap
import threading

import pytest

from peers import Program
from swarm.servers import (
    PATIENCE,
    Scripted,
    SelectorEcho,
    answering,
    echo,
    never_accepts,
    nobody_listens,
    pieces,
    reset,
    silent,
)
from wirecat.errors import AddressError, UnknownHost, UsageError
from wirecat.swarm.swarm import swarm


def test_every_reply_is_right(loop_name: str) -> None:
    with Scripted(answering(lambda data: b"You told me: " + data)) as server:
        result = swarm(server.address, 20, messages=5, expect="You told me: {data}")
    assert result.ok and result.checked
    assert result.loop == loop_name
    assert (result.clients, result.connected, result.messages_sent) == (20, 20, 100)
    assert (result.replies, result.replies_ok, result.replies_wrong) == (100, 100, 0)
    assert (result.errors, result.first_wrong, result.left_open) == ({}, None, 0)
    assert result.requests_per_second == pytest.approx(100 / result.seconds)
    latency = result.latency_us
    assert 0 < latency.p50 <= latency.p90 <= latency.p99 <= latency.p999 <= latency.max < 60e6
    assert not server.broken


def test_a_thousand_at_once(loop_name: str) -> None:
    with SelectorEcho() as server:
        result = swarm(f"127.0.0.1:{server.port}", 1000, messages=5, expect="echo")
    assert result.ok
    assert (result.connected, result.replies_ok, server.most, server.resets) == (1000, 5000, 1000, 0)


def test_each_message_is_another(loop_name: str) -> None:
    heard: set[bytes] = set()

    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            heard.add(data)
            connection.sendall(data)

    with Scripted(script) as server:
        assert swarm(server.address, 4, messages=3, expect="echo").ok
    assert heard == {b"client %d says %d\n" % (client, n) for client in range(1, 5) for n in range(1, 4)}


def test_unchecked(loop_name: str) -> None:
    with Scripted(answering(lambda data: b"?")) as server:
        result = swarm(server.address, 3, messages=2)
    assert result.ok and not result.checked
    assert (result.replies, result.replies_ok, result.replies_wrong) == (6, None, None)


def test_replies_in_pieces(loop_name: str) -> None:
    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            for byte in data:
                connection.sendall(bytes([byte]))

    with Scripted(script) as server:
        result = swarm(server.address, 5, messages=3, expect="echo")
    assert result.ok and result.replies_ok == 15


def test_one_wrong_reply_among_many_is_found(loop_name: str) -> None:
    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            connection.sendall(b"client 3 says 6\n" if data == b"client 3 says 7\n" else data)

    with Scripted(script) as server:
        result = swarm(server.address, 5, expect="echo")
    assert not result.ok
    assert (result.replies_ok, result.replies_wrong, result.errors) == (49, 1, {})
    wrong = result.first_wrong
    assert wrong is not None
    assert (wrong.client, wrong.message, wrong.got) == (3, 7, b"client 3 says 6\n")


def test_replies_that_went_to_another_client_are_wrong(loop_name: str) -> None:
    """A server that mixes its clients up: each gets what the other one said."""
    said: dict[int, bytes] = {}
    both = threading.Barrier(2, timeout=PATIENCE)

    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            mine = int(data.split()[1])
            said[mine] = data
            both.wait()
            connection.sendall(said[3 - mine])

    with Scripted(script) as server:
        result = swarm(server.address, 2, messages=1, expect="echo")
    assert (result.replies_ok, result.replies_wrong) == (0, 2)


@pytest.mark.parametrize("reply", [lambda data: data + b"!", lambda data: b"no"], ids=["long", "short"])
def test_replies_of_another_length(loop_name: str, reply) -> None:
    with Scripted(answering(reply)) as server:
        result = swarm(server.address, 4, messages=2, expect="echo")
    assert (result.replies_ok, result.replies_wrong, result.errors) == (0, 8, {})


def test_a_reply_that_is_too_short_never_ends(loop_name: str) -> None:
    with Scripted(answering(lambda data: data[:-1])) as server:
        result = swarm(server.address, 4, expect="echo", reply_timeout=0.3)
    assert (result.replies, result.errors) == (0, {"reply_timeout": 4})


def test_silence(loop_name: str) -> None:
    with never_accepts() as port:
        result = swarm(f"127.0.0.1:{port}", 5, reply_timeout=0.3)
    assert (result.connected, result.messages_sent, result.errors) == (5, 5, {"reply_timeout": 5})
    assert result.latency_us.max is None and not result.ok


def test_a_server_that_closes_early(loop_name: str) -> None:
    def script(connection: socket.socket) -> None:
        for _ in range(3):
            connection.sendall(connection.recv(100))
        connection.recv(100)  # takes the fourth, and goes

    with Scripted(script) as server:
        result = swarm(server.address, 5, expect="echo")
    assert (result.replies_ok, result.errors) == (15, {"closed_early": 5})
    assert result.messages_sent == 20


def test_a_server_that_resets(loop_name: str) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(connection.recv(100))
        connection.recv(100)
        reset(connection)

    with Scripted(script) as server:
        result = swarm(server.address, 5, expect="echo")
    assert (result.replies_ok, result.errors) == (5, {"reset": 5})


def test_a_server_that_turns_some_away(loop_name: str) -> None:
    served, lock = 0, threading.Lock()

    def script(connection: socket.socket) -> None:
        nonlocal served
        with lock:
            served += 1
            if served > 3:
                return
        echo(connection)

    with Scripted(script) as server:
        result = swarm(server.address, 10, expect="echo")
    assert result.replies_ok == 30
    assert result.failed == 7 and set(result.errors) <= {"closed_early", "reset"}


def test_nobody_is_there(loop_name: str) -> None:
    with nobody_listens() as port:
        result = swarm(port, 5)
    assert (result.connected, result.messages_sent, result.errors) == (0, 0, {"refused": 5})
    assert not result.ok and result.requests_per_second == 0.0


def test_a_bare_port_finds_a_server_on_ipv6_alone(loop_name: str) -> None:
    with Scripted(echo, host="::1") as server:
        result = swarm(server.port, 5, expect="echo")
    assert result.ok and server.accepted == 5


def test_the_address_that_answers_comes_first_for_all() -> None:
    scout = sys.modules[swarm.__module__]._scout
    with Scripted(echo, host="::1") as server:
        candidates = [(socket.AF_INET, ("127.0.0.1", server.port)), (socket.AF_INET6, ("::1", server.port, 0, 0))]
        first = scout(candidates, 5.0)
        assert first is not None and not first.getblocking()
        first.close()
        assert candidates[0][0] == socket.AF_INET6
    assert scout(candidates, 5.0) is None  # nobody is there any more
    assert scout(candidates[:1], 5.0) is None  # nothing to choose from


def test_for_a_time(loop_name: str) -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 5, duration=0.5, expect="echo")
    assert result.ok
    assert 0.5 <= result.seconds < 5
    assert result.messages_sent == result.replies_ok > 5


def test_large_messages(loop_name: str) -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 3, messages=3, message="{n}" + "x" * 3_000_000, expect="echo")
    assert result.ok and result.replies_ok == 9


@pytest.mark.parametrize("more", [{"size": 100_000}, {"payload": bytes(range(256)) * 999}, {"size": 1}])
def test_sizes_and_payloads(loop_name: str, more: dict) -> None:
    with Scripted(echo) as server:
        result = swarm(server.address, 3, messages=3, expect="echo", **more)
    assert result.ok and result.replies_ok == 9
    assert result.processor_share >= 0


def test_an_answer_before_all_was_read(loop_name: str) -> None:
    """Unchecked, the next message leaves while the rest of the last one is still on its way."""

    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            connection.sendall(data[:1])

    with Scripted(script) as server:
        result = swarm(server.address, 3, messages=3, message="x" * 3_000_000, newline="none")
    assert result.replies == 9


def test_bytes_are_kept_as_they_are(loop_name: str) -> None:
    with Scripted(echo) as server:
        assert swarm(server.address, 2, message="\udcff\0Ä{n}", newline="crlf", expect="echo").ok


def test_no_descriptors_are_left(loop_name: str) -> None:
    program = """
        import resource, sys
        from wirecat.swarm import interrupts, swarm as room
        if sys.argv[2] == "asyncio":
            interrupts.loop_factory = lambda: None
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        result = room.swarm(sys.argv[1], 60, messages=1, expect="echo")
        print(result.connected, result.replies_ok, result.errors)
    """
    if sys.platform == "win32":
        pytest.skip("no such limit")
    with Scripted(echo) as server, script(program, server.address, loop_name) as run:
        assert run.wait() == 0
        connected, right, errors = run.stdout.decode().split(maxsplit=2)
    assert connected == right
    assert 0 < int(connected) < 40
    assert errors.strip() == str({"no_descriptors": 60 - int(connected)})


INTERRUPTED = """
    import os, sys
    from wirecat.swarm import interrupts, swarm as room
    if sys.argv[2] == "asyncio":
        interrupts.loop_factory = lambda: None
    def watch(progress):
        if progress.phase == sys.argv[3] and (progress.replies or progress.phase == "connecting"):
            os.write(1, b"now\\n")
    result = room.swarm(sys.argv[1], 20, duration=60, connect_rate=float(sys.argv[4]), expect="echo", progress=watch)
    print(result.interrupted, result.ok, result.connected, result.messages_sent - result.replies, result.errors)
"""


def script(program: str, *arguments: str) -> Program:
    return Program([sys.executable, "-c", textwrap.dedent(program), *arguments])


def test_ctrl_c_gives_the_result_so_far(loop_name: str) -> None:
    with Scripted(echo) as server:
        with script(INTERRUPTED, server.address, loop_name, "talking", "2000") as run:
            run.wait_for("stdout", b"now")
            run.interrupt()
            assert run.wait() == 0
            *flags, connected, unanswered, errors = run.stdout.decode().splitlines()[-1].split(maxsplit=4)
    assert (flags, connected, errors) == (["True", "False"], "20", "{}")
    assert 0 <= int(unanswered) <= 20
    assert not server.broken


def test_ctrl_c_while_connecting(loop_name: str) -> None:
    with Scripted(echo) as server:
        with script(INTERRUPTED, server.address, loop_name, "connecting", "1") as run:
            run.wait_for("stdout", b"now\n")
            run.interrupt()
            assert run.wait() == 0
            assert run.stdout.splitlines()[-1].startswith(b"True False ")
            assert run.stdout.splitlines()[-1].endswith(b" 0 {}")
    assert not server.broken


CUT = """
    import os, signal, sys
    from wirecat.swarm import crowd, interrupts, swarm as room
    crowd.CLOSING_TIME = 60.0
    if sys.argv[2] == "asyncio":
        interrupts.loop_factory = lambda: None
    def watch(progress):
        if progress.phase in ("talking", "closing"):
            os.kill(os.getpid(), signal.SIGINT)
    try:
        room.swarm(sys.argv[1], 4, progress=watch)
    except KeyboardInterrupt:
        print("cut", flush=True)
"""


def test_the_second_ctrl_c_cuts(loop_name: str) -> None:
    """No server closes these connections, and nobody waits for that; what is open is closed before the loop is."""
    with never_accepts() as port:
        with script(CUT, f"127.0.0.1:{port}", loop_name) as run:
            assert run.wait() == 0
    assert (run.stdout, run.stderr) == (b"cut\n", b"")


def test_in_a_thread_and_beside_other_loops(loop_name: str) -> None:
    results = []
    with Scripted(echo) as server:

        async def beside() -> None:
            results.append(await asyncio.to_thread(swarm, server.address, 5, expect="echo"))

        asyncio.run(beside())
        thread = threading.Thread(target=lambda: results.append(swarm(server.address, 5, expect="echo")))
        thread.start()
        thread.join(PATIENCE)
    assert [result.ok for result in results] == [True, True]


def test_inside_a_loop_it_says_what_to_do() -> None:
    async def inside() -> None:
        swarm(12345, 1)

    with pytest.raises(UsageError, match="to_thread"):
        asyncio.run(inside())


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("70000", AddressError),
        ("abc", AddressError),
        ("0", AddressError),
        ("unix:///tmp/x", AddressError),
        ("exec:cat", AddressError),
        ("tcp://127.0.0.1:1?source=:1", AddressError),
        ("no-such-host.invalid:12345", UnknownHost),
    ],
)
def test_addresses_that_cannot_be(address: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        swarm(address, 1)


def test_options_are_checked_before_any_socket_opens() -> None:
    with Scripted(silent) as server:
        with pytest.raises(UsageError):
            swarm(server.address, 1, messages=1, duration=1)
    assert server.accepted == 0
