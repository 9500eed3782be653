"""A server of several processes: one port, one table, one limit, whatever becomes of a worker."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from peers import environment
from server.clients import PATIENCE, Recorder, Served, ask, connect, eventually, everything, serving
from server.worker_handlers import Who, awho, broken, stubborn, who
from wirecat import UsageError, serve
from wirecat.events import Closed, Denied, Failed, Listening, Opened, Stopped, Stopping
from wirecat.server import supervisor as module
from wirecat.server import worker_watch
from wirecat.server.supervisor import Supervisor
from wirecat.taps.tap import Tap

pytestmark = pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="ports are not shared here")

#: A handler of each colour; the engine follows from it, but for a responder's.
HANDLERS = [(who, None), (awho, None), (Who, "threads"), (Who, "async")]


@contextlib.contextmanager
def clients(served: Served, count: int) -> Iterator[list[tuple[int, socket.socket]]]:
    """So many clients that are served, each with the process that serves it."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            client = stack.enter_context(served.connect())
            found.append((int(client.recv(100)), client))
        yield found


def both(served: Served, stack: contextlib.ExitStack) -> dict[int, socket.socket]:
    """A client at each of two workers; all who have come were told."""
    found: dict[int, socket.socket] = {}
    ports = set()
    while len(found) < 2:
        [(pid, client)] = stack.enter_context(clients(served, 1))
        found.setdefault(pid, client)
        ports.add(client.getsockname()[1])
    eventually(lambda: ports <= {each.peer.port for each in served.events.of(Opened)}, "they are told")
    return found


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pids(served: Served) -> list[int]:
    """The processes of the workers."""
    server = served.server
    assert isinstance(server, Supervisor)
    return [int(slot.process.name.partition("process ")[2].rstrip(")")) for slot in server._slots if slot.process]


@pytest.mark.parametrize(("handler", "engine"), HANDLERS)
def test_every_colour_is_served_by_all_workers(handler: Any, engine: str | None) -> None:
    with serving(handler, workers=2, engine=engine) as served:
        assert served.events.wait(Listening).addresses == served.server.addresses
        with clients(served, 40) as found:
            for number, (_, client) in enumerate(found):
                assert ask(client, b"%d" % number) == b"%d" % number
            # One of two has all 40 once in 10 ** 12 times.
            assert {pid for pid, _ in found} == set(pids(served))
            served.wait_open(40)
            opened = served.events.of(Opened)
            assert sorted(each.connection for each in opened) == list(range(1, 41))
            assert [each.open_count for each in opened] == list(range(1, 41))
            assert {each.peer.port for each in opened} == {client.getsockname()[1] for _, client in found}
            table = served.server.connections
            assert [each.id for each in table] == list(range(1, 41))
            assert {each.thread.partition("/")[0] for each in table} == {"worker-1", "worker-2"}
            assert {each.received for each in table} == {1, 2}
        closed = served.wait_gone(40)
        assert sorted(each.open_count for each in closed) == list(range(40))
        assert {(each.by, each.reason) for each in closed} == {("peer", "end")}
        assert served.server.connections == []
        assert served.server.served == 40


@pytest.mark.parametrize("engine", ["threads", "async"])
def test_who_is_queued_at_a_worker_that_is_killed_is_served(engine: str) -> None:
    """Both stand still while 200 connect, so all lie in the queues; then one is killed."""
    with serving("echo", workers=2, engine=engine) as served, contextlib.ExitStack() as stack:
        first, second = pids(served)
        for pid in (first, second):
            os.kill(pid, signal.SIGSTOP)
            os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)  # it may accept until then
        stack.callback(os.kill, second, signal.SIGCONT)
        queued = [stack.enter_context(served.connect()) for _ in range(200)]
        for number, client in enumerate(queued):
            client.sendall(b"%d" % number)
        os.kill(first, signal.SIGKILL)
        os.kill(second, signal.SIGCONT)
        for number, client in enumerate(queued):
            assert client.recv(100) == b"%d" % number
        assert f"(process {first}) was killed by signal 9 (SIGKILL); another" in served.events.wait(Failed).error
        served.wait_open(200)
        assert first not in pids(served) and len(pids(served)) == 2


