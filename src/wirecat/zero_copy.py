"""Moving bytes inside the kernel: sendfile(2) from a file to a socket, splice(2) between everything else that takes it.

splice needs a pipe on one side, so between two sockets, or a socket and a file, a pipe of our own stands in between.
What lies in that pipe has left its source already: whoever gives a mover up takes it out by ``leftover``, and no byte
is lost.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

PIPE_SIZE = 1 << 20  # bytes; the most that an ordinary user may ask for (/proc/sys/fs/pipe-max-size, pipe(7))
FILE_PIECE = 1 << 23  # bytes of one sendfile(2): after each, counters move on and a new tap is seen
# What sendfile(2) and splice(2) answer for descriptors that they cannot serve, or that would not wait.
_UNSUITABLE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EAGAIN, errno.EOVERFLOW, errno.ESPIPE}


class Unsuitable(Exception):
    """The kernel cannot move bytes between these two: copy them instead, what ``leftover`` gives first."""


class SourceFailed(Exception):
    """Reading failed; ``__cause__`` is the OSError."""


class SinkFailed(Exception):
    """Writing failed; ``__cause__`` is the OSError, ``unsent`` how many bytes had left the source and were not taken."""

    def __init__(self, unsent: int) -> None:
        super().__init__(unsent)
        self.unsent = unsent


class Mover:
    """One direction between two blocking descriptors. ``move`` waits for bytes and passes on what is there.

    ``taken`` is how many bytes have left the source in all, ``given`` how many the sink has taken; between two calls,
    and where none failed, they are the same.
    """

    kind = ""
    taken = 0
    given = 0

    def move(self) -> int:
        """How many bytes went over; 0 at the end of the source. Raises Unsuitable, SourceFailed, SinkFailed."""
        raise NotImplementedError

    def leftover(self) -> bytes:
        """What was taken from the source and not given to the sink yet; it is not kept."""
        return b""

    def close(self) -> None:
        """Close what is the mover's own; the two descriptors stay as they are."""


class FileMover(Mover):
    """A regular file, from its present position on, to a socket. It may grow or shrink meanwhile."""

    kind = "sendfile"

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink

    def move(self) -> int:
        try:
            count = os.sendfile(self._sink, self._source, None, FILE_PIECE)
        except OSError as error:
            if error.errno in _UNSUITABLE:
                raise Unsuitable(error.strerror) from error
            if error.errno == errno.EIO:
                raise SourceFailed from error
            raise SinkFailed(0) from error
        self.taken += count
        self.given += count
        return count


class PipeMover(Mover):
    """One end is a pipe already: a single splice a piece."""

    kind = "splice"

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink

    def move(self) -> int:
        try:
            count = os.splice(self._source, self._sink, PIPE_SIZE)
        except OSError as error:
            if error.errno in _UNSUITABLE:
                raise Unsuitable(error.strerror) from error
            if error.errno in (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise SinkFailed(0) from error
            raise SourceFailed from error
        self.taken += count
        self.given += count
        return count


class SpliceMover(Mover):
    """Neither end is a pipe: two splices a piece, through a pipe of our own."""

    kind = "splice"

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._out, self._in = os.pipe()
        self._size = _widen(self._in)

    def move(self) -> int:
        try:
            count = os.splice(self._source, self._in, self._size)
        except OSError as error:
            if error.errno in _UNSUITABLE:
                raise Unsuitable(error.strerror) from error
            raise SourceFailed from error
        self.taken += count
        while inside := self.taken - self.given:
            try:
                self.given += os.splice(self._out, self._sink, inside)
            except OSError as error:
                if error.errno in _UNSUITABLE:
                    raise Unsuitable(error.strerror) from error
                raise SinkFailed(inside) from error
        return count

    def leftover(self) -> bytes:
        data = b""
        while inside := self.taken - self.given:
            piece = os.read(self._out, inside)
            self.given += len(piece)  # to the caller, who passes it on
            data += piece
        return data

    def close(self) -> None:
        os.close(self._out)
        os.close(self._in)


def choose_mover(source: int, sink: int) -> Mover | str:
    """A mover between two descriptors, or in words why there is none: then copy."""
    if source < 0 or sink < 0:
        return "one end is no plain descriptor"
    try:
        come, go = os.fstat(source).st_mode, os.fstat(sink).st_mode
    except OSError as error:
        return f"{error.strerror}".lower()
    if stat.S_ISCHR(come) or (stat.S_ISCHR(go) and os.isatty(sink)):
        return "one end is a terminal or device"
    if stat.S_ISREG(come) and stat.S_ISSOCK(go) and _sends_files():
        return FileMover(source, sink)
    if not hasattr(os, "splice"):
        return "this system has no splice"
    if stat.S_ISREG(come) and not stat.S_ISFIFO(go):
        return "a file to a file"
    if stat.S_ISFIFO(come) or stat.S_ISFIFO(go):
        return PipeMover(source, sink)
    return SpliceMover(source, sink)


def _sends_files() -> bool:
    # Elsewhere sendfile(2) has other rules: macOS wants an offset, FreeBSD a count; there the copy serves.
    return sys.platform == "linux" and hasattr(os, "sendfile")


def _widen(pipe: int) -> int:
    """Make a pipe as large as the system allows; its size."""
    import fcntl

    for size in (PIPE_SIZE, PIPE_SIZE // 4):
        try:
            return fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
        except OSError:  # EPERM: the user's pipes are at their limit already (pipe-user-pages-soft)
            continue
    return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)
