"""Keeps the socket table in a recording: as it stood when clients came, at most once a second, and at the end."""

from __future__ import annotations

import threading

from wirecat.errors import WirecatError
from wirecat.system.socket_table import read_socket_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from wirecat.recording.recorder import Recorder

PAUSE = 1.0  # seconds between two looks
WATCHED = ("tcp", "tls", "udp")  # schemes whose sockets stand in that table
SETTLING = 0.05  # seconds in which what comes together is seen together


class SocketWatcher:
    """Looks whenever the recorder is told of a new connection, in a thread of its own; only at sockets with one of
    ``ports``. Where the system shows its table to nobody, there is none in the recording, and a note says why."""

    def __init__(self, recorder: Recorder, ports: Collection[int]) -> None:
        self._recorder = recorder
        self._ports = frozenset(ports)
        self._looks = 0
        self._enough = False
        self._wanted = threading.Event()
        self._ending = threading.Event()
        recorder.on_opened = self._wanted.set
        self._thread = threading.Thread(target=self._run, name="wirecat-sockets", daemon=True)
        self._thread.start()

    def close(self, *, last_look: bool = True) -> None:
        """A last look (without ``last_look`` only where none was taken yet), then no more."""
        self._recorder.on_opened = None
        self._enough = not last_look and self._looks > 0
        self._ending.set()
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._ending.wait(SETTLING)
            last = self._ending.is_set()
            if self._enough:
                return
            self._wanted.clear()
            if not self._look() or last:
                return
            self._ending.wait(PAUSE)
            if self._ending.is_set():
                self._wanted.set()

    def _look(self) -> bool:
        try:
            table = read_socket_table()
        except WirecatError as error:
            self._recorder.note(f"no socket table: {error}")
            return False
        self._looks += 1
        ports = self._ports
        self._recorder.snapshot(row for row in table.rows if row.local_port in ports or row.remote_port in ports)
        return True
