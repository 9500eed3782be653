"""How many connections at once this machine sanely allows, and what sets that limit."""

from __future__ import annotations

from wirecat.system.limits import descriptor_limit, thread_limit

RESERVED = 64  # descriptors and threads for everything that is no connection
UNKNOWN = 512  # where the system tells no limit: Windows' C runtime has that many descriptors for files, sockets more
_MANY = 1 << 20


def default_capacity(engine: str) -> tuple[int, str]:
    """The default of ``--max-connections`` for an engine, and in words what sets it."""
    limit, reason = _lowest_limit(engine)
    if limit == _MANY:
        return UNKNOWN if engine == "threads" else _MANY, reason
    # Where little is allowed, the half of it is kept back: better some clients than none.
    return max(1, limit - min(RESERVED, limit // 2)), reason


def asked_for(connections: int, engine: str) -> tuple[int, str]:
    """A limit that the user chose, and in words where it came from: beyond what this machine allows that is said."""
    limit, reason = _lowest_limit(engine)
    return connections, "asked for" if connections <= limit else f"asked for, but {reason}"


def capacity_of_workers(workers: int, asked: int | None, engine: str) -> tuple[int, str]:
    """The limit of several processes together, ``asked`` for or None, and in words what sets it.

    Open files are counted for each process, threads for all.
    """
    if asked is not None:
        return asked, "asked for"
    descriptors, threads = descriptor_limit(), thread_limit() if engine == "threads" else None
    limit, reason = _MANY, "no limit of this machine"
    if descriptors is not None and descriptors * workers < limit:
        each = descriptors - min(RESERVED, descriptors // 2)
        limit, reason = each * workers, f"{descriptors} open files are allowed in each of {workers} processes"
    if threads is not None and threads[0] - RESERVED * workers < limit:
        limit = threads[0] - min(RESERVED * workers, threads[0] // 2)
        reason = f"{threads[0]} threads are allowed: {threads[1]}"
    return max(1, limit), reason


def _lowest_limit(engine: str) -> tuple[int, str]:
    descriptors = descriptor_limit()
    limit, reason = _MANY, "no limit of this machine"
    if descriptors is not None and descriptors < limit:
        limit, reason = descriptors, f"{descriptors} open files are allowed"
    if engine == "threads":
        threads = thread_limit()
        if threads is not None and threads[0] < limit:
            limit, reason = threads[0], f"{threads[0]} threads are allowed: {threads[1]}"
    return limit, reason
