"""Entries put into the order of time, as far as what one connection's sides sent allows."""

from __future__ import annotations

from wirecat.recording.model import CLIENT, SERVER, Chunk, Mark

_OF_THE_CONNECTION = ("closed", "detached", "refused")  # marks that stand behind what either side sent


def sort_by_time(entries: list[Chunk | Mark]) -> None:
    """Sort ``entries``, which are all that one part of a file brought.

    Packets stand in a file in the order in which they were captured, which with several interfaces or queues is not
    always that of their times; and bytes behind a hole are known to be the next only once the hole is filled or given
    up. What one side sent keeps its order whatever the times, and an entry without a time stays behind the one before.
    """
    times = [entry.time_ns for entry in entries]
    if all(map(int.__le__, times, times[1:])):
        return
    latest: dict[tuple[int | None, str], int] = {}
    known = latest.get
    keys: list[int] = []
    previous = 0
    for entry in entries:
        connection, time_ns = entry.connection, entry.time_ns
        before = known((connection, ""), 0)
        side = entry.sender
        if not side or (type(entry) is Mark and entry.name in _OF_THE_CONNECTION):
            side = ""
            before = max(before, known((connection, CLIENT), 0), known((connection, SERVER), 0))
        else:
            of_side = known((connection, side), 0)
            before = of_side if of_side > before else before
        if time_ns >= 0:
            previous = time_ns
        if before > previous:
            previous = before
        latest[connection, side] = previous
        keys.append(previous)
    order = sorted(range(len(entries)), key=keys.__getitem__)
    entries[:] = [entries[index] for index in order]
