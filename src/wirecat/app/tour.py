"""The tour: the newcomer's first sight of wirecat, and the project's demonstration.

Everything in it really happens, on free ports of this PC, and each step holds or does not by what was seen on the wire,
in the socket table and among the threads. Nothing is shown that was not measured.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from time import monotonic

from wirecat.app.tour_recording import TourRecording
from wirecat.errors import WirecatError
from wirecat.immutable import Immutable
from wirecat.server.handler import load_handler
from wirecat.server.server import serve
from wirecat.sockets.listing import sockets
from wirecat.swarm.swarm import swarm
from wirecat.talk import connect, listen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.server.server import Server
    from wirecat.swarm.progress import SwarmProgress

CLIENTS = 200
MESSAGES = 10
CHUNK = 30  # bytes that the exercise's simple server reads at a time
TEMPLATE = "You told me: {data}"
STEP_TIME = 5.0  # seconds any one wait may take
HERE = "127.0.0.1:0"  # a free port of this PC


class Step(Immutable):
    """One step of the tour: its ``title``, what it ``shows`` (a line or two), the ``evidence`` as it was seen, line by
    line, whether it ``held``, and the ``seconds`` it took."""

    __slots__ = ("evidence", "held", "seconds", "shows", "title")

    title: str
    shows: str
    evidence: tuple[str, ...]
    held: bool
    seconds: float

    def __init__(self, title: str, shows: str, evidence: tuple[str, ...], held: bool, seconds: float) -> None:
        self._set(title=title, shows=shows, evidence=tuple(evidence), held=held, seconds=seconds)


class TourResult(Immutable):
    """The ``steps`` of a tour; ``ok`` if every one held."""

    __slots__ = ("steps",)

    steps: tuple[Step, ...]

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._set(steps=tuple(steps))

    @property
    def ok(self) -> bool:
        """Whether every step held."""
        return all(step.held for step in self.steps)


class _Failure(Exception):
    """A step does not hold, and why."""


def tour(
    *,
    on_step: Callable[[Step], None] | None = None,
    handler: str | Callable[..., Any] = f"reply:{TEMPLATE}",
    serve: Callable[..., Server] = serve,
    record: str | os.PathLike[str] | None = None,
) -> TourResult:
    """Show everything at work, in at most 15 seconds; ``on_step`` is given each step as it ends.

    ``handler`` is what serves the many clients: one of your own is put to the same proof (it must answer ``x`` with
    ``You told me: x``). ``serve`` stands in for wirecat's own. All of it is recorded into the file ``record``, if that is
    given. Raises HandlerError for a handler that cannot be loaded, UsageError for a file that cannot be opened.

    >>> tour().ok
    True
    """
    load_handler(handler)  # wrong use is no step that fails
    recording = TourRecording(record)  # before the threads are counted, for it has one
    guide = _Guide(handler, recording.serving(serve), recording)
    steps: list[Step] = []
    for title, shows, walk in (
        ("A talk", "One side listens, the other connects: bytes go both ways, each side ends for itself.", guide.talk),
        (
            "A server for one client",
            f"It reads at most {CHUNK} bytes at a time, so a long message comes in pieces: TCP keeps no boundaries.",
            guide.one_client,
        ),
        (
            "A server with a thread for each client",
            "Three clients at once, each with a thread of its own.",
            guide.threads,
        ),
        (
            f"{CLIENTS} clients at once",
            "All are connected before the first one sends; each waits for its reply and checks it, byte for byte.",
            guide.crowd,
        ),
        (
            "The socket table, taken while they were connected",
            "One line for the listening socket; for each connection one line of the server's and one of the client's.",
            guide.table,
        ),
        (
            "The clean end",
            "The server has stopped: its threads have ended, its sockets are closed, its port can be bound again.",
            guide.clean_end,
        ),
    ):  # fmt: skip
        started = monotonic()
        try:
            evidence, held = walk(), True
        except (_Failure, OSError, WirecatError) as error:
            evidence, held = [f"{error}"], False
        step = Step(title, shows, tuple(evidence), held, monotonic() - started)
        steps.append(step)
        if on_step is not None:
            on_step(step)
    guide.close()
    recording.close()
    return TourResult(tuple(steps))


class _Guide:
    """Walks the steps; the last three are about one and the same server."""

    def __init__(
        self, handler: str | Callable[..., Any], serve: Callable[..., Server], recording: TourRecording
    ) -> None:
        self._recording = recording
        self._handler = handler
        self._serve = serve
        self._threads_before = set(threading.enumerate())
        self._sockets_before = _own_sockets()
        self._server: Server | None = None
        self._table: list[str] = []
        self._table_failure = "no client ever came, so there was no table to take"

    def talk(self) -> list[str]:
        with listen(HERE) as listener, connect(listener.address, timeout=STEP_TIME) as one:
            with listener.accept(STEP_TIME) as other:
                self._recording.watch(other)
                one.timeout = other.timeout = STEP_TIME
                one.send_line("Hallo, Grüße aus dem einen Fenster")
                heard = other.receive_line()
                other.send_line("und zurück aus dem anderen")
                answer = one.receive_line()
                one.half_close()
                _require(other.receive() is None, "the end of one side did not reach the other")
                other.send_line("still here")
                last = one.receive_line()
        _require(heard == "Hallo, Grüße aus dem einen Fenster", f"the listener heard {heard!r}")
        _require(answer == "und zurück aus dem anderen", f"the client heard {answer!r}")
        _require(last == "still here", f"after the half-close the client heard {last!r}")
        return [
            f"{one.local} -> {other.local}  {heard}",
            f"{other.local} -> {one.local}  {answer}",
            f"{one.local} half-closed, and still got: {last}",
        ]

    def one_client(self) -> list[str]:
        message = b"seventy bytes are more than one piece of thirty, so they come as three"
        with self._serve("reply:server got: {data}\n", HERE, once=True, chunk=CHUNK) as server:
            with connect(server.address, timeout=STEP_TIME) as client:
                client.timeout = STEP_TIME
                client.send(message)
                client.half_close()
                replies = list(client.lines())
            _require(server.wait(STEP_TIME), "the server did not end with its one client")
        pieces = [message[start : start + CHUNK].decode() for start in range(0, len(message), CHUNK)]
        expected = [f"server got: {piece}" for piece in pieces]
        _require(replies == expected, f"{len(message)} bytes were answered by {replies}")
        try:
            connect(server.address, timeout=STEP_TIME).close()
        except ConnectionRefusedError:
            return [*replies, "one client served, and the server has gone"]
        raise _Failure("the server takes clients although it has served its one")

    def threads(self) -> list[str]:
        evidence = []
        with self._serve(f"reply:{TEMPLATE}", HERE, engine="threads") as server:
            clients = [connect(server.address, timeout=STEP_TIME) for _ in range(3)]
            try:
                for number, client in enumerate(clients, 1):
                    client.timeout = STEP_TIME
                    question = f"I am number {number}".encode()
                    client.send(question)
                    answer = client.receive_exactly(len(TEMPLATE) - len("{data}") + len(question))
                    _require(answer == b"You told me: " + question, f"client {number} heard {answer!r}")
                live = server.connections
                _require(len(live) == 3, f"3 clients are connected, the server lists {len(live)}")
                _require(len({info.thread for info in live}) == 3, "they do not have a thread each")
                evidence = [f"{info.thread}  serves {info.peer}, got {info.received} bytes" for info in live]
            finally:
                for client in clients:
                    client.close()
        return evidence

    def crowd(self) -> list[str]:
        self._server = server = self._serve(self._handler, HERE)

        def look(progress: SwarmProgress) -> None:
            if progress.phase == "connected":
                self._look_at_table(server)

        result = swarm(
            server.address, CLIENTS, messages=MESSAGES, newline="none", expect=TEMPLATE,
            timeout=STEP_TIME, reply_timeout=STEP_TIME, progress=look,
        )  # fmt: skip
        came, right = result.connected, result.replies_ok
        _require(came == CLIENTS, f"only {came} of {CLIENTS} clients could connect: {result.errors}")
        wrong = result.first_wrong
        if wrong is not None:
            count = result.replies_wrong
            raise _Failure(f"{count} replies were wrong; the first: {wrong.got!r} in place of {wrong.expected!r}")
        _require(not result.errors, f"clients failed: {result.errors}")
        _require(right == CLIENTS * MESSAGES, f"{right} of {CLIENTS * MESSAGES} replies were right")
        half, slowest = ((value or 0) / 1000 for value in (result.latency_us.p50, result.latency_us.max))
        rate = f"{result.requests_per_second:,.0f} replies a second"
        return [
            f"{came} clients connected, {result.messages_sent} messages sent, {right} replies right, none wrong",
            f"{rate}; half of them within {half:.1f} ms, the slowest took {slowest:.1f} ms",
        ]

    def _look_at_table(self, server: Server) -> None:
        port = server.address.port or 0
        try:
            rows = sockets(port=port).rows
        except WirecatError as error:  # no socket table on this system
            self._table_failure = str(error)
            return
        self._recording.snapshot(rows)
        listening = [row for row in rows if row.state == "LISTEN"]
        servers = [row for row in rows if row.state == "ESTABLISHED" and row.local_port == port]
        clients = [row for row in rows if row.state == "ESTABLISHED" and row.remote_port == port]
        if len(listening) != 1 or len(servers) != CLIENTS or len(clients) != CLIENTS:
            self._table_failure = (
                f"{CLIENTS} clients are connected, the table shows {len(listening)} listening sockets and "
                f"{len(servers)} + {len(clients)} established ones"
            )
            return
        mine = [row for row in (*listening, servers[0], clients[0]) if row.pid in (None, os.getpid())]
        if len(mine) != 3:
            self._table_failure = "the table says that these sockets belong to another process"
            return
        self._table = [
            *(
                f"{row.protocol}  {row.local_host}:{row.local_port}  "
                f"{'*' if row.remote_port is None else f'{row.remote_host}:{row.remote_port}'}  {row.state}  "
                f"{row.process or '-'} ({row.pid or '-'})"
                for row in mine
            ),
            f"… {len(listening)} LISTEN, {len(servers)} + {len(clients)} ESTABLISHED in all",
        ]

    def table(self) -> list[str]:
        if not self._table:
            raise _Failure(self._table_failure)
        return self._table

    def clean_end(self) -> list[str]:
        server = self._server
        if server is None:
            raise _Failure("there was no server to stop")
        stuck = server.stop()
        _require(not stuck, f"{stuck} handlers would not end")
        _require(not server.connections, f"{len(server.connections)} connections are still listed")
        left = _threads_left(self._threads_before)
        _require(not left, f"{len(left)} threads are left: {', '.join(sorted(thread.name for thread in left)[:5])}")
        after = _own_sockets()
        _require(after <= self._sockets_before, f"{after - self._sockets_before} sockets are left open")
        _bind_again(server.address.port or 0)
        before, now = len(self._threads_before), len(threading.enumerate())
        return [
            f"threads: {before} before, {now} after {server.served} connections",
            f"sockets of this program: {self._sockets_before} before, {after} after",
            f"port {server.address.port} was bound again at once",
        ]

    def close(self) -> None:
        """Stop the server where a step before the last one failed."""
        if self._server is not None:
            self._server.stop(0)


def _require(held: bool, otherwise: str) -> None:
    if not held:
        raise _Failure(otherwise)


def _own_sockets() -> int:
    """How many sockets this process has open; from the descriptors where the system shows them, else from its table."""
    try:
        descriptors = os.listdir("/proc/self/fd")
    except OSError:
        try:
            return sum(row.pid == os.getpid() for row in sockets())
        except WirecatError:
            return 0
    count = 0
    for descriptor in descriptors:
        try:
            count += os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")
        except OSError:
            continue  # the descriptor of the listing itself has gone
    return count


def _threads_left(before: set[threading.Thread]) -> set[threading.Thread]:
    """Threads that are neither from before nor end within STEP_TIME."""
    deadline = monotonic() + STEP_TIME / 2
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(max(0.0, deadline - monotonic()))
    return {thread for thread in left if thread.is_alive()}


def _bind_again(port: int) -> None:
    """Bind the port as a server that starts anew would. Raises _Failure."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as again:
        if os.name == "posix":
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            again.bind(("127.0.0.1", port))
            again.listen()
        except OSError as error:
            taken = "it is still taken" if error.errno == errno.EADDRINUSE else error.strerror
            raise _Failure(f"port {port} could not be bound again: {taken}") from error
