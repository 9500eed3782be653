"""The other end of ``--from-peer``: connects back to whoever asks, and to nobody else.

One connection for a question, to the address that the question came from, from a fresh port, within three seconds;
one question a second from each address, five from all. Nothing is sent over it; it is held for a second, so that the
asker can see it in its own table of sockets.
"""

from __future__ import annotations

import errno
import select
import socket
import threading
import time

from wirecat.deadline import Deadline
from wirecat.port_mapping.exchange import family_of, socket_address
from wirecat.reach.places import unmapped
from wirecat.wire.reach_peer import (
    BUSY,
    DONE,
    OPEN,
    REFUSED,
    TIMEOUT,
    UNREACHABLE,
    Lines,
    from_line,
    read_request,
    word_line,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

DEFAULT_PORT = 12346
DIAL_SECONDS = 3.0
HOLD_SECONDS = 1.0
_ASK_SECONDS = 3.0  # for the question to arrive
_MOST_AT_ONCE = 16
_EACH, _ALL = 1.0, 0.2  # seconds between two questions of one address, and of all
_MOST_REMEMBERED = 1000
_SLICE = 0.2


class RateLimit:
    """When an address may ask again. ``now`` is a monotonic time, so that a test can pass its own."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._last_of_all = -_ALL
        self._lock = threading.Lock()

    def allows(self, host: str, now: float) -> bool:
        """Whether this question is taken; if so, it counts."""
        with self._lock:
            if now - self._last_of_all < _ALL or now - self._last.get(host, now - _EACH) < _EACH:
                return False
            if len(self._last) >= _MOST_REMEMBERED:
                self._last = {host: at for host, at in self._last.items() if now - at < _EACH}
            self._last_of_all = self._last[host] = now
            return True


class PeerServer:
    """Serves in threads of its own until ``close``. A context manager. ``on_answer(host, port, result)`` tells of each."""

    def __init__(self, port: int = DEFAULT_PORT, on_answer: Callable[[str, int, str], None] | None = None) -> None:
        """Listen on every interface, both families where there are. Raises OSError where the port is taken."""
        self._on_answer = on_answer
        self._limit = RateLimit()
        self._room = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._stop = threading.Event()
        if socket.has_dualstack_ipv6():
            self._listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        else:
            self._listener = socket.create_server(("", port))
        self._listener.settimeout(_SLICE)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="wirecat-reach-peer", daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, address = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ECONNABORTED) and not self._stop.wait(_SLICE):
                    continue
                return
            if not self._room.acquire(blocking=False):
                connection.close()
                continue
            threading.Thread(
                target=self._serve, args=(connection, address), name="wirecat-reach-peer", daemon=True
            ).start()

    def _serve(self, connection: socket.socket, address: tuple[object, ...]) -> None:
        try:
            with connection:
                host = unmapped(str(address[0]))
                port = self._read_question(connection)
                if port is None:
                    return
                if not self._limit.allows(host, time.monotonic()):
                    connection.sendall(word_line(BUSY))
                    return
                result = self._dial(connection, host, port)
                if self._on_answer is not None:
                    self._on_answer(host, port, result)
        except OSError:
            return  # the asker went away: there is nobody to tell
        finally:
            self._room.release()

    def _read_question(self, connection: socket.socket) -> int | None:
        deadline = Deadline(_ASK_SECONDS)
        lines = Lines()
        try:
            while (line := lines.next()) is None:
                connection.settimeout(max(deadline.within(_ASK_SECONDS), 0.01))
                data = connection.recv(256)
                if not data or deadline.expired:
                    return None
                lines.feed(data)
            return read_request(line)
        except ValueError:
            return None

    def _dial(self, connection: socket.socket, host: str, port: int) -> str:
        """Connect to the asker, say what came of it, and hold what is open for a second."""
        own = unmapped(connection.getsockname()[0])
        with socket.socket(family_of(host), socket.SOCK_STREAM) as dialling:
            # From the address that was asked: one that the asker can name. A fresh port, known before it is used.
            dialling.bind((own, 0))
            source = dialling.getsockname()
            connection.settimeout(_ASK_SECONDS)
            connection.sendall(from_line(own, source[1]))
            dialling.settimeout(DIAL_SECONDS)
            try:
                dialling.connect(socket_address(host, port))
            except ConnectionRefusedError:
                result = REFUSED
            except TimeoutError:
                result = TIMEOUT
            except OSError:
                result = UNREACHABLE
            else:
                result = OPEN
            connection.sendall(word_line(result))
            if result == OPEN:
                # The asker ends it sooner by closing: it has seen enough.
                select.select([connection], [], [], HOLD_SECONDS)
        connection.sendall(word_line(DONE))
        return result

    def close(self) -> None:
        """Take no more questions. Those that are being answered come to their end by themselves, within seconds."""
        self._stop.set()
        self._thread.join()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
