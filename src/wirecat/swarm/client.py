"""One client of a swarm, in a closed loop: it sends, gathers the reply, checks it, and sends the next.

How a reply is told from the next one. With something to expect, a reply is whole when as many bytes have come
as were expected, however many pieces they came in. The first byte that differs makes it wrong, and so does
one too many. Where a wrong reply ends nobody can know: one of the right length is taken to end there; else
the client waits until nothing has come for QUIET seconds before it goes on, so that the rest of one wrong
reply is not taken for the next one. Without anything to expect, whatever arrives is the reply.

The clock is read once for each reply: the end of one is the start of the next, so the little work in between
counts as latency. No client has a timer; ``Client.look_at_clock`` is called for all of them a few times a
second.
"""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

from wirecat.swarm.failures import loss_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wirecat.swarm.messages import MakeMessage, MakeReply
    from wirecat.swarm.tally import Tally

#: Silence after which a wrong reply counts as over.
QUIET = 200_000_000  # nanoseconds
#: Bytes kept of what the server says unasked; more would let it fill the memory.
_MOST_UNASKED = 65536

#: A client's states, in order. IDLE: connected and begun, and not its time to send. UNSETTLED: the end of a wrong
#: reply is waited for. DONE: it has had its last reply. ENDED: it has failed or was stopped.
CONNECTING, READY, IDLE, WAITING, UNSETTLED, DONE, ENDED = range(7)


