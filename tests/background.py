"""Work in a thread of its own, for tests in which both ends of a connection have something to do at once.

    with Background(lambda: connection.receive_exactly(1 << 26)) as received:
        send_all()
        assert received.result() == data

What the work raised is raised by `result`, or at the end of the block where nobody asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

#: Seconds to wait for something that takes milliseconds, on a machine where much else runs.
PATIENCE = 20.0

T = TypeVar("T")


class Background(Generic[T]):
    """A function called in a daemon thread for the length of a block; the block waits for its end."""

    def __init__(self, work: Callable[[], T], *, name: str = "background of a test") -> None:
        self._work = work
        self._outcome: list[T] = []
        self._failure: BaseException | None = None
        self._asked = False
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        try:
            self._outcome.append(self._work())
        except BaseException as error:
            self._failure = error

    def __enter__(self) -> Background[T]:
        self.thread.start()
        return self

    @property
    def running(self) -> bool:
        return self.thread.is_alive()

    def result(self, timeout: float = PATIENCE) -> T:
        """What the function returned, as soon as it has; AssertionError where it has not in `timeout` seconds."""
        self._asked = True
        self.thread.join(timeout)
        assert not self.thread.is_alive(), f"{self.thread.name} still runs after {timeout:g} s"
        if self._failure is not None:
            raise self._failure
        return self._outcome[0]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and not self._asked:
            self.result()
        elif error is not None:
            self.thread.join(1.0)


def stays(condition: Callable[[], bool], seconds: float = 0.15) -> bool:
    """Whether something that should not happen has not happened for a while (it can only prove the contrary)."""
    pause = threading.Event()
    for _ in range(10):
        if not condition():
            return False
        pause.wait(seconds / 10)
    return condition()
