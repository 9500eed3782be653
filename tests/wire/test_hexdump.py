"""Hex dumps are those of ncat, column by column; ncat itself is asked."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from peers import Program, peer
from wirecat.wire.hexdump import hexdump


def test_a_line_as_it_is_documented() -> None:
    assert hexdump(b"Hallo Welt\n") == (b"0000   48 61 6c 6c 6f 20 57 65  6c 74 0a                 Hallo.Welt.     \n")
    assert hexdump(bytes(range(0x70, 0x90))) == (
        b"0000   70 71 72 73 74 75 76 77  78 79 7a 7b 7c 7d 7e 7f  pqrstuvwxyz{|}~.\n"
        b"0010   80 81 82 83 84 85 86 87  88 89 8a 8b 8c 8d 8e 8f  ................\n"
    )
    assert hexdump(b"") == b""


@given(some.binary(max_size=100))
def test_the_columns(data: bytes) -> None:
    lines = hexdump(data).decode("ascii").splitlines()
    assert len(lines) == (len(data) + 15) // 16
    assert all(len(line) == 73 for line in lines)
    assert [int(line[:4], 16) for line in lines] == list(range(0, len(data), 16))
    assert bytes.fromhex("".join(line[7:55] for line in lines)) == data
    assert all(line[4:7] == "   " and line[30:32] == line[55:57] == "  " for line in lines)
    shown = "".join(chr(byte) if 0x21 <= byte <= 0x7E else "." for byte in data)
    assert "".join(line[57:] for line in lines).rstrip(" ") == shown


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_will_do(kind: type) -> None:
    assert hexdump(kind(b"abc")) == hexdump(b"abc")


def test_offsets_beyond_four_digits_are_written_whole() -> None:
    assert hexdump(bytes(0x10010)).splitlines()[-1].startswith(b"10000   00 00")


SAMPLES = [
    bytes(range(256)),
    *(bytes(range(0x1E, 0x1E + length)) for length in range(1, 34)),
    b" ~\x7f\r\n\t\0",
    b"z" * 5000,
]


def test_ncat_writes_the_same(tmp_path: Path) -> None:
    """Each sample is sent once the one before has been written out, so that each is a piece of its own."""
    dump = tmp_path / "dump"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [peer("ncat"), "-x", dump, "127.0.0.1", str(listener.getsockname()[1])]
        with Program(command, stdin=subprocess.DEVNULL) as ncat:
            listener.settimeout(20)
            connection, _ = listener.accept()
            with connection:
                total = 0
                for sample in SAMPLES:
                    connection.sendall(sample)
                    total += len(sample)
                    ncat.wait_for("stdout", re.compile(b"(?s).{%d}" % total))
            assert ncat.wait() == 0
    assert dump.read_bytes() == b"".join(map(hexdump, SAMPLES))
