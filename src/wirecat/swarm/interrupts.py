"""Ctrl-C while an event loop drives a crowd: the first ends it in good order, the second at once."""

from __future__ import annotations

import asyncio
import signal

from wirecat.system.loops import loop_factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any, Protocol

    from wirecat.swarm.outcome import Outcome

    class Stoppable(Protocol):
        """What is run: cancelled, it closes everything and returns; ``cut`` makes it wait for nobody on the way."""

        async def run(self, first: socket.socket | None) -> Outcome: ...

        def cut(self) -> None: ...


class _Presses:
    """How often Ctrl-C was pressed while ``task`` ran.

    asyncio's own handler raises KeyboardInterrupt at the second, in the middle of whatever is being done just then,
    and the connections that nobody closed after it keep an event loop from closing. Here it is an event like others.
    A third one raises, in case that the loop itself hangs.
    """

    def __init__(self, crowd: Stoppable, loop: asyncio.AbstractEventLoop) -> None:
        self.count = 0
        self.task: asyncio.Task[Outcome] | None = None
        self._crowd = crowd
        self._loop = loop
        self._early = False  # before it began

    def __call__(self, number: int, frame: Any) -> None:
        self.count += 1
        if self.count > 2:
            raise KeyboardInterrupt
        self._loop.call_soon_threadsafe(self._act, self.count)

    def _act(self, press: int) -> None:
        if press > 1:
            self._crowd.cut()
        elif self.task is None:
            self._early = True
        else:
            self.task.cancel()

    async def watch(self, first: socket.socket | None) -> Outcome:
        self.task = asyncio.current_task()
        if self._early and self.task is not None:
            self.task.cancel()
        return await self._crowd.run(first)


def run_interruptibly(crowd: Stoppable, first: socket.socket | None) -> Outcome:
    """Run it in an event loop of its own, to its end or to Ctrl-C; a second Ctrl-C raises KeyboardInterrupt.

    In another thread than the main one, and where the program has its own handler of Ctrl-C, that is left alone.
    """
    with asyncio.Runner(loop_factory=loop_factory() or asyncio.new_event_loop) as runner:
        presses = _Presses(crowd, runner.get_loop())
        before = signal.getsignal(signal.SIGINT)
        if before is not signal.default_int_handler or not _hears_signals(presses):
            return runner.run(crowd.run(first))
        try:
            outcome = runner.run(presses.watch(first))
        finally:
            signal.signal(signal.SIGINT, before)
    if presses.count > 1:
        raise KeyboardInterrupt
    return outcome


def _hears_signals(presses: _Presses) -> bool:
    try:
        signal.signal(signal.SIGINT, presses)
    except ValueError:  # not the main thread
        return False
    return True
