"""How C's allocator serves many threads: glibc's gives each of them a heap of its own, up to eight for a processor.

Under Python's lock threads allocate in turns, so that several heaps save no waiting; they cost memory, which a server of
thousands of threads keeps when those have gone.
"""

from __future__ import annotations

import sys

_M_ARENA_MAX = -8  # mallopt(3)


def share_one_heap() -> bool:
    """Let all threads of this process that begin from now on share one heap; False where that can't be had.

    For a program's own process: it is not a library's to say.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1))
    except (OSError, AttributeError):  # no glibc
        return False