def test_a_worker_that_dies_takes_only_its_own_clients_with_it() -> None:
    with serving(who, workers=2) as served, contextlib.ExitStack() as stack:
        (killed, its), (_, others) = both(served, stack).items()
        mine = its.getsockname()[1]
        count = len(served.server.connections)
        os.kill(killed, signal.SIGKILL)
        with contextlib.suppress(ConnectionResetError):
            assert its.recv(1) == b""
        closed = served.events.wait(Closed, reason="worker died")
        lost = served.events.of(Closed, reason="worker died")
        assert mine in {each.peer.port for each in lost} and closed.by == "server"
        assert ask(others, b"x") == b"x"
        eventually(lambda: len(served.server.connections) == count - len(lost), "the table without the lost ones")
        both(served, stack)  # and there are two again


def test_the_pauses_before_successors_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEADY", 1000.0)
    with serving("echo", workers=1) as served:
        for count, pause in ((1, "0.1"), (2, "0.2"), (3, "0.4")):
            eventually(lambda: pids(served), "a worker")
            os.kill(pids(served)[0], signal.SIGKILL)
            assert served.events.wait(Failed, count).error.endswith(f"; another takes its place in {pause} s")
        with served.connect() as client:
            assert ask(client, b"x") == b"x"


def test_a_worker_that_stands_for_a_while_is_followed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEADY", 0.0)
    with serving("echo", workers=1) as served:
        os.kill(pids(served)[0], signal.SIGKILL)
        assert served.events.wait(Failed).error.endswith("; another takes its place")


def test_the_limit_holds_over_all() -> None:
    with serving(who, workers=2, max_connections=5) as served:
        assert served.server.limit == 5
        with clients(served, 5) as found:
            for _ in range(10):
                with served.connect() as more:
                    assert everything(more) == b""
            denied = served.events.wait(Denied, 10)
            assert denied.reason == "connection limit reached (5)"
            assert denied.peer.host == "127.0.0.1"
            assert max(each.open_count for each in served.events.of(Opened)) == 5
            found[0][1].close()
            served.wait_gone()
            with clients(served, 1):
                assert len(served.server.connections) == 5


def test_many_at_once() -> None:
    """More clients than may wait for an answer at one time."""
    with serving("echo", workers=2, engine="async", max_connections=700) as served, contextlib.ExitStack() as stack:
        found = [stack.enter_context(served.connect()) for _ in range(700)]
        for client in found:
            client.sendall(b"x")
        assert {client.recv(1) for client in found} == {b"x"}
        served.wait_open(700)
        assert sorted(each.connection for each in served.events.of(Opened)) == list(range(1, 701))


def test_access_rules() -> None:
    with serving("echo", workers=1, deny=["127.0.0.1"]) as served, served.connect() as client:
        assert everything(client) == b""
        assert served.events.wait(Denied).reason == "not allowed"


def test_kick() -> None:
    with serving(who, workers=2) as served, clients(served, 4) as found:
        assert not served.server.kick(99)
        mine = {each.peer.port: each.id for each in served.server.connections}
        _, client = found[2]
        assert served.server.kick(mine[client.getsockname()[1]])
        assert everything(client) == b""
        assert served.events.wait(Closed).reason == "kicked"
        assert ask(found[0][1], b"x") == b"x"


def test_idle_clients_are_ended() -> None:
    with serving("echo", workers=1, idle_timeout=0.1) as served, served.connect() as client:
        assert everything(client) == b""
        assert served.events.wait(Closed).reason == "idle"


def test_once() -> None:
    with serving(who, workers=2, once=True) as served:
        with clients(served, 1) as [(_, client)]:
            assert not served.server.wait(0)
            eventually(lambda: refused(served.port), "the port is closed")
            assert ask(client, b"x") == b"x"
        assert served.server.wait(PATIENCE)
        served.wait_gone()
        assert len(served.events.of(Opened)) == 1


def refused(port: int) -> bool:
    try:
        with connect(port) as client:
            return everything(client) != b"" and False
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False


def test_once_ends_with_its_worker() -> None:
    with serving(who, workers=2, once=True) as served, clients(served, 1) as [(pid, _)]:
        os.kill(pid, signal.SIGKILL)
        assert served.server.wait(PATIENCE)
        assert "another" not in served.events.wait(Failed).error


