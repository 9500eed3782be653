"""A timer that an event loop can wait for and that is exact to some 0.05 ms, where this system has one (Linux).

Event loops count in whole milliseconds (epoll_wait(2)), which is too coarse for whoever has to send in time. The
descriptor of a timerfd_create(2) becomes readable when its time has come. Python knows it from 3.13 on; before, the C
library is called.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CLOCK_MONOTONIC = 1  # linux/time.h
#: The least time: 0 would stop the timer.
_SHORTEST = 1  # nanoseconds


class ExactTimer:
    """A timer that goes off once for each ``set``. ``fileno`` is readable from then until ``take``."""

    __slots__ = ("_descriptor", "_library")

    def __init__(self) -> None:
        """Raises OSError where the system has no such timer, or no descriptor left."""
        self._library: Any = None
        if hasattr(os, "timerfd_create"):
            self._descriptor: int = os.timerfd_create(_CLOCK_MONOTONIC, flags=os.O_NONBLOCK | os.O_CLOEXEC)
            return
        import ctypes

        self._library = ctypes.CDLL(None, use_errno=True)
        create = getattr(self._library, "timerfd_create", None)
        if create is None:
            raise OSError("the C library has no timerfd_create")
        # TFD_NONBLOCK and TFD_CLOEXEC are the numbers of O_NONBLOCK and O_CLOEXEC.
        self._descriptor = create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        self._raise_if(self._descriptor < 0)

    def set(self, seconds: float) -> None:
        """Go off so many seconds from now, in place of any time set before."""
        nanoseconds = max(_SHORTEST, int(seconds * 1e9))
        if self._library is None:
            os.timerfd_settime_ns(self._descriptor, initial=nanoseconds)  # type: ignore[attr-defined,unused-ignore]
            return
        import ctypes

        # struct itimerspec: the interval (none), then the time, each as seconds and nanoseconds.
        value = (ctypes.c_long * 4)(0, 0, *divmod(nanoseconds, 1_000_000_000))
        self._raise_if(self._library.timerfd_settime(self._descriptor, 0, value, None) < 0)

    def take(self) -> bool:
        """Take note that it went off; False if it has not."""
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return False
        return True

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._descriptor

    def close(self) -> None:
        """Close the descriptor. Once."""
        os.close(self._descriptor)

    def _raise_if(self, failed: bool) -> None:
        if failed:
            import ctypes

            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def exact_timer() -> ExactTimer | None:
    """A timer, or None where this system has no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ExactTimer()
    except OSError:
        return None
