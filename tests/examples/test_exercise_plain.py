"""The exercise's four programs in plain sockets, run against each other as a student would run them."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from peers import PATIENCE, PROJECT, Program, environment, peer

PLAIN = PROJECT / "examples" / "exercise" / "plain"

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="a test can't press Ctrl-C on Windows")


def program(name: str, *arguments: object) -> Program:
    """One of the four, in UTF-8 whatever the terminal of the test run has."""
    words = [sys.executable, PLAIN / name, *(str(each) for each in arguments)]
    return Program(words, env=environment(PYTHONIOENCODING="utf-8"))


def patient_client(port: int) -> Program:
    """The client, but one that takes a longer silence for the end of a reply.

    A reply of many pieces comes without a pause of 0.2 s from a server that runs. On a machine where much else
    runs a server may stand still that long, and that is not what these tests are about.
    """
    code = (
        f"import sys; sys.path.insert(0, {str(PLAIN)!r}); import client; client.SILENCE = 2.0; "
        f"sys.argv[1:] = ['127.0.0.1', '{port}']; sys.exit(client.main())"
    )
    return Program([sys.executable, "-c", code], env=environment(PYTHONIOENCODING="utf-8"))


def port_of(server: Program) -> int:
    return int(server.wait_for("stdout", rb"listening on 127\.0\.0\.1 port (\d+)")[1])


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def receive(connection: socket.socket, expected: bytes) -> None:
    """Receive as many bytes as expected, and check them."""
    received = b""
    while len(received) < len(expected):
        piece = connection.recv(len(expected) - len(received))
        if not piece:
            break
        received += piece
    assert received == expected


def reset(connection: socket.socket) -> None:
    """Break off as a crashed program does: the peer gets a reset and no end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def eventually(condition: Callable[[], bool]) -> bool:
    """Look until it is so, for what tells nobody when it happens; False when it was not so in PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.01)
    return True


@pytest.fixture
def threaded() -> Iterator[tuple[Program, int]]:
    """The multithreaded server and its port."""
    with program("server_threads.py", "127.0.0.1", 0) as server:
        yield server, port_of(server)


# The client


def test_a_talk_with_prompt_reply_and_quit(threaded: tuple[Program, int]) -> None:
    server, port = threaded
    with program("client.py", "127.0.0.1", port) as client:
        client.wait_for("stdout", rb"Input: ")
        client.send(b"Hallo\n")
        first = client.wait_for("stdout", rb"Response from server: You told me: Hallo\s+Input: ")
        client.send(b"quit\n")
        client.wait_for("stdout", b"Response from server: You told me: quit", since=first.end())
        assert client.wait() == 0
        assert client.stderr == b""
    server.wait_for("stdout", rb"says 'Hallo'")
    server.wait_for("stdout", rb"says 'quit'")
    server.wait_for("stdout", rb"has closed \(0 now\)")


def test_an_empty_line_ends_it_unsent(threaded: tuple[Program, int]) -> None:
    server, port = threaded
    with program("client.py", "127.0.0.1", port) as client:
        client.wait_for("stdout", rb"Input: ")
        client.send(b"\n")
        assert client.wait() == 0
    server.wait_for("stdout", rb"has closed \(0 now\)")
    assert b"says" not in server.stdout


def test_the_end_of_its_input_ends_it(threaded: tuple[Program, int]) -> None:
    _, port = threaded
    with program("client.py", "127.0.0.1", port) as client:
        client.close_stdin()
        assert client.wait() == 0


def test_the_line_goes_out_without_a_newline_and_the_whole_reply_is_printed() -> None:
    """A reply of many pieces, split inside a character and with a byte that is no UTF-8, is one reply."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with patient_client(listener.getsockname()[1]) as client:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                client.send("Grüße\n".encode())
                receive(connection, "Grüße".encode())
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                whole = ("ü" * 3000).encode()
                connection.sendall(whole[:2001])
                connection.sendall(whole[2001:] + b"\xff\x1b[2Jend")
                reply = client.wait_for("stdout", rb"Response from server: (.*)end")[1].decode()
                assert reply == "ü" * 3000 + r"\xff\x1b[2J"
                client.send(b"\n")
                assert client.wait() == 0
                assert connection.recv(100) == b""


def test_a_server_that_goes_away_ends_the_client() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with program("client.py", "127.0.0.1", listener.getsockname()[1]) as client:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                client.send(b"Hallo\n")
                receive(connection, b"Hallo")
            client.wait_for("stdout", b"The server has closed the connection")
            assert client.wait() == 1


def test_a_refused_connection_is_told_in_a_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: it refuses, and nobody else gets the port
        port = taken.getsockname()[1]
        with program("client.py", "127.0.0.1", port) as client:
            assert client.wait() == 1
            assert re.fullmatch(rb"127\.0\.0\.1 port %d: .*refused.*\s+" % port, client.stderr)


