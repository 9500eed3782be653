"""Signals that end the program in good order: what it holds is closed, and what was recorded is written, before it goes.

The first one raises ``Signalled`` in the main thread, and the way out then belongs to whoever tidies up: a second one
(Ctrl-C is easily pressed twice, and ``timeout`` and ``systemd`` send more than one) must not tear that. The third does,
for a way out that takes too long.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal itself makes enums of its numbers: milliseconds of each start
import _thread
import sys

from wirecat.cli.signalled import Signalled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType, TracebackType
    from typing import Any

    from wirecat.taps.tap import Tap

ALL = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_ENOUGH = 3  # signals that even tear the way out


class ending_of_signals:
    """Within the block a signal of ``names`` raises Signalled in the main thread. One that is ignored (under nohup, or in
    the background of a shell) stays ignored. Outside the main thread it does nothing: signals go to that one."""

    def __init__(self, names: Iterable[str] = ALL) -> None:
        self._names = names
        self._previous: dict[int, Any] = {}
        self._holds = 0
        self._came = 0  # the number of the first signal
        self._count = 0
        self._leaving = False
        self._main = _thread.get_ident()

    def __enter__(self) -> ending_of_signals:
        for name in self._names:
            number = getattr(_signal, name, None)
            if number is None or _signal.getsignal(number) == _signal.SIG_IGN:
                continue
            try:
                self._previous[number] = _signal.signal(number, self._signalled)
            except ValueError:  # not the main thread
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            _signal.signal(number, handler)

    def hold(self) -> None:
        """From now on a signal waits: what is being done shall be whole. Once for each ``release``, in the main thread."""
        self._holds += 1

    def release(self) -> None:
        """Let signals end the program again; raises Signalled for one that waits."""
        self._holds -= 1
        if self._came and not self._holds and not self._leaving:
            self._leave(self._came)

    def leave(self) -> None:
        """The way out has begun by itself: it is not torn by the first signals either, nor by the keyboard's."""
        self._leaving = True
        if self._previous and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
            self._previous[_signal.SIGINT] = _signal.signal(_signal.SIGINT, self._signalled)

    def whole(self, tap: Tap) -> Tap:
        """``tap``, none of whose steps a signal interrupts: half a step would leave its locks and its counts as they
        must not be."""
        from wirecat.cli.whole_tap import WholeTap

        return WholeTap(tap, self, self._main)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._came = self._came or number
        self._count += 1
        if self._count >= _ENOUGH or not (self._holds or self._leaving):
            self._leave(number)

    def _leave(self, number: int) -> None:
        self._leaving = True
        raise Signalled(number)


class dying_of_signals(ending_of_signals):
    """As above; and the process then ends by the signal itself, which its parent can see."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if isinstance(error, Signalled):
            if sys.platform == "win32":
                raise SystemExit(error.code) from error
            _signal.signal(error.number, _signal.SIG_DFL)
            _signal.raise_signal(error.number)
