"""The supervisor: a server whose clients are served by several processes on one port, its workers.

It opens a listening socket for each worker (SO_REUSEPORT: the kernel spreads the clients over them) and keeps it open
itself, so that who is queued at a worker that dies is not reset, but served by its successor. Who may come in, and
under what number, is for the supervisor to say, and the table of connections is its own. A thread for each worker
reads what it says, sees it to its end and starts its successor.
"""

from __future__ import annotations

import threading
from time import monotonic

from wirecat.endpoints.failures import listen_failure
from wirecat.endpoints.reuse_port import bind_shared
from wirecat.errors import UsageError
from wirecat.events import Closed, Failed, Listening, Opened, Publisher, Stopped, Stopping
from wirecat.server.capacity import capacity_of_workers
from wirecat.server.channel import VERSION
from wirecat.server.event_messages import event_of
from wirecat.server.registry import tell_failure
from wirecat.server.server import CUT_TIME, Server
from wirecat.server.worker_process import Slot, WorkerProcess
from wirecat.server.worker_table import TABLE_TIME, WorkerTable
from wirecat.server.worker_watch import WorkerWatch
from wirecat.taps.transcript import LINES_A_SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Self

    from wirecat.address import Address
    from wirecat.options import ServeOptions
    from wirecat.server.handler import Handler
    from wirecat.server.registry import ConnectionInfo
    from wirecat.taps.named import NamedTap
    from wirecat.taps.tap import Tap

SLICE = 0.5  # seconds: Ctrl-C that comes just before a wait does not end it
QUIET_TIME = 2.0  # seconds that a worker gets to close its listener
STEADY = 2.0  # seconds after which a worker that dies did not die at once
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds before the successor of a worker that did
# Beyond the drain: a worker waits this long for handlers that were cut, then for its loop and its events (CUT_TIME each).
END_TIME = 5 * CUT_TIME


