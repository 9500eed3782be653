"""After each test of a file that imports `nothing_left_behind`: no thread, no open descriptor more than before."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator

import pytest

DESCRIPTORS = "/proc/self/fd"


def descriptors() -> dict[str, str]:
    """The open descriptors of this process and what each is; empty where the system does not tell."""
    found = {}
    for name in os.listdir(DESCRIPTORS) if os.path.isdir(DESCRIPTORS) else ():
        try:
            found[name] = os.readlink(f"{DESCRIPTORS}/{name}")
        except OSError:
            continue  # that of the listing itself
    return found


def threads() -> set[str]:
    """The threads that Python knows of. (A raw `_thread` is not among them.)"""
    return {f"{thread.name} ({thread.ident})" for thread in threading.enumerate()}


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Compare before and after; what is still ending gets a moment."""
    descriptors_before, threads_before = descriptors(), threads()
    yield
    deadline = time.monotonic() + 5
    pause = threading.Event()
    while True:
        more = {f"{name}: {what}" for name, what in descriptors().items() if descriptors_before.get(name) != what}
        running = threads() - threads_before
        if not more and not running:
            return
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: descriptors {sorted(more)}, threads {sorted(running)}")
        pause.wait(0.005)
        gc.collect()  # what a cycle kept is nobody's fault here; a ResourceWarning is another one's
