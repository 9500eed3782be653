"""Moving bytes inside the kernel: sendfile(2) from a file to a socket, splice(2) between everything else that takes it.

splice needs a pipe on one side, so between two sockets, or a socket and a file, a pipe of our own stands in between.
What lies in that pipe has left its source already: whoever gives a mover up takes it out by ``leftover``, and no byte
is lost. Whoever calls ``move`` has waited for the source before, so that it never waits there; or calls ``take`` first,
which waits by itself: one call less for each piece, and what came can still be taken out again.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

PIECE = 1 << 20  # bytes of one move, at most: after each, counters move on and a new tap is seen
PIPE_SIZE = 1 << 20  # bytes; the most that an ordinary user may ask for (/proc/sys/fs/pipe-max-size, pipe(7))
_USUAL = 1 << 16  # what a pipe holds that nobody has asked anything of
_NONBLOCK = getattr(os, "SPLICE_F_NONBLOCK", 0)
# What sendfile(2) and splice(2) answer for descriptors that they cannot serve.
_UNSUITABLE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EOVERFLOW, errno.ESPIPE}
_NOT_NOW = {errno.EAGAIN, errno.EWOULDBLOCK}
_NO_ROOM = {errno.EPIPE, errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Unsuitable(Exception):
    """The kernel cannot move bytes between these two: copy them instead, what ``leftover`` gives first."""


class NotReady(Exception):
    """Nothing went over at this moment: the source has nothing any more, or a sink that does not wait has no room."""


class SourceFailed(Exception):
    """Reading failed; ``error`` is what with."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.error = error


class SinkFailed(Exception):
    """Writing failed; ``error`` is what with. What has left the source and was not taken is the mover's ``inside``."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.error = error


class Mover:
    """One direction between two descriptors.

    ``taken`` is how many bytes have left the source in all, ``given`` how many the sink has taken; between two calls,
    and where none failed, they are the same.
    """

    kind = ""
    taken = 0
    given = 0

    @property
    def keeps(self) -> bool:
        """Whether ``take`` may be called."""
        return False

    @property
    def inside(self) -> int:
        """How many bytes have left the source and were not given to the sink yet."""
        return self.taken - self.given

    def move(self, limit: int = PIECE) -> int:
        """How many bytes went over, about ``limit`` at most; 0 at the end of the source.

        It waits for the sink, unless that is a descriptor that does not wait. Raises Unsuitable, NotReady, SourceFailed,
        SinkFailed.
        """
        raise NotImplementedError

    def take(self, limit: int = PIECE) -> int:
        """The first half of ``move``: wait for bytes of the source and take them in, for the ``move`` that follows; how many
        are ``inside`` then, 0 at the end of the source. Raises as ``move`` does."""
        raise NotImplementedError

    def leftover(self) -> bytes:
        """Take out what is ``inside``."""
        return b""

    def close(self) -> None:
        """Close what is the mover's own; the two descriptors stay as they are."""

    def _went(self, count: int) -> int:
        self.taken += count
        self.given += count
        return count


class FileMover(Mover):
    """A regular file, from its present position on, to a socket. It may grow or shrink meanwhile."""

    kind = "sendfile"

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink

    def move(self, limit: int = PIECE) -> int:
        """See Mover."""
        try:
            return self._went(os.sendfile(self._sink, self._source, None, limit))
        except OSError as error:
            _require_suitable(error)
            if error.errno == errno.EIO:
                raise SourceFailed(error) from error
            raise SinkFailed(error) from error


class PipeMover(Mover):
    """One end is a pipe already: a single splice a piece."""

    kind = "splice"

    def __init__(self, source: int, sink: int, sink_fails: bool) -> None:
        self._source = source
        self._sink = sink
        self._sink_fails = sink_fails  # the source is one that does not

    def move(self, limit: int = PIECE) -> int:
        """See Mover. (SPLICE_F_NONBLOCK speaks of the pipe alone: a socket waits as it always does.)"""
        try:
            return self._went(os.splice(self._source, self._sink, limit, flags=_NONBLOCK))
        except OSError as error:
            _require_suitable(error)
            if self._sink_fails or error.errno in _NO_ROOM:
                raise SinkFailed(error) from error
            raise SourceFailed(error) from error


