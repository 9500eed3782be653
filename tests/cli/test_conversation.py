"""A conversation as a person has it: two windows, what is shown, what is exact, the job in the background."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from background import Background
from peers import Program, wirecat_command
from plain_peers import everything, serving, wait_for_end
from wirecat.cli.conversation import converse
from wirecat.cli.environment import Environment
from wirecat.connection import Connection
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.errors import ConnectionBroken, OutputClosed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")

if sys.platform != "win32":
    from terminals import CTRL_C, CTRL_D, Screen, Terminal

NASTY = b"\x1b[2J\x1b]0;owned\x07 \x9b31m \xff\x00 \xe2\x80\xae\r\n"
SHOWN = rb"\\x1b\[2J\\x1b\]0;owned\\x07 \\x9b31m \\xff\\x00 \\u202e\r\n"


def connect(port: int, *arguments: str) -> list[str]:
    return wirecat_command("connect", str(port), *arguments)


# In the process: what converse() itself returns and raises.


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    one, other = socket.socketpair()
    with Connection(SocketStream(one)) as connection, other:
        other.settimeout(20)
        yield connection, other


def of_pipes(stdin: int, stdout: int) -> Environment:
    return Environment(open(stdin), open(stdout, "w"), io.StringIO(), {})  # type: ignore[arg-type]


@pytest.fixture
def piped() -> Iterator[tuple[Environment, int, int]]:
    """An environment whose stdin and stdout are pipes, and our ends of the two."""
    (stdin, our_out), (our_in, stdout) = os.pipe(), os.pipe()
    environment = of_pipes(stdin, stdout)
    yield environment, our_out, our_in
    environment.stdin.close()
    environment.stdout.close()
    for each in (our_out, our_in):
        try:
            os.close(each)
        except OSError:
            pass


def test_it_returns_0_at_the_peers_end(
    pair: tuple[Connection, socket.socket], piped: tuple[Environment, int, int]
) -> None:
    connection, peer = pair
    environment, our_out, our_in = piped
    os.write(our_out, b"out")
    threading.Thread(target=lambda: (peer.recv(3), peer.sendall(b"in"), peer.shutdown(socket.SHUT_WR))).start()
    assert converse(connection, environment, verbose=1) == 0
    assert os.read(our_in, 100) == b"in"
    said = environment.stderr.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"3 bytes sent, 2 bytes received in \d+\.\d\d s\n$", said)


@pytest.mark.skipif(sys.platform != "linux", reason="splice(2) is Linux'")
@pytest.mark.parametrize(("newline", "how"), [("lf", "zero-copy"), ("crlf", "copy: tapped")])
def test_verbose_tells_how_the_bytes_move(
    pair: tuple[Connection, socket.socket], piped: tuple[Environment, int, int], newline: str, how: str
) -> None:
    connection, peer = pair
    environment, our_out, _ = piped
    os.write(our_out, b"out")
    with Background(lambda: (peer.recv(3), peer.sendall(b"in"), peer.shutdown(socket.SHUT_WR))):
        assert converse(connection, environment, newline=newline, verbose=1) == 0
    said = environment.stderr.getvalue()  # type: ignore[attr-defined]
    assert {f"wirecat: sending: {how}", f"wirecat: receiving: {how}"} <= set(said.splitlines())


def test_it_raises_what_broke_the_connection(
    pair: tuple[Connection, socket.socket], piped: tuple[Environment, int, int]
) -> None:
    connection, peer = pair
    environment, our_out, _ = piped
    peer.close()
    connection.ended = False
    os.write(our_out, b"lost")
    connection.stream.abort()  # as a broken network does: whatever is sent now fails
    with pytest.raises(ConnectionBroken):
        _ = converse(connection, environment) or connection.send(b"x")


def test_it_raises_that_nobody_reads_any_more(
    pair: tuple[Connection, socket.socket], piped: tuple[Environment, int, int]
) -> None:
    connection, _ = pair
    environment, _, our_in = piped
    os.close(our_in)
    with pytest.raises(OutputClosed):
        converse(connection, environment)


def test_it_leaves_no_descriptor_behind(
    pair: tuple[Connection, socket.socket], piped: tuple[Environment, int, int]
) -> None:
    connection, peer = pair
    environment, _, _ = piped
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("reads /proc")
    before = len(os.listdir("/proc/self/fd"))
    peer.shutdown(socket.SHUT_WR)
    converse(connection, environment)
    assert len(os.listdir("/proc/self/fd")) == before


# What a peer's bytes do to a terminal: nothing.


@pytest.mark.parametrize("verb", ["connect", "listen"])
def test_a_peers_bytes_are_made_printable_on_a_terminal(verb: str) -> None:
    def nasty(peer: socket.socket) -> None:
        peer.sendall(NASTY)
        wait_for_end(peer)

    if verb == "connect":
        with serving(nasty) as server, Terminal(connect(server.port)) as terminal:
            terminal.wait_for(SHOWN)
            assert b"\x1b" not in terminal.shown
    else:
        with Terminal(wirecat_command("listen", "127.0.0.1:0")) as terminal:
            port = int(terminal.wait_for(rb"127\.0\.0\.1:(\d+)")[1])
            with socket.create_connection(("127.0.0.1", port), 20) as peer:
                peer.sendall(NASTY)
                terminal.wait_for(SHOWN)
            assert terminal.wait() == 0
            assert b"\x1b" not in terminal.shown


def test_they_are_exact_in_a_pipe_though_stdin_is_a_terminal(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out, serving(lambda peer: peer.sendall(NASTY)) as server:
        with Terminal(connect(server.port), stdout=out.fileno()) as terminal:
            assert terminal.wait() == 0
    assert (tmp_path / "out").read_bytes() == NASTY


def test_they_are_exact_in_a_pipe() -> None:
    with serving(lambda peer: peer.sendall(NASTY)) as server, Program(connect(server.port)) as client:
        assert client.wait() == 0
        assert client.stdout == NASTY


def test_what_we_send_from_a_terminal_stays_as_typed() -> None:
    with serving(everything) as server, Terminal(connect(server.port)) as terminal:
        terminal.wait_for(b"connected")
        terminal.type("Grüße \x16\x1b[2J\n" + CTRL_D)  # Ctrl-V takes the escape as it is
        assert terminal.wait() == 0
        assert server.result() == "Grüße \x1b[2J\n".encode()


def test_a_character_in_two_pieces_is_shown_whole() -> None:
    def halves(peer: socket.socket) -> None:
        peer.sendall(b"Gr\xc3")
        threading.Event().wait(0.1)
        peer.sendall(b"\xbc\xc3\x9fe\r")
        threading.Event().wait(0.1)
        peer.sendall(b"\nnext\n")

    with serving(halves) as server, Terminal(connect(server.port, "-q")) as terminal:
        assert terminal.wait() == 0
        assert terminal.shown.decode() == "Grüße\r\nnext\r\n"


# What is said, and where.


def test_who_sits_at_a_terminal_is_told_who_is_there_and_how_it_ended() -> None:
    with serving(lambda peer: peer.sendall(b"no newline")) as server, Terminal(connect(server.port)) as terminal:
        assert terminal.wait() == 0
        assert terminal.shown.decode().splitlines() == [
            f"wirecat: connected to 127.0.0.1:{server.port} (Ctrl-D or Ctrl-C ends it)",
            "no newline",
            f"wirecat: 127.0.0.1:{server.port} closed the connection",
        ]


def test_ctrl_d_is_the_end_of_input_and_the_answer_still_comes() -> None:
    with serving(lambda peer: peer.sendall(b"got " + everything(peer))) as server:
        with Terminal(connect(server.port)) as terminal:
            terminal.wait_for(b"connected")
            terminal.type("all\n" + CTRL_D)
            terminal.wait_for(rb"got all\r\n")
            assert terminal.wait() == 0


def test_ctrl_c_leaves_the_shells_prompt_on_a_new_line() -> None:
    with serving(wait_for_end) as server, Terminal(connect(server.port)) as terminal:
        terminal.wait_for(b"connected")
        terminal.type(CTRL_C)
        assert terminal.wait() == 130
        assert terminal.shown.endswith(b"^C\r\n")


# A job in the background of a terminal.


def test_in_the_background_it_goes_on_though_somebody_types_for_the_shell() -> None:
    """What is typed belongs to the shell. Who reads it all the same is stopped (SIGTTIN), with all the peer sends."""
    go_on = threading.Event()

    def news(peer: socket.socket) -> bytes:
        peer.sendall(b"one\n")
        assert go_on.wait(20)
        peer.sendall(b"two\n")
        return everything(peer)

    code = (
        "import os, signal, subprocess, sys, termios\n"
        "child = subprocess.Popen(sys.argv[1:], process_group=0)\n"  # as a shell's & does
        "print(f'job {child.pid}', flush=True)\n"
        "while (line := sys.stdin.readline().strip()) != 'fg':\n"
        "    print('shell got', line, flush=True)\n"
        "signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n"
        "os.tcsetpgrp(0, child.pid)\n"
        "print('now in the foreground', flush=True)\n"
        "print('exit', child.wait(), flush=True)\n"
    )
    with serving(news) as server:
        with Terminal([sys.executable, "-c", code, *connect(server.port, "-q")]) as terminal:
            pid = int(terminal.wait_for(rb"job (\d+)")[1])
            terminal.wait_for(rb"one\r\n")
            terminal.type("for the shell\n")
            terminal.wait_for(rb"shell got for the shell")
            terminal.type("half a li")
            threading.Event().wait(0.3)
            terminal.type("ne\n")
            terminal.wait_for(rb"shell got half a line")
            go_on.set()
            terminal.wait_for(rb"two\r\n")
            if sys.platform.startswith("linux"):
                assert "T (stopped)" not in Path(f"/proc/{pid}/status").read_text()
            terminal.type("fg\n")
            terminal.wait_for(rb"now in the foreground")
            terminal.type("for wirecat\n" + CTRL_D)
            try:
                terminal.wait_for(rb"exit 0\r\n")
            except AssertionError:
                os.kill(pid, signal.SIGKILL)
                raise
            assert server.result() == b"for wirecat\n"


def test_two_windows(tmp_path: Path) -> None:
    """The exercise's first step, as it is seen."""
    with Screen(tmp_path, columns=90, lines=12) as screen:
        screen.open("server", wirecat_command("listen", "127.0.0.1:0"))
        port = re.search(r"127\.0\.0\.1:(\d+)", screen.wait_for("server", "opens it to"))[1]  # type: ignore[index]
        screen.open("client", connect(int(port)))
        screen.wait_for("client", "connected to")
        screen.keys("client", "Hallo, hier ist der Client", "Enter")
        screen.wait_for("server", "Hallo, hier ist der Client")
        screen.keys("server", "Grüße vom Server", "Enter")
        screen.wait_for("client", "Grüße vom Server")
        screen.keys("client", "C-d")
        left, right = screen.wait_for("server", "exit="), screen.wait_for("client", "exit=")
    name = re.search(r"wirecat: (127\.0\.0\.1:\d+) connected", left)[1]  # type: ignore[index]
    assert left.splitlines()[-5:] == [
        f"wirecat: {name} connected",
        "Hallo, hier ist der Client",
        "Grüße vom Server",
        f"wirecat: {name} closed the connection",
        "exit=0",
    ]
    assert right.splitlines() == [
        f"wirecat: connected to 127.0.0.1:{port} (Ctrl-D or Ctrl-C ends it)",
        "Hallo, hier ist der Client",
        "Grüße vom Server",
        f"wirecat: 127.0.0.1:{port} closed the connection",
        "exit=0",
    ]


