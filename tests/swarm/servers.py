"""Small servers of plain sockets and threads for the swarm to talk to: right ones, wrong ones, rude ones.

    with Scripted(echo) as server:
        result = swarm(server.port, 10, expect="echo")
    assert not server.broken

Nothing of wirecat is in here.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 20.0

Script = Callable[[socket.socket], None]


class Scripted:
    """Runs ``script(connection)`` in a thread for each client, and sees every thread to its end.

    ``accepted``: how many came. ``broken``: the errors by which a client's connection broke off under a script, a
    reset by the client among them; they are for the test to look at.
    """

    def __init__(self, script: Script, *, host: str = "127.0.0.1", backlog: int = 1024) -> None:
        self._script = script
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listening = socket.socket(family, socket.SOCK_STREAM)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            self._listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self._listening.bind((host, 0))
        self._listening.listen(backlog)
        self.port: int = self._listening.getsockname()[1]
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.accepted = 0
        self.broken: list[OSError] = []
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Scripted:
        accepting = threading.Thread(target=self._accept)
        accepting.start()
        self._threads.append(accepting)
        return self

    def __exit__(self, *ignored: object) -> None:
        # A connection of one's own wakes a blocked accept on every system; closing the listener does not.
        self._ending = True
        waker = socket.create_connection(self._listening.getsockname()[:2], timeout=PATIENCE)
        self._threads[0].join(PATIENCE)
        waker.close()
        self._listening.close()
        with self._lock:
            for connection in self._open:
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()

    _ending = False

    def _accept(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            if self._ending:
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.accepted += 1
            with self._lock:
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._script(connection)
        except OSError as error:
            self.broken.append(error)
        finally:
            with self._lock:
                self._open.discard(connection)
                connection.close()


def pieces(connection: socket.socket) -> Iterator[bytes]:
    """What arrives, piece by piece, to the end."""
    while data := connection.recv(65536):
        yield data


def echo(connection: socket.socket) -> None:
    for data in pieces(connection):
        connection.sendall(data)


def answering(reply: Callable[[bytes], bytes]) -> Script:
    """A script that answers each piece with ``reply(piece)``."""

    def script(connection: socket.socket) -> None:
        for data in pieces(connection):
            connection.sendall(reply(data))

    return script


def silent(connection: socket.socket) -> None:
    for _ in pieces(connection):
        continue


def reset(connection: socket.socket) -> None:
    """Break the connection off: a close with a linger time of 0 sends a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def nobody_listens() -> Iterator[int]:
    """A port that is taken, and refuses: bound, but not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def never_accepts(backlog: int = 128) -> Iterator[int]:
    """A port whose connects succeed, for the kernel takes them, with nobody behind it."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(backlog)
        yield listening.getsockname()[1]


class SelectorEcho:
    """An echo for very many clients in one thread. ``most`` is how many were connected at the same time."""

    def __init__(self, change: Callable[[bytes], bytes] = bytes) -> None:
        self._change = change
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._listening.setblocking(False)
        self.port: int = self._listening.getsockname()[1]
        self.most = 0
        self.resets = 0
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> SelectorEcho:
        self._thread.start()
        return self

    def __exit__(self, *ignored: object) -> None:
        self._waker.send(b".")
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        for each in (self._listening, self._waker, self._woken):
            each.close()

    def _run(self) -> None:
        connections: set[socket.socket] = set()
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    ready = key.fileobj
                    assert isinstance(ready, socket.socket)
                    if ready is self._woken:
                        for connection in connections:
                            connection.close()
                        return
                    if ready is self._listening:
                        connection, _ = ready.accept()
                        connections.add(connection)
                        self.most = max(self.most, len(connections))
                        selector.register(connection, selectors.EVENT_READ)
                    elif not self._answer(ready):
                        selector.unregister(ready)
                        connections.discard(ready)
                        ready.close()

    def _answer(self, connection: socket.socket) -> bool:
        try:
            data = connection.recv(65536)
        except ConnectionResetError:
            self.resets += 1
            return False
        if data:
            connection.sendall(self._change(data))
        return bool(data)
