"""The command ``wirecat listen``: one client or one after the other, every kind of end, input that is closed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from peers import PATIENCE, Program, environment, peer, wirecat, wirecat_command
from plain_peers import everything, free_port, reset

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="starts programs the way of POSIX")

ADDRESS = rb"listening on 127\.0\.0\.1:(\d+)"


def listen(*arguments: str) -> list[str]:
    return wirecat_command("listen", *arguments)


def port_of(program: Program) -> int:
    return int(program.wait_for("stderr", ADDRESS)[1])


@contextlib.contextmanager
def client(port: int, host: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.create_connection((host, port), PATIENCE) as connection:
        yield connection


def lines(said: bytes) -> list[str]:
    return said.decode().splitlines()


# One client, then done.


def test_a_talk_with_one_client() -> None:
    with Program(listen("127.0.0.1:0")) as program:
        with client(port_of(program)) as peer:
            peer.sendall(b"from the client\n")
            program.wait_for("stdout", b"from the client\n")
            program.send(b"from us\n")
            assert peer.recv(1024) == b"from us\n"
            name = f"127.0.0.1:{peer.getsockname()[1]}"
        assert program.wait() == 0
        assert lines(program.stderr)[1:] == [f"wirecat: {name} connected", f"wirecat: {name} closed the connection"]


def test_what_it_listens_on_is_told_with_who_can_reach_it() -> None:
    with Program(listen("0")) as program:
        match = program.wait_for("stderr", rb"wirecat: listening on (.*)\n")
        first, second = re.findall(r"\S+:\d+", match[1].decode())
        assert first.startswith("127.0.0.1:") and second.startswith("[::1]:")
        assert first.rpartition(":")[2] == second.rpartition(":")[2]
        assert match[1].endswith(b"(this PC only; --lan opens it to others)")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_bare_port_is_both_loopback_addresses(host: str) -> None:
    with Program(listen("0")) as program:
        with client(port_of(program), host) as peer:
            peer.sendall(b"hi")
        assert program.wait() == 0
        assert program.stdout == b"hi"


def test_quiet_says_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with Program(listen(f"unix://{path}", "-q")) as program:
        with connected_to(path) as peer:
            peer.sendall(b"hi")
        assert program.wait() == 0
        assert (program.stdout, program.stderr) == (b"hi", b"")


@contextlib.contextmanager
def connected_to(path: str) -> Iterator[socket.socket]:
    tick = threading.Event()
    with socket.socket(socket.AF_UNIX) as peer:
        for _ in range(1000):  # it was told to say nothing, so it is tried
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                peer.connect(path)
                break
            tick.wait(0.02)
        yield peer


def test_a_unix_socket_is_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with Program(listen(f"unix://{path}")) as program:
        program.wait_for("stderr", rb"wirecat: listening on unix://\S+\n")
        with connected_to(str(path)) as peer:
            program.wait_for("stderr", b" connected\n")
            assert not path.exists(), "nobody else can get in, so the name is free"
            peer.sendall(b"hi")
        assert program.wait() == 0
        assert program.stdout == b"hi"


def test_nobody_else_gets_in() -> None:
    with Program(listen("127.0.0.1:0")) as program:
        port = port_of(program)
        with client(port):
            program.wait_for("stderr", b" connected\n")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), PATIENCE)
        assert program.wait() == 0


def test_the_port_is_free_again_at_once() -> None:
    port = free_port()
    for _ in range(2):
        with Program(listen(str(port))) as program:
            program.wait_for("stderr", b"listening on")
            with client(port):
                program.close_stdin()  # we end first, so that it is our side which waits in TIME_WAIT
            assert program.wait() == 0


def test_the_end_of_input_is_a_half_close() -> None:
    with Program(listen("127.0.0.1:0")) as program:
        with client(port_of(program)) as peer:
            program.send(b"all there is")
            program.close_stdin()
            assert everything(peer) == b"all there is"
            peer.sendall(b"and the answer")
        assert program.wait() == 0
        assert program.stdout == b"and the answer"


def test_a_file_each_way(tmp_path: Path) -> None:
    there, back = os.urandom(3_000_000), os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(back)
    with (tmp_path / "file").open("rb") as stdin, Program(listen("127.0.0.1:0"), stdin=stdin) as program:
        with client(port_of(program)) as peer:
            sender = threading.Thread(target=lambda: (peer.sendall(there), peer.shutdown(socket.SHUT_WR)))
            sender.start()
            assert everything(peer) == back
            sender.join()
        assert program.wait() == 0
        assert program.stdout == there


def test_a_reset_is_one_line_and_exit_1() -> None:
    with Program(listen("127.0.0.1:0")) as program:
        with client(port_of(program)) as peer:
            name = f"127.0.0.1:{peer.getsockname()[1]}"
            program.wait_for("stderr", b" connected\n")
            reset(peer)
        assert program.wait() == 1
        (last,) = lines(program.stderr)[2:]
        assert last.startswith(
            f"wirecat: connection {name}: the peer broke the connection off. It was ended or crashed"
        )


# Input that is not there.


@pytest.mark.parametrize("how", ["</dev/null", "<&-"])
def test_without_input_the_client_is_not_told_that_we_end(how: str) -> None:
    """Many a client takes the end of what we send as a reason to go."""
    with Program(["sh", "-c", f'exec "$@" {how}', "sh", *listen("127.0.0.1:0")]) as program:
        with client(port_of(program)) as peer:
            peer.sendall(b"one")
            program.wait_for("stdout", b"one")
            peer.settimeout(0.3)
            with pytest.raises(TimeoutError):
                peer.recv(1)
            peer.sendall(b" two")
        assert program.wait() == 0
        assert program.stdout == b"one two"


def processor_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("how", ["</dev/null", "<&-", "<&- >&-", ""])
def test_waiting_and_talking_take_no_processor_time(how: str) -> None:
    with Program(["sh", "-c", f'exec "$@" {how}', "sh", *listen("127.0.0.1:0")]) as program:
        port = port_of(program)
        pause = threading.Event()
        before = processor_seconds(program.pid)
        pause.wait(0.4)
        with client(port):
            program.wait_for("stderr", b" connected\n")
            pause.wait(0.4)
            assert processor_seconds(program.pid) - before < 0.2


def test_nohup_in_the_background(tmp_path: Path) -> None:
    script = 'nohup "$@" > out 2> err & echo $!; wait $!; echo "exit $?"'
    command = ["sh", "-c", script, "sh", *listen("127.0.0.1:0")]
    with Program(command, stdin=subprocess.DEVNULL, cwd=tmp_path) as program:
        pid = int(program.wait_for("stdout", rb"(\d+)\n")[1])
        port = int(wait_for_text(tmp_path / "err", ADDRESS)[1])
        os.kill(pid, signal.SIGHUP)
        with client(port) as peer:
            peer.sendall(b"news\n")
        program.wait_for("stdout", rb"exit 0\n")
    assert (tmp_path / "out").read_bytes() == b"news\n"


def wait_for_text(path: Path, pattern: bytes) -> re.Match[bytes]:
    """A file tells nobody that it has grown, so it is read again and again."""
    tick = threading.Event()
    for _ in range(1000):
        if path.exists() and (match := re.search(pattern, path.read_bytes())):
            return match
        tick.wait(0.02)
    raise AssertionError(f"no {pattern!r} in {path}")


# One after the other.


def test_keep_open_takes_one_client_after_the_other() -> None:
    with Program(listen("127.0.0.1:0", "--keep-open")) as program:
        port = port_of(program)
        for text in (b"one", b"two", b"three"):
            with client(port) as peer:
                peer.sendall(text)
                program.wait_for("stdout", text)
                program.send(b"to " + text + b"\n")
                assert peer.recv(1024) == b"to " + text + b"\n"
            program.wait_for("stderr", rb"(connected\n.*closed the connection\n){1}")
        program.interrupt()
        assert program.wait() == 130
        assert program.stdout == b"onetwothree"


def test_keep_open_survives_a_reset() -> None:
    with Program(listen("127.0.0.1:0", "--keep-open")) as program:
        port = port_of(program)
        with client(port) as peer:
            program.wait_for("stderr", b" connected\n")
            reset(peer)
        at = program.wait_for("stderr", b"broke the connection off").end()
        with client(port) as peer:
            peer.sendall(b"hi")
        program.wait_for("stderr", b"closed the connection\n", since=at)
        program.wait_for("stdout", b"^hi$")


def test_keep_open_lets_the_next_one_wait_in_the_queue() -> None:
    with Program(listen("127.0.0.1:0", "--keep-open")) as program:
        port = port_of(program)
        with client(port) as first, client(port) as second:
            second.sendall(b"second")
            program.wait_for("stderr", b" connected\n")
            first.sendall(b"first ")
            program.wait_for("stdout", b"first ")
            first.close()
            program.wait_for("stdout", b"first second")


def test_keep_open_without_descriptors_left_behind() -> None:
    with Program(listen("127.0.0.1:0", "--keep-open")) as program:
        port = port_of(program)

        def one() -> None:
            at = len(program.stderr)
            with client(port):
                pass
            program.wait_for("stderr", b"closed the connection\n", since=at)

        def at_rest() -> list[int]:
            """Descriptors and threads between two clients. Nobody tells when that is: it has to stay so for a while."""
            seen: list[list[int]] = []
            tick = threading.Event()
            for _ in range(500):
                seen.append([len(os.listdir(f"/proc/{program.pid}/{what}")) for what in ("fd", "task")])
                if len(seen) >= 10 and all(state == seen[-1] for state in seen[-10:]):
                    return seen[-1]
                tick.wait(0.02)
            raise AssertionError(f"no rest: {seen[-10:]}")

        if not sys.platform.startswith("linux"):
            pytest.skip("reads /proc")
        one()
        before = at_rest()
        for _ in range(20):
            one()
        assert at_rest() == before


# Ends.


def test_ctrl_c_while_waiting() -> None:
    with Program(listen("127.0.0.1:0")) as program:
        port_of(program)
        program.interrupt()
        assert program.wait(5) == 130
        assert len(lines(program.stderr)) == 1


def test_ctrl_c_while_talking_closes_the_connection() -> None:
    with Program(listen("127.0.0.1:0")) as program:
        with client(port_of(program)) as peer:
            peer.sendall(b"hi")
            program.wait_for("stdout", b"hi")
            program.interrupt()
            assert everything(peer) == b""
        assert program.wait(5) == 130
        assert len(lines(program.stderr)) == 2


def test_ctrl_c_leaves_no_unix_socket_behind(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with Program(listen(f"unix://{path}")) as program:
        program.wait_for("stderr", b"listening on")
        assert path.exists()
        program.interrupt()
        assert program.wait(5) == 130
    assert not path.exists()


def test_sigterm_ends_it_as_a_signal_does() -> None:
    with Program(listen("127.0.0.1:0")) as program:
        port_of(program)
        program.signal(signal.SIGTERM)
        assert program.wait(5) == -signal.SIGTERM


def test_a_reader_that_has_enough_ends_it() -> None:
    # Its input, the test's pipe, stays open: nothing but the reader's going can end it.
    script = '("$@"; echo "exit $?" >&2) | head -n 1'
    with Program(["sh", "-c", script, "sh", *listen("127.0.0.1:0")]) as program:
        with client(port_of(program)) as peer:
            peer.sendall(b"line\n")  # and then silence
            program.wait_for("stderr", rb"exit 141\n", 10)
        assert "wirecat: standard output was closed early" in program.stderr.decode()


@pytest.mark.parametrize(("newline", "sent"), [("crlf", b"a\r\nb\r\n"), ("none", b"ab")])
def test_newlines_on_what_is_sent(newline: str, sent: bytes) -> None:
    with Program(listen("127.0.0.1:0", "--newline", newline)) as program:
        with client(port_of(program)) as peer:
            program.send(b"a\nb\n")
            program.close_stdin()
            assert everything(peer) == sent
        assert program.wait() == 0


def test_lan_prints_addresses_to_hand_out() -> None:
    with Program(listen("0", "--lan")) as program:
        program.wait_for("stderr", rb"others connect to: \S+:\d+|no address that others could use")
        assert b"0.0.0.0" not in program.stderr


def test_scanner_that_speaks_no_tls_is_not_the_one_client() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with Program(listen("tls://127.0.0.1:0")) as program:
        port = int(program.wait_for("stderr", rb"listening on tls://127\.0\.0\.1:(\d+)")[1])
        with client(port) as scanner:
            scanner.sendall(b"GET / HTTP/1.0\r\n\r\n")
            program.wait_for("stderr", rb"does not speak TLS")
            assert everything(scanner) == b""
        with client(port) as peer, context.wrap_socket(peer) as secured:
            secured.sendall(b"hello\n")
            program.wait_for("stdout", b"hello\n")
            program.send(b"from us\n")
            assert secured.recv(100) == b"from us\n"
        assert program.wait() == 0


@pytest.mark.parametrize("address", ["127.0.0.1:0", "tls://127.0.0.1:0"])
@pytest.mark.skipif(sys.platform != "linux", reason="ss shows the kernel's timers")
def test_idle_client_is_asked_by_keep_alive(address: str) -> None:
    with wirecat("listen", address) as server:
        port = server.wait_for("stderr", rb"127\.0\.0\.1:(\d+)")[1].decode()
        words = ["--tls", "--insecure"] if address.startswith("tls") else []
        with wirecat("connect", *words, port) as client:
            client.send(b"hello\n")
            server.wait_for("stdout", b"hello\n")
            command = [peer("ss"), "-tnoH", "state", "established", f"sport = :{port}"]
            shown = subprocess.run(command, capture_output=True, check=True, timeout=PATIENCE, env=environment())
            assert b"timer:(keepalive," in shown.stdout
            client.close_stdin()
            server.close_stdin()
            assert (client.wait(), server.wait()) == (0, 0)