def test_a_stop_drains_all() -> None:
    with serving(who, workers=2, drain=PATIENCE) as served, contextlib.ExitStack() as stack:
        found = both(served, stack)
        before = set(pids(served))
        stopping = threading.Thread(target=served.server.stop)
        stopping.start()
        assert served.events.wait(Stopping).open_count == len(served.events.of(Opened))
        assert refused(served.port)
        for client in found.values():
            assert ask(client, b"x") == b"x"  # who is here goes on
        stack.close()
        stopping.join(PATIENCE)
        assert not stopping.is_alive()
        assert served.events.wait(Stopped).stuck == 0
        assert {each.reason for each in served.events.of(Closed)} == {"end"}
        assert served.server.ended and not any(map(alive, before))


def test_who_does_not_end_is_cut() -> None:
    with serving(who, workers=2) as served, clients(served, 3) as found:
        assert served.server.stop(0) == 0
        assert {everything(client) for _, client in found} == {b""}
        assert {each.reason for each in served.events.of(Closed)} == {"shutdown"}


def test_a_drain_is_cut_short() -> None:
    with serving(who, workers=2, drain=1000) as served, clients(served, 3):
        stopping = threading.Thread(target=served.server.stop)
        stopping.start()
        served.events.wait(Stopping)
        served.server.cut()
        stopping.join(PATIENCE)
        assert not stopping.is_alive()
        assert {each.reason for each in served.events.of(Closed)} == {"shutdown"}


def test_a_handler_that_will_not_end_is_told_with_its_stack() -> None:
    with serving(stubborn, workers=1) as served, clients(served, 1) as [(pid, _)]:
        assert served.server.stop(0) == 1
        failed = served.events.wait(Failed)
        assert failed.error == "the handler server.worker_handlers:stubborn will not end"
        assert failed.connection == 1 and "in stubborn" in failed.traceback
        assert not alive(pid)


def test_a_worker_that_stands_still_is_killed_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUIET_TIME", 0.05)
    monkeypatch.setattr(module, "END_TIME", 0.05)
    with serving("echo", workers=1) as served:
        [pid] = pids(served)
        os.kill(pid, signal.SIGSTOP)
        served.server.stop(0)
        assert served.events.wait(Failed).error == f"worker 1 (process {pid}) will not end, and is killed"
        assert not alive(pid)


def test_the_connections_of_one_that_stands_still_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TABLE_TIME", 0.05)
    with serving(who, workers=1) as served, clients(served, 1) as [(pid, client)]:
        served.wait_open()
        os.kill(pid, signal.SIGSTOP)
        try:
            [row] = served.server.connections
        finally:
            os.kill(pid, signal.SIGCONT)
        assert (row.id, row.state, row.thread, row.peer.port) == (1, "unknown", "worker-1", client.getsockname()[1])


def test_worker_that_is_stopped_is_reported_and_so_is_that_it_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_watch, "INTERVAL", 0.05)
    monkeypatch.setattr(worker_watch, "SILENCE", 0.2)
    with serving(who, workers=2) as served:
        pid = pids(served)[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            error = served.events.wait(Failed).error
        finally:
            os.kill(pid, signal.SIGCONT)
        assert re.fullmatch(
            rf"worker [12] \(process {pid}\) is stopped by a signal; its clients, new ones too, wait\. "
            rf"To continue it: kill -CONT {pid}\.",
            error,
        )
        assert f"(process {pid}) answers again, after " in served.events.wait(Failed, 2).error
        assert len(served.failures) == 2, "each is said once"


def test_worker_that_answers_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_watch, "INTERVAL", 0.01)
    monkeypatch.setattr(worker_watch, "SILENCE", 5.0)
    with serving("echo", workers=1) as served, served.connect() as client:
        for number in range(50):
            assert ask(client, b"%d" % number) == b"%d" % number
        assert not served.failures


def test_the_failures_of_handlers_come_as_ever() -> None:
    with serving(broken, workers=1) as served, served.connect() as client:
        assert everything(client) == b""
        failed = served.events.wait(Failed)
        assert (failed.error, failed.connection) == ("RuntimeError: on purpose", 1)
        assert "in broken" in failed.traceback
        assert served.events.wait(Closed).reason == "handler error"


