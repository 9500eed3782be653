"""Programs as streams: input, output, half-close, and that none is left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.connection import Connection
from wirecat.deadline import Deadline
from wirecat.endpoints import open_listener, open_stream
from wirecat.endpoints.exec import ExecStream, split_command, start_program
from wirecat.errors import AddressError, ConnectionClosed, DeadlineExpired, UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a Unix shell")


def everything(stream: ExecStream) -> bytes:
    pieces = []
    while piece := stream.receive(65536):
        pieces.append(piece)
    return b"".join(pieces)


def runs(pid: int) -> bool:
    """Whether a process is there (and no zombie)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while runs(pid) and time.monotonic() < deadline:
        stays(lambda: True, 0.02)
    return not runs(pid)


def test_what_is_sent_is_its_input_and_what_it_writes_is_received() -> None:
    stream = open_stream(Address.parse("exec:tr a-z A-Z"), Deadline(PATIENCE))
    assert isinstance(stream, ExecStream)
    stream.send(b"hello ")
    stream.send(b"")
    stream.send(bytearray(b"world"))
    stream.half_close()
    stream.half_close()
    assert everything(stream) == b"HELLO WORLD"
    assert stream.ended
    assert stream.receive(10) == b"", "the end stays the end"
    stream.close()
    assert stream.exit_code == 0
    assert stream.peer == Address("exec", path="tr a-z A-Z")
    assert str(stream.local) == "-"


def test_it_is_a_connection_like_any_other() -> None:
    with Connection(start_program("while read line; do echo got $line; done; echo bye")) as connection:
        connection.send_line("one")
        assert connection.receive_line() == "got one"
        connection.half_close()
        assert connection.receive_line() == "bye"
        assert connection.receive_line() is None


def test_much_both_ways_at_once() -> None:
    data = bytes(range(256)) * (1 << 14)
    stream = start_program("cat")

    def send() -> None:
        stream.send(data)
        stream.half_close()

    with Background(send):
        buffer, received = memoryview(bytearray(1 << 17)), bytearray()
        while count := stream.receive_into(buffer):
            received += buffer[:count]
    assert received == data
    stream.close()


def test_a_program_that_reads_nothing_may_still_say_something() -> None:
    """What is sent to it is dropped, as in a pipeline; it is no error, and its words are not lost."""
    stream = start_program("exec <&-; sleep 0.1; echo here I am")
    data = bytes(1 << 20)
    for _ in range(3):
        stream.send(data)
    assert everything(stream) == b"here I am\n"
    assert stream.discarded >= 2 << 20
    stream.send(b"too late")
    stream.half_close()
    stream.close()


def test_the_end_of_its_input_does_not_kill_it() -> None:
    stream = start_program("cat >/dev/null; sleep 0.3; echo done")
    stream.half_close()
    assert everything(stream) == b"done\n"
    stream.close()


def test_close_leaves_it_to_end_by_itself(tmp_path: Path) -> None:
    """It may have something to bring to an end; it is reaped when it has."""
    proof = tmp_path / "proof"
    stream = start_program(f"cat >/dev/null; sleep 0.6; echo finished >{proof}")
    stream.send(b"x")
    started = time.monotonic()
    stream.close()
    assert time.monotonic() - started < 0.5
    assert gone(stream.pid)
    assert proof.read_text() == "finished\n"


def test_abort_kills_all_that_it_has_started() -> None:
    stream = start_program("sleep 100 & echo $!; sleep 100")
    child = int(stream.receive(100))
    assert runs(child)
    with Background(lambda: stream.receive(1)) as receiving:
        assert stays(lambda: receiving.running)
        stream.abort()
        assert receiving.result() == b""
    stream.close()
    assert gone(stream.pid)
    assert gone(child)
    assert stream.exit_code == -signal.SIGTERM
    stream.abort()


def test_abort_reaches_what_is_left_of_a_program_that_has_ended() -> None:
    stream = start_program("sleep 100 & echo $!")
    child = int(stream.receive(100))
    stream.abort()
    stream.close()
    assert gone(child)