class Supervisor(Server):
    """A running server in ``count`` processes; ``name`` is what the workers find ``handler`` by.

    It is used as any other server. Taps stand in the process that serves, so none can be attached from here.
    """

    def __init__(self, handler: Handler, name: str, address: Address, options: ServeOptions, count: int) -> None:
        self.handler = handler
        self.options = options
        self.transcript = False
        self.worker_tap: NamedTap | None = None  # one for each worker; to be set before the start
        self._name = name
        self._limit, self._limit_reason = capacity_of_workers(count, options.max_connections, handler.engine)
        self._publisher = Publisher()
        self._listeners = bind_shared(address, count)
        self.addresses = self._listeners[0].addresses
        self._slots = [Slot(number, listener) for number, listener in enumerate(self._listeners, 1)]
        self._changed = threading.Condition()
        self._table = WorkerTable()
        self._taken = False  # the one client of --once has come
        self._going = False
        self._stopping = False
        self._watch = WorkerWatch(self._slots, self._changed, self._publisher)
        self._begin_life()

    def prepare(self) -> None:
        """Start the workers, and wait until all are ready, however long the handler's module takes."""
        for slot in self._slots:
            slot.thread = threading.Thread(
                target=self._live, args=(slot,), name=f"wirecat-worker-{slot.number}", daemon=True
            )
            slot.thread.start()
        with self._changed:
            while not (all(slot.ready for slot in self._slots) or any(slot.done for slot in self._slots)):
                self._changed.wait(SLICE)

    def start(self) -> Self:
        """Begin to serve: the Listening event, then clients. Raises UsageError where a worker could not."""
        with self._changed:
            faults = [slot.fault for slot in self._slots if slot.done]
            if faults:
                raise UsageError(faults[0])
            self._listen()
            self._publisher.publish(
                Listening(addresses=self.addresses, limit=self._limit, limit_reason=self._limit_reason)
            )
            self._going = True
            for slot in self._slots:
                self._let_go(slot)
        self._watch.start()
        return self

    def _let_go(self, slot: Slot) -> None:
        slot.lives += 1
        tap = None if self.worker_tap is None else self.worker_tap.task(slot.number, slot.lives)
        slot.send("go", transcript=max(1, LINES_A_SECOND // len(self._slots)) if self.transcript else 0, tap=tap)

    def _listen(self) -> None:
        """Not before there is somebody to serve: until now the port was only kept."""
        try:
            for listener in self._listeners:
                for each in listener.sockets:
                    each.listen(self.options.backlog)
        except OSError as error:
            raise listen_failure(error, self.addresses[0], "") from error

    # A worker's life, in a thread of its own.

    def _live(self, slot: Slot) -> None:
        pause = 0.0
        while True:
            began = monotonic()
            problem = self._one_life(slot)
            with self._changed:
                slot.process, slot.ready = None, False
                self._watch.forget(slot)
                last = self._stopping or self._taken or not self._going
                pause = 0.0 if monotonic() - began >= STEADY else min(max(FIRST_PAUSE, 2 * pause), LONGEST_PAUSE)
                if self._going and not self._stopping:
                    soon = f" in {pause:g} s" if pause else ""
                    more = "" if last else f"; another takes its place{soon}"
                    said = f"worker {slot.number} cannot serve: {slot.fault}" if slot.fault else problem
                    tell_failure(self._publisher, f"{said}{more}")
                self._forget(slot)
                self._changed.notify_all()
                if last or self._changed.wait_for(lambda: self._stopping or self._taken, pause):
                    slot.fault, slot.done = slot.fault or problem, True
                    self._changed.notify_all()
                    break
                slot.fault = ""
        self._after_removal()

    def _one_life(self, slot: Slot) -> str:
        """A worker from its start to its end; how it ended."""
        try:
            process = WorkerProcess(slot.number, slot.listener)
        except (OSError, ValueError) as error:
            return f"worker {slot.number} cannot be started: {getattr(error, 'strerror', None) or error}"
        with self._changed:
            slot.process = process
            if self._stopping:
                process.kill()
        process.channel.send("task", v=VERSION, **self._task(slot))
        problem = ""
        try:
            for message in process.messages():
                self._take(slot, message)
        except (ValueError, KeyError, TypeError) as error:
            process.kill()
            problem = f"said what is no message ({error})"
        ended = process.end()
        self._after_removal()
        return f"{process.name} {problem or ended}"

    def _task(self, slot: Slot) -> dict[str, Any]:
        options = self.options.fields() | {"once": False, "max_connections": None, "engine": self.handler.engine}
        return {
            "number": slot.number,
            "handler": self._name, "options": options,
            "listeners": [each.fileno() for each in slot.listener.sockets],
        }  # fmt: skip

    def _forget(self, slot: Slot) -> None:
        """The connections of a worker that has died are over."""
        now = monotonic()
        for id, row in self._table.lost(slot):
            self._publisher.publish(
                Closed(
                    connection=id, peer=row.peer, by="server", reason="worker died", seconds=now - row.opened,
                    received=0, sent=0, open_count=self._table.open_count,
                )
            )  # fmt: skip

    # What workers say.

    def _take(self, slot: Slot, message: dict[str, Any]) -> None:
        kind = message["type"]
        with self._changed:
            if kind == "ask":
                self._answer(slot, message["n"])
                return
            if kind == "event":
                self._happened(message["event"])
            elif kind == "gone":
                self._table.remove(message["id"])
            else:
                self._noted(slot, kind, message)
                self._changed.notify_all()
        self._after_removal()

    def _noted(self, slot: Slot, kind: str, message: dict[str, Any]) -> None:
        """What somebody may be waiting for."""
        if kind == "ready":
            slot.ready = True
            if self._going:
                self._let_go(slot)
        elif kind == "pong":
            self._watch.answered(slot)
        elif kind == "quiet":
            slot.quiet = True
        elif kind == "table":
            self._table.answered(message["n"], slot, message["rows"], more=message["more"])
        elif kind == "ended":
            self._stuck += message["stuck"]
        elif kind == "fault":
            slot.fault = message["text"]

    def _answer(self, slot: Slot, number: int) -> None:
        """Whether a client may come in."""
        if self._taken:
            slot.send("refuse", n=number, reason=None)
        elif self._table.count >= self._limit:
            slot.send("refuse", n=number, reason=f"connection limit reached ({self._limit})")
        else:
            slot.send("admit", n=number, id=self._table.admit(slot))
            if self.options.once:
                self._taken = True
                self._close_listeners()
                self._send_all("close")

    def _happened(self, fields: dict[str, Any]) -> None:
        """An event of a worker: how many are open is for us to count."""
        if fields["event"] == Closed.name:
            fields["open_count"] = self._table.remove(fields["connection"])
        elif fields["event"] == Opened.name:
            fields["open_count"] = self._table.open_count + 1
        event = event_of(fields)
        if isinstance(event, Failed):
            tell_failure(self._publisher, event)
            return
        if isinstance(event, Opened):
            self._table.opened(event)
        self._publisher.publish(event)

    def _after_removal(self) -> None:
        if self._taken and not self._table.count:
            self._finish()

    # What a server's user asks for.

    @property
    def limit(self) -> int:
        """How many connections at once are let in, by all workers together."""
        return self._limit

    @property
    def served(self) -> int:
        """How many connections were let in so far."""
        return self._table.served

    @property
    def connections(self) -> list[ConnectionInfo]:
        """The live connections as their workers see them now, oldest first. A worker that does not answer is waited for
        TABLE_TIME seconds; the ``state`` of its connections is ``unknown`` then."""
        with self._changed:
            asked = [slot for slot in self._slots if slot.ready]
            number = self._table.ask()
        for slot in asked:
            slot.send("table", n=number)
        with self._changed:
            self._changed.wait_for(
                lambda: all(not slot.ready or self._table.has_answered(number, slot) for slot in asked), TABLE_TIME
            )
            return self._table.snapshot(number, monotonic())

    def kick(self, id: int) -> bool:
        """End the connection of that number; False if there is none."""
        with self._changed:
            slot = self._table.slot_of(id)
        if slot is None:
            return False
        slot.send("kick", id=id)
        return True

    def attach(self, tap: Tap) -> NoReturn:
        """Raises UsageError."""
        raise UsageError(
            "a tap stands in the process that serves, and here that is a worker", hint="Leave workers out."
        )

    detach = attach

    def cut(self) -> None:
        """End a drain that is going on: connections that are still open are cut now."""
        with self._changed:
            self._cutting = True
            self._changed.notify_all()
        self._send_all("cut")

    def stop(self, drain: float | None = None) -> int:
        """As any server's: the workers accept no more, drain, and end. One that does not is killed, and told."""
        with self._stop_lock:
            if self._ended:
                return self._stuck
            seconds = self.options.drain if drain is None else drain
            self._watch.stop()
            with self._changed:
                self._stopping = True
                self._changed.notify_all()
                if not self._going:  # they have no clients, and may be busy with whatever their module does
                    self._kill()
            self._send_all("stop", seconds=seconds)
            with self._changed:
                self._changed.wait_for(
                    lambda: all(slot.quiet or slot.process is None for slot in self._slots), QUIET_TIME
                )
                self._close_listeners()
                if self._going:  # else nobody was told that it listens
                    self._publisher.publish(Stopping(open_count=self._table.open_count, seconds=seconds))
                self._changed.wait_for(lambda: self._cutting or self._all_done(), seconds + END_TIME)
                if not self._changed.wait_for(self._all_done, END_TIME if self._cutting else 0):
                    self._kill("will not end, and is killed")
            for slot in self._slots:
                if slot.thread is not None:
                    slot.thread.join()
            self._watch.join()
            self._ended = True
            if self._going:
                self._publisher.publish(Stopped(served=self._table.served, stuck=self._stuck))
            self._publisher.close()
            self._finish()
            return self._stuck

    def _all_done(self) -> bool:
        return all(slot.done or slot.thread is None for slot in self._slots)

    def _kill(self, why: str = "") -> None:
        for slot in self._slots:
            if slot.process is not None:
                if why:
                    tell_failure(self._publisher, f"{slot.process.name} {why}")
                slot.process.kill()

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _send_all(self, type: str, **fields: object) -> None:
        for slot in self._slots:
            slot.send(type, **fields)

    def __repr__(self) -> str:
        state = "stopped" if self._ended else f"{self._table.open_count} open"
        return f"<Supervisor {self.handler.name} on {', '.join(map(str, self.addresses))}, {state}>"
