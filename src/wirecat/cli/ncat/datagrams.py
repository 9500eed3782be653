"""``-u -l -k`` with a program: each peer that sends a first datagram gets a program of its own."""

from __future__ import annotations

import sys
import threading

from wirecat.cli.ncat import messages
from wirecat.cli.ncat.admission import Admission
from wirecat.cli.ncat.endings import SUCCESS, Ending
from wirecat.cli.ncat.exec import run_command
from wirecat.cli.ncat.listen import came_from
from wirecat.cli.ncat.listening import open_listening
from wirecat.cli.ncat.many import MOST_CLIENTS
from wirecat.cli.ncat.session import Taps
from wirecat.cli.ncat.signals import ending_of_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wirecat.cli.environment import Environment
    from wirecat.cli.ncat.checks import Operands
    from wirecat.cli.ncat.messages import Voice
    from wirecat.cli.ncat.settings import Settings
    from wirecat.connection import Connection
    from wirecat.stream import Stream

_SLICE = 0.2 if sys.platform == "win32" else 0.5  # a signal that comes just before a wait does not end it


def serve_datagrams(settings: Settings, operands: Operands, voice: Voice, environment: Environment) -> int:
    """Serve until a signal comes. Raises Ending, Signalled."""
    with ending_of_signals(), Taps(settings) as taps:
        admission = Admission(settings)
        peers = _Peers(settings, voice)
        with open_listening(settings, operands, voice) as listener:
            try:
                while True:
                    try:
                        stream = listener.accept(_SLICE)
                    except TimeoutError:
                        continue
                    voice.tell(messages.connection_from(came_from(stream.peer)))
                    refused = "" if admission.permits(stream) else messages.NOT_ALLOWED
                    if not refused and len(peers) >= (settings.max_conns or MOST_CLIENTS):
                        refused = messages.limit_reached(settings.max_conns or MOST_CLIENTS)
                    if refused:
                        voice.tell(refused)
                        stream.close()
                    else:
                        peers.serve(stream, taps)
            finally:
                peers.cut()
    return SUCCESS


class _Peers:
    """The peers that are there now, each with the thread that serves it."""

    def __init__(self, settings: Settings, voice: Voice) -> None:
        self._settings = settings
        self._voice = voice
        self._live: dict[Connection, threading.Thread] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._live)

    def serve(self, stream: Stream, taps: Taps) -> None:
        """Start a program for a peer."""
        connection = taps.connection(stream)
        thread = threading.Thread(target=self._run, args=(connection,), name="wirecat-peer", daemon=True)
        with self._lock:
            self._live[connection] = thread
        thread.start()

    def _run(self, connection: Connection) -> None:
        try:
            run_command(connection, self._settings, self._voice)
        except Ending:
            return  # this peer's affair alone
        finally:
            connection.close()
            with self._lock:
                self._live.pop(connection, None)

    def cut(self) -> None:
        """End them all, and their programs."""
        with self._lock:
            live = list(self._live.items())
        for connection, _ in live:
            connection.cut("shutdown")
        for _, thread in live:
            thread.join(1.0)
