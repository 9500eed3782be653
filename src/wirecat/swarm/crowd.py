"""A swarm while it runs: all clients connect, all talk, all close, and one owner sees each to its end."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns, time

from wirecat.swarm.client import Client
from wirecat.swarm.connecting import connect_all
from wirecat.swarm.messages import message_maker, reply_maker
from wirecat.swarm.progress import SwarmProgress
from wirecat.swarm.result import Latency, SwarmResult
from wirecat.swarm.tally import Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from wirecat.address import Address
    from wirecat.endpoints.resolve import Candidate
    from wirecat.swarm.options import SwarmOptions

    Watcher = Callable[[SwarmProgress], None]

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
    """All clients of one run. ``run`` is the whole life of it."""

    def __init__(
        self,
        address: Address,
        options: SwarmOptions,
        candidates: list[Candidate],
        *,
        progress: Watcher | None = None,
    ) -> None:
        self._address = address
        self._options = options
        self._candidates = candidates
        self._progress = progress
        self._tally = tally = Tally()
        reply_to = reply_maker(options)
        self._clients = [
            Client(
                number,
                limit=options.messages or _ENDLESS,
                message_of=message_maker(options, number),
                reply_to=reply_to,
                tally=tally,
                on_end=self._client_ended,
                on_close=self._client_closed,
            )
            for number in range(1, options.clients + 1)
        ]
        self._talking = len(self._clients)
        self._closed = 0
        self._fault: BaseException | None = None
        self._interrupted = False
        self._phase = "connecting"
        self._phase_begun = perf_counter_ns()
        self._told = (0, 0)  # when progress was last told, and the replies then

    async def run(self, first: socket.socket | None) -> SwarmResult:
        """Run it; ``first`` is a connected socket for the first client, where there is one already.

        When the task is cancelled, as Ctrl-C does, it closes everything and returns what was counted so far.
        """
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._broke)
        self._all_ended: asyncio.Future[None] = loop.create_future()
        self._all_closed: asyncio.Future[None] = loop.create_future()
        started = time()
        options = self._options
        connect_seconds = seconds = 0.0
        left_open = 0
        try:
            self._enter("connecting")
            try:
                await self._watch(
                    asyncio.ensure_future(
                        connect_all(
                            self._clients,
                            self._candidates,
                            first=first,
                            rate=options.connect_rate,
                            timeout=options.timeout,
                        )
                    )
                )
            finally:
                connect_seconds = self._phase_seconds()
            self._enter("connected")
            self._enter("talking")
            try:
                await self._begin()
                await self._watch(self._all_ended)
            finally:
                seconds = self._phase_seconds()
        except asyncio.CancelledError:
            self._interrupted = True
        finally:
            left_open = await self._close()
        if self._fault is not None:
            raise self._fault
        tally = self._tally
        return SwarmResult(
            address=self._address,
            options=options,
            started=started,
            loop=type(loop).__module__.partition(".")[0],
            connected=tally.connected,
            connect_seconds=connect_seconds,
            seconds=seconds if tally.connected else 0.0,
            messages_sent=self._sent(),
            replies=tally.replies,
            replies_wrong=None if options.expect is None else tally.replies_wrong,
            first_wrong=tally.first_wrong,
            errors=tally.errors,
            latency_us=Latency.of(tally.latency),
            left_open=left_open,
            interrupted=self._interrupted,
        )

    async def _begin(self) -> None:
        """Let each connected client send its first message."""
        begun = 0
        for client in self._clients:
            if client.ready:
                client.begin()
                begun += 1
                if begun % _BEGIN_TOGETHER == 0:
                    await asyncio.sleep(0)

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
        duration = self._options.duration
        if self._phase != "talking" or duration is None:
            return TICK
        left = duration - self._phase_seconds()
        return min(TICK, left) if left > 0 else TICK

    def _look_at_clock(self) -> None:
        if self._fault is not None:
            raise self._fault
        now = perf_counter_ns()
        duration = self._options.duration
        if self._phase == "talking":
            if duration is not None and self._phase_seconds() >= duration:
                for client in self._clients:
                    client.limit = 0
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
            await self._wait_for_ends()
        finally:
            left_open = sum(client.abort() for client in self._clients)
            await self._wait_for_ends()
        return left_open

    async def _wait_for_ends(self) -> None:
        if self._tally.connected > self._closed:
            await asyncio.wait((self._all_closed,), timeout=CLOSING_TIME)

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
