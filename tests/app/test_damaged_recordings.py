"""Recordings cut and with bits turned over at random: what can be read is told, and nothing else happens.

Sixty files in each run of the tests; WIRECAT_DAMAGED_FILES says another number (``make nightly``: 10000), and -s shows the
figures. WIRECAT_DAMAGED_SEED makes the same ones again.
"""

from __future__ import annotations

import io
import os
import random
import re
import socket
import sys
from pathlib import Path
from time import monotonic

import pytest

from recording.made import Maker
from wirecat.app.report import report
from wirecat.cli.environment import Environment
from wirecat.cli.main import dispatch
from wirecat.errors import WirecatError
from wirecat.recording.snapshot import row_fields
from wirecat.system.socket_row import SocketRow
from wirecat.taps.tap import RECEIVED, SENT
from wirecat.wire.segment import ACK, FIN, PSH, SYN, Way

resource = pytest.importorskip("resource")  # Windows has none

FILES = int(os.environ.get("WIRECAT_DAMAGED_FILES", "60"))
SEED = os.environ.get("WIRECAT_DAMAGED_SEED") or str(random.randrange(1 << 32))
LONGEST = 30.0  # seconds for one file: what takes longer hangs
MOST_MEMORY = 256 << 20  # bytes that reading all of them may add to the process: each is smaller than a megabyte


def ours() -> bytes:
    """A recording with a bit of everything."""
    maker = Maker()
    maker.talk(1, handler="echo")
    maker.talk(2, "::1", scheme="tls", tls={"version": "TLSv1.3", "cipher": "X"})
    datagrams = maker.opened(3, scheme="udp")
    maker.pieces += datagrams.chunk(maker.now, RECEIVED, b"question")
    maker.pieces += datagrams.chunk(maker.now, SENT, b"")
    broken = maker.opened(4, joined=True, before=[7, 8])
    broken.skip(RECEIVED, 100)
    maker.pieces += broken.chunk(maker.now, RECEIVED, bytes(range(256)))
    maker.pieces += broken.reset(maker.now, SENT)
    maker.closed(4, by="server", reason="reset")
    row = SocketRow(
        protocol="tcp", family="ipv4", local_host="127.0.0.1", local_port=80, remote_host=None, remote_port=None,
        state="LISTEN", recv_queue=0, send_queue=0, uid=0, inode=1, pid=1, process="x",
    )  # fmt: skip
    maker.frame("sockets", rows=row_fields([row]))
    maker.frame("lost", chunks=3, bytes=4000, text="3 chunks (4000 bytes) could not be kept")
    maker.frame("note", text="the limit of 65536 bytes is reached")
    return maker.bytes()


def others() -> bytes:
    """A capture in the older format, as tcpdump writes it."""
    here, there = (socket.inet_aton("10.0.0.1"), 50000), (socket.inet_aton("10.0.0.2"), 80)
    up, down = Way(*here, *there), Way(*there, *here)
    packets = [
        (up, 100, 0, SYN, b""), (down, 500, 101, SYN | ACK, b""), (up, 101, 501, ACK, b""),
        (up, 101, 501, PSH | ACK, b"GET / HTTP/1.0\r\n\r\n"), (down, 1501, 119, PSH | ACK, b"late" * 100),
        (down, 501, 119, ACK, b"x" * 1000), (down, 501, 119, ACK, b"x" * 1000), (down, 1901, 119, FIN | ACK, b""),
        (up, 119, 1902, FIN | ACK, b""),
    ]  # fmt: skip
    pieces = [bytes.fromhex("d4c3b2a1020004000000000000000000ffff000065000000")]
    for number, (way, sequence, acknowledged, flags, payload) in enumerate(packets):
        data = way.tcp(sequence, acknowledged, flags, payload) + payload
        pieces.append(
            b"".join(part.to_bytes(4, "little") for part in (1_700_000_000, number, len(data), len(data))) + data
        )
    return b"".join(pieces)


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """Bits turned over, pieces taken out, put in or doubled, and often its end cut off."""
    data = bytearray(whole)
    for _ in range(chance.choice((0, 1, 1, 2, 5, 30))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        start = chance.randrange(len(data))
        piece = data[start : start + chance.randrange(1, 300)]
        what = chance.randrange(3)
        data[start : start + (len(piece) if what == 0 else 0)] = (
            b"" if what == 0 else piece if what == 1 else chance.randbytes(len(piece))
        )
    return bytes(data[: chance.randrange(len(data) + 1)] if chance.random() < 0.5 else data)


def memory() -> int:
    """The most bytes that this process ever had."""
    most: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024)


def look(path: Path) -> tuple[str, int]:
    """Everything that reads a recording: what it made of this one (whole, partly, refused), and how much it printed."""
    environment = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {})
    try:
        dispatch(["show", "--hex", str(path)], environment)
        dispatch(["show", "--json", str(path)], environment)
        page = report(path, language="de", utc=True)
    except WirecatError as error:
        assert re.search(r"no recording|bytes at|damaged", str(error)), error
        return "refused", 0
    assert b"<script" not in page
    told = environment.stdout.getvalue() + environment.stderr.getvalue()  # type: ignore[attr-defined]
    assert "Traceback" not in told
    partly = re.search(r"bytes at \d|is damaged: |could not be kept|bytes are missing", told)
    return "partly" if partly else "whole", len(told)


@pytest.mark.timeout(120 + FILES)
def test_damaged_recordings_are_read_as_far_as_they_go(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    wholes = [ours(), others()]
    path = tmp_path / "damaged"
    path.write_bytes(wholes[0])
    assert look(path)[0] == "partly"  # what the recorder lost is missing in it
    path.write_bytes(wholes[1])
    assert look(path)[0] == "whole"
    before, slowest = memory(), 0.0
    outcomes = {"whole": 0, "partly": 0, "refused": 0}
    for number in range(FILES):
        data = damaged(wholes[number % 2], chance)
        path.write_bytes(data)
        started = monotonic()
        try:
            outcome, _ = look(path)
        except BaseException:
            print(f"file {number} of the seed {SEED}")
            raise
        slowest = max(slowest, monotonic() - started)
        outcomes[outcome] += 1
    grown = memory() - before
    print(f"{FILES} damaged files (seed {SEED}): {outcomes}, slowest {slowest:.2f} s, {grown >> 20} MiB more memory")
    assert slowest < LONGEST
    assert grown < MOST_MEMORY
