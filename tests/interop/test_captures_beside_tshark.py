"""Captures with trouble, read by tshark and by wirecat: the same connections, and the same bytes each way."""

from __future__ import annotations

import random
import re
import struct
import subprocess
from pathlib import Path

import pytest

from peers import PATIENCE, environment, peer
from wirecat.recording.model import CLIENT, SERVER, Chunk
from wirecat.recording.reader import read
from wirecat.wire.segment import ACK, FIN, PSH, RST, SYN, Way

CLIENT_END, SERVER_END = (bytes([10, 0, 0, 1]), 40_000), (bytes([10, 0, 0, 2]), 8080)
UP, DOWN = Way(*CLIENT_END, *SERVER_END), Way(*SERVER_END, *CLIENT_END)

Segment = tuple[Way, int, int, int, bytes]


def capture(path: Path, segments: list[Segment]) -> Path:
    """The segments (way, sequence, acknowledged, flags, payload) as a pcap file, a millisecond apart."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    for number, (way, sequence, acknowledged, flags, payload) in enumerate(segments):
        packet = way.tcp(sequence % 2**32, acknowledged % 2**32, flags, payload) + payload
        data += struct.pack("<IIII", 1_700_000_000, number * 1000, len(packet), len(packet)) + packet
    path.write_bytes(data)
    return path


def by_tshark(path: Path) -> list[set[bytes]]:
    """What both sides said in each connection that tshark sees, in its order."""
    shark = [peer("tshark"), "-n", "-r", str(path), "-o", "tcp.relative_sequence_numbers:FALSE"]
    run = {"capture_output": True, "check": True, "timeout": PATIENCE, "env": environment()}
    listed = subprocess.run([*shark, "-T", "fields", "-e", "tcp.stream"], **run).stdout.split()  # type: ignore[call-overload]
    words = [word for number in sorted(map(int, set(listed))) for word in ("-z", f"follow,tcp,raw,{number}")]
    told = subprocess.run([*shark, "-q", *words], **run).stdout.decode()  # type: ignore[call-overload]
    found = {}
    for part in told.split("Follow: tcp,raw")[1:]:
        sides = [b"", b""]
        for line in part.splitlines():
            if re.fullmatch(r"\t?[0-9a-f]+", line):
                sides[line.startswith("\t")] += bytes.fromhex(line.strip())
        number = re.search(r"tcp.stream eq (\d+)", part)
        assert number is not None, part
        found[int(number[1])] = set(sides)
    return [found[number] for number in sorted(found)]


def by_wirecat(path: Path) -> list[set[bytes]]:
    recording = read(path)
    sides = {(each.id, side): b"" for each in recording.connections for side in (CLIENT, SERVER)}
    for entry in recording.entries():
        if isinstance(entry, Chunk):
            sides[entry.connection, entry.sender] += entry.data
    return [{sides[each.id, CLIENT], sides[each.id, SERVER]} for each in recording.connections]


def shake(client: int, server: int) -> list[Segment]:
    return [
        (UP, client, 0, SYN, b""),
        (DOWN, server, client + 1, SYN | ACK, b""),
        (UP, client + 1, server + 1, ACK, b""),
    ]


SHAKE = shake(1000, 5000)
LATE_PART: list[Segment] = [
    (DOWN, 5001, 1001, ACK, b"one,"), (DOWN, 5009, 1001, PSH | FIN | ACK, b"three"), (UP, 1001, 5005, ACK, b""),
    (DOWN, 5005, 1001, ACK, b"two,"), (UP, 1001, 5015, FIN | ACK, b""), (DOWN, 5015, 1002, ACK, b""),
]  # fmt: skip
CASES: dict[str, list[Segment]] = {
    "fin before the last data": [*SHAKE, *LATE_PART],
    "refused, then accepted": [(UP, 1000, 0, SYN, b""), (DOWN, 0, 1001, RST | ACK, b""), *SHAKE, *LATE_PART],
    "ports reused without the first SYN": [
        (UP, 900_001, 7, PSH | ACK, b"old"), (DOWN, 7, 900_004, PSH | ACK, b"old too"), (UP, 900_004, 14, ACK, b""),
        *SHAKE, *LATE_PART,
    ],
    "simultaneous open": [
        (UP, 1000, 0, SYN, b""), (DOWN, 5000, 0, SYN, b""), (UP, 1000, 5001, SYN | ACK, b""),
        (DOWN, 5000, 1001, SYN | ACK, b""), *LATE_PART,
    ],
    "numbers that wrap round": [
        *shake(2**32 - 3, 2**32 - 9), (UP, 2**32 - 2, 2**32 - 8, PSH | ACK, b"hello"), (DOWN, 2**32 - 8, 3, ACK, b"you" * 9),
        (UP, 3, 19, ACK, b""),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case_is_read_as_tshark_reads_it(tmp_path: Path, name: str) -> None:
    path = capture(tmp_path / "case.pcap", CASES[name])
    assert by_wirecat(path) == by_tshark(path)


@pytest.mark.parametrize("seed", range(3))
def test_reordered_and_repeated_segments_give_the_same_bytes(tmp_path: Path, seed: int) -> None:
    """Up to three segments overtake one, and one in five comes twice; each is acknowledged in the end."""
    chance = random.Random(seed)
    text = chance.randbytes(30_000)
    pieces = [(start, text[start : start + chance.randint(300, 900)]) for start in range(0, len(text), 300)]
    pieces = [piece for piece in pieces for _ in range(1 + (chance.random() < 0.2))]
    order = sorted(range(len(pieces)), key=lambda index: index + chance.uniform(0, 3))
    segments = [*SHAKE, *((UP, 1001 + pieces[index][0], 5001, PSH | ACK, pieces[index][1]) for index in order)]
    end = 1001 + len(text)
    segments += [(DOWN, 5001, end, ACK, b""), (UP, end, 5001, FIN | ACK, b""), (DOWN, 5001, end + 1, FIN | ACK, b"")]
    path = capture(tmp_path / "case.pcap", segments)
    assert by_wirecat(path) == [{text, b""}]
    assert by_tshark(path) == [{text, b""}]