@needs_signals
def test_ctrl_c_ends_the_client(threaded: tuple[Program, int]) -> None:
    _, port = threaded
    with program("client.py", "127.0.0.1", port) as client:
        client.wait_for("stdout", rb"Input: ")
        # One that comes between the prompt and the read waits there with it, as in any Python: people press again.
        for _ in range(5):
            client.interrupt()
            with contextlib.suppress(subprocess.TimeoutExpired):
                client.process.wait(2)
                break
        assert client.wait() == 130
        assert client.stderr == b""


# The simple server


def test_the_simple_server_answers_each_piece_of_thirty_bytes() -> None:
    with program("server.py", "127.0.0.1", 0) as server:
        with connect(port_of(server)) as connection:
            connection.sendall(b"a" * 30 + b"b" * 30 + b"c")
            receive(connection, b"server got: " + b"a" * 30 + b"server got: " + b"b" * 30 + b"server got: c")
        assert server.wait() == 0
        assert b"the client has closed" in server.stdout
        assert server.stderr == b""


def test_the_simple_server_keeps_characters_whole_and_other_bytes_as_they_are() -> None:
    with program("server.py", "127.0.0.1", 0) as server:
        with connect(port_of(server)) as connection:
            connection.sendall(("x" * 29 + "ü").encode() + b"\xff\xfe")
            receive(connection, b"server got: " + b"x" * 29 + b"server got: " + "ü".encode() + b"\xff\xfe")
            # Half a character, which never gets its other half, is not lost either.
            connection.sendall(b"\xc3")
            receive(connection, b"server got: ")
            connection.shutdown(socket.SHUT_WR)
            receive(connection, b"server got: \xc3")
            assert connection.recv(1) == b""
        assert server.wait() == 0


def test_the_simple_server_serves_one_client_only() -> None:
    with program("server.py", "127.0.0.1", 0) as server:
        port = port_of(server)
        with connect(port) as connection:
            connection.sendall(b"1")
            receive(connection, b"server got: 1")
            with pytest.raises(ConnectionRefusedError):
                connect(port)
        assert server.wait() == 0


def test_the_simple_server_survives_a_client_that_crashes() -> None:
    with program("server.py", "127.0.0.1", 0) as server:
        connection = connect(port_of(server))
        connection.sendall(b"1")
        receive(connection, b"server got: 1")
        reset(connection)
        assert server.wait() == 0
        assert b"the client broke off" in server.stdout
        assert b"Traceback" not in server.stderr


def test_the_simple_client_and_the_simple_server_together() -> None:
    line = "Das sind mehr als dreißig Bytes, größer als ein Stück"
    with program("server.py", "127.0.0.1", 0) as server:
        with patient_client(port_of(server)) as client:
            client.send(f"{line}\n".encode())
            reply = client.wait_for("stdout", rb"Response from server: (.*)\s+Input: ")[1].decode()
            assert reply.count("server got: ") == 2
            assert reply.replace("server got: ", "") == line
            client.send(b"quit\n")
            client.wait_for("stdout", b"server got: quit")
            assert client.wait() == 0
        assert server.wait() == 0


@needs_signals
def test_ctrl_c_ends_the_simple_server_while_it_waits_and_while_it_serves() -> None:
    with program("server.py", "127.0.0.1", 0) as server:
        port_of(server)
        server.interrupt()
        assert server.wait() == 0
        assert server.stderr == b""
    with program("server.py", "127.0.0.1", 0) as server:
        with connect(port_of(server)) as connection:
            server.wait_for("stdout", b"has connected")
            server.interrupt()
            assert server.wait() == 0
            assert connection.recv(1) == b""
        assert server.stderr == b""


def test_a_port_that_is_taken_is_told_in_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for name in ("server.py", "server_threads.py"):
            with program(name, "127.0.0.1", listener.getsockname()[1]) as server:
                assert server.wait() == 1
                assert len(server.stderr.splitlines()) == 1
                assert b"in use" in server.stderr


# The multithreaded server


def test_it_says_who_came_and_what_each_said(threaded: tuple[Program, int]) -> None:
    server, port = threaded
    with connect(port) as first, connect(port) as second:
        for number, connection in enumerate((first, second), start=1):
            connection.sendall(f"{number}. Grüße".encode())
            receive(connection, f"You told me: {number}. Grüße".encode())
        for number, connection in enumerate((first, second), start=1):
            own = connection.getsockname()[1]
            server.wait_for("stdout", rb"client 127\.0\.0\.1 port %d has connected" % own)
            server.wait_for("stdout", f"127.0.0.1 port {own} says '{number}. Grüße'".encode())
    server.wait_for("stdout", rb"has closed \(0 now\)")


def test_half_a_character_waits_for_its_rest(threaded: tuple[Program, int]) -> None:
    server, port = threaded
    with connect(port) as connection:
        connection.sendall(b"gr\xc3")
        receive(connection, b"You told me: gr")
        connection.sendall(b"\xbcn \xe4")
        receive(connection, "You told me: ün ".encode())
        connection.sendall(b"\xff")
        receive(connection, b"You told me: \xe4\xff")
    server.wait_for("stdout", "says 'ün '".encode())


