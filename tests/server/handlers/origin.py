"""A proxy and a server behind it, for tests: the server records what it is sent, and answers what it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from server.clients import PATIENCE, Served, everything, serving
from wirecat.server.handlers.proxy import Proxy, make

Serve = Callable[[socket.socket, bytes], None]

#: What an answer looks like that says how long it is.
PLAIN = b"HTTP/1.1 200 OK\r\nX-Server: here\r\nContent-Length: 5\r\n\r\nhello"


def head_end(data: bytes) -> int:
    return data.find(b"\r\n\r\n") + 4


class Origin:
    """Accepts on loopback; ``heads`` and ``bodies`` are what came, a request each. ``reply`` is the whole answer, or a
    function that is given the connection and what has come of the request (its head at least)."""

    def __init__(self, reply: bytes | Serve = PLAIN, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self.reply = reply
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.settimeout(PATIENCE)
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                data = b""
                while head_end(data) < 4:
                    piece = client.recv(65536)
                    if not piece:
                        return
                    data += piece
                self.heads.append(data[: head_end(data)])
                if callable(self.reply):
                    self.reply(client, data[head_end(data) :])
                    return
                self.bodies.append(self.body_of(client, data))
                client.sendall(self.reply)
            except OSError:
                return  # the proxy broke off

    @staticmethod
    def body_of(client: socket.socket, data: bytes) -> bytes:
        """The body that follows a head, by its framing; the framing of chunks is left in."""
        head, body = data[: head_end(data)].lower(), data[head_end(data) :]
        chunked = b"transfer-encoding: chunked" in head
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0]) if b"content-length: " in head else 0
        while (chunked and not body.endswith(b"0\r\n\r\n")) or len(body) < length:
            piece = client.recv(65536)
            if not piece:
                break
            body += piece
        return body

    def __enter__(self) -> Origin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing a listener does not wake its accept(2) on every system.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)


@contextlib.contextmanager
def proxying(proxy: Proxy | None = None, reply: Any = PLAIN, **options: Any) -> Iterator[tuple[Served, Origin]]:
    with Origin(reply) as origin, serving(proxy or make(""), **options) as served:
        yield served, origin
        assert not served.failures


def ask(served: Served, request: bytes, *, end: bool = True) -> bytes:
    """Send a request, and take all that comes until the proxy ends the connection."""
    with served.connect() as client:
        client.sendall(request)
        if end:
            client.shutdown(socket.SHUT_WR)
        return everything(client)


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def fields(head: bytes) -> list[tuple[str, str]]:
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return [(line.partition(":")[0], line.partition(":")[2].strip()) for line in lines]


def dechunked(body: bytes) -> bytes:
    """What is in the chunks of a whole body."""
    content = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        count = int(size, 16)
        content += body[:count]
        assert body[count : count + 2] == b"\r\n"
        body = body[count + 2 :]
        if not count:
            assert body == b""
            return content