class Client(asyncio.Protocol):
    """A client, driven by an event loop.

    ``number``: from 1. ``limit``: how many messages it sends. ``sent``: how many it has sent. ``waiting_since``: the
    clock (nanoseconds) when it sent what is not answered yet, else 0. ``on_end`` is called once, when it has had its
    last reply or has failed; ``on_close`` once, when its connection is gone.
    """

    __slots__ = (
        "number", "limit", "sent", "waiting_since", "_state", "_message_of", "_reply_to", "_tally", "_record",
        "_write", "_transport", "_expected", "_early", "_offset", "_wrong_at", "_heard", "_on_end", "_on_close",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        *,
        limit: int,
        message_of: MakeMessage,
        reply_to: MakeReply | None,
        tally: Tally,
        on_end: Callable[[], None],
        on_close: Callable[[], None],
    ) -> None:
        self.number = number
        self.limit = limit
        self.sent = 0
        self.waiting_since = 0
        self._state = CONNECTING
        self._message_of = message_of
        self._reply_to = reply_to
        self._tally = tally
        self._record = tally.latency.record
        self._transport: asyncio.Transport | None = None
        self._expected = b""
        self._early = b""  # what the server said before the first message
        self._offset = 0  # how many bytes of the present reply have come
        self._wrong_at = 0  # the last message whose reply was found wrong
        self._heard = 0  # when the last bytes of that reply came
        self._on_end = on_end
        self._on_close = on_close

    @property
    def ended(self) -> bool:
        """Whether it has had its last reply, has failed, or was stopped."""
        return self._state >= DONE

    @property
    def ready(self) -> bool:
        """Whether it is connected and has not begun."""
        return self._state == READY

    def begin(self) -> None:
        """Send the first message. Only for a client that is ready."""
        self._state = WAITING
        self._send(perf_counter_ns())

    def fail(self, kind: str) -> None:
        """End it as failed, and close in an orderly way what is open."""
        self._tally.fail(kind)
        self._end(ENDED)
        self.half_close()

    def finish(self) -> None:
        """Let the message under way be the last one."""
        self.limit = 0
        if self._state == IDLE:
            self._end(DONE)

    def stop(self) -> None:
        """End it without a verdict on the reply that it waits for."""
        if not self.ended:
            self._end(ENDED)

    def look_at_clock(self, now: int, reply_timeout: int) -> None:
        """Go on after a wrong reply, or give up waiting. Only while ``waiting_since`` is set."""
        if self._state == UNSETTLED and now - self._heard >= QUIET:
            self._go_on(now)
        elif self._state == UNSETTLED:
            if now - self.waiting_since >= reply_timeout + 2 * QUIET:
                self.fail("endless_reply")
        elif now - self.waiting_since >= reply_timeout:
            self.fail("reply_timeout")

    def half_close(self) -> None:
        """Tell the server that this was all; it answers by closing its side."""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            try:
                transport.write_eof()
            except OSError:  # it broke in this very moment
                transport.abort()

    def abort(self) -> bool:
        """Close at once; tells whether there was anything open that the server had not closed."""
        transport = self._transport
        if transport is None:
            return False
        was_open = not transport.is_closing()
        transport.abort()
        return was_open

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._write = transport.write  # type: ignore[attr-defined]
        self._tally.connected += 1
        if self._state == CONNECTING:
            self._state = READY
        else:  # it was stopped while it connected
            self.abort()

    def data_received(self, data: bytes) -> None:
        if data == self._expected and not self._offset:  # the usual case: the whole reply in one piece
            now = perf_counter_ns()
            self._record(now - self.waiting_since)
            number = self.sent
            if number < self.limit:
                # As in _send; a call less for each message is some per cent of what a client costs.
                self.sent = number = number + 1
                message = self._message_of(number)
                self._expected = self._reply_to(message)  # type: ignore[misc]
                self.waiting_since = now
                self._write(message)
            else:
                self._end(DONE)
        else:
            self._take(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended:
            self.fail(loss_kind(error))
        self._transport = None
        self._on_close()

    # The rare cases

    def _take(self, data: bytes) -> None:
        """A piece of whatever kind, in whatever state."""
        if self._state == WAITING:
            self._gather(data)
        elif self._state == UNSETTLED:
            self._heard = perf_counter_ns()
            self._offset += len(data)
            if self._offset == len(self._expected):
                self._go_on(self._heard)
        elif self._reply_to is not None:
            self._unasked(data, self._reply_to)

    def _gather(self, data: bytes) -> None:
        """A piece of the reply that is waited for. Nothing is copied: a large one costs no more than its size."""
        now = perf_counter_ns()
        if self._early:
            data, self._early, self._offset = self._early + data, b"", 0
        expected, offset = self._expected, self._offset
        end = self._offset = offset + len(data)
        if self._reply_to is None or (expected.startswith(data, offset) and end == len(expected)):
            self._answered(now)
            self._go_on(now)
        elif not expected.startswith(data, offset):
            self._tally.wrong += 1
            self._show_wrong(expected, offset, data)
            if end == len(expected):
                self._go_on(now)
            else:
                self._state = UNSETTLED
                self._heard = now

    def _unasked(self, data: bytes, reply_to: MakeReply) -> None:
        """Bytes that nobody waits for: before the first message, or after a reply that was whole."""
        if self._state in (READY, IDLE) and not self.sent:  # they make the first reply wrong
            self._early = (self._early + data)[:_MOST_UNASKED]
            self._offset = len(self._early)
        elif self._state in (IDLE, DONE) and self._wrong_at != self.sent and self.sent:
            self._tally.spoilt += 1
            expected = reply_to(self._message_of(self.sent))
            self._show_wrong(expected, len(expected), data)

    def _show_wrong(self, expected: bytes, offset: int, data: bytes) -> None:
        self._wrong_at = self.sent
        if self._tally.first_wrong is None:
            self._tally.show_wrong(self.number, self.sent, expected, expected[:offset] + data)

    def _answered(self, now: int) -> None:
        """Count a right reply."""
        self._record(now - self.waiting_since)

    def _go_on(self, now: int) -> None:
        """The reply is over: what comes next."""
        self._offset = 0
        if self.sent < self.limit:
            self._state = WAITING
            self._send(now)
        else:
            self._end(DONE)

    def _send(self, now: int) -> None:
        self.sent = number = self.sent + 1
        message = self._message_of(number)
        if self._reply_to is not None:
            self._expected = self._reply_to(message)
        self.waiting_since = now
        self._write(message)

    def _end(self, state: int) -> None:
        self._state = state
        self.waiting_since = 0
        self._expected = b""  # equal to nothing that can arrive
        self._on_end()