class SpliceMover(Mover):
    """Neither end is a pipe: two splices a piece, through a pipe of our own. It is made for the first piece and made
    wider for the first large one: thousands of directions in which little goes by cost none, or a small one."""

    kind = "splice"

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._out = self._in = -1
        self._size = 0
        self._wide = False

    @property
    def keeps(self) -> bool:
        """See Mover. Not before the first piece: a direction that waits for ever needs no pipe."""
        return self._in >= 0

    def take(self, limit: int = PIECE) -> int:
        """See Mover."""
        return self._take(limit, 0)  # the pipe is empty, so what is waited for is the source

    def _take(self, limit: int, flags: int) -> int:
        if self.taken == self.given:
            if limit > self._size and not self._wide:
                self._make_room(limit)
            try:
                self.taken += os.splice(self._source, self._in, min(limit, self._size), flags=flags)
            except OSError as error:
                _require_suitable(error)
                raise SourceFailed(error) from error
        return self.taken - self.given

    def move(self, limit: int = PIECE) -> int:
        """See Mover."""
        if not self._take(limit, _NONBLOCK):
            return 0
        before = self.given
        while self.given < self.taken:
            try:
                self.given += os.splice(self._out, self._sink, self.taken - self.given)
            except OSError as error:
                _require_suitable(error)
                raise SinkFailed(error) from error
        return self.given - before

    def _make_room(self, limit: int) -> None:
        if self._in < 0:
            try:
                self._out, self._in = os.pipe()
            except OSError as error:  # no descriptor left: a copy needs none
                raise Unsuitable from error
            self._size = pipe_size(self._in)
            if self._size < _USUAL:  # the user's pipes are at their limit, and this is what is left of it
                raise Unsuitable
        if limit > self._size:
            self._size = widen(self._in)
            self._wide = True

    def leftover(self) -> bytes:
        """See Mover."""
        pieces = []
        while self.taken > self.given:
            piece = os.read(self._out, self.taken - self.given)
            self.taken -= len(piece)  # whoever passes it on counts it
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """See Mover."""
        for descriptor in (self._out, self._in):
            if descriptor >= 0:
                os.close(descriptor)
        self._out = self._in = -1


def _require_suitable(error: OSError) -> None:
    if error.errno in _NOT_NOW:
        raise NotReady from error
    if error.errno in _UNSUITABLE:
        raise Unsuitable from error


def choose_mover(source: int, sink: int) -> Mover | str:
    """A mover between two descriptors, or in words why there is none: then copy."""
    if not hasattr(os, "splice"):
        return "this system has no splice"
    try:
        come, go = os.fstat(source).st_mode, os.fstat(sink).st_mode
        if (stat.S_ISCHR(come) and os.isatty(source)) or (stat.S_ISCHR(go) and os.isatty(sink)):
            return "one end is a terminal"
        if stat.S_ISCHR(come):
            return "the input is a device"
        if _appends(sink):
            return "the output is open for appending"  # splice(2): EINVAL
        if stat.S_ISREG(come) and stat.S_ISSOCK(go):
            return FileMover(source, sink)
        if stat.S_ISFIFO(come) or stat.S_ISFIFO(go):
            return PipeMover(source, sink, sink_fails=not stat.S_ISSOCK(come))
        if stat.S_ISREG(come):
            return "a file to a file"
        return SpliceMover(source, sink)
    except OSError as error:  # closed meanwhile, or no descriptor left for a pipe
        return (error.strerror or str(error)).lower()


def _appends(sink: int) -> bool:
    if sys.platform == "win32":
        return False
    import fcntl

    return bool(fcntl.fcntl(sink, fcntl.F_GETFL) & os.O_APPEND)


def widen(pipe: int) -> int:
    """Make a pipe as large as the system allows; its size."""
    import fcntl

    for size in (PIPE_SIZE, PIPE_SIZE // 4):
        try:
            return fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
        except OSError:  # EPERM: the user's pipes are at their limit already (pipe-user-pages-soft)
            continue
    return pipe_size(pipe)


def pipe_size(pipe: int) -> int:
    """How many bytes a pipe holds."""
    import fcntl

    return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)