def test_a_program_that_does_not_want_to_die() -> None:
    stream = start_program("trap '' TERM; echo ready; while :; do sleep 0.1; done")
    assert stream.receive(100) == b"ready\n"
    started = time.monotonic()
    stream.abort()
    stream.close()
    assert time.monotonic() - started < 3
    assert gone(stream.pid)
    assert stream.exit_code == -signal.SIGKILL


def test_abort_wakes_a_send_that_waits() -> None:
    stream = start_program("sleep 100")
    with Background(lambda: stream.send(bytes(1 << 20))) as sending:
        assert stays(lambda: sending.running)
        stream.abort()
        sending.result()
    assert stream.discarded
    stream.close()


def test_waiting_is_bounded() -> None:
    stream = start_program("sleep 100")
    stream.set_timeout(0.05)
    with pytest.raises(DeadlineExpired, match=r"nothing came in 0\.05 s"):
        stream.receive(10)
    with pytest.raises(DeadlineExpired, match=r"took no more for 0\.05 s") as caught:
        stream.send(bytes(1 << 20))
    assert 0 < (caught.value.unsent or 0) < 1 << 20
    stream.abort()
    stream.close()


def test_close_wakes_a_receive_and_ends_all_use() -> None:
    stream = start_program("cat")
    with Background(lambda: stream.receive(1)) as receiving:
        assert stays(lambda: receiving.running)
        stream.close()
        with pytest.raises(ConnectionClosed):
            receiving.result()
    stream.close()
    assert stream.fileno() == stream.writing == -1
    for use in (lambda: stream.send(b"x"), lambda: stream.receive(1), stream.half_close):
        with pytest.raises(ConnectionClosed):
            use()


def test_it_may_open_its_own_input_and_output() -> None:
    """Which a socket would not let it."""
    stream = start_program("cat /dev/stdin >/dev/stdout")
    stream.send(b"through")
    stream.half_close()
    assert everything(stream) == b"through"
    stream.close()


def test_signals_that_python_ignores_are_given_back() -> None:
    """Else a pipeline in it would run on for ever: `yes` ends by SIGPIPE."""
    stream = start_program("yes | head -1; echo ${PIPESTATUS:-}")
    assert everything(stream).startswith(b"y\n")
    stream.close()
    stream = start_program("grep SigIgn /proc/self/status")
    ignored = int(everything(stream).split()[1], 16)
    assert not ignored & (1 << (signal.SIGPIPE - 1))
    stream.close()


def test_its_environment_has_what_is_added() -> None:
    stream = start_program("echo $WHO:$HOME", environment={"WHO": "peer"})
    assert everything(stream) == f"peer:{os.environ.get('HOME', '')}\n".encode()
    stream.close()


def test_words_are_taken_as_they_are() -> None:
    for command, split in ((r"printf %s|%s a\ b 'c", True), (["printf", "%s|%s", "a b", "'c"], False)):
        stream = start_program(command, split=split)
        assert everything(stream) == b"a b|'c"
        stream.close()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/bin/cat", ["/bin/cat"]),
        ("  cat \t -v\n", ["cat", "-v"]),
        (r"a\ b c", ["a b", "c"]),
        (r"a\\b", [r"a\b"]),
        (r"\a\b", ["ab"]),
        (r"a \  b", ["a", " ", "b"]),
        ("'a b' \"c\"", ["'a", "b'", '"c"']),
        ("a\\", ["a\\"]),
        ("größe", ["größe"]),
    ],
)
def test_how_a_command_is_split(command: str, words: list[str]) -> None:
    assert split_command(command) == words


@pytest.mark.parametrize("command", ["", "   ", "\n\t"])
def test_an_empty_command(command: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        split_command(command)


def test_programs_that_are_none(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no program")
    for command, match in (("/no/such/program x", "no such program"), (str(text), "no program that may be run")):
        with pytest.raises(UsageError, match=match):
            start_program(command, split=True)
    stream = start_program("/no/such/program 2>/dev/null")  # the shell's own answer
    assert everything(stream) == b""
    stream.close()
    assert stream.exit_code == 127


def test_nobody_listens_on_a_program() -> None:
    with pytest.raises(AddressError, match="cannot be listened on"):
        open_listener(Address.parse("exec:cat"))
