"""What the tests of the server share: plain sockets as clients, a record of events, and servers that end.

The client of a test is a plain socket and none of wirecat's, so that a fault of both ends can't hide itself.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from wirecat.events import Closed, Event, Failed, Opened
from wirecat.server.server import Server, serve

#: Seconds to wait for what takes milliseconds, on a machine where much else runs.
PATIENCE = 15.0
#: The servers of `serving` that have not ended.
RUNNING: list[Server] = []


def eventually(true: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
    """Wait until something that tells nobody of its change is true: threads and descriptors of the system."""
    deadline = time.monotonic() + timeout
    tick = threading.Event()
    while not true():
        assert time.monotonic() < deadline, f"not in {timeout:g} s: {what}"
        tick.wait(0.005)


class Recorder:
    """A listener that keeps every event, and lets a test wait for one."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def of(self, *kinds: type[Event], **fields: object) -> list[Any]:
        """The events so far of these kinds, whose fields have these values."""
        with self._changed:
            return self._matching(kinds, fields)

    def _matching(self, kinds: tuple[type[Event], ...], fields: dict[str, object]) -> list[Any]:
        return [
            event
            for event in self.events
            if isinstance(event, kinds) and all(getattr(event, name) == fields[name] for name in fields)
        ]

    def wait(self, kind: type[Event], count: int = 1, timeout: float = PATIENCE, **fields: object) -> Any:
        """Wait until ``count`` such events have come, and return the last of them."""
        with self._changed:
            come = self._changed.wait_for(lambda: len(self._matching((kind,), fields)) >= count, timeout)
            found = self._matching((kind,), fields)
            assert come, f"{len(found)} of {count} {kind.__name__} {fields}; there were: {self.events[-20:]}"
            return found[count - 1]

    def names(self, connection: int) -> list[str]:
        """The names of all events of one connection, in order."""
        with self._changed:
            return [event.name for event in self.events if getattr(event, "connection", None) == connection]


class Served:
    """A running server of a test, with the events it told."""

    def __init__(self, server: Server, events: Recorder) -> None:
        self.server = server
        self.events = events

    def connect(self, timeout: float = PATIENCE, host: str = "127.0.0.1") -> socket.socket:
        """A client's plain socket, connected; its calls are bounded in time."""
        return connect(self.port, timeout, host)

    @property
    def port(self) -> int:
        port = self.server.addresses[0].port
        assert port
        return port

    def wait_gone(self, count: int = 1, timeout: float = PATIENCE) -> list[Any]:
        """Wait for the Closed events of ``count`` connections."""
        self.events.wait(Closed, count, timeout)
        return self.events.of(Closed)

    def wait_open(self, count: int = 1) -> Any:
        return self.events.wait(Opened, count)

    @property
    def failures(self) -> list[Any]:
        return self.events.of(Failed)


@contextlib.contextmanager
def serving(handler: Any, address: str = "127.0.0.1:0", **options: Any) -> Iterator[Served]:
    """A server for the length of a block; what it started has ended when the block has."""
    before = set(threading.enumerate())
    events = Recorder()
    server = serve(handler, address, on_event=events, **options)
    RUNNING.append(server)
    try:
        yield Served(server, events)
    finally:
        server.stop(0)
        RUNNING.remove(server)

    def left() -> list[str]:
        return [each.name for each in threading.enumerate() if each not in before and each.name.startswith("wirecat")]

    if RUNNING:  # a thread may be another server's, which goes on
        eventually(lambda: not left(), f"the ends of the threads {left()}")
    assert not left(), f"threads that stop() has left behind: {left()}"


def connect(port: int, timeout: float = PATIENCE, host: str = "127.0.0.1") -> socket.socket:
    """A plain socket, connected to a port of this machine."""
    return socket.create_connection((host, port), timeout)


def reset(client: socket.socket) -> None:
    """Close so that the other end gets a reset (SO_LINGER of 0 seconds, socket(7))."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def exactly(client: socket.socket, count: int) -> bytes:
    """``count`` bytes, or fewer where the end comes before."""
    pieces = []
    while count:
        piece = client.recv(min(count, 1 << 20))
        if not piece:
            break
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def everything(client: socket.socket) -> bytes:
    """All bytes until the orderly end."""
    pieces = []
    while piece := client.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def ask(client: socket.socket, data: bytes) -> bytes:
    """Send, and take one piece of the answer."""
    client.sendall(data)
    return client.recv(1 << 16)


def stands_still(server: Server) -> bool:
    """Whether the oldest connection has sent something, and then nothing more for a tenth of a second."""
    before = server.connections[0].sent if server.connections else 0
    threading.Event().wait(0.1)
    return before > 0 and server.connections[0].sent == before


def read_slowly(client: socket.socket, size: int) -> None:
    """Read ``size`` bytes, a megabyte each tenth of a second; the last ones, which lie in the kernels' buffers, at once."""
    tick = threading.Event()
    while size > 12_000_000:
        size -= len(exactly(client, 1_000_000))
        tick.wait(0.1)
    assert len(exactly(client, size)) == size
