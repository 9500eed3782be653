"""How a server ends: the first Ctrl-C or SIGTERM drains, the second cuts."""

from __future__ import annotations

import signal
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from wirecat.server.server import Server

# Ctrl-C does not end a wait on Windows, so it is cut into slices there.
_SLICE = 0.2 if sys.platform == "win32" else None


def serve_until_stopped(server: Server) -> int:
    """Wait for the server's end or a signal, then stop it. Exit code 0 after a drain, 128 + n if signal n came twice."""
    came: list[int] = []
    asked = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            server.cut()
        asked.set()

    names = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        names.append(signal.SIGBREAK)
    previous = {number: signal.signal(number, on_signal) for number in names}
    forget = server.on_finished(asked.set)
    try:
        while not asked.wait(_SLICE):
            pass
        stopping = threading.Thread(target=server.stop, name="wirecat-stop", daemon=True)
        stopping.start()
        # In a thread, because a signal must reach this one while connections drain.
        while stopping.is_alive():
            stopping.join(_SLICE)
    finally:
        forget()
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 128 + came[-1] if len(came) > 1 else 0
