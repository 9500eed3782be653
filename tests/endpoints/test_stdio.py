"""Standard input and output as a stream: any descriptors in their place, and every way in which they may end."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from background import PATIENCE, Background, stays
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints.stdio import StdioStream, open_stream
from wirecat.errors import OutputClosed, UsageError, WirecatError

if sys.platform == "win32":
    pytest.skip("a thread reads there, see Windows' own tests", allow_module_level=True)


class Pipes:
    """A stream whose input and output are pipes; `typed` and `shown` are their other ends."""

    def __init__(self) -> None:
        self.source, self.typed = os.pipe()
        self.shown, self.sink = os.pipe()
        self.stream = StdioStream(self.source, self.sink)

    def close(self, *names: str) -> None:
        for name in names or ("source", "typed", "shown", "sink"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    made = Pipes()
    yield made
    made.stream.close()
    made.close()


def test_it_is_the_process_own_by_default() -> None:
    stream = open_stream(Address("stdio"), Deadline(1))
    assert (stream.source, stream.sink, stream.fileno()) == (0, 1, 0)
    assert stream.peer == stream.local == Address.parse("-")
    stream.close()
    stream.close()


def test_bytes_in_and_out(pipes: Pipes) -> None:
    os.write(pipes.typed, b"abc")
    assert pipes.stream.receive(2) == b"ab"
    buffer = bytearray(10)
    assert pipes.stream.receive_into(buffer) == 1
    assert buffer[:1] == b"c"
    pipes.stream.send(b"shown")
    pipes.stream.send(b"")
    assert os.read(pipes.shown, 100) == b"shown"


def test_the_end_of_the_input_stays_the_end(pipes: Pipes) -> None:
    os.write(pipes.typed, b"last")
    pipes.close("typed")
    assert pipes.stream.receive(100) == b"last"
    assert pipes.stream.receive(100) == b""
    assert pipes.stream.receive(100) == b""


def test_the_null_device_and_a_file(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x" * 100_000)
    for name, size in (("/dev/null", 0), (str(tmp_path / "in"), 100_000)):
        source = os.open(name, os.O_RDONLY)
        stream = StdioStream(source)
        count = 0
        while piece := stream.receive(65536):
            count += len(piece)
        assert count == size
        stream.close()
        os.close(source)


def test_an_input_that_is_closed_has_ended(pipes: Pipes) -> None:
    pipes.close("source")
    assert pipes.stream.receive(100) == b""


def test_an_input_that_cannot_be_read_has_ended(tmp_path: Path) -> None:
    for source in (os.open(tmp_path, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)):
        stream = StdioStream(source)
        assert stream.receive(100) == b""
        stream.close()
        os.close(source)


def test_abort_wakes_a_receive_in_another_thread(pipes: Pipes) -> None:
    with Background(lambda: pipes.stream.receive(100)) as receiving:
        assert stays(lambda: receiving.running)
        pipes.stream.abort()
        assert receiving.result() == b""
    os.write(pipes.typed, b"too late")
    assert pipes.stream.receive(100) == b""


def test_drain_wakes_a_receive_in_another_thread(pipes: Pipes) -> None:
    with Background(lambda: pipes.stream.receive(100)) as receiving:
        assert stays(lambda: receiving.running)
        pipes.stream.drain()
        assert receiving.result() == b""


def test_drain_takes_what_is_there_and_waits_for_no_more(pipes: Pipes) -> None:
    os.write(pipes.typed, b"there already")
    pipes.stream.drain()
    assert pipes.stream.receive(5) == b"there"
    assert pipes.stream.receive(100) == b" already"
    assert pipes.stream.receive(100) == b""
    pipes.stream.drain()
    assert pipes.stream.receive(100) == b""


def test_drain_takes_the_whole_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x" * 300_000)
    source = os.open(tmp_path / "in", os.O_RDONLY)
    stream = StdioStream(source)
    stream.drain()
    count = 0
    while piece := stream.receive(65536):
        count += len(piece)
    assert count == 300_000
    stream.close()
    os.close(source)


def test_renew_makes_it_ready_for_the_next_peer(pipes: Pipes) -> None:
    for end in (pipes.stream.drain, pipes.stream.abort, lambda: None):
        end()
        end()
        pipes.stream.renew()
        with Background(lambda: pipes.stream.receive(100)) as receiving:
            assert stays(lambda: receiving.running, 0.05)
            os.write(pipes.typed, b"next")
            assert receiving.result() == b"next"


def test_a_reader_that_is_slow_gets_it_all(pipes: Pipes) -> None:
    data = bytes(range(256)) * 4096
    with Background(lambda: pipes.stream.send(data)) as sending:
        assert stays(lambda: sending.running)
        received = b""
        while len(received) < len(data):
            received += os.read(pipes.shown, 5000)
        sending.result()
    assert received == data


def test_a_reader_that_went_is_told(pipes: Pipes) -> None:
    pipes.close("shown")
    with pytest.raises(OutputClosed, match=r"at least 7 bytes .* were not delivered") as caught:
        pipes.stream.send(b"seven b")
    assert caught.value.exit_code == 141
    assert caught.value.errno == errno.EPIPE


def test_a_reader_that_goes_in_the_middle_is_told(pipes: Pipes) -> None:
    with Background(lambda: pipes.stream.send(bytes(1 << 20))) as sending:
        assert stays(lambda: sending.running)
        pipes.close("shown")
        with pytest.raises(OutputClosed, match="were not delivered"):
            sending.result()


def test_an_output_that_is_closed_is_told(pipes: Pipes) -> None:
    pipes.close("sink")
    with pytest.raises(OutputClosed, match="closed"):
        pipes.stream.send(b"x")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_told_as_what_it_is() -> None:
    sink = os.open("/dev/full", os.O_WRONLY)
    stream = StdioStream(0, sink)
    with pytest.raises(WirecatError, match="No space left") as caught:
        stream.send(b"abc")
    assert not isinstance(caught.value, OutputClosed)
    assert caught.value.exit_code == 1
    stream.close()
    os.close(sink)


def test_descriptors_that_somebody_made_non_blocking_are_waited_for(pipes: Pipes) -> None:
    """The flag belongs to the open file, which other programs share (ssh is known to set it)."""
    os.set_blocking(pipes.source, False)
    os.set_blocking(pipes.sink, False)
    data = bytes(1 << 20)
    with (
        Background(lambda: pipes.stream.send(data)) as sending,
        Background(lambda: pipes.stream.receive(9)) as receiving,
    ):
        assert stays(lambda: sending.running and receiving.running)
        received = 0
        while received < len(data):
            received += len(os.read(pipes.shown, 65536))
        sending.result()
        os.write(pipes.typed, b"late")
        assert receiving.result() == b"late"


def test_abort_ends_a_send_that_waits_for_a_non_blocking_output(pipes: Pipes) -> None:
    os.set_blocking(pipes.sink, False)
    with Background(lambda: pipes.stream.send(bytes(1 << 20))) as sending:
        assert stays(lambda: sending.running)
        pipes.stream.abort()
        with pytest.raises(WirecatError):
            sending.result()


def test_what_another_reader_took_first_is_waited_for_again(pipes: Pipes) -> None:
    os.set_blocking(pipes.source, False)
    stop = threading.Event()

    def steal() -> None:
        while not stop.is_set():
            try:
                os.read(pipes.source, 1)
            except BlockingIOError:
                stop.wait(0.0001)

    with Background(steal), Background(lambda: [pipes.stream.receive(1) for _ in range(50)]) as receiving:
        deadline = Deadline(PATIENCE)
        while receiving.running and not deadline.expired:
            os.write(pipes.typed, b"x")
            stop.wait(0.0005)
        stop.set()
        assert receiving.result() == [b"x"] * 50


def test_descriptors_beyond_what_select_takes(pipes: Pipes) -> None:
    """select(2) ends at 1024, and a program that uses the library may have thousands open."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard == resource.RLIM_INFINITY else min(hard, 4096), hard))
    source, sink = 1501, 1502
    try:
        os.dup2(pipes.source, source)
        os.dup2(pipes.sink, sink)
    except OSError:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        pytest.skip("this system allows no descriptor above 1024")
    stream = StdioStream(source, sink)
    try:
        os.set_blocking(sink, False)
        with Background(lambda: stream.send(bytes(1 << 18))) as sending:
            os.write(pipes.typed, b"high")
            assert stream.receive(10) == b"high"
            received = 0
            while received < 1 << 18:
                received += len(os.read(pipes.shown, 65536))
            sending.result()
        stream.drain()
        assert stream.receive(10) == b""
    finally:
        stream.close()
        os.close(source)
        os.close(sink)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_half_close_shows_the_end_to_the_reader_where_asked_for(pipes: Pipes) -> None:
    stream = StdioStream(pipes.source, pipes.sink, can_half_close=True)
    stream.send(b"last")
    stream.half_close()
    assert os.read(pipes.shown, 10) == b"last"
    assert os.read(pipes.shown, 10) == b""
    os.write(pipes.typed, b"more")
    assert stream.receive(10) == b"more"
    stream.close()


