"""A swarm while it runs: all clients connect, all talk, all close, and one owner sees each to its end."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns, thread_time, time

from wirecat.swarm.client import Client
from wirecat.swarm.connecting import connect_all
from wirecat.swarm.messages import message_maker, reply_maker
from wirecat.swarm.outcome import Outcome
from wirecat.swarm.paced import PacedClient
from wirecat.swarm.pacer import Pacer
from wirecat.swarm.progress import SwarmProgress
from wirecat.swarm.schedule import CATCHING_UP, Schedule
from wirecat.swarm.tally import Tally
from wirecat.swarm.thinking import ThinkingClient
from wirecat.system.readiness import Readiness, outruns

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from wirecat.endpoints.resolve import Candidate
    from wirecat.swarm.options import SwarmOptions
    from wirecat.taps.tap import Tap

    Watcher = Callable[[SwarmProgress], None]
    Gate = Callable[[], Awaitable[int]]

#: Seconds between two looks at the clock for all clients; progress is told at every second one.
TICK = 0.1
#: Seconds that the server gets to close its side of all connections at the end.
CLOSING_TIME = 1.0
#: Clients that begin before the event loop gets to send what they said; with all of them at once, the first
#: messages would lie in this program for as long as it takes to write them all, and that would be taken for
#: latency.
_BEGIN_TOGETHER = 64
_ENDLESS = 1 << 62


class Crowd:
    """The clients of one run, or a worker's part of them. ``run`` is the whole life of it.

    ``numbers``: those of its clients (None: all). ``gate`` is awaited when all are connected or have failed; it returns
    when they may begin, with that moment (``time.perf_counter_ns``).
    """

    def __init__(
        self,
        options: SwarmOptions,
        candidates: list[Candidate],
        *,
        numbers: range | None = None,
        gate: Gate | None = None,
        progress: Watcher | None = None,
        tap: Tap | None = None,
    ) -> None:
        self._options = options
        self._candidates = candidates
        self._gate = gate
        self._progress = progress
        self._tap = tap
        self._tally = Tally()
        numbers = range(1, options.clients + 1) if numbers is None else numbers
        self._connect_rate = options.connect_rate * len(numbers) / options.clients
        self._schedule: Schedule | None = None
        self._pacer: Pacer | None = None
        # Seconds after which nobody sends any more. In an open loop nothing is due in the last of them.
        self._longest = options.duration
        if options.duration is not None and options.rate is not None:
            self._longest = options.duration + CATCHING_UP
        self._clients = self._make_clients(numbers)
        self._talking = len(self._clients)
        self._closed = 0
        self._fault: BaseException | None = None
        self._readiness: Readiness | None = None
        self._cut = asyncio.Event()
        self._phase = "connecting"
        self._phase_begun = perf_counter_ns()
        self._told = (0, 0)  # when progress was last told, and the replies then

    def _make_clients(self, numbers: range) -> Sequence[Client]:
        options = self._options
        shared: dict[str, Any] = {
            "limit": options.messages or _ENDLESS, "reply_to": reply_maker(options), "tally": self._tally,
            "on_end": self._client_ended, "on_close": self._client_closed,
        }  # fmt: skip
        if options.rate is not None:
            schedule = self._schedule = Schedule(
                clients=options.clients, rate=options.rate, messages=options.messages, duration=options.duration
            )
            paced = [
                PacedClient(number, schedule=schedule, message_of=message_maker(options, number), **shared)
                for number in numbers
            ]
            self._pacer = Pacer(schedule, paced)
            return paced
        if options.think:
            step = options.think / options.clients
            return [
                ThinkingClient(
                    number, think=options.think, delay=(number - 1) * step, message_of=message_maker(options, number),
                    **shared,
                )
                for number in numbers
            ]  # fmt: skip
        return [Client(number, message_of=message_maker(options, number), **shared) for number in numbers]

    async def run(self, first: socket.socket | None) -> Outcome:
        """Run it; ``first`` is a connected socket for the first client, where there is one already.

        When the task is cancelled, as Ctrl-C does, it closes everything and returns what was counted so far.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._broke)
        self._all_ended: asyncio.Future[None] = loop.create_future()
        self._all_closed: asyncio.Future[None] = loop.create_future()
        self._readiness = Readiness(loop) if outruns(loop) else None
        outcome = Outcome(self._tally)
        outcome.started = time()
        outcome.loop = type(loop).__module__.partition(".")[0]
        try:
            self._enter("connecting")
            try:
                await self._watch(asyncio.ensure_future(self._connect(first)))
            finally:
                outcome.connect_seconds = self._phase_seconds()
            self._enter("connected")
            begin = None if self._gate is None else await self._gate()
            self._enter("talking")
            self._phase_begun = begin or self._phase_begun
            used = thread_time()
            try:
                await self._begin()
                await self._watch(self._all_ended)
            finally:
                outcome.seconds = self._phase_seconds()
                outcome.processor_share = (thread_time() - used) / max(outcome.seconds, 1e-9)
                self._end_schedule()
        except asyncio.CancelledError:
            outcome.interrupted = True
        finally:
            if self._pacer is not None:
                self._pacer.stop()
            outcome.left_open = await self._close()
            if self._readiness is not None:
                self._readiness.close()
        if self._fault is not None:
            raise self._fault
        outcome.sent = self._sent()
        return outcome

    async def _connect(self, first: socket.socket | None) -> None:
        await connect_all(
            self._clients, self._candidates, first=first, rate=self._connect_rate, timeout=self._options.timeout,
            tap=self._tap, readiness=self._readiness,
        )  # fmt: skip

    def _end_schedule(self) -> None:
        """No more turns; count what was due and had none."""
        if self._pacer is not None:
            self._pacer.stop()
        now = perf_counter_ns()
        for client in self._clients:
            if isinstance(client, PacedClient):
                client.stop()
                client.settle(now)

    async def _begin(self) -> None:
        """Let each connected client send its first message, or wait for its time."""
        begun = 0
        if self._schedule is not None:
            self._schedule.start = self._phase_begun
        for client in self._clients:
            if client.ready:
                client.begin()
                begun += 1
                if begun % _BEGIN_TOGETHER == 0 and self._pacer is None:
                    await asyncio.sleep(0)
        if self._pacer is not None:
            self._pacer.start()

    async def _watch(self, work: asyncio.Future[Any]) -> None:
        """Wait for ``work``, and look at the clock for all clients. Cancels it when cancelled itself."""
        try:
            while not work.done():
                await asyncio.wait((work,), timeout=self._pause())
                self._look_at_clock()
            work.result()
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))

    def _pause(self) -> float:
        if self._phase != "talking" or self._longest is None:
            return TICK
        left = self._longest - self._phase_seconds()
        return min(TICK, left) if left > 0 else TICK

    def _look_at_clock(self) -> None:
        if self._fault is not None:
            raise self._fault
        now = perf_counter_ns()
        if self._phase == "talking":
            if self._longest is not None and self._phase_seconds() >= self._longest:
                if self._pacer is not None:
                    self._pacer.stop()
                for client in self._clients:
                    client.finish()
            reply_timeout = int(self._options.reply_timeout * 1e9)
            # Either a client has waited too long, or its wrong reply may be over; both take longer than one
            # tick.
            tick = min(int(TICK * 1e9), reply_timeout)
            for client in self._clients:
                if client.waiting_since and now - client.waiting_since >= tick:
                    client.look_at_clock(now, reply_timeout)
        if now - self._told[0] >= 2 * TICK * 1e9:
            self._tell(now)

    def _enter(self, phase: str) -> None:
        self._phase = phase
        self._phase_begun = now = perf_counter_ns()
        self._tell(now)

    def _phase_seconds(self) -> float:
        return (perf_counter_ns() - self._phase_begun) / 1e9

    def _tell(self, now: int) -> None:
        if self._progress is None:
            return
        tally = self._tally
        before, replies_before = self._told
        replies = tally.replies
        self._told = now, replies
        progress, self._progress = self._progress, None  # if it raises, it is not called again
        progress(
            SwarmProgress(
                phase=self._phase,
                clients=len(self._clients),
                connected=tally.connected,
                failed=tally.failed,
                sent=self._sent(),
                replies=replies,
                wrong=tally.replies_wrong,
                seconds=(now - self._phase_begun) / 1e9,
                rate=(replies - replies_before) * 1e9 / (now - before) if now > before else 0.0,
            )
        )
        self._progress = progress

    def _sent(self) -> int:
        return sum(client.sent for client in self._clients)

    # The end

    async def _close(self) -> int:
        """End every connection so that none is reset; returns how many the server had not closed in time.

        A socket that is closed with bytes unread sends a reset (RFC 9293 section 3.6.1), so each is
        half-closed and read to its end.
        """
        for client in self._clients:
            client.stop()
        left_open = 0
        try:
            self._enter("closing")
            for client in self._clients:
                client.half_close()
            await self._wait_for_ends(self._cut)
        finally:
            left_open = sum(client.abort() for client in self._clients)
            await self._wait_for_ends(asyncio.Event())
        return left_open

    async def _wait_for_ends(self, cut: asyncio.Event) -> None:
        if self._tally.connected > self._closed:
            cutting = asyncio.ensure_future(cut.wait())
            await asyncio.wait((self._all_closed, cutting), timeout=CLOSING_TIME, return_when=asyncio.FIRST_COMPLETED)
            cutting.cancel()

    def cut(self) -> None:
        """Wait for nobody any more: what is still open is reset. For a run that was cancelled."""
        self._cut.set()

    def _client_ended(self) -> None:
        self._talking -= 1
        if not self._talking and not self._all_ended.done():
            self._all_ended.set_result(None)

    def _client_closed(self) -> None:
        self._closed += 1
        if self._closed == self._tally.connected and self._phase == "closing" and not self._all_closed.done():
            self._all_closed.set_result(None)

    def _broke(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the event loop could hand to nobody: a fault of this program, unless a connection broke."""
        fault = context.get("exception")
        if isinstance(fault, OSError):
            return  # the client's connection_lost gets it too, and counts it
        self._fault = self._fault or fault or RuntimeError(str(context.get("message")))
