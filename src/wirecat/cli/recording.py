"""What ``--record FILE`` asks for in the verbs that carry data: a recorder for as long as the command runs."""

from __future__ import annotations

import os

from wirecat.cli.ending_of_signals import dying_of_signals
from wirecat.recording.recorder import Recorder
from wirecat.recording.shortfall import shortfall
from wirecat.recording.socket_watcher import WATCHED, SocketWatcher
from wirecat.recording.tap import RecordingTap
from wirecat.recording.worker_tap import NAME, worker_path
from wirecat.system.limits import usable_processors
from wirecat.system.private_file import open_private
from wirecat.taps.named import NamedTap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any, Self

    from wirecat.address import Address
    from wirecat.cli.environment import Environment
    from wirecat.taps.tap import Tap


def worker_tap(options: Any, environment: Environment, verb: str, kind: str, **fields: Any) -> NamedTap:
    """A recording of each of several processes, in a file of its own. Raises UsageError where none can be written."""
    count = usable_processors() if options.workers == "auto" else options.workers
    for worker in range(1, count + 1):
        os.close(open_private(worker_path(options.record, worker), step="record"))
    named = NamedTap(
        NAME, path=os.path.abspath(options.record), verb=verb, strict=options.record_strict,
        durable=options.record_durable, limit=options.record_limit, rotate=options.record_rotate, kind=kind, **fields,
    )  # fmt: skip
    named.on_trouble = environment.message
    return named


class CommandRecording:
    """A recording for as long as a command runs; a context manager. What it could not keep is said at once, and at the end.
    A signal that would end the process does so when the recording is written and closed.

    ``options`` are those of ``add_record_flags``, and ``record``. Raises UsageError where the file cannot be opened.
    """

    def __init__(self, options: Any, environment: Environment, verb: str) -> None:
        self._environment = environment
        self.recorder = Recorder(
            options.record, verb=verb, strict=options.record_strict, durable=options.record_durable,
            limit=options.record_limit, rotate=options.record_rotate, on_trouble=environment.message,
        )  # fmt: skip
        self._watcher: SocketWatcher | None = None
        # Ctrl-C is an exception already.
        self._signals = dying_of_signals(("SIGTERM", "SIGHUP", "SIGBREAK"))

    def tap(self, kind: str, *, handler: str = "", served: bool = False, **fields: Any) -> Tap:
        """A tap for one connection, or with ``served`` for a server; see ``RecordingTap``."""
        return self._signals.whole(RecordingTap(self.recorder, kind=kind, handler=handler, served=served, **fields))

    def watch_sockets(self, addresses: Iterable[Address]) -> None:
        """Keep the socket table as well, as far as it is about the ports of ``addresses``."""
        ports = {address.port for address in addresses if address.port and address.scheme in WATCHED}
        if ports:
            self._watcher = SocketWatcher(self.recorder, ports)

    def about_to_end(self) -> None:
        """Look at the sockets once more, before what is open is closed."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def __enter__(self) -> Self:
        self._signals.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signals.leave()
        try:
            self._close()
        finally:
            self._signals.__exit__(kind, error, trace)

    def _close(self) -> None:
        if self._watcher is not None:
            self._watcher.close(last_look=False)
        recorder = self.recorder
        recorder.close()
        if text := shortfall(recorder):
            self._environment.message(text)
