"""Network namespaces of Linux for the calling thread: make one, enter one (unshare(2), setns(2), network_namespaces(7)).

A namespace made here has no name in the file system: it lives as long as a process or an open descriptor refers to it.
"""

from __future__ import annotations

import ctypes
import os

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def open_network() -> int:
    """A descriptor of the network namespace that the calling thread is in. Raises OSError."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def make_network() -> int:
    """Move the calling thread into a new, empty network namespace; its descriptor.

    Raises OSError: EPERM without CAP_SYS_ADMIN (not root, or a container).
    """
    _call("unshare", _CLONE_NEWNET)
    return open_network()


def enter_network(descriptor: int) -> None:
    """Move the calling thread into another network namespace. Raises OSError."""
    _call("setns", descriptor, _CLONE_NEWNET)


def end_with_parent() -> None:
    """Let the kernel end this process by SIGKILL as soon as the thread that started it ends (prctl(2))."""
    _call("prctl", _PR_SET_PDEATHSIG, 9, 0, 0, 0)


def _call(name: str, *arguments: int) -> None:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
