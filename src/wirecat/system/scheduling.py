"""How many threads that hold one lock in turns (Python's) share the processors without getting in each other's way.

A thread that wakes up may interrupt the one that runs; with the interpreter's lock that is no gain: it finds the lock
held, sleeps again, and both have lost their time. Under SCHED_BATCH (sched(7)) a thread that wakes up waits until the
running one does. And threads that work for some microseconds between two waits hand the lock to and fro between the
processors, which costs more than the work: on one processor they are faster than on all.
"""

from __future__ import annotations

import os
import sys


def _has_one_lock() -> bool:
    """False for a Python that runs threads side by side (PEP 703)."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def wait_for_turns() -> None:
    """Let the calling thread wake up without interrupting others, and so those that it starts from now on. Linux only."""
    if sys.platform == "linux" and _has_one_lock():
        try:
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        except OSError:
            return  # a sandbox that does not allow it: slower, and nothing else


def gather(turn: int | None = None) -> set[int] | None:
    """Keep the calling thread, and those that it starts from now on, on one processor; what it was allowed before.

    Which one depends on ``turn``, of which several processes may have one each to take several processors; without it, on
    the process's number. None where nothing was changed: on other
    systems than Linux, with one processor, and in a Python that needs no lock.
    """
    if sys.platform != "linux" or not _has_one_lock():
        return None
    try:
        allowed = os.sched_getaffinity(0)
        if len(allowed) < 2:
            return None
        os.sched_setaffinity(0, {sorted(allowed)[(os.getpid() if turn is None else turn) % len(allowed)]})
    except OSError:
        return None  # as above
    return allowed


def scatter(allowed: set[int]) -> None:
    """Let the calling thread run on all of these processors again."""
    if sys.platform == "linux":
        try:
            os.sched_setaffinity(0, allowed)
        except OSError:
            return  # some of them are gone by now, and it stays where it is