def test_a_client_that_crashes_disturbs_nobody(threaded: tuple[Program, int]) -> None:
    server, port = threaded
    with connect(port) as calm:
        calm.sendall(b"1")
        receive(calm, b"You told me: 1")
        crashing = connect(port)
        crashing.sendall(b"2")
        receive(crashing, b"You told me: 2")
        reset(crashing)
        server.wait_for("stdout", rb"broke off: .* \(1 now\)")
        calm.sendall(b"3")
        receive(calm, b"You told me: 3")
    server.wait_for("stdout", rb"has closed \(0 now\)")
    assert server.stderr == b""


def test_fifty_clients_at_once_and_every_thread_ends(threaded: tuple[Program, int]) -> None:
    server, port = threaded
    with program("many_clients.py", "127.0.0.1", port) as crowd:
        assert crowd.wait() == 0
        counts = b"50 clients, 50 connected, 150 replies right, 0 wrong, 0 clients failed"
        assert crowd.stdout.strip() == counts
        assert crowd.stderr == b""
    server.wait_for("stdout", rb"has connected \(50 now\)")
    assert eventually(lambda: len(re.findall(rb"has closed \(\d+ now\)", server.stdout)) == 50)
    server.wait_for("stdout", rb"has closed \(0 now\)")
    if sys.platform == "linux":
        assert eventually(lambda: len(os.listdir(f"/proc/{server.pid}/task")) == 1)
        files = [os.readlink(each.path) for each in os.scandir(f"/proc/{server.pid}/fd")]
        assert len([each for each in files if each.startswith("socket:")]) == 1


@needs_signals
def test_ctrl_c_hangs_up_ends_and_frees_the_port_at_once() -> None:
    with program("server_threads.py", "127.0.0.1", 0) as server:
        port = port_of(server)
        with connect(port) as connection:
            connection.sendall(b"1")
            receive(connection, b"You told me: 1")
            server.interrupt()
            assert connection.recv(1) == b""
        assert server.wait() == 0
        assert b"ended by Ctrl-C" in server.stdout
        # Its thread was woken and saw its end, instead of being left to die with the process.
        assert b"has closed (0 now)" in server.stdout
        assert server.stderr == b""
    # The server closed first, so its port is still in TIME_WAIT: without SO_REUSEADDR it would be taken.
    if sys.platform == "linux":
        with socket.socket() as plain, pytest.raises(OSError) as taken:
            plain.bind(("127.0.0.1", port))
        assert taken.value.errno == errno.EADDRINUSE
    for name in ("server_threads.py", "server.py"):
        with program(name, "127.0.0.1", port) as again:
            assert port_of(again) == port


@needs_signals
def test_ctrl_c_is_not_held_up_by_a_client_that_reads_nothing() -> None:
    with program("server_threads.py", "127.0.0.1", 0) as server:
        with connect(port_of(server)) as deaf:
            # Send until the server, stuck in its answer, takes no more.
            deaf.settimeout(1)
            with pytest.raises(TimeoutError):
                while True:
                    deaf.sendall(b"x" * 65536)
            server.interrupt()
            assert server.wait() == 0


# The crowd


@contextlib.contextmanager
def replying(reply: Callable[[bytes], bytes]) -> Iterator[int]:
    """A server of the test's own for two clients that answers each piece by `reply`; gives its port."""

    def serve(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(1024):
                if not (answer := reply(data)):
                    break
                connection.sendall(answer)

    def accept() -> None:
        threads = [threading.Thread(target=serve, args=(listener.accept()[0],)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield listener.getsockname()[1]
        accepting.join(PATIENCE)
        assert not accepting.is_alive()


@pytest.mark.parametrize(
    ("reply", "counts"),
    [
        (lambda data: b"You told me: " + data.upper(), b"0 replies right, 6 wrong, 0 clients failed"),
        (lambda data: b"", b"0 replies right, 0 wrong, 2 clients failed"),
    ],
    ids=["wrong replies", "no replies"],
)
def test_the_crowd_finds_what_is_wrong(reply: Callable[[bytes], bytes], counts: bytes) -> None:
    with replying(reply) as port, program("many_clients.py", "127.0.0.1", port, 2) as crowd:
        assert crowd.wait() == 1
        assert b"2 clients, 2 connected, " + counts in crowd.stdout
        assert b"Traceback" not in crowd.stderr


def test_the_crowd_with_nobody_to_talk_to() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with program("many_clients.py", "127.0.0.1", taken.getsockname()[1], 3) as crowd:
            assert crowd.wait() == 1
            assert b"0 connected, 0 replies right, 0 wrong, 3 clients failed" in crowd.stdout


# A real peer


def test_ncat_talks_to_both_servers() -> None:
    for name, greeting in (("server.py", b"server got: "), ("server_threads.py", b"You told me: ")):
        with program(name, "127.0.0.1", 0) as server:
            with Program([peer("ncat"), "127.0.0.1", str(port_of(server))]) as client:
                client.send(b"Hallo")
                client.wait_for("stdout", greeting + b"Hallo")
                client.close_stdin()
                assert client.wait() == 0