def test_failures_that_nobody_listens_to_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with serve(broken, "127.0.0.1:0", workers=1) as server, connect(server.address.port or 0) as client:
        assert everything(client) == b""
        eventually(lambda: "connection 1 from 127.0.0.1" in caplog.text, "the log")
        assert "RuntimeError: on purpose" in caplog.text


def test_a_worker_ends_with_its_supervisor() -> None:
    """As after kill -9: the channel ends, and nothing was said."""
    events = Recorder()
    with serve(who, "127.0.0.1:0", workers=1, on_event=events, drain=0.1) as server:
        assert isinstance(server, Supervisor)
        with clients(Served(server, events), 1) as [(pid, client)]:
            process = server._slots[0].process
            assert process is not None
            process.channel.end()
            assert everything(client) == b""
        eventually(lambda: not alive(pid), "the worker's end")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise ImportError('not here')", "does not import: ImportError: not here"),
        ("os._exit(3)", r"worker \d \(process \d+\) ended with exit code 3"),
        ("os.kill(os.getpid(), 9)", r"was killed by signal 9 \(SIGKILL\)"),
    ],
)
def test_workers_that_cannot_start(text: str, said: str, tmp_path: Any) -> None:
    """What goes wrong in a worker alone is said, and nothing is left behind."""
    path = tmp_path / "handlers.py"
    path.write_text(f"import os\nif os.getpid() != {os.getpid()}:\n    {text}\ndef f(connection):\n    pass\n")
    events = Recorder()
    with pytest.raises(UsageError) as caught:
        serve(f"{path}:f", "127.0.0.1:0", workers=2, on_event=events)
    assert re.search(said, str(caught.value))
    assert not events.of(Listening)
    assert not [each for each in threading.enumerate() if each.name.startswith("wirecat-worker")]


def test_a_module_that_is_broken_while_its_server_runs(tmp_path: Any) -> None:
    """Successors try again and again, and serve once it is mended."""
    path = tmp_path / "handlers.py"
    whole = "import os\n\ndef f(connection):\n    connection.send_line(str(os.getpid()))\n    connection.receive()\n"
    path.write_text(whole)
    with serving(f"{path}:f", workers=1) as served:
        with clients(served, 1) as [(pid, _)]:
            path.write_text("raise ValueError('half written')\n")
            os.kill(pid, signal.SIGKILL)
        told = served.events.wait(Failed, 2).error
        assert "worker 1 cannot serve: " in told and "ValueError: half written" in told and "; another takes" in told
        path.write_text(whole)
        with clients(served, 1) as [(other, _)]:
            assert other != pid


def test_a_program_that_serves_while_its_workers_import_it(tmp_path: Any) -> None:
    """Each worker would start workers again, and those too."""
    path = tmp_path / "program.py"
    path.write_text(
        "import wirecat\n\ndef f(connection):\n    pass\n\n"
        "with wirecat.serve('program:f', '127.0.0.1:0', workers=2):\n    pass\n"
    )
    ended = subprocess.run([sys.executable, path], capture_output=True, text=True, env=environment(), timeout=PATIENCE)
    assert 'Put what starts the server under: if __name__ == "__main__"' in ended.stderr


def test_what_says_no_message_is_ended(tmp_path: Any) -> None:
    path = tmp_path / "handlers.py"
    path.write_text(
        "import os, sys\n\ndef f(connection):\n    connection.receive()\n"
        "    os.write(int(sys.argv[1]), b'nonsense\\n')\n    connection.receive()\n"
    )
    with serving(f"{path}:f", workers=1) as served, served.connect() as client:
        served.wait_open()
        client.sendall(b"x")
        with contextlib.suppress(ConnectionResetError):
            assert everything(client) == b""
        assert "said what is no message" in served.events.wait(Failed).error
        served.events.wait(Closed, reason="worker died")


def test_no_tap_stands_in_a_worker() -> None:
    with serving("echo", workers=1) as served, pytest.raises(UsageError, match="a tap stands in the process"):
        served.server.attach(Tap())


def test_it_says_what_it_is() -> None:
    with serving("echo", workers=1) as served:
        assert repr(served.server) == f"<Supervisor echo on 127.0.0.1:{served.port}, 0 open>"
        served.server.stop()
        assert repr(served.server).endswith(", stopped>")
        assert served.server.stop() == 0
