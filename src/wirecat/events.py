"""What happens, as events: plain values with a time and no payload, and the queue that brings them to listeners.

The log, JSON output and whatever else watches a server read the same events. A listener never blocks a client: events
go into one bounded queue, a thread of its own hands them on, and those that did not fit are counted and told
(``Missed``).
"""

from __future__ import annotations

from collections import deque
from time import monotonic, time

from wirecat.immutable import Immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from wirecat.address import Address

    Listener = Callable[["Event"], None]

QUEUE_LIMIT = 100_000
# Seconds between two rounds of handing on. What comes meanwhile goes on together: a thread that is woken for each event
# of a busy server takes more of its time, and of Python's lock, than the events themselves.
BREATH = 0.01


class Event(Immutable):
    """Something happened. ``time`` is the wall clock (seconds since 1970), ``monotonic`` a clock that never jumps."""

    __slots__ = ("monotonic", "time")

    name = "event"
    time: float
    monotonic: float

    def __init__(self, **fields: object) -> None:
        put = object.__setattr__  # an event is made twice or thrice for each connection, so it is made by few calls
        for name, value in fields.items():
            put(self, name, value)
        if "time" not in fields:
            put(self, "time", time())
        if "monotonic" not in fields:
            put(self, "monotonic", monotonic())


class Listening(Event):
    """The server's sockets are open. ``addresses`` are those really bound; ``limit`` how many connections at once
    and ``limit_reason`` what sets that limit."""

    __slots__ = ("addresses", "limit", "limit_reason")
    name = "listening"
    addresses: tuple[Address, ...]
    limit: int
    limit_reason: str


class Opened(Event):
    """A client was admitted. ``connection`` is its number, from 1; ``open_count`` how many are open, it included."""

    __slots__ = ("connection", "local", "open_count", "peer")
    name = "opened"
    connection: int
    peer: Address
    local: Address
    open_count: int


class HalfClosed(Event):
    """The peer sent its last byte; the connection goes on the other way."""

    __slots__ = ("connection", "peer")
    name = "half_closed"
    connection: int
    peer: Address


class Closed(Event):
    """A connection is over: its thread or task has ended and its socket is closed.

    ``by`` is who ended it first (``peer`` or ``server``), ``reason`` how: ``end`` (an orderly end), ``reset``,
    ``idle``, ``handler error``, ``kicked``, ``shutdown``, ``evicted`` (the peer of datagrams that had been silent longest
    was removed for a new one), ``lost`` (the network gave up), ``too slow`` (it took too
    little of what others said, and held them up), ``no thread left`` (the machine has none for it) or ``worker died``
    (the process that served it; how many bytes there were is not known then, and 0). ``seconds`` it lasted,
    ``received`` and ``sent`` are bytes, ``open_count`` how many are still open.
    """

    __slots__ = ("by", "connection", "open_count", "peer", "reason", "received", "seconds", "sent")
    name = "closed"
    connection: int
    peer: Address
    by: str
    reason: str
    seconds: float
    received: int
    sent: int
    open_count: int


_OpenedDraft = Opened.draft()
_ClosedDraft = Closed.draft()


def opened_now(connection: int, peer: Address, local: Address, open_count: int) -> Opened:
    """An Opened event, made in a hurry (see ``Immutable.draft``)."""
    event = _OpenedDraft()
    event.time, event.monotonic = time(), monotonic()
    event.connection, event.peer, event.local, event.open_count = connection, peer, local, open_count
    event.__class__ = Opened
    made: Opened = event
    return made


def closed_now(
    connection: int, peer: Address, by: str, reason: str, opened: float, received: int, sent: int, open_count: int
) -> Closed:
    """As ``opened_now``, a Closed event; ``opened`` is when the connection came (time.monotonic())."""
    event = _ClosedDraft()
    now = monotonic()
    event.time, event.monotonic, event.seconds = time(), now, now - opened
    event.connection, event.peer, event.by, event.reason = connection, peer, by, reason
    event.received, event.sent, event.open_count = received, sent, open_count
    event.__class__ = Closed
    made: Closed = event
    return made


class Denied(Event):
    """A client was turned away before any handler saw it (not allowed, one too many, no TLS), and why."""

    __slots__ = ("peer", "reason")
    name = "denied"
    peer: Address
    reason: str


class Withheld(Event):
    """Replies to ``peer`` were not sent: more than ``limit`` a second, or too many bytes (see ServeOptions.udp_replies).

    ``count`` replies of ``size`` bytes together, since the last such event for the peer, a second ago at the earliest.
    """

    __slots__ = ("count", "limit", "peer", "size")
    name = "withheld"
    peer: Address
    count: int
    size: int
    limit: int


