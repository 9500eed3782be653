"""A small process that takes mappings back when the one that keeps them is gone without having done so.

It reads from a pipe: a line of JSON for each change, ``[mapping, …]``, all that is mapped now. When the pipe ends (the
other process is dead, whatever killed it), it takes back what is left, within the time that a router needs.
"""

from __future__ import annotations

import json
import subprocess
import sys

from wirecat.deadline import Deadline
from wirecat.port_mapping.mapping import Mapping, read_mapping
from wirecat.system.command import module_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

_SECONDS = 8.0


class Reaper:
    """The other end: it is started with the first mapping, and told of each change."""

    def __init__(self) -> None:
        command, environment = module_command("wirecat.port_mapping.reaper")
        # A session of its own: what ends the whole terminal must not end the one that cleans up after it.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
        )

    def tell(self, mappings: list[Mapping]) -> None:
        """What is mapped from now on. A reaper that has died is no reason to stop."""
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            return
        try:
            pipe.write(json.dumps([mapping.fields() for mapping in mappings]).encode() + b"\n")
            pipe.flush()
        except OSError:
            return

    def close(self) -> None:
        """Let it go; it does what is left to do, if anything is."""
        pipe = self._process.stdin
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                pass  # it is dead
        try:
            self._process.wait(_SECONDS + 2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def reap(lines: IO[bytes]) -> int:
    """Read until the pipe ends, then take back what the last line names; how many could not be."""
    from wirecat.port_mapping.mappers import unmap_port
    from wirecat.port_mapping.records import remove_record

    left: list[Mapping] = []
    for line in lines:
        left = [read_mapping(fields) for fields in json.loads(line)]
    failed = 0
    deadline = Deadline(_SECONDS)
    for mapping in left:
        try:
            unmap_port(mapping, deadline)
            remove_record(mapping)
        except (OSError, ValueError):
            failed += 1  # the record stays, for a later clean-up; its lease ends by itself
    return failed


def _main() -> int:
    import signal

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    return min(reap(sys.stdin.buffer), 1)


if __name__ == "__main__":
    sys.exit(_main())
