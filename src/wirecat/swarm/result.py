"""What came of a swarm: the counts, the failures, the latency."""

from __future__ import annotations

from wirecat.immutable import Immutable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.address import Address
    from wirecat.swarm.histogram import Histogram
    from wirecat.swarm.options import SwarmOptions


class Latency(Immutable):
    """Percentiles of the latency in microseconds, by nearest rank and right within 0.4 %; ``max`` is exact.

    Closed loop: from the moment a client was ready to send a message to the moment this program had the last byte of a
    right (or unchecked) reply. The wait for a turn among the other clients is in it. Open loop: from the moment when
    the message should have left; one that was never sent or never answered counts with what it had waited by the end.
    Connects: from the call of connect(2), or from its time where there is a rate, to the moment the event loop saw the
    connection stand. All are None where there was nothing to time.
    """

    __slots__ = ("p50", "p90", "p99", "p999", "max")

    p50: float | None
    p90: float | None
    p99: float | None
    p999: float | None
    max: float | None

    def __init__(
        self, p50: float | None, p90: float | None, p99: float | None, p999: float | None, max: float | None
    ) -> None:
        self._set(p50=p50, p90=p90, p99=p99, p999=p999, max=max)

    @classmethod
    def of(cls, histogram: Histogram) -> Latency:
        """The percentiles of a histogram of nanoseconds."""
        values = (histogram.percentile(percent) for percent in (50, 90, 99, 99.9, 100))
        return cls(*(None if value is None else value / 1000 for value in values))


class WrongReply(Immutable):
    """A reply that was not what was expected.

    ``client`` and ``message`` are the numbers of the client and of its message, from 1; ``offset`` is where
    in the reply the first wrong byte stands; ``expected`` and ``got`` are what stands around it, at most 80
    bytes of each from the offset ``shown_from`` on. An empty rest of ``expected`` means that the reply was
    too long.
    """

    __slots__ = ("client", "message", "offset", "shown_from", "expected", "got")

    client: int
    message: int
    offset: int
    shown_from: int
    expected: bytes
    got: bytes

    def __init__(self, client: int, message: int, offset: int, shown_from: int, expected: bytes, got: bytes) -> None:
        self._set(client=client, message=message, offset=offset, shown_from=shown_from, expected=expected, got=got)

    @classmethod
    def between(cls, client: int, message: int, expected: bytes, got: bytes) -> WrongReply:
        """The difference between two replies, cut to what stands around the first wrong byte."""
        pairs = enumerate(zip(expected, got, strict=False))
        offset = next((at for at, (mine, yours) in pairs if mine != yours), min(len(expected), len(got)))
        start = max(0, offset - 40)
        return cls(client, message, offset, start, expected[start : start + 80], got[start : start + 80])


class SwarmResult(Immutable):
    """What came of a swarm.

    ``address``, ``options``: what was asked for. ``started``: when, in seconds since 1970. ``loop``: the
    event loop that drove the clients (``uvloop``, ``winloop`` or ``asyncio``). ``connected``: how many
    clients were, ``connect_seconds`` how long it took until each was or had failed; no message left before.
    ``seconds``: from the first message to the end of the last client. ``messages_sent``, and ``replies``: how
    many of them were answered, rightly or not. ``replies_ok`` and ``replies_wrong`` are None where replies
    were not checked, since nobody knows. ``errors``: how many clients failed, by kind (see
    ``wirecat.swarm.failures.KINDS``). ``left_open``: how many connections the server had not closed a second
    after the client's end; no failure, but a sign of a server that does not notice the end. ``interrupted``:
    Ctrl-C ended it, and the numbers are those up to then.

    ``connects``: connections made, where that was all there was to do, else None; ``errors`` then counts attempts. With
    a rate, else None: ``due``: requests whose time came; ``late``: how many left more than 1 ms after their time;
    ``unsent``: how many never left. ``processor_share``: how much of one processor the busiest process used while it
    talked; near 1 it may be the swarm that is measured. ``lost``: a text for each worker process that died; its clients
    are among the errors, and what they did is in no number.
    """

    __slots__ = (
        "address", "options", "started", "loop", "connected", "connect_seconds", "seconds", "messages_sent",
        "replies", "replies_wrong", "first_wrong", "errors", "latency_us", "left_open", "interrupted",
        "connects", "due", "late", "unsent", "processor_share", "lost",
    )  # fmt: skip

    address: Address
    options: SwarmOptions
    started: float
    loop: str
    connected: int
    connect_seconds: float
    seconds: float
    messages_sent: int
    replies: int
    replies_wrong: int | None
    first_wrong: WrongReply | None
    errors: dict[str, int]
    latency_us: Latency
    left_open: int
    interrupted: bool
    connects: int | None
    due: int | None
    late: int | None
    unsent: int | None
    processor_share: float
    lost: tuple[str, ...]

    def __init__(
        self,
        *,
        address: Address,
        options: SwarmOptions,
        started: float,
        loop: str,
        connected: int,
        connect_seconds: float,
        seconds: float,
        messages_sent: int,
        replies: int,
        replies_wrong: int | None,
        first_wrong: WrongReply | None,
        errors: dict[str, int],
        latency_us: Latency,
        left_open: int,
        interrupted: bool,
        connects: int | None = None,
        due: int | None = None,
        late: int | None = None,
        unsent: int | None = None,
        processor_share: float = 0.0,
        lost: tuple[str, ...] = (),
    ) -> None:
        self._set(
            address=address, options=options, started=started, loop=loop, connected=connected,
            connect_seconds=connect_seconds, seconds=seconds, messages_sent=messages_sent, replies=replies,
            replies_wrong=replies_wrong, first_wrong=first_wrong, errors=dict(errors), latency_us=latency_us,
            left_open=left_open, interrupted=interrupted, connects=connects, due=due, late=late, unsent=unsent,
            processor_share=processor_share, lost=tuple(lost),
        )  # fmt: skip

    @property
    def clients(self) -> int:
        """How many clients were asked for."""
        return self.options.clients

    @property
    def checked(self) -> bool:
        """Whether replies were compared with what was expected."""
        return self.options.expect is not None

    @property
    def replies_ok(self) -> int | None:
        """How many replies were right; None where they were not checked."""
        return None if self.replies_wrong is None else self.replies - self.replies_wrong

    @property
    def failed(self) -> int:
        """How many clients failed, in whatever way."""
        return sum(self.errors.values())

    @property
    def requests_per_second(self) -> float:
        """Answered messages for each of the ``seconds``; 0 where there was none."""
        return self.replies / self.seconds if self.replies and self.seconds > 0 else 0.0

    @property
    def connects_per_second(self) -> float | None:
        """Connections made for each of the ``seconds``; None where they were not what was counted."""
        if self.connects is None:
            return None
        return self.connects / self.seconds if self.seconds > 0 else 0.0

    @property
    def ok(self) -> bool:
        """Whether all that was asked for was done: nothing interrupted it, no client failed, no reply was wrong (as far
        as it was checked), and each request of an open loop left, if late."""
        return not (self.interrupted or self.errors or self.replies_wrong or self.unsent or self.lost)
