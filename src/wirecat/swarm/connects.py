"""A swarm that only knocks: its clients connect and close, over and over, and say nothing.

A connect is over for the client when the server's kernel has answered; the server's program may accept it much later.
Each connection is half-closed at once and read to its end, so that none is reset, and the next one begins when the
server has closed its side too: so a server is given no more than it can take away again.
"""

from __future__ import annotations

import asyncio
import socket
from time import perf_counter_ns, thread_time, time

from wirecat.swarm.connecting import open_socket
from wirecat.swarm.failures import connect_kind, loss_kind
from wirecat.swarm.outcome import Outcome
from wirecat.swarm.pacer import Pacer
from wirecat.swarm.progress import SwarmProgress
from wirecat.swarm.schedule import CATCHING_UP, LATE, Schedule
from wirecat.swarm.tally import Tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.endpoints.resolve import Candidate
    from wirecat.swarm.crowd import Gate, Watcher
    from wirecat.swarm.options import SwarmOptions

#: Seconds between two tellings of progress.
_TELLING = 0.2
#: Seconds that the server gets to close its side.
CLOSING_TIME = 1.0
_PIECE = 65536


class Knockers:
    """The clients of one run, or a worker's part of them. ``run`` is the whole life of it, parameters as Crowd's."""

    def __init__(
        self,
        options: SwarmOptions,
        candidates: list[Candidate],
        *,
        numbers: range | None = None,
        gate: Gate | None = None,
        progress: Watcher | None = None,
    ) -> None:
        self._options = options
        self._candidates = candidates
        self._gate = gate
        self._progress = progress
        self._tally = Tally()
        numbers = range(1, options.clients + 1) if numbers is None else numbers
        self._schedule: Schedule | None = None
        if options.rate is not None:
            self._schedule = Schedule(
                clients=options.clients, rate=options.rate, messages=options.messages, duration=options.duration
            )
        self._knockers = [_Knocker(number, self) for number in numbers]
        self._begun = self._end = 0
        self._told = (0, 0)
        self.tried = self.left_open = 0

    async def run(self, first: socket.socket | None) -> Outcome:
        """Run it; ``first``, a connected socket, is closed unused. Cancelled, it returns what was counted so far."""
        if first is not None:
            first.close()
        outcome = Outcome(self._tally)
        outcome.started = time()
        outcome.loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
        tasks: list[asyncio.Task[None]] = []
        pacer = None
        used = thread_time()
        try:
            self._begun = perf_counter_ns() if self._gate is None else await self._gate()
            longest = (self._options.duration or 1e9) + (CATCHING_UP if self._schedule is not None else 0)
            self._end = self._begun + int(longest * 1e9)
            if self._schedule is not None:
                self._schedule.start = self._begun
                pacer = Pacer(self._schedule, self._knockers)
            tasks = [asyncio.ensure_future(each.run(self._schedule)) for each in self._knockers]
            if pacer is not None:
                pacer.start()
            await self._watch(tasks, pacer)
        except asyncio.CancelledError:
            outcome.interrupted = True
        finally:
            outcome.seconds = (perf_counter_ns() - self._begun) / 1e9 if self._begun else 0.0
            outcome.processor_share = (thread_time() - used) / max(outcome.seconds, 1e-9)
            if pacer is not None:
                pacer.stop()
            await _end(tasks)
        if self._begun:
            self._settle(perf_counter_ns())
        outcome.sent = 0
        outcome.left_open = self.left_open
        return outcome

    def cut(self) -> None:
        """Cancelled, it waits for nobody anyway."""

    async def _watch(self, tasks: list[asyncio.Task[None]], pacer: Pacer | None) -> None:
        """Wait for all clients' ends, tell of the progress, and let nobody begin anew when the time is over."""
        waiting: set[asyncio.Task[None]] = set(tasks)
        while waiting:
            self._tell()
            left = (self._end - perf_counter_ns()) / 1e9
            over = left <= 0
            if over:
                if pacer is not None:
                    pacer.stop()
                for each in self._knockers:
                    each.finish()
            done, waiting = await asyncio.wait(
                waiting, timeout=_TELLING if over else min(_TELLING, left), return_when=asyncio.FIRST_EXCEPTION
            )
            for task in done:
                task.result()

    def _tell(self) -> None:
        if self._progress is None:
            return
        now = perf_counter_ns()
        before, connects_before = self._told
        tally = self._tally
        self._told = now, tally.connects
        progress, self._progress = self._progress, None  # if it raises, it is not called again
        progress(
            SwarmProgress(
                phase="knocking", clients=len(self._knockers), connected=tally.connects, failed=tally.failed, sent=0,
                replies=0, wrong=0, seconds=(now - self._begun) / 1e9,
                rate=(tally.connects - connects_before) * 1e9 / (now - before) if before else 0.0,
            )
        )  # fmt: skip
        self._progress = progress

    def _settle(self, ended: int) -> None:
        """Count the connects that were due and never tried."""
        for each in self._knockers:
            if self._schedule is not None:
                count = self._schedule.count_until(each.number, ended)
                missing = count - each.tried
                self._tally.due += max(count, each.tried)
                if missing > 0:
                    self._tally.unsent += missing
                    first = ended - self._schedule.due(each.number, each.tried + 1)
                    last = ended - self._schedule.due(each.number, count)
                    self._tally.waits.record_evenly(max(last, 0), max(first, 0), missing)

    @property
    def options(self) -> SwarmOptions:
        """What is asked for."""
        return self._options

    @property
    def candidates(self) -> list[Candidate]:
        """Where to connect to."""
        return self._candidates

    @property
    def tally(self) -> Tally:
        """Where to count."""
        return self._tally