# As Windows does it: no poll, no wake-up pipe; a thread reads.

AS_WINDOWS = """
import sys, types
import wirecat.endpoints.stdio as stdio
stdio.sys = types.SimpleNamespace(platform="win32")
from wirecat.__main__ import main
sys.exit(main())
"""


def as_windows(*arguments: str) -> Program:
    return Program([sys.executable, "-c", AS_WINDOWS, *arguments])


def test_a_talk_as_windows_has_it() -> None:
    with serving(lambda peer: peer.sendall(b"got " + everything(peer))) as server:
        with as_windows("connect", str(server.port)) as client:
            client.send("Grüße\n".encode())
            client.close_stdin()
            assert client.wait() == 0
            assert client.stdout == "got Grüße\n".encode()


def test_the_peers_end_ends_it_as_windows_has_it_though_a_thread_still_reads() -> None:
    with serving(lambda peer: peer.sendall(b"bye")) as server, as_windows("connect", str(server.port)) as client:
        assert client.wait() == 0
        assert client.stdout == b"bye"


def test_ctrl_c_as_windows_has_it() -> None:
    with serving(lambda peer: (peer.sendall(b"hi"), wait_for_end(peer))) as server:
        with as_windows("connect", str(server.port)) as client:
            client.wait_for("stdout", b"hi")
            client.interrupt()
            assert client.wait(5) == 130
            assert client.stderr == b""


def test_question_and_answer_as_windows_has_it() -> None:
    """The thread that reads standard input must not take the lines that the prompt is to get."""

    def answer(peer: socket.socket) -> None:
        while piece := peer.recv(1024):
            peer.sendall(b"got " + piece)

    with serving(answer) as server, as_windows("connect", "--ask", str(server.port)) as client:
        client.send(b"one\nquit\n")
        assert client.wait() == 0
        assert client.stdout == b"got one\ngot quit\n"
    with serving(answer) as server:
        words = [sys.executable, "-c", AS_WINDOWS, "connect", "--ask", "--newline", "none", str(server.port)]
        with Terminal(words) as terminal:
            at = terminal.wait_for(rb"> ").end()
            for word in ("one", "two", "quit"):
                terminal.wait_for_typing()
                terminal.type(word + "\r")
                at = terminal.wait_for(rb"got " + word.encode() + rb"\r\n", since=at).end()
            assert terminal.wait() == 0
