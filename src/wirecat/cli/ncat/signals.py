"""Signals: a listener ends with 128 + n, a client dies of them as any program does; both leave nothing behind."""

from __future__ import annotations

import signal
import sys

from wirecat.cli.ncat.endings import Signalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class ending_of_signals:
    """Within the block a signal that would end the process raises Signalled in the main thread. One that is ignored
    (under nohup, or in the background of a shell) stays ignored."""

    def __init__(self) -> None:
        self._previous: dict[int, object] = {}
        self._held = False
        self._came = 0

    def __enter__(self) -> ending_of_signals:
        for name in _NAMES:
            number = getattr(signal, name, None)
            if number is None or signal.getsignal(number) == signal.SIG_IGN:
                continue
            self._previous[number] = signal.signal(number, self._signalled)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def hold(self) -> None:
        """From now on a signal waits: what is being built shall be whole before it is taken down."""
        self._held = True

    def release(self) -> None:
        """Let signals end the program again; raises Signalled for one that waits."""
        self._held = False
        if self._came:
            raise Signalled(self._came)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._came = number
        if not self._held:
            raise Signalled(number)


class dying_of_signals(ending_of_signals):
    """As above; and the process then ends by the signal itself, which its parent can see."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if isinstance(error, Signalled) and sys.platform != "win32":
            signal.signal(error.number, signal.SIG_DFL)
            signal.raise_signal(error.number)
