"""A program for each client: what it is told, how both ends of it end, and that nothing of it stays behind."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from leaks import nothing_left_behind  # noqa: F401
from peers import wirecat
from server.clients import PATIENCE, Served, eventually, everything, exactly, reset, serving
from server.test_tls_transport import with_halves
from wirecat.events import Closed
from wirecat.server.handlers.exec import Exec
from wirecat.server.start_rate import StartRate

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are written for a POSIX shell")


def ask(served: Served, data: bytes = b"") -> bytes:
    """Send, end our half, take all that comes."""
    with served.connect() as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return everything(client)


def read_pid(client: socket.socket) -> int:
    line = b""
    while not line.endswith(b"\n"):
        piece = client.recv(1)
        assert piece
        line += piece
    return int(line)


def is_running(pid: int) -> bool:
    """A zombie runs no more, but has not been reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_its_input_and_output_are_the_connection() -> None:
    with serving("exec:sort -r") as served:
        assert ask(served, b"a\nc\nb\n") == b"c\nb\na\n"
        closed = served.events.wait(Closed)
        assert (closed.by, closed.reason, closed.received, closed.sent) == ("peer", "end", 6, 6)


def test_much_goes_both_ways_at_once() -> None:
    data = os.urandom(1 << 20) * 8
    with serving("exec:cat") as served, served.connect() as client:
        sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
        sender.start()
        assert hashlib.sha256(everything(client)).digest() == hashlib.sha256(data).digest()
        sender.join(PATIENCE)


