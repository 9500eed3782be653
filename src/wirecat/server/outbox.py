"""A bounded queue of bytes to one client: whoever puts bytes into it never waits for that client.

While a client takes what it is sent, the bytes go straight to its socket from whichever thread has them (a send that
does not wait, MSG_DONTWAIT). Only when it does not is there a queue, and a thread that waits in its place, until the
queue is empty again. So a thousand clients that read cost no thread; one that does not costs one, and ``limit`` bytes.
Where there is no such send (TLS, taps, Windows) all is the thread's, which stays for a moment longer than its work.
"""

from __future__ import annotations

import errno
import socket
import threading
from collections import deque

from wirecat.endpoints.socket_stream import SocketStream
from wirecat.errors import ConnectionClosed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.connection import Connection

LIMIT = 1 << 18  # bytes waiting for one client; the kernel holds some megabytes more
KEPT = 1.0  # seconds that the thread stays without work
# Not on Windows.
_AT_ONCE: int | None = getattr(socket, "MSG_DONTWAIT", None)


class Outbox:
    """What waits to be sent to ``connection``. Safe from any thread; nobody else may send on the connection meanwhile.

    ``gone`` tells that the client can be sent nothing any more; what is put in then is thrown away. ``on_room`` is
    called from the sending thread whenever the queue has become shorter, or the client is gone.
    """

    def __init__(self, connection: Connection, limit: int = LIMIT, on_room: Callable[[], None] | None = None) -> None:
        self.gone = False
        self._connection = connection
        self._limit = limit
        self._on_room = on_room
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._finishing = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._size

    def offer(self, data: bytes) -> bool:
        """Take ``data`` and return at once; False if it does not fit, and then nothing of it was taken.

        An empty queue takes a piece of any size.
        """
        with self._changed:
            if self.gone or not data:
                return True
            if self._pieces:
                if self._size + len(data) > self._limit:
                    return False
            else:
                data = self._send_at_once(data)
                if not data or self.gone:
                    return True
            self._pieces.append(data)
            self._size += len(data)
            started = self._thread is not None or self._start_thread()
            self._changed.notify_all()
        if not started:
            self._connection.cut("no thread left")
        return True

    def _send_at_once(self, data: bytes) -> bytes:
        """Send what the client takes now; the rest."""
        connection = self._connection
        stream = connection.stream
        if _AT_ONCE is None or connection.taps or not isinstance(stream, SocketStream):
            return data
        if connection.half_closed or connection.closed:
            self.gone = True
            return b""
        try:
            count = stream.socket.send(data, _AT_ONCE)
        except BlockingIOError:
            return data
        except OSError:  # it has reset or gone: its own thread meets the same, and tells it
            self.gone = True
            return b""
        connection.bytes_sent += count
        return data[count:]

    def _start_thread(self) -> bool:
        thread = threading.Thread(target=self._send_queued, name=f"wirecat-{self._connection.id}-sender", daemon=True)
        self._thread = thread
        try:
            thread.start()
        except RuntimeError:  # can't start new thread
            self._thread = None
            self._give_up()
            return False
        return True

    def _give_up(self) -> None:
        self.gone = True
        self._pieces.clear()
        self._size = 0

    def _send_queued(self) -> None:
        while True:
            with self._changed:
                if not self._pieces:
                    self._changed.wait_for(lambda: bool(self._pieces) or self._finishing, KEPT)
                if not self._pieces:
                    self._thread = None
                    self._changed.notify_all()
                    return
                piece = self._pieces[0]
            try:
                self._connection.send(piece)
            except (
                OSError,
                ConnectionClosed,
            ) as error:  # as in _send_at_once; an abort from another thread ends here too
                with self._changed:
                    if not self._is_too_large(error):
                        self._give_up()
                    elif self._pieces:
                        self._size -= len(self._pieces.popleft())
            else:
                with self._changed:
                    if self._pieces:
                        self._size -= len(self._pieces.popleft())
            if self._on_room is not None:
                self._on_room()

    def _is_too_large(self, error: Exception) -> bool:
        """Whether only this piece cannot be sent, being too large for a datagram."""
        return isinstance(error, OSError) and error.errno == errno.EMSGSIZE

    def finish(self, timeout: float) -> bool:
        """Wait until all has been sent; False if something was left after ``timeout`` seconds and thrown away.

        Nothing can be put in any more. To be called by the connection's own thread, before it closes the connection.
        """
        with self._changed:
            self._finishing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._thread is None or bool(self._connection.cut_reason), timeout)
            sent = self._thread is None and not self._pieces
            self._give_up()
            thread = self._thread
        if thread is not None:
            self._connection.stream.abort()  # wakes its send
            thread.join()
        return sent
