"""A worker: a process that serves a part of a server's clients, as its supervisor says (see ``wirecat.server.channel``).

It accepts from listeners that the supervisor has opened, and keeps them no longer than it lives: whoever is queued
there when it dies is served by its successor. Ctrl-C and SIGTERM are for the supervisor alone, which a terminal or a
service manager sends them to as well.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

from wirecat.address import Address
from wirecat.endpoints.listener import Listener
from wirecat.errors import WirecatError
from wirecat.events import Failed, Publisher, Stopping
from wirecat.options import ServeOptions
from wirecat.server.acceptor import Acceptor
from wirecat.server.channel import VERSION, Channel
from wirecat.server.event_messages import KINDS, address_object, event_object
from wirecat.server.gate import Gate
from wirecat.server.handler import Handler, load_handler
from wirecat.server.server import Server
from wirecat.server.threads import ThreadEngine
from wirecat.system.allocator import share_one_heap
from wirecat.taps.transcript import TranscriptTap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wirecat.events import Event
    from wirecat.server.admission import Adopt
    from wirecat.taps.tap import Tap

ROWS = 1000  # connections told in one message
UNLIMITED = sys.maxsize  # who may come in is for the supervisor to say


class WorkerServer(Server):
    """A server that asks over ``channel`` who may come in, and tells there what happens."""

    def __init__(
        self,
        handler: Handler,
        address: Address,
        options: ServeOptions,
        listener: Listener,
        channel: Channel,
        number: int,
    ) -> None:
        """``number`` is that of the worker: each has another processor for its threads."""
        self._channel = channel
        super().__init__(handler, address, options, listener)
        if isinstance(self._engine, ThreadEngine):
            self._engine.turn = number
        self.subscribe(self._tell)

    def _make_publisher(self) -> Publisher:
        # The supervisor's table lives by these events, so none is left out. They are as many as there are clients, and
        # a supervisor that is slow to take them is as slow to let in more.
        return Publisher(UNLIMITED)

    def _admission(self) -> tuple[Any, Adopt, dict[str, Any]]:
        # In a thread of its own with either engine: a gate at which too many wait makes it wait as well.
        self.gate = Gate(self._channel.send, self._registry, self._engine.adopt)
        return Acceptor, self.gate.ask, {}

    def _tell(self, event: Event) -> None:
        if event.name in KINDS:
            self._channel.send("event", event=event_object(event))
        elif isinstance(event, Stopping):
            self._channel.send("quiet")

    def stop_accepting(self) -> None:
        """Close the listener; who is here stays."""
        self._acceptor.stop_accepting()
        self._channel.send("quiet")

    def table(self) -> list[dict[str, Any]]:
        """The connections as plain objects."""
        rows = []
        for info in self.connections:
            fields = info.fields()
            rows.append(fields | {name: address_object(fields[name]) for name in ("peer", "local")})
        return rows


class Worker:
    """Does what comes over ``channel``, from the task to the end of the channel."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._server: WorkerServer | None = None
        self._drain = 0.0
        self._stopping: threading.Thread | None = None
        self._tap: TranscriptTap | None = None
        self._named: Tap | None = None

    def run(self) -> bool:
        """To the end; whether nothing of it runs any more."""
        while (messages := self._channel.receive()) is not None:
            for message in messages:
                self._obey(message)
        server = self._server
        if server is None:
            return True
        try:
            self._end(server)
        finally:
            self._close_named()
        return server.ended

    def _close_named(self) -> None:
        named, self._named = self._named, None
        if named is not None:
            named.close()

    def _tell_trouble(self, text: str) -> None:
        """What a tap reports, also when the server's own events are over."""
        failed = Failed(connection=None, peer=None, error=text, traceback="")
        self._channel.send("event", event=event_object(failed))

    def _end(self, server: WorkerServer) -> None:
        if self._stopping is None:  # the supervisor has gone, with all that it would have said
            server.gate.close()
            server.stop(self._drain)
        else:
            self._stopping.join()

    def _obey(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        server = self._server
        if kind == "task":
            self._prepare(message)
        elif kind == "ping":
            self._channel.send("pong")
        elif server is None:
            return  # nothing is served, and the end of the channel follows
        elif kind == "admit":
            server.gate.admit(message["n"], message["id"])
        elif kind == "refuse":
            server.gate.refuse(message["n"], message["reason"])
        elif kind == "go":
            self._begin(server, message["transcript"], message.get("tap"))
        elif kind == "table":
            self._tell_table(message["n"], server.table())
        elif kind == "kick":
            server.kick(message["id"])
        elif kind == "close":
            self._apart(server.stop_accepting)
        elif kind == "stop" and self._stopping is None:
            self._stopping = self._apart(self._stop, server, message["seconds"])
        elif kind == "cut":
            server.cut()

    def _tell_table(self, number: int, rows: list[dict[str, Any]]) -> None:
        """In pieces, because a message has an end."""
        for start in range(0, len(rows) or 1, ROWS):
            more = start + ROWS < len(rows)
            self._channel.send("table", n=number, rows=rows[start : start + ROWS], more=more)

    def _apart(self, function: Callable[..., None], *arguments: object) -> threading.Thread:
        """Call what waits for the accept thread in a thread of its own: that may be waiting for what we have to read."""
        thread = threading.Thread(target=function, args=arguments, name="wirecat-stop", daemon=True)
        thread.start()
        return thread

    def _prepare(self, task: dict[str, Any]) -> None:
        """Load the handler and take over the listener. What goes wrong is told: a fault is the same each time."""
        try:
            if task["v"] != VERSION:
                raise ValueError(f"version {task['v']} of the channel to workers, not {VERSION}")
            self._server = server = self._make(task)
        except Exception as error:
            self._fail(error)
            return
        self._drain = server.options.drain
        self._channel.send("ready")

    def _begin(self, server: WorkerServer, transcript: int, tap: dict[str, Any] | None) -> None:
        if transcript:
            self._tap = TranscriptTap(server.publish, transcript)
            server.attach(self._tap)
        try:
            if tap is not None:
                from wirecat.taps.named import make_named

                self._named = make_named(tap)
                self._named.report_to(self._tell_trouble)
                server.attach(self._named)
            server.start()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        text = " ".join(str(error).split())
        known = isinstance(error, WirecatError)
        self._channel.send("fault", text=text if known else f"{type(error).__name__}: {text}")
        self._channel.end()

    def _make(self, task: dict[str, Any]) -> WorkerServer:
        options = ServeOptions(**task["options"])
        handler = load_handler(task["handler"], engine=options.engine, framing=options.framing)
        listener = Listener([_inherited(descriptor) for descriptor in task["listeners"]])
        return WorkerServer(handler, listener.addresses[0], options, listener, self._channel, task["number"])

    def _stop(self, server: WorkerServer, seconds: float) -> None:
        if self._tap is not None:
            for event in self._tap.take_hidden():
                server.publish(event)
        server.stop(seconds)
        self._close_named()  # while the supervisor still listens
        self._channel.send("ended", stuck=server.stuck)
        self._channel.end()


def _inherited(descriptor: int) -> socket.socket:
    """A socket that the supervisor has opened. Programs that a handler starts must not have it: they would keep the
    port, and the channel, beyond our end."""
    os.set_inheritable(descriptor, False)
    return socket.socket(fileno=descriptor)


def _ignore_signals() -> None:
    """Do nothing at what is for the supervisor. By handlers, because programs inherit what is ignored, but none."""
    numbers = {signal.SIGINT, signal.SIGTERM}
    for number in numbers:
        signal.signal(number, lambda number, frame: None)
    # The supervisor has blocked them until now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def main() -> None:
    """Be a worker, to the end: its channel is the descriptor that the first argument tells."""
    _ignore_signals()
    share_one_heap()
    channel = Channel(_inherited(int(sys.argv[1])))
    if not Worker(channel).run():
        os._exit(0)  # a handler that would not end has been told; Python would wait for what it holds
    channel.close()
