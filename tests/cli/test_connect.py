"""The command ``wirecat connect``: both ends of file, the ways it can end, deadlines and retries, what it says."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import pytest

from peers import Program, environment, wirecat, wirecat_command
from plain_peers import echo, everything, refusing, reset, serving, silent, wait_for_end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")

MUCH = 50_000_000


def connect(*arguments: object) -> list[str]:
    return wirecat_command("connect", *map(str, arguments))


def lines(said: bytes) -> list[str]:
    return said.decode().splitlines()


# The ends of file.


def test_the_end_of_input_is_a_half_close_and_the_answer_is_still_read() -> None:
    with serving(lambda peer: peer.sendall(everything(peer)[::-1])) as server, Program(connect(server.port)) as client:
        client.send(b"olleh")
        client.close_stdin()
        assert client.wait() == 0
        assert client.stdout == b"hello"
        assert client.stderr == b""


def test_the_end_of_the_peer_ends_it_at_once_though_input_stays_open() -> None:
    with serving(lambda peer: peer.sendall(b"bye\n")) as server, Program(connect(server.port)) as client:
        assert client.wait() == 0
        assert client.stdout == b"bye\n"
        assert client.stderr == b""


def test_what_was_typed_before_the_end_of_the_peer_is_still_sent() -> None:
    def say_end_and_read(peer: socket.socket) -> bytes:
        peer.shutdown(socket.SHUT_WR)
        return everything(peer)

    with serving(say_end_and_read) as server, Program(connect(server.port, "-v")) as client:
        client.send(b"x" * 100_000)
        assert client.wait() == 0
        # What lay in the pipe when the end came is sent; how much that is, the program alone decides.
        sent = re.search(rb"(\d+) bytes sent", client.stderr)
        assert sent and server.result() == b"x" * int(sent[1])


def test_a_file_is_sent_whole_to_a_peer_that_has_said_its_end_already(tmp_path: Path) -> None:
    def say_end_and_read(peer: socket.socket) -> int:
        peer.shutdown(socket.SHUT_WR)
        return len(everything(peer))

    file = tmp_path / "file"
    file.write_bytes(b"x" * 5_000_000)
    with (
        serving(say_end_and_read) as server,
        file.open("rb") as stdin,
        Program(connect(server.port), stdin=stdin) as client,
    ):
        assert client.wait() == 0
        assert server.result() == 5_000_000


def test_a_reset_is_one_line_and_exit_1() -> None:
    with serving(reset) as server, Program(connect(server.port)) as client:
        assert client.wait() == 1
        (line,) = lines(client.stderr)
        # It may come so early that connecting meets it, and then names what was connected to.
        assert re.match(rf"wirecat: connection (127\.0\.0\.1:)?{server.port}: the peer broke the connection off", line)


def test_a_reset_in_the_middle_says_so_and_keeps_what_came() -> None:
    def half(peer: socket.socket) -> None:
        peer.sendall(b"half")
        assert peer.recv(3) == b"got"
        reset(peer)

    with serving(half) as server, Program(connect(server.port)) as client:
        client.wait_for("stdout", b"half")
        client.send(b"got")
        assert client.wait() == 1
        assert client.stdout == b"half"
        assert len(lines(client.stderr)) == 1


def test_input_for_a_peer_that_has_gone_is_a_failure_and_told() -> None:
    """The peer has closed: what is sent to it now is lost, and that is no success."""
    gone = threading.Event()

    def close_unread(peer: socket.socket) -> None:
        peer.recv(1)
        peer.close()
        gone.set()

    with serving(close_unread) as server, Program(connect(server.port)) as client:
        with contextlib.suppress(BrokenPipeError):  # it may have ended before it took all
            client.send(b"x" * 3_000_000)
        assert gone.wait(20)
        assert client.wait() == 1
        assert len(lines(client.stderr)) == 1


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537])
def test_any_size_both_ways(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    file = tmp_path / "file"
    file.write_bytes(data)
    with serving(echo) as server, file.open("rb") as stdin, Program(connect(server.port), stdin=stdin) as client:
        assert client.wait() == 0
        assert client.stdout == data


@pytest.mark.parametrize("stdin", ["file", "pipe"])
def test_much_at_once_both_ways_against_an_echo(stdin: str, tmp_path: Path) -> None:
    """An echo that reads only when it has written: whoever sends all before it reads would wait for ever."""
    file, out = tmp_path / "file", tmp_path / "out"
    data = os.urandom(1 << 20) * (MUCH >> 20)
    file.write_bytes(data)
    with serving(echo) as server, file.open("rb") as source, out.open("wb") as sink:
        with Program(connect(server.port), stdin=source if stdin == "file" else subprocess.PIPE, stdout=sink) as client:
            if stdin == "pipe":
                client.send(data)
                client.close_stdin()
            assert client.wait(60) == 0
            assert client.stderr == b""
    assert hashlib.sha256(out.read_bytes()).digest() == hashlib.sha256(data).digest()


# What stdin and stdout may be.


def shell(script: str, *arguments: object) -> Program:
    """wirecat connect as a shell starts it: ``"$@"`` in the script is the command."""
    return Program(["sh", "-c", script, "sh", *connect(*arguments)], stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("how", ["</dev/null", "<&-"])
def test_no_input_is_a_half_close_at_once(how: str) -> None:
    def ended_at_once(peer: socket.socket) -> None:
        assert everything(peer) == b""
        peer.sendall(b"all the same")

    with serving(ended_at_once) as server, shell(f'exec "$@" {how}', server.port) as client:
        assert client.wait() == 0
        assert client.stdout == b"all the same"
        assert client.stderr == b""


def test_a_closed_output_is_told_when_something_comes() -> None:
    with serving(echo) as server, shell('printf hi | "$@" >&-; echo "exit $?" >&2', server.port) as client:
        client.wait()
        said = lines(client.stderr)
        assert said[-1] == "exit 141"
        assert len(said) == 2 and said[0].startswith("wirecat: standard output is closed")


def test_a_closed_output_does_not_keep_from_sending() -> None:
    with serving(everything) as server, shell('printf hi | "$@" >&-', server.port) as client:
        assert client.wait() == 0
        assert client.stderr == b""
        assert server.result() == b"hi"


def test_all_three_closed() -> None:
    def answer(peer: socket.socket) -> None:
        assert everything(peer) == b""
        peer.sendall(b"nobody reads this")

    with serving(answer) as server, shell('"$@" <&- >&- 2>&-; exit $?', server.port) as client:
        assert client.wait() == 141
    with refusing() as port, shell('"$@" <&- >&- 2>&-; exit $?', port) as client:
        assert client.wait() == 1


def test_a_full_disk_is_told_as_such() -> None:
    with serving(echo) as server, shell('printf hi | "$@" >/dev/full; echo "exit $?" >&2', server.port) as client:
        client.wait()
        first, last = lines(client.stderr)
        assert last == "exit 1"
        assert "No space left on device" in first and first.startswith("wirecat: standard output")


def endless(peer: socket.socket) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            peer.sendall(b"line\n" * 1000)


def test_a_reader_that_has_enough_ends_it_while_bytes_flow() -> None:
    with serving(endless) as server, shell('("$@"; echo "exit $?" >&2) | head -n 1', server.port) as client:
        assert client.wait() == 0
        assert client.stdout == b"line\n"
        first, last = lines(client.stderr)
        assert last == "exit 141"
        assert first.startswith("wirecat: standard output was closed early")


def test_a_reader_that_has_enough_ends_it_though_the_peer_is_silent_from_then_on() -> None:
    with serving(lambda peer: (peer.sendall(b"line\n"), wait_for_end(peer))) as server:
        # Its input, the test's pipe, stays open as well: nothing but the reader's going can end it.
        script = '("$@"; echo "exit $?" >&2) | head -n 1'
        with Program(["sh", "-c", script, "sh", *connect(server.port)]) as client:
            client.wait_for("stderr", rb"exit 141\n", 10)
            first, last = lines(client.stderr)
            assert last == "exit 141"
            assert first.startswith("wirecat: standard output was closed early")


def test_an_input_that_does_not_wait() -> None:
    """O_NONBLOCK belongs to the open file: whoever shares it with us may have set it."""
    with serving(everything) as server, pipe() as (reader, writer):
        os.set_blocking(reader.fileno(), False)
        with Program(connect(server.port), stdin=reader) as client:
            writer.write(b"one ")
            client.process.stdin = None
            with pytest.raises(AssertionError, match="still runs"):
                client.wait(0.3)
            writer.write(b"two")
            writer.close()
            assert client.wait() == 0
        assert server.result() == b"one two"


def test_an_output_that_does_not_wait() -> None:
    data = b"x" * 1_000_000
    with serving(lambda peer: peer.sendall(data)) as server, pipe() as (reader, writer):
        os.set_blocking(writer.fileno(), False)
        with Program(connect(server.port), stdout=writer) as client:
            writer.close()
            # Nobody reads until the pipe is full: then a write would have to wait.
            wait_until_full(reader.fileno())
            assert reader.read() == data
            assert client.wait() == 0
            assert client.stderr == b""


@contextlib.contextmanager
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    read, write = os.pipe()
    with open(read, "rb", buffering=0) as reader, open(write, "wb", buffering=0) as writer:
        yield reader, writer


def wait_until_full(pipe: int) -> None:
    """Until as much lies in the pipe as it holds (pipe(7): 64 KiB); the pipe tells nobody, so it is asked."""
    import fcntl
    import termios

    deadline = time.monotonic() + 20
    tick = threading.Event()
    while int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder) < 65536:
        assert time.monotonic() < deadline
        tick.wait(0.01)


# Signals.


def test_ctrl_c_while_talking() -> None:
    with (
        serving(lambda peer: (peer.sendall(b"hello"), wait_for_end(peer))) as server,
        Program(connect(server.port)) as client,
    ):
        client.wait_for("stdout", b"hello")
        client.interrupt()
        assert client.wait(5) == 130
        assert client.stderr == b""


def test_ctrl_c_while_much_comes() -> None:
    with serving(endless) as server, Program(connect(server.port)) as client:
        client.wait_for("stdout", b"line")
        client.interrupt()
        assert client.wait(5) == 130
        assert client.stderr == b""


def test_ctrl_c_while_connecting() -> None:
    # It tells what it loads. Without warnings: it is cut off so early that a socket may not be in anybody's hands yet.
    variables = environment(PYTHONPROFILEIMPORTTIME="1", PYTHONWARNINGS=None)
    with silent() as port, Program(connect(port, "--timeout", 60), env=variables) as client:
        # The last module that connecting loads: from then on it waits.
        client.wait_for("stderr", rb"wirecat\.endpoints\.race\n")
        client.interrupt()
        assert client.wait(5) == 130
        assert b"Traceback" not in client.stderr


def test_ctrl_c_in_the_pause_before_a_retry() -> None:
    with refusing() as port, Program(connect(port, "--retry", 100, "--timeout", 100)) as client:
        client.wait_for("stderr", rb"trying again in [1-9]")
        client.interrupt()
        assert client.wait(5) == 130
        assert b"Traceback" not in client.stderr


def test_sigterm_ends_it_as_a_signal_does() -> None:
    with (
        serving(lambda peer: (peer.sendall(b"hello"), wait_for_end(peer))) as server,
        Program(connect(server.port)) as client,
    ):
        client.wait_for("stdout", b"hello")
        client.signal(signal.SIGTERM)
        assert client.wait(5) == -signal.SIGTERM
        assert client.stderr == b""


def test_nohup_and_the_background(tmp_path: Path) -> None:
    """As ``nohup wirecat connect ... &`` does it: no terminal, hang-ups ignored, input from the null device."""
    with serving(lambda peer: peer.sendall(b"news\n")) as server:
        script = 'nohup "$@" > out 2> err < /dev/null & wait $!; echo "exit $?"; cat out err'
        command = ["sh", "-c", script, "sh", *connect(server.port)]
        with Program(command, stdin=subprocess.DEVNULL, cwd=tmp_path) as client:
            client.wait()
            assert lines(client.stdout)[:2] == ["exit 0", "news"]


# Time.


def test_silence_takes_no_longer_than_the_timeout() -> None:
    with silent() as port:
        started = time.monotonic()
        with wirecat("connect", str(port), "--timeout", "0.5") as client:
            assert client.wait() == 1
            took = time.monotonic() - started
            (line,) = lines(client.stderr)
    assert 0.5 <= took < 2.5
    assert line.startswith(f"wirecat: connect {port}: no answer in 0.5 s")


def test_the_timeout_covers_the_retries() -> None:
    with refusing() as port:
        started = time.monotonic()
        with wirecat("connect", f"127.0.0.1:{port}", "--timeout", "1.5", "--retry", "1000") as client:
            assert client.wait() == 1
            took = time.monotonic() - started
            *retries, last = lines(client.stderr)
    assert 1.4 <= took < 4
    assert re.match(rf"wirecat: connect 127\.0\.0\.1:{port}: connection refused", last)
    pauses = [float(re.search(r"again in ([\d.]+) s", line)[1]) for line in retries]  # type: ignore[index]
    assert 3 <= len(pauses) <= 6
    assert pauses[0] < pauses[1] < pauses[2]  # doubled each time, which the jitter does not undo


def test_retries_are_counted() -> None:
    with refusing() as port, wirecat("connect", f"127.0.0.1:{port}", "--retry", "2") as client:
        assert client.wait() == 1
        *retries, last = lines(client.stderr)
    assert len(retries) == 2
    assert all(line.startswith(f"wirecat: 127.0.0.1:{port}: connection refused; trying again in") for line in retries)
    assert last.startswith(f"wirecat: connect 127.0.0.1:{port}: connection refused")


def test_quiet_tries_again_without_a_word() -> None:
    with refusing() as port, wirecat("connect", str(port), "--retry", "1", "-q") as client:
        assert client.wait() == 1
        assert len(lines(client.stderr)) == 1


def test_a_retry_that_succeeds() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        with wirecat("connect", f"127.0.0.1:{port}", "--retry", "50", "--timeout", "20") as client:
            client.wait_for("stderr", b"trying again")
            listener.listen()
            listener.settimeout(20)
            with listener.accept()[0] as accepted:
                accepted.sendall(b"here now")
            assert client.wait() == 0
            assert client.stdout == b"here now"


# What it says.


def test_verbose_tells_both_addresses_and_the_bytes() -> None:
    with serving(echo) as server, wirecat("connect", server.address, "-v") as client:
        client.send(b"12345\n")
        client.close_stdin()
        assert client.wait() == 0
        connected, *paths, counts = lines(client.stderr)
        # Of both directions, in the order in which their first bytes moved.
        assert sorted(path.partition(": ")[2].partition(":")[0] for path in paths) == ["receiving", "sending"]
        assert re.fullmatch(rf"wirecat: connected to 127\.0\.0\.1:{server.port} from 127\.0\.0\.1:\d+", connected)
        assert re.fullmatch(rf"wirecat: 127\.0\.0\.1:{server.port}: 6 bytes sent, 6 bytes received in [\d.]+ s", counts)


@pytest.mark.parametrize(
    "words", [["127.0.0.1", "PORT"], ["127.0.0.1:PORT"], ["localhost", "PORT"], ["tcp://127.0.0.1:PORT"]]
)
def test_ways_to_write_the_address(words: list[str]) -> None:
    with serving(lambda peer: peer.sendall(b"hi")) as server:
        with Program(connect(*(word.replace("PORT", str(server.port)) for word in words))) as client:
            assert client.wait() == 0
            assert client.stdout == b"hi"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("form", ["{port}", "localhost:{port}", ":{port}", "HOST {port}"])
def test_a_bare_port_finds_the_server_in_either_family(host: str, form: str) -> None:
    form = form.replace("HOST", host)
    with serving(lambda peer: peer.sendall(b"hi"), host) as server:
        if form.startswith("localhost"):
            families = {each[0] for each in socket.getaddrinfo("localhost", 1)}
            if (socket.AF_INET6 if ":" in host else socket.AF_INET) not in families:
                pytest.skip(f"localhost is not {host} here")
        with Program(connect(*form.format(port=server.port).split())) as client:
            assert client.wait() == 0
            assert client.stdout == b"hi"


def test_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with serving(echo, path=path), Program(connect(f"unix://{path}", "-v")) as client:
        client.send(b"hello")
        client.close_stdin()
        assert client.wait() == 0
        assert client.stdout == b"hello"
        assert f"connected to unix://{path}" in lines(client.stderr)[0]


@pytest.mark.parametrize(
    ("newline", "sent"), [("lf", b"a\nb\r\nc\r\n"), ("crlf", b"a\r\nb\r\nc\r\n"), ("none", b"abc")]
)
def test_newlines_on_what_is_sent(newline: str, sent: bytes) -> None:
    def check(peer: socket.socket) -> bytes:
        got = everything(peer)
        peer.sendall(b"1\n2\r\n")
        return got

    with serving(check) as server, Program(connect(server.port, "--newline", newline)) as client:
        for piece in (b"a\nb\r", b"\nc\r\n"):
            client.send(piece)
        client.close_stdin()
        assert client.wait() == 0
        assert client.stdout == b"1\n2\r\n"  # what is received stays as it is
        assert server.result() == sent
