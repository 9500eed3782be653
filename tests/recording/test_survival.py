"""What is left of a recording when its program is killed: all that is older than a second, and a file that opens.

Three times in each run of the tests, fifty times in `make nightly`.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from peers import PATIENCE, Program, wirecat_command
from wirecat.recording.reader import read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills the way of POSIX")

TIMES = 50 if settings.default.max_examples >= 10_000 else 3  # type: ignore[union-attr]
KEPT = 1.0  # seconds after which what was recorded survives
_PAUSE = 0.002  # seconds between two questions: what counts is their number at each time, not the load


def talk(connected: socket.socket, progress: list[tuple[float, int]]) -> None:
    """Say numbers and hear them again, until the server is gone; note how many bytes were heard by when."""
    heard = 0
    never = threading.Event()
    try:
        while True:
            data = b"%08d" % heard
            connected.sendall(data)
            while data:
                reply = connected.recv(len(data))
                if not reply:
                    return
                data = data[len(reply) :]
            heard += 8
            progress.append((monotonic(), heard))
            never.wait(_PAUSE)
    except OSError:
        return


@pytest.mark.timeout(60 + 10 * TIMES)
@settings(
    max_examples=TIMES, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(some.floats(KEPT, KEPT + 0.6))
def test_nothing_that_is_older_than_a_second_is_lost(tmp_path: Path, seconds: float) -> None:
    path = tmp_path / "talk.pcapng"
    progress: list[tuple[float, int]] = []
    with Program(wirecat_command("serve", "echo", "127.0.0.1:0", "--record", str(path))) as server:
        port = int(server.wait_for("stderr", rb"listening on 127\.0\.0\.1:(\d+)")[1])
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connected:
            talker = threading.Thread(target=talk, args=(connected, progress))
            talker.start()
            threading.Event().wait(seconds)
            killed = monotonic()
            os.kill(server.pid, signal.SIGKILL)
            talker.join(PATIENCE)
    recording = read(path)
    assert len(recording.connections) == 1
    (connection,) = recording.connections
    said = b"".join(each.data for each in recording.chunks(1) if each.sender == "server")
    assert said == b"".join(b"%08d" % number for number in range(0, len(said), 8))[: len(said)]
    assert connection.missing == 0
    older = max((heard for when, heard in progress if when < killed - KEPT), default=0)
    assert len(said) >= older
    assert not recording.complete
