"""The file that taps write into: unbuffered, so that whoever looks sees what has gone by, and one chunk at a time."""

from __future__ import annotations

import _thread
import errno
import os

from wirecat.errors import NetworkError, UsageError
from wirecat.system.private_file import NO_READER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_MODE = 0o666  # less what the user's umask takes away, as for any file


class OutputFile:
    """Emptied, or with ``append`` written on. A context manager. Links are followed, and the mode of a new file is
    0666 less the umask.

    Raises UsageError where it cannot be opened, and for a pipe that no process reads: an open that waits for one would
    wait without a word.
    """

    def __init__(self, path: str, *, append: bool = False) -> None:
        try:
            self._descriptor = _open(path, append)
        except (OSError, ValueError) as error:
            number = error.errno if isinstance(error, OSError) else None
            reason = error.strerror if isinstance(error, OSError) else None
            if number == errno.ENXIO:
                reason = NO_READER
            raise UsageError(reason or "no path has a zero byte", address=path, step="open", errno=number) from error
        self._path = path
        self._lock = _thread.allocate_lock()

    def write(self, data: bytes) -> None:
        """Write all of it; from any thread. Raises WirecatError when the disk takes no more."""
        view = memoryview(data)
        with self._lock:
            if self._descriptor < 0:
                return
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError as error:
                raise NetworkError(
                    error.strerror or str(error), address=self._path, step="write", errno=error.errno
                ) from error

    def close(self) -> None:
        """Close it; what comes later is not written. Closing twice is nothing."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open(path: str, append: bool) -> int:
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
    flags |= getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, _MODE)
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)
    return descriptor