def told(text: bytes) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.decode().splitlines() if line.startswith("NCAT_"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_is_told_who_is_there(host: str) -> None:
    place = f"[{host}]:0" if ":" in host else f"{host}:0"
    with serving("exec:env", place) as served, served.connect(host=host) as client:
        names = told(everything(client))
        assert names == {
            "NCAT_REMOTE_ADDR": host, "NCAT_REMOTE_PORT": str(client.getsockname()[1]), "NCAT_LOCAL_ADDR": host,
            "NCAT_LOCAL_PORT": str(served.port), "NCAT_PROTO": "TCP",
        }  # fmt: skip


def test_a_path_is_no_address(tmp_path: Path) -> None:
    with serving("exec:env", f"unix://{tmp_path}/s"), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(f"{tmp_path}/s")
        names = told(everything(client))
        assert names == {
            "NCAT_REMOTE_ADDR": "localhost", "NCAT_REMOTE_PORT": "", "NCAT_LOCAL_ADDR": "localhost",
            "NCAT_LOCAL_PORT": "", "NCAT_PROTO": "TCP",
        }  # fmt: skip


def test_without_the_shell() -> None:
    with serving(Exec(r"/bin/echo a\ b 'c", split=True)) as served:
        assert ask(served) == b"a b 'c\n"


def test_a_program_that_is_not_there() -> None:
    with serving(Exec("/no/such/program", split=True)) as served, served.connect() as client:
        assert everything(client) == b""
        assert served.events.wait(Closed).reason == "handler error"
        assert "no such program" in served.failures[0].error


def test_it_may_open_its_standard_input_by_name() -> None:
    with serving("exec:cat /dev/stdin") as served:
        assert ask(served, b"by name") == b"by name"


def test_the_clients_end_does_not_kill_it() -> None:
    with serving("exec:cat >/dev/null; sleep 0.5; echo I had more to say") as served:
        assert ask(served, b"that is all") == b"I had more to say\n"


def test_its_end_is_the_connections_at_once() -> None:
    with serving("exec:echo bye") as served, served.connect() as client:
        began = time.monotonic()
        assert everything(client) == b"bye\n"
        assert time.monotonic() - began < 0.9, "the client is told before its time to end has passed"
        closed = served.events.wait(Closed)
        assert closed.by == "server"


def test_its_last_words_are_not_lost_to_a_client_that_still_sends() -> None:
    with serving("exec:head -c 1; echo enough") as served, served.connect() as client:
        client.sendall(b"x" * 3_000_000)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(65536):
                answer += piece
        assert answer == b"xenough\n"


def test_it_may_end_its_output_and_read_on(tmp_path: Path) -> None:
    file = tmp_path / "got"
    with serving(f"exec:exec >&-; cat >{file}") as served, served.connect() as client:
        assert client.recv(10) == b""
        client.sendall(b"still heard")
        client.shutdown(socket.SHUT_WR)
        served.events.wait(Closed)
        eventually(lambda: file.exists() and file.read_bytes() == b"still heard", "it has written it")


def test_a_client_that_resets_ends_it() -> None:
    with serving("exec:echo $$; exec sleep 1000") as served:
        client = served.connect()
        pid = read_pid(client)
        reset(client)
        closed = served.events.wait(Closed)
        assert (closed.by, closed.reason) == ("peer", "reset")
        eventually(lambda: not is_running(pid), "it has ended and was reaped")


@pytest.mark.parametrize(
    "command", ["echo $$; exec sleep 1000", "trap '' TERM HUP PIPE; echo $$; sleep 1000; sleep 1000"]
)
def test_exec_client_fills_buffers_and_resets_program_ends(command: str) -> None:
    with serving(f"exec:{command}") as served:
        client = served.connect()
        pid = read_pid(client)
        client.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                client.sendall(bytes(1 << 20))
        reset(client)
        closed = served.events.wait(Closed)
        assert (closed.by, closed.reason) == ("peer", "reset")
        eventually(lambda: not is_running(pid), "it has ended and was reaped")


def test_exec_many_clients_of_an_echo_fill_buffers_and_reset_programs_end() -> None:
    """Both directions are blocked: one of them is told the error of the reset, the other has to notice it too."""
    with serving("exec:exec cat") as served:
        clients = [served.connect(timeout=0.2) for _ in range(12)]
        for client in clients:
            with contextlib.suppress(TimeoutError):
                while True:
                    client.sendall(bytes(1 << 20))
        for client in clients:
            reset(client)
        served.events.wait(Closed, count=12)


def test_exec_client_half_closes_and_resets_program_ends() -> None:
    with serving("exec:echo $$; exec sleep 1000") as served:
        client = served.connect()
        pid = read_pid(client)
        client.shutdown(socket.SHUT_WR)
        reset(client)
        served.events.wait(Closed, reason="reset")
        eventually(lambda: not is_running(pid), "it has ended and was reaped")


@pytest.mark.parametrize("how", ["kick", "stop", "idle"])
def test_a_cut_connection_ends_it_and_what_it_has_started(how: str) -> None:
    with serving("exec:sleep 1000 & echo $!; wait", idle_timeout=0.3 if how == "idle" else None) as served:
        with served.connect() as client:
            pid = read_pid(client)
            if how == "kick":
                assert served.server.kick(1)
            elif how == "stop":
                assert served.server.stop(0) == 0
            assert served.events.wait(Closed).reason == {"kick": "kicked", "stop": "shutdown", "idle": "idle"}[how]
            eventually(lambda: not is_running(pid), "the grandchild has ended")


def test_it_gets_a_sigterm_and_a_moment(tmp_path: Path) -> None:
    file = tmp_path / "said"
    command = f"exec:trap 'echo orderly >{file}; exit' TERM; echo $$; while :; do sleep 0.05; done"
    with serving(command) as served, served.connect() as client:
        read_pid(client)
        served.server.kick(1)
        served.events.wait(Closed)
        eventually(lambda: file.exists() and file.read_text() == "orderly\n", "it has said so")


def test_who_does_not_hear_a_sigterm_is_killed() -> None:
    with serving("exec:trap '' TERM; echo $$; while :; do sleep 0.05; done") as served, served.connect() as client:
        pid = read_pid(client)
        served.server.kick(1)
        served.events.wait(Closed)
        eventually(lambda: not is_running(pid), "it is gone")


def test_a_program_that_does_not_read_can_be_cut() -> None:
    with serving("exec:echo $$; exec sleep 1000") as served, served.connect() as client:
        pid = read_pid(client)

        def fill() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client.sendall(b"x" * 65536)

        sender = threading.Thread(target=fill)
        sender.start()
        sender.join(0.2)
        began = time.monotonic()
        assert served.server.stop(0) == 0
        assert time.monotonic() - began < 2
        eventually(lambda: not is_running(pid), "it is gone")
        sender.join(PATIENCE)


def test_nothing_stays_behind_of_many() -> None:
    """Threads and descriptors: see the fixture. Zombies: there is no child left to wait for."""
    with serving("exec:cat") as served:
        for number in range(40):
            client = served.connect()
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            if number % 3 == 0:
                reset(client)
            elif number % 3 == 1:
                client.close()
            else:
                client.shutdown(socket.SHUT_WR)
                assert client.recv(1) == b""
                client.close()
        served.events.wait(Closed, 40)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_two_clients_have_a_program_each() -> None:
    with serving("exec:read name; echo hello $name; cat") as served:
        with served.connect() as one, served.connect() as two:
            two.sendall(b"two\n")
            assert exactly(two, 10) == b"hello two\n"
            one.sendall(b"one\n")
            assert exactly(one, 10) == b"hello one\n"


def test_by_tls() -> None:
    with serving("exec:sort; echo $NCAT_PROTO", "tls://127.0.0.1:0") as served, with_halves(served) as client:
        client.send(b"b\na\n")
        client.half_close()
        assert list(client.lines()) == ["a", "b", "TCP"]


@pytest.mark.parametrize("twice", [False, True])
def test_a_sigterm_of_the_server_reaches_it(tmp_path: Path, twice: bool) -> None:
    file = tmp_path / "said"
    command = f"exec:trap 'echo orderly >{file}; exit' TERM; echo ready; while :; do sleep 0.05; done"
    with wirecat("serve", command, "127.0.0.1:0", "--drain", "60" if twice else "0.2") as server:
        port = int(server.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1])
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            assert exactly(client, 6) == b"ready\n"
            server.signal(signal.SIGTERM)
            if twice:
                server.wait_for("stderr", rb"stopping")
                server.signal(signal.SIGTERM)
            assert server.wait() == (128 + signal.SIGTERM if twice else 0)
            assert everything(client) == b""
        eventually(lambda: file.exists() and file.read_text() == "orderly\n", "it has said so")


