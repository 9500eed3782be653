"""Much at once through the real programs: what goes in comes out, whichever way the bytes go.

64 MiB here; WIRECAT_BULK_MIB says another size (``make nightly``: 1024).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO

import pytest

from background import Background
from peers import Program, wirecat_command
from plain_peers import PATIENCE

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="files in memory are made by memfd_create(2)"),
    pytest.mark.timeout(600),
]

SIZE = int(os.environ.get("WIRECAT_BULK_MIB", "64")) << 20
HERE = "127.0.0.1:0"
LONG = 300.0


@contextlib.contextmanager
def memory_file(size: int = 0) -> Iterator[IO[bytes]]:
    """A file in memory with so many bytes, no two pieces of which are alike, read from its beginning."""
    with open(os.memfd_create("bulk"), "w+b") as file:
        seed = os.urandom(1 << 20)
        for number in range(-(-size // len(seed))):
            file.write(number.to_bytes(8, "big") + seed[: min(len(seed), size - number * len(seed)) - 8])
        file.flush()
        file.seek(0)
        yield file


def digest(file: IO[bytes]) -> str:
    """That of all of it; it is at its beginning again."""
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    found = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    return found


def digest_of_pipe(descriptor: int, pauses: int = 0) -> tuple[str, int]:
    """Of what comes to the pipe's end, read with as many pauses at the beginning."""
    found, size, pause = hashlib.sha256(), 0, threading.Event()
    with open(descriptor, "rb", buffering=0) as pipe:
        while data := pipe.read(1 << 20):
            found.update(data)
            size += len(data)
            if pauses:
                pauses -= 1
                pause.wait(0.01)
    return found.hexdigest(), size


def port_of(program: Program) -> str:
    """Where it says that it listens."""
    return program.wait_for("stderr", rb"listening on .*?(127\.0\.0\.1:\d+)")[1].decode()


def test_a_file_through_a_relay_into_a_file() -> None:
    with memory_file(SIZE) as source, memory_file() as sink:
        expected = digest(source)
        listen = wirecat_command("listen", "-v", HERE)
        with Program(listen, stdin=subprocess.DEVNULL, stdout=sink) as receiver:
            with Program(wirecat_command("relay", "-v", HERE, port_of(receiver))) as relay:
                with Program(wirecat_command("connect", "-v", port_of(relay)), stdin=source) as sender:
                    assert sender.wait(LONG) == 0
                    assert relay.wait(LONG) == 0
                    assert receiver.wait(LONG) == 0
                    for program, said in (
                        (sender, b"sending: zero-copy"), (relay, b"to the target: zero-copy"),
                        (receiver, b"receiving: zero-copy"),
                    ):  # fmt: skip
                        assert said in program.stderr
                        assert b"copy: " not in program.stderr
        assert os.fstat(sink.fileno()).st_size == SIZE
        assert digest(sink) == expected


@pytest.mark.parametrize("pauses", [0, 50])
def test_a_file_into_a_pipe(pauses: int) -> None:
    with memory_file(SIZE) as source, contextlib.ExitStack() as stack:
        expected = digest(source)
        reads, writes = os.pipe()
        receiver = stack.enter_context(
            Program(wirecat_command("listen", HERE), stdin=subprocess.DEVNULL, stdout=writes)
        )
        os.close(writes)
        arrived = stack.enter_context(Background(lambda: digest_of_pipe(reads, pauses)))
        sender = stack.enter_context(Program(wirecat_command("connect", port_of(receiver)), stdin=source))
        assert arrived.result(LONG) == (expected, SIZE)
        assert sender.wait(PATIENCE) == 0
        assert receiver.wait(PATIENCE) == 0


def test_a_pipe_into_a_program_and_back_from_another() -> None:
    """From a pipe to a socket, from the socket into a program's pipe; and from its output back."""
    with memory_file(SIZE) as source, contextlib.ExitStack() as stack:
        expected = digest(source)
        reads, writes = os.pipe()
        relay = stack.enter_context(Program(wirecat_command("relay", HERE, "exec:cat")))
        client = stack.enter_context(
            Program(["sh", "-c", f'cat | "{sys.executable}" -m wirecat connect {port_of(relay)}'], stdin=source, stdout=writes)
        )  # fmt: skip
        os.close(writes)
        arrived = stack.enter_context(Background(lambda: digest_of_pipe(reads)))
        assert arrived.result(LONG) == (expected, SIZE)
        assert client.wait(PATIENCE) == 0
        assert relay.wait(PATIENCE) == 0


def test_by_tls_it_is_copied() -> None:
    with memory_file(SIZE // 4) as source, memory_file() as sink, contextlib.ExitStack() as stack:
        expected = digest(source)
        receiver = stack.enter_context(Program(wirecat_command("listen", HERE), stdin=subprocess.DEVNULL, stdout=sink))
        relay = stack.enter_context(Program(wirecat_command("relay", "-v", "tls://127.0.0.1:0", port_of(receiver))))
        place = relay.wait_for("stderr", rb"listening on (tls://127\.0\.0\.1:\d+)")[1].decode()
        connect = wirecat_command("connect", "-v", "--insecure", place)
        sender = stack.enter_context(Program(connect, stdin=source))
        assert sender.wait(LONG) == 0
        assert relay.wait(LONG) == 0
        assert receiver.wait(LONG) == 0
        assert b"sending: copy: TLS" in sender.stderr
        assert b"to the target: copy: TLS" in relay.stderr
        assert digest(sink) == expected


@pytest.mark.parametrize("dialect", ["connect", "listen"])
def test_the_ncat_dialect_goes_the_same_way(dialect: str) -> None:
    with memory_file(SIZE // 4) as source, memory_file() as sink, contextlib.ExitStack() as stack:
        expected = digest(source)
        if dialect == "connect":
            receiver = stack.enter_context(
                Program(wirecat_command("listen", HERE), stdin=subprocess.DEVNULL, stdout=sink)
            )
            words = ["ncat", "-vv", "--send-only", *port_of(receiver).split(":")]
            sender = stack.enter_context(Program(wirecat_command(*words), stdin=source))
            told = sender
        else:
            words = ["ncat", "-vv", "-l", "--recv-only", "127.0.0.1", "0"]
            told = receiver = stack.enter_context(
                Program(wirecat_command(*words), stdin=subprocess.DEVNULL, stdout=sink)
            )
            port = receiver.wait_for("stderr", rb"Listening on 127\.0\.0\.1:(\d+)")[1].decode()
            sender = stack.enter_context(Program(wirecat_command("connect", f"127.0.0.1:{port}"), stdin=source))
        assert sender.wait(LONG) == 0
        assert receiver.wait(LONG) == 0
        assert b"ward: zero-copy" in told.stderr
        assert digest(sink) == expected