class _Knocker:
    """One client: ``number`` from 1; ``tried`` is how often it has begun to connect."""

    def __init__(self, number: int, owner: Knockers) -> None:
        self.number = number
        self.tried = 0
        self._owner = owner
        self._limit = owner.options.messages or 1 << 62
        self._waiting: asyncio.Future[None] | None = None
        self._had_one = False

    def turn(self, now: int) -> None:
        """Its next connect is due."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def finish(self) -> None:
        """Let the connect under way be the last one."""
        self._limit = 0
        self.turn(0)

    async def run(self, schedule: Schedule | None) -> None:
        """Connect and close, as often and as fast as asked."""
        think = self._owner.options.think
        if schedule is not None:
            self._limit = schedule.count_of(self.number)
        elif think:
            await self._pause(think * (self.number - 1) / self._owner.options.clients)
        while self.tried < self._limit:
            begun = perf_counter_ns()
            if schedule is not None:
                due = schedule.due(self.number, self.tried + 1)
                if due > begun:
                    await self._pause(None)
                    continue
                if begun - due > LATE:
                    self._owner.tally.late += 1
                begun = due
            self.tried += 1
            await self._knock(begun)
            if think and self.tried < self._limit:
                await self._pause(think)

    async def _pause(self, seconds: float | None) -> None:
        """Wait for a turn, or for so many seconds, or for the end of it all."""
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        timer = None if seconds is None else loop.call_later(seconds, self.turn, 0)
        try:
            await self._waiting
        finally:
            self._waiting = None
            if timer is not None:
                timer.cancel()

    async def _knock(self, begun: int) -> None:
        """One connect, timed from ``begun`` (nanoseconds), and its end."""
        tally = self._owner.tally
        try:
            connected = await open_socket(self._owner.candidates, self._owner.options.timeout)
        except OSError as error:
            tally.fail(connect_kind(error))
            await asyncio.sleep(0)  # a refusal may come without a wait, and others want their turn
            return
        with connected:
            tally.latency.record(perf_counter_ns() - begun)
            tally.connects += 1
            if not self._had_one:
                self._had_one = True
                tally.connected += 1
            try:
                connected.shutdown(socket.SHUT_WR)
                async with asyncio.timeout(CLOSING_TIME):
                    while await asyncio.get_running_loop().sock_recv(connected, _PIECE):
                        continue
            except TimeoutError:
                self._owner.left_open += 1
            except OSError as error:
                tally.fail(loss_kind(error))


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel what still runs, and see it to its end; the sockets are closed on the way out."""
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # taken note of: another one is being raised
