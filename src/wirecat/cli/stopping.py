"""How a server ends: the first Ctrl-C or SIGTERM drains, the second cuts."""

from __future__ import annotations

import os
import signal
import sys
import threading
from queue import Empty, SimpleQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Any, NoReturn, Self

    from wirecat.cli.environment import Environment
    from wirecat.server.server import Server

_FINISHED, _STOPPED = "finished", "stopped"
# On Windows Ctrl-C does not end a wait. Elsewhere a signal that comes in the instant before one is seen only after it.
_SLICE = 0.2 if sys.platform == "win32" else 0.5


class StopSignals:
    """Once they are caught, signals are words in a queue, like the server's own end. A context manager.

    A SimpleQueue, because its put may come in the middle of its get, as a signal does; a threading.Event may not.
    """

    def __init__(self) -> None:
        self._words: SimpleQueue[int | str] = SimpleQueue()
        self._previous: dict[int, Any] = {}

    def catch(self, *, hangup: bool = False) -> None:
        """From now on; to be called before the server lets anybody in. Until then a signal ends the program.

        ``hangup`` catches SIGHUP too: for a program that has something to tidy away when its terminal is closed.
        """
        numbers = [signal.SIGINT, signal.SIGTERM]
        if sys.platform == "win32":
            numbers.append(signal.SIGBREAK)
        elif hangup and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup(1) asks to outlive it
            numbers.append(signal.SIGHUP)
        for number in numbers:
            self._previous[number] = signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._words.put(number)

    def wait_for_signal(self) -> int:
        """Wait for a signal alone; its number."""
        while not isinstance(word := self._next(), int):
            continue
        return word

    def wait(self, server: Server, before_it_stops: Callable[[], object] = lambda: None) -> int:
        """Wait for the server's end or a signal, then stop it; 0 after a drain, 128 + n if signal n came second."""
        forget = server.on_finished(lambda: self._words.put(_FINISHED))
        came = [word for word in (self._next(),) if isinstance(word, int)]
        forget()
        before_it_stops()
        # In a thread, because signals must reach this one while connections drain.
        threading.Thread(target=self._stop, args=(server,), name="wirecat-stop", daemon=True).start()
        while (word := self._next()) != _STOPPED:
            if isinstance(word, int):
                came.append(word)
                if len(came) > 1:
                    server.cut()
        return 128 + came[1] if len(came) > 1 else 0

    def _stop(self, server: Server) -> None:
        try:
            server.stop()
        finally:
            self._words.put(_STOPPED)

    def _next(self) -> int | str:
        while True:
            try:
                return self._words.get(timeout=_SLICE)
            except Empty:
                continue

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def leave(code: int, environment: Environment) -> NoReturn:
    """End the process at once. For handlers that would not end: what they hold, such as a pool's thread, is waited for
    by Python's own way out, perhaps for ever."""
    try:
        environment.flush()
    except OSError:
        pass  # whoever read it has gone
    os._exit(code)