def test_closed_under_a_receive_that_was_about_to_wait(pipes: Pipes) -> None:
    pipes.stream.close()
    assert pipes.stream.receive(10) == b""
    pipes.stream.abort()
    pipes.stream.drain()


def test_it_knows_no_time_outs_and_no_half_close(pipes: Pipes) -> None:
    pipes.stream.set_timeout(None)
    with pytest.raises(UsageError, match="time-outs"):
        pipes.stream.set_timeout(1)
    pipes.stream.half_close()
    pipes.stream.send(b"still open")
    assert os.read(pipes.shown, 100) == b"still open"


def test_a_terminal_gives_its_lines_and_its_end() -> None:
    import pty

    controller, terminal = pty.openpty()
    stream = StdioStream(terminal, terminal)
    os.write(controller, b"typed\n")
    assert stream.receive(100) == b"typed\n"
    os.write(controller, b"\x04")
    assert stream.receive(100) == b""
    stream.close()
    os.close(terminal)
    os.close(controller)


def test_a_terminal_that_is_gone_has_ended() -> None:
    import pty

    controller, terminal = pty.openpty()
    stream = StdioStream(terminal, terminal)
    with Background(lambda: stream.receive(100)) as receiving:
        assert stays(lambda: receiving.running)
        os.close(controller)
        assert receiving.result() == b""
    with pytest.raises(WirecatError):
        stream.send(b"x")
    stream.close()
    os.close(terminal)


def test_a_terminal_that_another_job_has_is_not_read(pipes: Pipes, monkeypatch: pytest.MonkeyPatch) -> None:
    """To read it would stop the program, with all that the peer still sends; it is waited for until it is ours again."""
    background = threading.Event()
    background.set()
    monkeypatch.setattr(StdioStream, "_in_background", lambda self: background.is_set())
    os.write(pipes.typed, b"for the shell")
    with Background(lambda: pipes.stream.receive(100)) as receiving:
        assert stays(lambda: receiving.running)
        background.clear()
        assert receiving.result() == b"for the shell"
    background.set()
    os.write(pipes.typed, b"for the shell again")
    pipes.stream.drain()
    assert pipes.stream.receive(100) == b""
