"""The tour's recording: every server of it, and the socket table, in one file that a report is made from."""

from __future__ import annotations

from wirecat.recording.recorder import Recorder
from wirecat.recording.tap import RecordingTap

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from typing import Any

    from wirecat.connection import Connection
    from wirecat.server.server import Server
    from wirecat.system.socket_row import SocketRow


class TourRecording:
    """Records into ``path``, or nothing where that is None. Raises UsageError where the file cannot be opened.

    Only the servers' sides are recorded: the clients run in the same program, and would be there twice.
    """

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self._recorder = None if path is None else Recorder(path, verb="tour")

    def serving(self, serve: Callable[..., Server]) -> Callable[..., Server]:
        """``serve``, with a tap on every server that it starts."""
        recorder = self._recorder
        if recorder is None:
            return serve

        def recorded(handler: Any, *arguments: Any, **options: Any) -> Server:
            server = serve(handler, *arguments, **options)
            name = handler if isinstance(handler, str) else getattr(handler, "__name__", "")
            server.attach(RecordingTap(recorder, kind="server", handler=name, served=True))
            return server

        return recorded

    def watch(self, connection: Connection) -> None:
        """Record one connection that no server looks after."""
        if self._recorder is not None:
            connection.attach(RecordingTap(self._recorder, kind="server"))

    def snapshot(self, rows: Iterable[SocketRow]) -> None:
        """Keep the socket table."""
        if self._recorder is not None:
            self._recorder.snapshot(rows)

    def close(self) -> None:
        """Write what is left."""
        if self._recorder is not None:
            self._recorder.close()