class Failed(Event):
    """Something went wrong on the server's side: ``error`` in one line, ``traceback`` (or a thread's stack) in many.

    ``connection`` and ``peer`` are None where it concerns the server as a whole.
    """

    __slots__ = ("connection", "error", "peer", "traceback")
    name = "failed"
    connection: int | None
    peer: Address | None
    error: str
    traceback: str


class Stopping(Event):
    """The server accepts no more; ``open_count`` connections get ``seconds`` to end by themselves."""

    __slots__ = ("open_count", "seconds")
    name = "stopping"
    open_count: int
    seconds: float


class Stopped(Event):
    """The server has ended: ``served`` connections in all, ``stuck`` handlers that would not end."""

    __slots__ = ("served", "stuck")
    name = "stopped"
    served: int
    stuck: int


class Missed(Event):
    """``count`` events did not fit into the queue, because a listener was too slow."""

    __slots__ = ("count",)
    name = "missed"
    count: int


class Publisher:
    """Hands events to listeners, in order, from a thread of its own. With no listener an event costs nothing.

    The first after a pause is handed on at once, others BREATH seconds later at most. A listener that has a method
    ``batch`` is given all that wait as a list, by one call of that; one that has ``ignores`` can do without events of
    those kinds.
    """

    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        import threading

        self._listeners: tuple[Listener, ...] = ()
        self._ignored: frozenset[type[Event]] = frozenset()
        self._queue: deque[Event] = deque()
        self._limit = limit
        self._missed = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._idle = False  # the thread waits for an event

    @property
    def wanted(self) -> bool:
        """Whether anybody listens: a publisher may skip making an event that nobody would get."""
        return bool(self._listeners)

    def wants(self, kind: type[Event]) -> bool:
        """As ``wanted``, for events of that kind."""
        return bool(self._listeners) and kind not in self._ignored

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(event)`` for every event from now on. Returns a function that ends it.

        An exception of the listener ends that listener alone, and is told to ``threading.excepthook``.
        """
        import threading

        with self._changed:
            self._listeners += (listener,)
            self._look_who_ignores()
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="wirecat-events", daemon=True)
                self._thread.start()
        return lambda: self._unsubscribe(listener)

    def _unsubscribe(self, listener: Listener) -> None:
        with self._changed:
            for place, other in enumerate(self._listeners):
                if other is listener:  # one of them, where it was subscribed twice
                    self._listeners = self._listeners[:place] + self._listeners[place + 1 :]
                    self._look_who_ignores()
                    return

    def _look_who_ignores(self) -> None:
        kinds = [frozenset(getattr(listener, "ignores", ())) for listener in self._listeners]
        self._ignored = frozenset.intersection(*kinds) if kinds else frozenset()

    def publish(self, event: Event) -> None:
        """Queue an event; never waits for a listener."""
        if not self._listeners:
            return
        if len(self._queue) >= self._limit:
            with self._changed:
                self._missed += 1
            return
        self._queue.append(event)
        if self._idle:  # set before the thread looks at the queue for the last time, so none is left lying
            with self._changed:
                self._changed.notify()

    def close(self, timeout: float = 2.0) -> bool:
        """Hand on what is queued, then end the thread. False if a listener was still busy after ``timeout`` seconds,
        or is the one that calls this."""
        import threading

        with self._changed:
            self._closing = True
            self._changed.notify()
            thread = self._thread
        if thread is None:
            return True
        if thread is threading.current_thread():
            return False
        thread.join(timeout)
        return not thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._idle = True
                while not self._queue and not self._missed and not self._closing:
                    self._changed.wait()
                self._idle = False
                batch: list[Event] = []
                while self._queue:
                    batch.append(self._queue.popleft())
                if self._missed:
                    batch.append(Missed(count=self._missed))
                    self._missed = 0
            if not batch:
                return
            for listener in self._listeners:
                self._hand_on(listener, batch)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, BREATH)

    def _hand_on(self, listener: Listener, batch: list[Event]) -> None:
        try:
            if hasattr(listener, "batch"):
                listener.batch(batch)
                return
            for event in batch:
                if listener not in self._listeners:  # it has had enough
                    return
                listener(event)
        except BaseException as error:
            self._unsubscribe(listener)
            _tell(error)


def _tell(error: BaseException) -> None:
    """A broken listener must not take the server with it, and must not go unnoticed either."""
    import threading

    if isinstance(error, SystemExit):  # of which the hook says nothing
        error = RuntimeError("a listener of events called sys.exit()").with_traceback(error.__traceback__)
    arguments = (type(error), error, error.__traceback__, threading.current_thread())
    threading.excepthook(threading.ExceptHookArgs(arguments))
