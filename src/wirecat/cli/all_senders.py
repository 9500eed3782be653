"""``listen --keep-open`` at a port without connections: all senders at once, as ``nc -luk`` has them.

What any of them sends is printed. What is typed goes to all that have sent something and are not silent for too long.
"""

from __future__ import annotations

import sys
import threading
from time import monotonic

from wirecat.carrier import DATAGRAM
from wirecat.connection import Connection
from wirecat.endpoints.peer_stream import DatagramReceiver
from wirecat.errors import WirecatError
from wirecat.taps.tap import RECEIVED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.cli.environment import Environment
    from wirecat.endpoints.datagram_listener import DatagramListener
    from wirecat.endpoints.stdio import StdioStream
    from wirecat.endpoints.whole_datagrams import WholeDatagrams

MOST = 1000  # senders; for a new one the one that has been silent longest is forgotten
SWEEP = 1.0  # seconds between looks at who is silent
HANDSHAKE_STEP = 0.1  # seconds between looks at DTLS handshakes
_SLICE = 0.2 if sys.platform == "win32" else 0.5  # on Windows Ctrl-C does not end a wait


class AllSenders:
    """Joins all senders of ``listener`` to standard input and output. ``attach`` gives a connection its taps."""

    def __init__(
        self,
        listener: DatagramListener,
        local: StdioStream,
        environment: Environment,
        attach: Callable[[Connection], None],
    ) -> None:
        self._listener = listener
        self._local = local
        self._environment = environment
        self._attach = attach
        self._senders: dict[Sender, None] = {}  # the one that has been silent longest first
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._failure: BaseException | None = None
        self._last_number = 0

    def run(self) -> None:
        """Until a signal ends it. Raises OutputClosed and what else standard output fails with."""
        self._listener.watch(self._open, self._tick)
        try:
            if not self._environment.no_input:
                while data := self._local.receive(DATAGRAM):
                    self._send(data)
            while not self._over.wait(_SLICE):
                continue
        finally:
            self._listener.close()
            for sender in self._all():
                self._forget(sender)
        if self._failure is not None:
            raise self._failure

    def _all(self) -> list[Sender]:
        with self._lock:
            return list(self._senders)

    def _send(self, data: bytes) -> None:
        for sender in self._all():
            if not sender.stream.ready:
                continue
            try:
                sender.connection.send(data)
            except WirecatError as error:  # another may be reached
                self._environment.message(str(error))

    # In the thread that reads the sockets

    def _open(self, stream: WholeDatagrams) -> Sender:
        with self._lock:
            oldest = next(iter(self._senders)) if len(self._senders) >= MOST else None
            self._last_number += 1
            sender = Sender(self, Connection(stream, self._last_number), stream)
            self._senders[sender] = None
        if oldest is not None:
            self._forget(oldest)
        if stream.ready:
            self.connected(sender)
        else:
            sender.datagram(b"")  # the listener has used up the first one
        return sender

    def connected(self, sender: Sender) -> None:
        """A sender is there: with DTLS, after its handshake."""
        self._attach(sender.connection)
        self._environment.note(f"{sender.connection.peer} connected")

    def active(self, sender: Sender) -> None:
        """It has sent something, and so is the last in the order of silence."""
        with self._lock:
            if sender in self._senders:
                del self._senders[sender]
                self._senders[sender] = None

    def show(self, data: bytes) -> None:
        """Print what a sender has sent."""
        try:
            self._local.send(data)
        except BaseException as error:
            self._failure = error
            self._over.set()
            self._local.abort()  # the other thread waits for input

    def failed(self, sender: Sender, error: WirecatError) -> None:
        """A sender's DTLS failed, or it cannot be reached."""
        self._environment.message(str(error))
        self._forget(sender)

    def _forget(self, sender: Sender) -> None:
        with self._lock:
            self._senders.pop(sender, None)
        sender.connection.close()

    def _tick(self) -> float:
        now = monotonic()
        wait = SWEEP
        for sender in self._all():
            stream = sender.stream
            if not stream.ready:
                wait = HANDSHAKE_STEP
                try:
                    stream.repeat_handshake()
                except WirecatError as error:
                    self.failed(sender, error)
            elif stream.ended or (stream.idle is not None and now - stream.active_at >= stream.idle):
                self._forget(sender)
                self._environment.note(f"{sender.connection.peer} {'closed' if stream.ended else 'is silent'}")
        return wait


class Sender(DatagramReceiver):
    """One of the senders."""

    __slots__ = ("_all", "connection", "stream")

    def __init__(self, all_senders: AllSenders, connection: Connection, stream: WholeDatagrams) -> None:
        self._all = all_senders
        self.connection = connection
        self.stream = stream

    def datagram(self, data: bytes) -> None:
        """See DatagramReceiver."""
        was_ready = self.stream.ready
        try:
            pieces = self.stream.feed(data)
        except WirecatError as error:
            self._all.failed(self, error)
            return
        if self.stream.ready and not was_ready:
            self._all.connected(self)
        self._all.active(self)
        for piece in pieces:
            self.connection.bytes_received += len(piece)
            self._all.show(self.connection.tapped(RECEIVED, piece) if self.connection.taps else piece)

    def failed(self, error: WirecatError) -> None:
        """See DatagramReceiver."""
        self._all.failed(self, error)
