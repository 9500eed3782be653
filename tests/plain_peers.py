"""Plain sockets on the other end of a command: servers in a thread, ports that refuse, ports that are silent.

    with serving(lambda connection: connection.sendall(connection.recv(1024))) as server:
        run wirecat against server.port

What is here uses none of wirecat's own code, so that a fault of both ends can't hide itself.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator

#: Seconds to wait for something that takes milliseconds, on a machine where much else runs.
PATIENCE = 20.0

Behaviour = Callable[[socket.socket], object]


class PlainServer:
    """A listening socket and a thread that gives each client, one after the other, to a function."""

    def __init__(self, behaviour: Behaviour, listener: socket.socket, clients: int) -> None:
        self.behaviour = behaviour
        self.listener = listener
        self.clients = clients
        #: Set by the end of the test: what a function waits for that keeps its client waiting.
        self.over = threading.Event()
        #: What the functions returned, one for each client.
        self.results: list[object] = []
        self.failures: list[BaseException] = []
        self.thread = threading.Thread(target=self._run, name="plain server", daemon=True)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def address(self) -> str:
        host, port = self.listener.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def result(self, timeout: float = PATIENCE) -> object:
        """What the function returned for the last client, once all of them have been served."""
        self.thread.join(timeout)
        assert not self.thread.is_alive(), f"the plain server still runs after {timeout:g} s"
        if self.failures:
            raise self.failures[0]
        return self.results[-1]

    def _run(self) -> None:
        for _ in range(self.clients):
            try:
                connection = self.listener.accept()[0]
            except OSError:  # closed, or nobody came: a test that waits for a result sees that there is none
                return
            with connection:
                connection.settimeout(PATIENCE)
                try:
                    self.results.append(self.behaviour(connection))
                except BaseException as error:
                    self.failures.append(error)
                    return


@contextlib.contextmanager
def serving(
    behaviour: Behaviour, host: str = "127.0.0.1", port: int = 0, *, clients: int = 1, path: str = ""
) -> Iterator[PlainServer]:
    """A plain server for the length of a block. What its function raised fails the test."""
    family = socket.AF_UNIX if path else socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(path or (host, port))
        listener.listen()
        listener.settimeout(PATIENCE)
        server = PlainServer(behaviour, listener, clients)
        server.thread.start()
        try:
            yield server
        finally:
            server.over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes accept(2)
            server.thread.join(PATIENCE)
        assert not server.thread.is_alive(), "the plain server's thread has not ended"
        if server.failures:
            raise server.failures[0]


def everything(connection: socket.socket) -> bytes:
    """All bytes until the peer's end."""
    pieces = []
    while piece := connection.recv(1 << 18):
        pieces.append(piece)
    return b"".join(pieces)


def echo(connection: socket.socket) -> int:
    """Send back what comes until the peer's end, in a plain loop; how many bytes."""
    count = 0
    while piece := connection.recv(1 << 16):
        connection.sendall(piece)
        count += len(piece)
    return count


def reset(connection: socket.socket) -> None:
    """Close so that the other end gets a reset (SO_LINGER of 0 seconds, socket(7))."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def wait_for_end(connection: socket.socket) -> None:
    """Say nothing more, until the peer ends or goes."""
    with contextlib.suppress(ConnectionError):
        everything(connection)


@contextlib.contextmanager
def refusing(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that refuses, for the length of a block: bound, so that nobody else gets it, and not listening."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as bound:
        bound.bind((host, 0))
        yield int(bound.getsockname()[1])


@contextlib.contextmanager
def silent(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that does not answer: the queue of its listener is full, and then Linux drops what else comes."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family))
        listener.bind((host, 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket(family))
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        # The first of them was taken by the kernel at once; from then on there is silence.
        yield int(listener.getsockname()[1])


def free_port() -> int:
    """A port that is free on both loopback addresses now, for programs that must be told one.

    It is below the range from which clients get theirs (Linux: 32768), so that hardly anybody takes it meanwhile.
    """
    for _ in range(100):
        port = random.randrange(10_000, 32_000)
        with socket.socket() as one, socket.socket(socket.AF_INET6) as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("::1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free on both loopback addresses")
