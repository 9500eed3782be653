"""The file that taps write into: unbuffered, so that whoever looks sees what has gone by, and one chunk at a time."""

from __future__ import annotations

import _thread
import os

from wirecat.errors import NetworkError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_MODE = 0o666  # less what the user's umask takes away, as for any file


class OutputFile:
    """Opened anew, or with ``append`` written on. A context manager. Raises UsageError where it cannot be opened."""

    def __init__(self, path: str, *, append: bool = False) -> None:
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
        try:
            self._descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0), _MODE)
        except (OSError, ValueError) as error:
            number = error.errno if isinstance(error, OSError) else None
            reason = error.strerror if isinstance(error, OSError) else None
            raise UsageError(reason or str(error), address=path, step="open", errno=number) from error
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
