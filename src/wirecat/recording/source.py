"""The bytes of a capture, wherever they come from: a file, a pipe or standard input, compressed or not."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from wirecat.errors import UsageError
from wirecat.wire.compression import CompressionUnsupported, Unpacker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

READ_SIZE = 1 << 20
STDIN = "-"


def is_read_once(path: str) -> bool:
    """Whether ``path`` gives its bytes only once: standard input, a pipe, a device."""
    try:
        return path == STDIN or not stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):  # opening it explains why
        return False


def read_blocks(
    path: str, wait: Callable[[], bool] | None = None, spool: BinaryIO | None = None
) -> Iterator[bytes | str]:
    """What ``path`` holds, unpacked, block by block; a ``str`` is what is wrong with it, and nothing follows.

    ``spool`` is a file with what it gave when it was read first. ``wait`` is called at the end of a file that may still
    grow; while it returns True, reading is tried again. Raises UsageError for what cannot be opened or read.
    """
    unpacker = Unpacker()
    try:
        with _opened(path) if spool is None else _again(spool) as file:
            while True:
                data = _some(file)
                if not data:
                    if wait is None or not wait():
                        break
                    continue
                try:
                    yield unpacker.feed(data)
                except CompressionUnsupported as error:
                    hint = f"Unpack it: {error.program} FILE | wirecat show -"
                    raise UsageError(str(error), address=path, step="read", hint=hint) from error
                except ValueError as error:
                    yield str(error)
                    return
    except UsageError:
        raise
    except (OSError, ValueError) as error:  # a path may hold a NUL
        reason = "no path has a zero byte" if isinstance(error, ValueError) else error.strerror or str(error)
        raise UsageError(reason, address=path, step="read", errno=getattr(error, "errno", None)) from error
    held, problem = unpacker.finish()
    if held:
        yield held
    if problem:
        yield problem


def spooled(path: str) -> BinaryIO:
    """A temporary file with what ``path`` gives once; it vanishes when it is closed."""
    file: BinaryIO = tempfile.TemporaryFile(prefix="wirecat-")  # noqa: SIM115
    try:
        with _opened(path) as source:
            while data := _some(source):
                file.write(data)
    except OSError as error:
        file.close()
        raise UsageError(error.strerror or str(error), address=path, step="read", errno=error.errno) from error
    return file


def _opened(path: str) -> BinaryIO:
    if path == STDIN:
        return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    return Path(path).open("rb", buffering=0)


@contextmanager
def _again(spool: BinaryIO) -> Iterator[BinaryIO]:
    spool.seek(0)
    yield spool


def _some(file: BinaryIO) -> bytes:
    """What is there, without waiting until a whole block is."""
    return file.read(READ_SIZE) or b""
