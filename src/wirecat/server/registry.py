"""The registry: the one owner that sees every connection of a server from its admission to its end."""

from __future__ import annotations

import threading
from time import monotonic

from wirecat.events import Closed, Denied, Failed, HalfClosed, Opened, Publisher, closed_now, opened_now
from wirecat.immutable import Immutable
from wirecat.wire.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.address import Address
    from wirecat.connection import ConnectionState
    from wirecat.taps.tap import Tap


class ConnectionInfo(Immutable):
    """A live connection as it stands now.

    ``id`` its number, ``peer`` and ``local`` its addresses, ``thread`` the name of its thread (or of its task),
    ``received`` and ``sent`` bytes, ``seconds`` since it came, ``idle`` seconds since bytes last moved (exact to a
    second), ``state``: ``open``, ``peer ended`` (it sends no more), ``half-closed`` (we send no more) or ``ending``.
    """

    __slots__ = ("id", "idle", "local", "peer", "received", "seconds", "sent", "state", "thread")

    id: int
    peer: Address
    local: Address
    thread: str
    received: int
    sent: int
    seconds: float
    idle: float
    state: str

    def __init__(self, **fields: object) -> None:
        self._set(**fields)


class Registry:
    """Numbers, counts and limits a server's connections, and publishes what becomes of them. Safe from any thread."""

    def __init__(self, publisher: Publisher, limit: int) -> None:
        self.publisher = publisher
        self.limit = limit
        self.served = 0
        self.on_room: Callable[[], None] | None = None
        self.on_empty: Callable[[], None] | None = None
        self._live: dict[int, tuple[ConnectionState, str]] = {}
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)  # entered by its lock, which costs a fifth
        self._taps: tuple[Tap, ...] = ()
        self._last_id = 0
        self._expected = 0
        self._waiting = 0  # how many wait for a change

    def __len__(self) -> int:
        return len(self._live)

    @property
    def count(self) -> int:
        """How many are open, those included that were admitted and are on their way to their engine."""
        return len(self._live) + self._expected

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return len(self._live) + self._expected >= self.limit  # ``count``, without its call for each client

    def expect(self) -> None:
        """A client was admitted that ``add`` will follow for, from another thread: it counts from now on."""
        with self._lock:
            self._expected += 1

    def expected(self) -> None:
        """One that was expected will not come."""
        with self._lock:
            self._expected -= 1
            self._tell_waiting()

    def next_id(self) -> int:
        """The number for the next connection, from 1."""
        with self._lock:
            self._last_id += 1
            return self._last_id

    def add(self, connection: ConnectionState, thread: str, *, expected: bool = False) -> None:
        """A connection is admitted; that is reported before anything can happen to it."""
        with self._lock:
            self._live[connection.id] = (connection, thread)
            if expected:
                self._expected -= 1
                self._tell_waiting()
            connection.taps += self._taps
            self._tell_opened(connection)

    def _tell_opened(self, connection: ConnectionState) -> None:
        for tap in connection.taps:
            tap.opened(connection)
        self.served += 1
        if self.publisher.wants(Opened):
            here = len(self._live)
            self.publisher.publish(opened_now(connection.id, connection.peer, connection.local, here))

    def remove(self, connection: ConnectionState, by: str, reason: str) -> None:
        """A connection is over and its socket closed."""
        with self._lock:
            if self._live.pop(connection.id, None) is None:
                return
            connection.tapped_close(by, reason)
            if self.publisher.wants(Closed):
                self.publisher.publish(
                    closed_now(
                        connection.id, connection.peer, by, reason, connection.opened, connection.bytes_received,
                        connection.bytes_sent, len(self._live),
                    )
                )  # fmt: skip
            self._tell_waiting()
            last = self._empty()
        if self.on_room is not None:
            self.on_room()
        if last and self.on_empty is not None:
            self.on_empty()

    def deny(self, peer: Address, reason: str) -> None:
        """A client was turned away."""
        self.publisher.publish(Denied(peer=peer, reason=reason))

    def half_closed(self, connection: ConnectionState) -> None:
        """The peer has ended its half; what a read gives after our own cut is no such end."""
        if self.publisher.wants(HalfClosed) and not connection.cut_reason:
            self.publisher.publish(HalfClosed(connection=connection.id, peer=connection.peer))

    def fail(self, connection: ConnectionState | None, error: BaseException | str, traceback: str) -> None:
        """Something went wrong. With nobody listening to events it goes to the log ``wirecat``, so it is never lost."""
        text = error if isinstance(error, str) else _in_one_line(error)
        peer = None if connection is None else connection.peer
        number = None if connection is None else connection.id
        tell_failure(self.publisher, Failed(connection=number, peer=peer, error=text, traceback=traceback))

    def connections(self) -> list[ConnectionState]:
        """All that are open, oldest first."""
        with self._lock:
            return [connection for connection, _ in self._live.values()]

    def find(self, id: int) -> ConnectionState | None:
        """The connection of that number, if it is open."""
        found = self._live.get(id)
        return None if found is None else found[0]

    def attach(self, tap: Tap) -> None:
        """Let ``tap`` see all connections, those that come and those that are here."""
        with self._lock:
            self._taps += (tap,)
            for connection, _ in self._live.values():
                connection.attach(tap)

    def detach(self, tap: Tap) -> None:
        """Take ``tap`` off all connections."""
        with self._lock:
            attached = [other for other in self._taps if other.original is tap] or [tap]
            self._taps = tuple(other for other in self._taps if other not in attached)
            for connection, _ in self._live.values():
                for other in attached:
                    connection.detach(other)

    def snapshot(self) -> list[ConnectionInfo]:
        """All that are open, as they stand now."""
        now = monotonic()
        with self._lock:
            live = list(self._live.values())
        return [
            ConnectionInfo(
                id=connection.id, peer=connection.peer, local=connection.local, thread=thread,
                received=connection.bytes_received, sent=connection.bytes_sent, seconds=now - connection.opened,
                idle=connection.note_traffic(now), state=_state(connection),
            )
            for connection, thread in live
        ]  # fmt: skip

    def wait_arrived(self, timeout: float) -> bool:
        """Wait until all that were admitted are in the table; False after ``timeout`` seconds."""
        with self._lock:
            return self._wait(lambda: not self._expected, timeout)

    def wait_empty(self, timeout: float, given_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait until none is open; False after ``timeout`` seconds, or when ``given_up`` tells so (see ``wake``)."""
        with self._lock:
            self._wait(lambda: self._empty() or given_up(), timeout)
            return self._empty()

    def _wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        self._waiting += 1
        try:
            return self._changed.wait_for(condition, timeout)
        finally:
            self._waiting -= 1

    def _tell_waiting(self) -> None:
        if self._waiting:  # to look costs less than to notify nobody
            self._changed.notify_all()

    def _empty(self) -> bool:
        return not self._live and not self._expected

    def wake(self) -> None:
        """Let ``wait_empty`` look again."""
        with self._lock:
            self._changed.notify_all()


def tell_failure(publisher: Publisher, failure: Failed | str) -> None:
    """Publish a failure, or what one of the server as a whole says. With nobody listening it goes to the log."""
    if isinstance(failure, str):
        failure = Failed(connection=None, peer=None, error=failure, traceback="")
    if publisher.wanted:
        publisher.publish(failure)
        return
    import logging

    where = "" if failure.connection is None else f"connection {failure.connection} from {failure.peer}: "
    # A handler's error may repeat what its client sent, and the log goes to a terminal now or later.
    lines = [f"{where}{failure.error}", *failure.traceback.splitlines()]
    logging.getLogger("wirecat").error("%s", "\n".join(map(printable, lines)))


def _in_one_line(error: BaseException) -> str:
    """An exception as a line; the ``str()`` of a handler's own may fail as well."""
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except Exception as failure:
        text = f"(it cannot be shown: {type(failure).__name__})"
    return f"{name}: {text}" if text else name


def _state(connection: ConnectionState) -> str:
    if connection.cut_reason or connection.closed:
        return "ending"
    if connection.half_closed:
        return "half-closed"
    return "peer ended" if connection.ended else "open"
