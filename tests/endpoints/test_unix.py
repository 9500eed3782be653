"""Unix domain sockets: the conformance suite, the path's life, full queues."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from background import Background, stays

if sys.platform == "win32":
    pytest.skip("needs Unix domain sockets", allow_module_level=True)

from endpoints.conformance import StreamConformance
from leaks import nothing_left_behind as nothing_left_behind
from wirecat.address import Address
from wirecat.deadline import Deadline
from wirecat.endpoints.socket_stream import SocketStream
from wirecat.endpoints.unix import open_listener, open_stream
from wirecat.errors import AddressError, ListenError, NoAnswer, Refused, Unreachable


class TestOverAPath(StreamConformance):
    answer_size = 100_000

    def place(self, tmp_path: Path) -> Address:
        return Address("unix", path=str(tmp_path / "x.socket"))


@pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux' own")
class TestOverAnAbstractName(StreamConformance):
    answer_size = 100_000

    def place(self, tmp_path: Path) -> Address:
        return Address("unix", path=f"@wirecat-test-{os.getpid()}")


def test_what_comes_in_the_instant_of_the_close_makes_no_reset_of_the_end() -> None:
    """unix(7): closing with bytes unread is ECONNRESET for the peer, even if it came after the last look."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)

    class Late(socket.socket):
        def shutdown(self, how: int) -> None:
            if how == socket.SHUT_RDWR:
                theirs.send(b"late")
            super().shutdown(how)

    with theirs:
        SocketStream(Late(fileno=ours.detach()), Address("unix", path="x")).close()
        assert theirs.recv(1) == b""
        with pytest.raises(BrokenPipeError):
            theirs.send(b"later")


@pytest.fixture
def address(tmp_path: Path) -> Address:
    return Address("unix", path=str(tmp_path / "x.socket"))


def test_the_path_is_there_while_it_listens(address: Address) -> None:
    with open_listener(address, 16) as listener:
        assert listener.addresses == (address,)
        assert Path(address.path).is_socket()
    assert not Path(address.path).exists()


def test_a_path_that_somebody_removed_is_no_fault(address: Address) -> None:
    with open_listener(address, 16):
        Path(address.path).unlink()


def test_a_path_that_a_dead_server_left_is_taken_over(address: Address) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(address.path)
        dead.listen()
    with open_listener(address, 16) as listener:
        stream = open_stream(address, Deadline(5))
        listener.accept(5).close()
        stream.close()


def test_a_path_on_which_somebody_listens_is_not_taken_over(address: Address) -> None:
    with open_listener(address, 16) as listener:
        with pytest.raises(ListenError, match="taken") as caught:
            open_listener(address, 16)
        assert "port" not in str(caught.value), "a path has none"
        listener.accept(5).close()  # that was the question whether somebody listens
        open_stream(address, Deadline(5)).close()


def test_a_path_of_a_busy_server_is_not_taken_over(address: Address) -> None:
    """Its queue is full, which is no sign of death."""
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as client:
        busy.bind(address.path)
        busy.listen(0)
        client.connect(address.path)
        with pytest.raises(ListenError, match="taken"):
            open_listener(address, 16)


def test_a_file_is_not_taken_over(address: Address) -> None:
    Path(address.path).write_text("precious")
    with pytest.raises(ListenError, match="taken"):
        open_listener(address, 16)
    assert Path(address.path).read_text() == "precious"


def test_a_path_that_another_server_has_by_now_is_left_to_it(address: Address) -> None:
    first = open_listener(address, 16)
    Path(address.path).unlink()
    with open_listener(address, 16) as second:
        first.close()
        assert Path(address.path).is_socket()
        stream = open_stream(address, Deadline(5))
        second.accept(5).close()
        stream.close()


def test_no_such_path(address: Address) -> None:
    with pytest.raises(Unreachable, match=r"^connect unix://.*: there is no such path"):
        open_stream(address, Deadline(5))
    with pytest.raises(ListenError, match="No such file"):
        open_listener(Address("unix", path=address.path + "/deeper"), 16)


def test_nobody_listens(address: Address) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(address.path)
        with pytest.raises(Refused):
            open_stream(address, Deadline(5))


def test_no_socket_at_all(address: Address) -> None:
    Path(address.path).write_text("")
    with pytest.raises(Refused):
        open_stream(address, Deadline(5))


def test_a_path_too_long_for_the_kernel() -> None:
    address = Address("unix", path="/tmp/" + "x" * 200)
    with pytest.raises(AddressError, match="too long"):
        open_stream(address, Deadline(5))
    with pytest.raises(AddressError, match="too long"):
        open_listener(address, 16)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses")
def test_a_full_queue_is_waited_for(address: Address) -> None:
    """A non-blocking connect fails there at once, and poll(2) then calls it ready: it must not be taken for connected."""
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as first:
        server.bind(address.path)
        server.listen(0)
        first.connect(address.path)
        with Background(lambda: open_stream(address, Deadline(20))) as connecting:
            assert stays(lambda: connecting.running)
            server.accept()[0].close()
            stream = connecting.result()
        accepted, _ = server.accept()
        stream.send(b"in")
        assert accepted.recv(2) == b"in"
        assert stream.socket.gettimeout() is None
        stream.set_timeout(None)
        with Background(lambda: stream.send(bytes(1 << 22))) as sending:
            # The time for connecting does not stay as a time for sending.
            assert stays(lambda: sending.running, 0.3)
            accepted.close()
            with pytest.raises(OSError, match="broke"):
                sending.result()
        stream.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses")
def test_a_full_queue_is_no_answer_in_the_end(address: Address) -> None:
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as first:
        server.bind(address.path)
        server.listen(0)
        first.connect(address.path)
        started = time.monotonic()
        with pytest.raises(NoAnswer, match=r"no answer in 0\.3 s.*queue may be full"):
            open_stream(address, Deadline(0.3))
        assert 0.25 < time.monotonic() - started < 5
