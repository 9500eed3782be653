"""What is left of a recording when its program is killed: all that is older than a second, and a file that opens.

Three times in each run of the tests; WIRECAT_KILLS says another number (``make nightly``: 50), and -s shows the figures.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import threading
from pathlib import Path
from time import monotonic

import pytest

from peers import PATIENCE, Program, wirecat_command
from wirecat.recording.reader import read

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills the way of POSIX")

TIMES = int(os.environ.get("WIRECAT_KILLS", "3"))
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
def test_nothing_that_is_older_than_a_second_is_lost(tmp_path: Path) -> None:
    chance = random.Random()
    oldest = 0.0
    for number in range(TIMES):
        oldest = max(oldest, killed_after(chance.uniform(0.1, KEPT + 0.8), tmp_path / f"{number}.pcapng"))
    print(f"{TIMES} recordings cut off by kill -9: all opened; the oldest byte lost was {oldest * 1000:.0f} ms old")
    assert oldest <= KEPT


def killed_after(seconds: float, path: Path) -> float:
    """Kill a server that records, after so many seconds of talk: how old the first byte is that its file has not."""
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
    assert not recording.complete
    said = b""
    if recording.connections:  # else not even its opening was a tenth of a second old
        (connection,) = recording.connections
        assert connection.missing == 0
        said = b"".join(each.data for each in recording.chunks(1) if each.sender == "server")
    assert said == b"".join(b"%08d" % number for number in range(0, len(said), 8))[: len(said)]
    return max((killed - when for when, heard in progress if heard > len(said)), default=0.0)
