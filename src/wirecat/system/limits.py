"""How many descriptors and threads this process may have, and what limits them (getrlimit(2), cgroups(7))."""

from __future__ import annotations

import os
import sys

from wirecat.system.kernel_file import read_kernel_file

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

# Some systems say that a million million descriptors are allowed; tables of that size help nobody.
_MOST_DESCRIPTORS = 1_048_576
_MAPS_PER_THREAD = 2  # a stack, and the guard page below it


def descriptor_limit() -> int | None:
    """How many descriptors this process may have open now (the soft RLIMIT_NOFILE); None: no known limit."""
    if resource is None:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def raise_descriptor_limit() -> int | None:
    """Raise the soft limit of descriptors to the hard one, at most to 1,048,576, and return what now holds.

    It is never lowered; where the system refuses, it stays as it was. None: no limit that is known (Windows).
    """
    if resource is None:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY:
        # macOS takes no more than OPEN_MAX (10,240 unless configured), even where the hard limit is
        # "unlimited".
        for wanted in (_MOST_DESCRIPTORS, 65_536, 10_240):
            target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            if target <= soft:
                break
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
                break
            except (OSError, ValueError):
                continue
    return descriptor_limit()


def usable_processors() -> int:
    """How many processors this process may run on (sched_setaffinity(2) counts); at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_limit(*, root: str = "/") -> tuple[int, str] | None:
    """How many threads there can be at most, and the name of what says so; None: nothing that is known.

    The least of: the user's processes and threads (RLIMIT_NPROC, which does not bind root), the pids of this
    process's cgroup and those above it, the kernel's threads, its pids, and its memory maps of one process
    (two a thread). Most of these are shared with others, so fewer may be had. ``root`` is where /proc and
    /sys are looked for.
    """
    limits: list[tuple[int, str]] = []
    if resource is not None and hasattr(resource, "RLIMIT_NPROC") and sys.platform.startswith("linux"):
        soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
        if soft != resource.RLIM_INFINITY and os.geteuid() != 0:
            limits.append((soft, "RLIMIT_NPROC (ulimit -u)"))
    limits += [(number, "the cgroup's pids.max") for number in _cgroup_limits(root)]
    for path, share in (
        ("proc/sys/kernel/threads-max", 1),
        ("proc/sys/kernel/pid_max", 1),
        ("proc/sys/vm/max_map_count", _MAPS_PER_THREAD),
    ):
        number = _read_number(os.path.join(root, path))
        if number is not None:
            limits.append((number // share, path.removeprefix("proc/sys/").replace("/", ".")))
    return min(limits, default=None)


def _cgroup_limits(root: str) -> list[int]:
    """pids.max of this process's control group and of all above it, version 1 or 2 (cgroups(7))."""
    limits = []
    for line in (_read(os.path.join(root, "proc/self/cgroup")) or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "pids" in controllers.split(","):
            top = "sys/fs/cgroup/pids"
        elif number == "0" and not controllers:
            top = "sys/fs/cgroup"
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts), -1, -1):
            limit = _read_number(os.path.join(root, top, *parts[:depth], "pids.max"))
            if limit is not None:
                limits.append(limit)
    return limits


def _read_number(path: str) -> int | None:
    text = (_read(path) or "").strip()
    return int(text) if text.isdecimal() else None


def _read(path: str) -> str | None:
    try:
        return read_kernel_file(path).decode("utf-8", "replace")
    except OSError:
        return None