def test_clients_that_are_lost_while_they_wait_have_no_program_started(tmp_path: Path) -> None:
    """The rate at which programs start is limited, and those that have gone cost the others no time."""
    started = tmp_path / "started"
    handler = Exec(f"echo >> {started}; cat", rate=StartRate(0.5, 1))
    with serving(handler) as served:
        with served.connect() as first:
            first.sendall(b"x")
            assert first.recv(1) == b"x"
            for _ in range(50):
                reset(served.connect())
            served.events.wait(Closed, 48)
            with served.connect() as last:
                last.sendall(b"y")
                assert last.recv(1) == b"y"
        served.events.wait(Closed, 52)
        assert {each.reason for each in served.events.of(Closed)} <= {"end", "reset"}
    assert 2 <= len(started.read_text()) <= 4, "50 seconds' worth of programs were asked for"


def test_clients_that_wait_for_their_program_do_not_keep_a_server_from_stopping() -> None:
    with serving(Exec("cat", rate=StartRate(0.001, 1))) as served, contextlib.ExitStack() as stack:
        first = stack.enter_context(served.connect())
        first.sendall(b"x")
        assert first.recv(1) == b"x"
        for _ in range(5):
            stack.enter_context(served.connect())
        eventually(lambda: len(served.server.connections) == 6, "they wait")
        began = time.monotonic()
        assert served.server.stop(0) == 0
        assert time.monotonic() - began < 3
